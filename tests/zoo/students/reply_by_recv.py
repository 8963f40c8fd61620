"""reply: each recv() is answered, and the newline is stripped."""

import socket
import sys
import threading


def handle(connection):
    with connection:
        connection.sendall(b"Welcome to the server. Type something and hit enter\n")
        while data := connection.recv(1024):
            connection.sendall(b"OK..." + data.strip())


server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
while True:
    connection, _ = server.accept()
    threading.Thread(target=handle, args=(connection,), daemon=True).start()
