"""echo: three processes, each with a listening socket of its own on the same port (SO_REUSEPORT). SIGTERM ends all."""

import os
import signal
import socket
import sys
import threading

WORKERS = 3


def serve(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(32768):
                connection.sendall(data)
        except OSError:
            pass  # The client is gone.


def work(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=[connection], daemon=True).start()


address = (sys.argv[1], int(sys.argv[2]))
listeners = [socket.create_server(address, reuse_port=True, backlog=64) for _ in range(WORKERS)]
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
workers = []
for mine in listeners:
    pid = os.fork()
    if pid == 0:
        for listener in listeners:
            if listener is not mine:
                listener.close()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        work(mine)
    workers.append(pid)
for listener in listeners:
    listener.close()
signal.sigwait([signal.SIGTERM])
for pid in workers:
    os.kill(pid, signal.SIGTERM)
for pid in workers:
    os.waitpid(pid, 0)
