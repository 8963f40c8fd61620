"""echo, an event loop that takes the first byte of a connection for granted, and ends without it."""

import selectors
import signal
import socket
import sys
import time

ENOUGH = 65536
selector = selectors.DefaultSelector()


class Client:
    def __init__(self, connection):
        self.connection = connection
        self.pending = b""
        self.kind = None
        self.ended = False
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ, self)

    def ready(self, mask):
        try:
            if mask & selectors.EVENT_READ:
                data = self.connection.recv(16384)
                if self.kind is None:
                    self.kind = data[0]
                self.pending += data
                self.ended = not data
            if self.pending:
                self.pending = self.pending[self.connection.send(self.pending) :]
        except BlockingIOError:
            pass
        except OSError:
            self.ended, self.pending = True, b""
        if self.ended and not self.pending:
            selector.unregister(self.connection)
            self.connection.close()
            return
        wanted = selectors.EVENT_READ if len(self.pending) < ENOUGH and not self.ended else 0
        selector.modify(self.connection, wanted | (selectors.EVENT_WRITE if self.pending else 0), self)


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, mask in selector.select():
            if key.data is not None:
                key.data.ready(mask)
                continue
            try:
                Client(listener.accept()[0])
            except OSError:
                time.sleep(0.1)
