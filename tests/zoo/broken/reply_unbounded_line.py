"""reply, which collects a line however long it grows."""

import signal
import socket
import sys
import threading
import time

GREETING = b"Welcome to the server. Type something and hit enter\n"


def serve(connection):
    with connection, connection.makefile("rb") as lines:
        try:
            connection.sendall(GREETING)
            for line in lines:
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
