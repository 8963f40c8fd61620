"""A thread for each client. As far as one client at a time can tell, nothing is wrong with it."""

import socket
import sys
import threading

HOST, PORT = sys.argv[1], int(sys.argv[2])


def handle_client(conn, addr):
    print(f"[NEW CONNECTION] {addr} connected.")
    while True:
        data = conn.recv(1024)
        if not data:
            break
        conn.sendall(data)
    conn.close()


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((HOST, PORT))
server.listen()
print(f"[LISTENING] Server is listening on {HOST}:{PORT}")
while True:
    conn, addr = server.accept()
    thread = threading.Thread(target=handle_client, args=(conn, addr))
    thread.start()
    print(f"[ACTIVE CONNECTIONS] {threading.active_count() - 1}")
