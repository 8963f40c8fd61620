"""reply, which makes a new file object for every line: what the last one had read beyond its line is gone with it."""

import signal
import socket
import sys
import threading
import time

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536


def read_line(connection):
    with connection.makefile("rb") as file:
        return file.readline(LIMIT + 1)


def serve(connection):
    with connection:
        try:
            connection.sendall(GREETING)
            while line := read_line(connection):
                if len(line) > LIMIT:
                    return
                connection.sendall(b"OK..." + line)
        except OSError:
            pass


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
