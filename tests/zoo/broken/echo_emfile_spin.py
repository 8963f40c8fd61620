"""echo, which tries again at once when accept() fails: without a free descriptor the loop runs as fast as it can."""

import signal
import socket
import sys
import threading


def serve(connection):
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data)
        except OSError:
            pass


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
