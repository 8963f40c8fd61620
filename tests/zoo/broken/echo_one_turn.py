"""echo, a thread for each client: what the first recv() returns comes back, and then the connection is closed."""

import signal
import socket
import sys
import threading
import time


def serve(connection):
    with connection:
        try:
            connection.sendall(connection.recv(16384))
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
