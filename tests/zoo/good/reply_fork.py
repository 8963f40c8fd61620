"""reply: a process for each connection. One that has ended stays a zombie until the next client is accepted."""

import os
import socket
import sys

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536


def serve(connection: socket.socket) -> None:
    connection.sendall(GREETING)
    with connection.makefile("rb") as lines:
        while line := lines.readline(LIMIT + 1):
            if len(line) > LIMIT:
                return
            connection.sendall(b"OK..." + line)


def reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # None is left.


with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=64) as listener:
    while True:
        connection, _ = listener.accept()
        reap()
        if os.fork() == 0:
            listener.close()
            try:
                serve(connection)
            except OSError:
                pass  # The client is gone.
            os._exit(0)
        connection.close()
