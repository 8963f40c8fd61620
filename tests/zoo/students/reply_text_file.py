"""reply: a text file for both directions, which forgets what it has read ahead when something is written."""

import socket
import sys
import threading


def handle(connection):
    with connection, connection.makefile("rw", encoding="utf-8") as file:
        file.write("Welcome to the server. Type something and hit enter\n")
        file.flush()
        for line in file:
            file.write("OK..." + line)
            file.flush()


server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
while True:
    connection, _ = server.accept()
    threading.Thread(target=handle, args=(connection,), daemon=True).start()
