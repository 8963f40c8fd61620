"""hello: a worker that has accepted ten connections retires, and a new one takes its place.

The first process holds the listening socket. A worker that retires says so through a pipe, serves the clients that it
has to their end, and exits.
"""

import os
import signal
import socket
import sys
import threading
import time

ANSWER = b"Hello Node!\n"
LIMIT = 65536
MOST = 10


def serve(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as lines:
        try:
            while (line := lines.readline(LIMIT + 1)) and len(line) <= LIMIT:
                text = line.decode().removesuffix("\n").removesuffix("\r")
                connection.sendall(ANSWER)
                if text == "STOP":
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                    return
        except (OSError, UnicodeDecodeError):
            pass  # The client is gone, or sends no text.


def work(listener: socket.socket, retired: int) -> None:
    threads = []
    while len(threads) < MOST:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)  # No descriptor is left for it, until somebody leaves.
            continue
        threads.append(threading.Thread(target=serve, args=[connection]))
        threads[-1].start()
    listener.close()
    os.write(retired, b"!")
    for thread in threads:
        thread.join()


def end(*_: object) -> None:
    for pid in workers:
        os.kill(pid, signal.SIGTERM)
    os._exit(0)


def start(listener: socket.socket) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        work(listener, retired)
        os._exit(0)
    workers.add(pid)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


workers: set[int] = set()
waiting, retired = os.pipe()
os.set_blocking(retired, False)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=64) as listener:
    # A signal that comes just before the read() is noticed all the same, since it writes to the pipe.
    signal.set_wakeup_fd(retired)
    signal.signal(signal.SIGTERM, end)
    while True:
        start(listener)
        os.read(waiting, 1)
        for pid in list(workers):
            if os.waitpid(pid, os.WNOHANG)[0]:
                workers.remove(pid)
