"""Length-prefixed messages as often shown: recv(4) for the length, recv(length) for the message."""

import socket
import struct
import sys
import threading

HOST, PORT = sys.argv[1], int(sys.argv[2])


def handle(conn):
    while True:
        header = conn.recv(4)
        if not header:
            break
        (length,) = struct.unpack("!I", header)
        if length > 1024 * 1024:
            break
        message = conn.recv(length) if length else b""
        conn.sendall(header + message[::-1])
    conn.close()


server = socket.create_server((HOST, PORT), backlog=128)
print("waiting for frames")
while True:
    conn, addr = server.accept()
    threading.Thread(target=handle, args=(conn,), daemon=True).start()
