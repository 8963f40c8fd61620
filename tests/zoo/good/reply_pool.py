"""reply: a pool of 64 threads, each of which is made when there is more to do than there are threads, and stays."""

import socket
import sys
from concurrent.futures import ThreadPoolExecutor

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536


def serve(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as lines:
        try:
            connection.sendall(GREETING)
            while (line := lines.readline(LIMIT + 1)) and len(line) <= LIMIT:
                connection.sendall(b"OK..." + line)
        except OSError:
            pass  # The client is gone.


with (
    socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=64) as listener,
    ThreadPoolExecutor(64) as pool,
):
    while True:
        connection, _ = listener.accept()
        pool.submit(serve, connection)
