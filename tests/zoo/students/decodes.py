"""What one recv() returned is decoded, printed and encoded again."""

import socket
import sys
import threading


def handle(connection):
    with connection:
        while data := connection.recv(1024):
            text = data.decode()
            print(text)
            connection.sendall(text.encode())


server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
while True:
    connection, _ = server.accept()
    threading.Thread(target=handle, args=(connection,), daemon=True).start()
