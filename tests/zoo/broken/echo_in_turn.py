"""echo, one client at a time: the next is accepted when this one has gone."""

import signal
import socket
import sys
import time

signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        with connection:
            try:
                while data := connection.recv(4096):
                    connection.sendall(data)
            except OSError:
                pass
