"""The first server of many tutorials: accept, recv(1024), send it back, close, next."""

import socket
import sys

HOST, PORT = sys.argv[1], int(sys.argv[2])

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((HOST, PORT))
server.listen(5)
print("Server is listening...")

while True:
    conn, addr = server.accept()
    print("Connected by", addr)
    data = conn.recv(1024)
    conn.sendall(data)
    conn.close()
