"""echo, which gives both ends ten seconds for a farewell, and asks all the while to read what has ended: it spins."""

import selectors
import signal
import socket
import sys
import time

FAREWELL = 10.0

selector = selectors.DefaultSelector()
leaving = {}


def drop(connection):
    leaving.pop(connection, None)
    selector.unregister(connection)
    connection.close()


def advance(connection, waiting):
    try:
        waiting = waiting or connection.recv(16384)
        if waiting:
            waiting = waiting[connection.send(waiting) :]
        elif connection not in leaving:
            connection.shutdown(socket.SHUT_WR)
            leaving[connection] = time.monotonic() + FAREWELL
    except BlockingIOError:
        pass
    except OSError:
        drop(connection)
        return
    selector.modify(connection, selectors.EVENT_WRITE if waiting else selectors.EVENT_READ, data=waiting)


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is not listener:
                advance(key.fileobj, key.data)
                continue
            try:
                connection, _ = listener.accept()
            except OSError:
                time.sleep(0.1)
                continue
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ, data=b"")
        for connection in [connection for connection, due in leaving.items() if due <= time.monotonic()]:
            drop(connection)
