"""echo, an event loop that sends with sendall() on blocking sockets: one client that does not read stops it for all."""

import selectors
import signal
import socket
import sys
import time

selector = selectors.DefaultSelector()


def echo(connection):
    try:
        data = connection.recv(16384)
        connection.sendall(data)
    except OSError:
        data = b""
    if not data:
        selector.unregister(connection)
        connection.close()


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is not listener:
                echo(key.fileobj)
                continue
            try:
                connection, _ = listener.accept()
            except OSError:
                time.sleep(0.1)
                continue
            selector.register(connection, selectors.EVENT_READ)
