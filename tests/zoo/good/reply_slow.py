"""reply: what it was asked it thinks over for 150 ms. All lines that have come meanwhile are answered together."""

import socket
import sys
import threading
import time

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536


def serve(connection: socket.socket) -> None:
    with connection:
        try:
            converse(connection)
        except OSError:
            pass  # The client is gone.


def converse(connection: socket.socket) -> None:
    connection.sendall(GREETING)
    rest = b""
    while data := connection.recv(LIMIT):
        *lines, rest = (rest + data).split(b"\n")
        if lines:
            time.sleep(0.15)
        if any(len(line) >= LIMIT for line in (*lines, rest)):
            return
        connection.sendall(b"".join(b"OK..." + line + b"\n" for line in lines))
    if rest:
        connection.sendall(b"OK..." + rest)


with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=[connection], daemon=True).start()
