"""echo, bound to 127.0.0.1 whatever it was told: no other address of the machine reaches it."""

import signal
import socket
import sys
import threading
import time


def serve(connection):
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data)
        except OSError:
            pass


signal.alarm(600)
with socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
