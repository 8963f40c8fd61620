"""frames, an event loop that closes at the end of stream whatever waits to be sent: large answers lose their end."""

import selectors
import signal
import socket
import sys
import time

LIMIT = 1 << 20
MOST_WAITING = 1 << 16

selector = selectors.DefaultSelector()


class Client:
    def __init__(self, connection):
        self.connection = connection
        self.received = bytearray()
        self.waiting = bytearray()

    def answer(self):
        """Answer what is there, some at a time."""
        while len(self.received) >= 4 and len(self.waiting) < MOST_WAITING:
            size = int.from_bytes(self.received[:4], "big")
            if size > LIMIT:
                raise ConnectionError
            if len(self.received) < 4 + size:
                return
            self.waiting += self.received[:4] + self.received[4 : 4 + size][::-1]
            del self.received[: 4 + size]

    def advance(self, events):
        if events & selectors.EVENT_WRITE:
            del self.waiting[: self.connection.send(self.waiting)]
        elif events & selectors.EVENT_READ:
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionError
            self.received += data
        self.answer()
        reads = selectors.EVENT_READ if len(self.received) <= LIMIT + 4 else 0
        selector.modify(self.connection, reads | (selectors.EVENT_WRITE if self.waiting else 0), data=self)


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, events in selector.select():
            if key.fileobj is listener:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    time.sleep(0.1)
                    continue
                connection.setblocking(False)
                selector.register(connection, selectors.EVENT_READ, data=Client(connection))
                continue
            try:
                key.data.advance(events)
            except BlockingIOError:
                pass
            except OSError:
                selector.unregister(key.fileobj)
                key.fileobj.close()
