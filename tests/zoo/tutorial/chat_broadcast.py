"""A chat room as in many tutorials: a dictionary of clients, and a loop that sends to each of them."""

import socket
import sys
import threading

HOST, PORT = sys.argv[1], int(sys.argv[2])

clients = {}
lock = threading.Lock()


def broadcast(message, sender):
    with lock:
        for name, conn in list(clients.items()):
            if name != sender:
                try:
                    conn.sendall(message)
                except OSError:
                    pass


def handle(conn):
    file = conn.makefile("rb")
    name = None
    try:
        line = file.readline()
        if line.endswith(b"\n"):
            wanted = line[:-1]
            with lock:
                taken = wanted in clients
                if not taken:
                    clients[wanted] = conn
                    name = wanted
            if taken:
                conn.sendall(b"* name taken\n")
            else:
                conn.sendall(b"* welcome " + name + b"\n")
                for line in file:
                    if line.endswith(b"\n"):
                        broadcast(name + b": " + line, name)
        if name is not None:
            with lock:
                del clients[name]
            broadcast(b"* " + name + b" left\n", name)
    except ConnectionError:
        pass
    file.close()
    conn.close()


server = socket.create_server((HOST, PORT), backlog=128)
print("chat room is open")
while True:
    conn, addr = server.accept()
    threading.Thread(target=handle, args=(conn,), daemon=True).start()
