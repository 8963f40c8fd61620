"""The newline is stripped from what is sent back."""

import socket
import sys
import threading


def handle(connection):
    with connection:
        while data := connection.recv(1024):
            connection.sendall(data.strip())


server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
while True:
    connection, _ = server.accept()
    threading.Thread(target=handle, args=(connection,), daemon=True).start()
