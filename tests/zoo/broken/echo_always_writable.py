"""echo, which asks of every client whether it can be written to. It can: the loop never sleeps while one is there."""

import selectors
import signal
import socket
import sys
import time

selector = selectors.DefaultSelector()


def advance(key):
    try:
        waiting = key.data or key.fileobj.recv(16384)
        if not waiting:
            raise ConnectionError
        waiting = waiting[key.fileobj.send(waiting) :]
    except BlockingIOError:
        return
    except OSError:
        selector.unregister(key.fileobj)
        key.fileobj.close()
        return
    reads = 0 if waiting else selectors.EVENT_READ
    selector.modify(key.fileobj, reads | selectors.EVENT_WRITE, data=waiting)


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is not listener:
                advance(key)
                continue
            try:
                connection, _ = listener.accept()
            except OSError:
                time.sleep(0.1)
                continue
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE, data=b"")
