"""hello: each recv() is answered."""

import socket
import sys
import threading


def handle(connection):
    with connection:
        while data := connection.recv(1024):
            if data.strip() == b"STOP":
                break
            connection.sendall(b"Hello Node!\n")


server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
while True:
    connection, _ = server.accept()
    threading.Thread(target=handle, args=(connection,), daemon=True).start()
