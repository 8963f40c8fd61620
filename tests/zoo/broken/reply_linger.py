"""reply, which sets SO_LINGER to zero "against TIME_WAIT": each close is a reset, and what is unsent is thrown away."""

import signal
import socket
import struct
import sys
import threading
import time

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536


def serve(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
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
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
