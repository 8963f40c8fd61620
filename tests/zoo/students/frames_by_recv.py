"""frames: one recv() for a length, one for the bytes, whatever the length says."""

import socket
import struct
import sys
import threading


def handle(connection):
    with connection:
        while length := connection.recv(4):
            data = connection.recv(struct.unpack("!I", length)[0])
            connection.sendall(struct.pack("!I", len(data)) + data[::-1])


server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
while True:
    connection, _ = server.accept()
    threading.Thread(target=handle, args=(connection,), daemon=True).start()
