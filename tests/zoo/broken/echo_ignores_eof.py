"""echo, which takes b'' for "nothing yet": it spins when a client has ended its side, and never closes."""

import signal
import socket
import sys
import threading
import time


def serve(connection):
    with connection:
        try:
            while True:
                data = connection.recv(4096)
                if data:
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
