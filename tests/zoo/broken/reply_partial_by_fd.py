"""reply, which keeps half lines by descriptor, and after a reset does not forget one: the next client inherits it."""

import selectors
import signal
import socket
import sys
import time

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536

selector = selectors.DefaultSelector()
pending = {}


def take(fd, data):
    """The replies to what has come, and whether more may come."""
    *lines, rest = (pending.get(fd, b"") + data).split(b"\n")
    replies = b"".join(b"OK..." + line + b"\n" for line in lines)
    if not data:
        pending.pop(fd, None)
        return b"OK..." + rest if rest else b"", False
    if max(map(len, [*lines, rest])) >= LIMIT:
        pending.pop(fd, None)
        return b"", False
    pending[fd] = rest
    return replies, True


def drop(connection):
    selector.unregister(connection)
    connection.close()


def advance(connection, waiting, goes_on):
    try:
        if not waiting and goes_on:
            waiting, goes_on = take(connection.fileno(), connection.recv(16384))
        waiting = waiting[connection.send(waiting) :]
    except BlockingIOError:
        pass
    except OSError:
        drop(connection)
        return
    if not waiting and not goes_on:
        drop(connection)
        return
    event = selectors.EVENT_WRITE if waiting else selectors.EVENT_READ
    selector.modify(connection, event, data=(waiting, goes_on))


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is not listener:
                advance(key.fileobj, *key.data)
                continue
            try:
                connection, _ = listener.accept()
            except OSError:
                time.sleep(0.1)
                continue
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_WRITE, data=(GREETING, True))
