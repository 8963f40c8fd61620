"""echo: the first process accepts, and passes each connection to one of four others through a Unix socket."""

import itertools
import os
import socket
import sys
import threading

WORKERS = 4


def serve(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(8192):
                connection.sendall(data)
        except OSError:
            pass  # The client is gone.


def work(passed: socket.socket) -> None:
    while True:
        message, fds, _, _ = socket.recv_fds(passed, 1, 1)
        if not message:
            os._exit(0)
        threading.Thread(target=serve, args=[socket.socket(fileno=fds[0])], daemon=True).start()


def start(listener: socket.socket) -> socket.socket:
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        listener.close()
        ours.close()
        for earlier in workers:
            earlier.close()
        work(theirs)
    theirs.close()
    return ours


workers: list[socket.socket] = []
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    for _ in range(WORKERS):
        workers.append(start(listener))
    # A worker ends when the first process has: then its Unix socket comes to its end.
    for worker in itertools.cycle(workers):
        connection, _ = listener.accept()
        with connection:
            socket.send_fds(worker, [b"!"], [connection.fileno()])
