"""frames, an event loop that reads a whole frame where one has begun: a client that stalls in it stops it for all."""

import selectors
import signal
import socket
import sys
import time

LIMIT = 1 << 20

selector = selectors.DefaultSelector()


def receive(connection, size):
    """Return `size` bytes, or fewer at the end of stream."""
    data = b""
    while len(data) < size and (part := connection.recv(size - len(data))):
        data += part
    return data


def answer(connection):
    """The answer to the next frame, or b'' where there is none."""
    prefix = receive(connection, 4)
    size = int.from_bytes(prefix, "big")
    if len(prefix) < 4 or size > LIMIT:
        return b""
    body = receive(connection, size)
    return prefix + body[::-1] if len(body) == size else b""


def advance(connection, waiting):
    try:
        if not waiting:
            waiting = answer(connection)
            if not waiting:
                raise ConnectionError
        connection.setblocking(False)
        waiting = waiting[connection.send(waiting) :]
    except BlockingIOError:
        pass
    except OSError:
        selector.unregister(connection)
        connection.close()
        return
    connection.setblocking(True)
    selector.modify(connection, selectors.EVENT_WRITE if waiting else selectors.EVENT_READ, data=waiting)


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
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
            selector.register(connection, selectors.EVENT_READ, data=b"")
