"""reply, a pool of eight threads, each with one client until it leaves: the ninth gets no word while they are there."""

import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536


def serve(connection):
    with connection, connection.makefile("rb") as lines:
        try:
            connection.sendall(GREETING)
            while line := lines.readline(LIMIT + 1):
                if len(line) > LIMIT:
                    return
                connection.sendall(b"OK..." + line)
        except OSError:
            pass


signal.alarm(600)
pool = ThreadPoolExecutor(max_workers=8)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        pool.submit(serve, connection)
