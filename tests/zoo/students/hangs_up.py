"""The connection is closed when a whole line has been sent back."""

import socket
import sys
import threading


def handle(connection):
    with connection:
        while data := connection.recv(1024):
            connection.sendall(data)
            if data.endswith(b"\n"):
                break


server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
while True:
    connection, _ = server.accept()
    threading.Thread(target=handle, args=(connection,), daemon=True).start()
