"""reply, which asks each client for its address in the loop of accept(): one that has reset has none, the loop ends.

The loop has a thread of its own. So the process stays, with a queue that nobody serves.
"""

import signal
import socket
import sys
import threading
import time

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536


def serve(connection, peer):
    with connection, connection.makefile("rb") as lines:
        try:
            connection.sendall(GREETING)
            while line := lines.readline(LIMIT + 1):
                if len(line) > LIMIT:
                    return
                connection.sendall(b"OK..." + line)
        except OSError:
            print(peer, "has gone")


def accept(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        peer = connection.getpeername()
        threading.Thread(target=serve, args=[connection, peer], daemon=True).start()


signal.alarm(600)
listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
threading.Thread(target=accept, args=[listener], daemon=True).start()
while True:
    time.sleep(1)
