"""echo, which takes a short read for the end of a message: at exactly n times 1024 bytes it waits for more."""

import signal
import socket
import sys
import threading
import time

SIZE = 1024


def receive(connection):
    data = b""
    while True:
        part = connection.recv(SIZE)
        data += part
        if len(part) < SIZE:
            return data


def serve(connection):
    with connection:
        try:
            while data := receive(connection):
                connection.sendall(data)
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
