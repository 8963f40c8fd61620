"""Greets every line, one client after the other, in text mode: a file to read from and a file to write to."""

import socket
import sys

HOST, PORT = sys.argv[1], int(sys.argv[2])

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((HOST, PORT))
    server.listen(1)
    while True:
        conn, addr = server.accept()
        with conn, conn.makefile("r", encoding="utf-8") as reader, conn.makefile("w", encoding="utf-8") as writer:
            for line in reader:
                writer.write("Hello Node!\n")
                writer.flush()
                if line.rstrip("\r\n") == "STOP":
                    break
