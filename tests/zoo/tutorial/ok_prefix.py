"""A thread for each client, a greeting, and OK... before whatever recv() returned."""

import socket
import sys
from _thread import start_new_thread

HOST = sys.argv[1]
PORT = int(sys.argv[2])

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    s.bind((HOST, PORT))
except OSError as msg:
    print("Bind failed. Error:", msg)
    sys.exit(1)
print("Socket bind complete")
s.listen(10)
print("Socket now listening")


def clientthread(conn):
    conn.send(b"Welcome to the server. Type something and hit enter\n")
    while True:
        data = conn.recv(1024)
        reply = b"OK..." + data
        if not data:
            break
        conn.sendall(reply)
    conn.close()


while True:
    conn, addr = s.accept()
    print("Connected with " + addr[0] + ":" + str(addr[1]))
    start_new_thread(clientthread, (conn,))
