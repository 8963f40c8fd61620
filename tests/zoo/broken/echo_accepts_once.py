"""echo, without a loop around accept(): it serves one client and ends."""

import signal
import socket
import sys

signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    connection, _ = listener.accept()
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data)
        except OSError:
            pass
