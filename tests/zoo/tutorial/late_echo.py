"""Takes a pause for the end of a message: what has come is sent back when nothing more came for a quarter of a second."""

import socket
import sys
import threading


def handle_client(conn):
    with conn:
        waiting = b""
        conn.settimeout(0.25)
        try:
            while True:
                try:
                    data = conn.recv(65536)
                    if not data:
                        break
                    waiting += data
                except TimeoutError:
                    conn.settimeout(None)
                    conn.sendall(waiting)
                    conn.settimeout(0.25)
                    waiting = b""
            conn.settimeout(None)
            conn.sendall(waiting)
        except OSError:
            pass


server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
while True:
    conn, addr = server.accept()
    threading.Thread(target=handle_client, args=(conn,), daemon=True).start()
