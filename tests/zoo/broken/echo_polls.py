"""echo, which asks its non-blocking sockets one after the other, round and round, and never sleeps."""

import signal
import socket
import sys

clients = {}


def advance(connection):
    try:
        waiting = clients[connection] or connection.recv(16384)
        if not waiting:
            raise ConnectionError
        clients[connection] = waiting
        clients[connection] = waiting[connection.send(waiting) :]
    except BlockingIOError:
        pass
    except OSError:
        del clients[connection]
        connection.close()


signal.alarm(600)
listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
listener.setblocking(False)
while True:
    try:
        connection, _ = listener.accept()
        connection.setblocking(False)
        clients[connection] = b""
    except OSError:
        pass
    for connection in list(clients):
        advance(connection)
