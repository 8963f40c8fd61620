"""echo (RFC 862) over TCP for many clients at once: one thread, an event loop, bounded memory.

A connection is in one of two states. It is *read* while nothing waits to be sent; it is *written* while something does,
and is not read meanwhile. Everything follows from that:

- A client that does not read is not read from either: at most `CHUNK` bytes wait for it here, the kernel's buffers
  fill, and TCP's flow control stops it. No other client notices.
- At the client's end of stream nothing waits any more, so its whole reply is sent and the connection can be closed.
"""

from __future__ import annotations

import selectors
import socket
import sys

from sockcheck.servers.program import ACCEPT_PAUSE, main

CHUNK = 65536


def serve(listener: socket.socket) -> None:
    """Serve the clients of `listener` for ever."""
    listener.setblocking(False)
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        accepting = True
        while True:
            ready = selector.select(None if accepting else ACCEPT_PAUSE)
            if not accepting:
                selector.register(listener, selectors.EVENT_READ)
                accepting = True
            for key, _ in ready:
                if key.fileobj is listener:
                    accepting = accept(selector, listener)
                else:
                    advance(selector, key)


def accept(selector: selectors.BaseSelector, listener: socket.socket) -> bool:
    """Accept one client. Where that fails, stop waiting for clients and return False.

    Without a free descriptor the client stays queued and `listener` stays readable: to go on waiting would be to spin.
    """
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        return True  # it left again, or a signal of readiness came twice
    except OSError:
        selector.unregister(listener)
        return False
    connection.setblocking(False)
    selector.register(connection, selectors.EVENT_READ, data=b"")
    return True


def advance(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """Read from a connection or write to it, as far as it goes without waiting. `key.data` is what waits to be sent."""
    connection = key.fileobj
    assert isinstance(connection, socket.socket)
    waiting: bytes = key.data
    try:
        if not waiting:
            waiting = connection.recv(CHUNK)
            if not waiting:
                close(selector, connection)
                return
        waiting = waiting[connection.send(waiting) :]
    except BlockingIOError:
        pass
    except OSError:  # the client is gone, in one of many ways; that costs nobody else
        close(selector, connection)
        return
    selector.modify(connection, selectors.EVENT_WRITE if waiting else selectors.EVENT_READ, data=waiting)


def close(selector: selectors.BaseSelector, connection: socket.socket) -> None:
    """Close a connection. The kernel still delivers what it took, and then our end of stream."""
    selector.unregister(connection)
    connection.close()


if __name__ == "__main__":
    sys.exit(main("echo", serve))
