"""echo, a thread for each client; of several that wait to be accepted it serves only the last."""

import select
import signal
import socket
import sys
import threading


def echo(connection):
    with connection:
        try:
            while data := connection.recv(16384):
                connection.sendall(data)
        except OSError:
            pass


forgotten = []
signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setblocking(False)
    while True:
        select.select([listener], [], [])
        accepted = []
        try:
            while True:
                accepted.append(listener.accept()[0])
        except OSError:
            pass
        if accepted:
            # The others stay open, and nobody reads them.
            forgotten += accepted[:-1]
            accepted[-1].setblocking(True)
            threading.Thread(target=echo, args=[accepted[-1]], daemon=True).start()
