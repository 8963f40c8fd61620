"""Greets every line. What recv() returns is decoded at once and added to a string."""

import socket
import sys
import threading

HOST, PORT = sys.argv[1], int(sys.argv[2])


def handle(conn):
    text = ""
    with conn:
        try:
            while True:
                chunk = conn.recv(4096)
                if not chunk:
                    return
                text += chunk.decode("utf-8")
                while "\n" in text:
                    line, text = text.split("\n", 1)
                    conn.sendall(b"Hello Node!\n")
                    if line.rstrip("\r") == "STOP":
                        return
        except (OSError, UnicodeDecodeError):
            return


server = socket.create_server((HOST, PORT), backlog=128)
while True:
    conn, addr = server.accept()
    threading.Thread(target=handle, args=(conn,), daemon=True).start()
