"""kv, whose loop begins afresh after an error, with nobody in it: one client that resets ends it for all others."""

import selectors
import signal
import socket
import time

from keys_and_values import HOST, IDLE, LIMIT, PORT, answer

selector = selectors.DefaultSelector()
clients = set()


class Client:
    def __init__(self, connection):
        self.connection = connection
        self.received = b""
        self.waiting = b""
        self.quits = False
        self.due = time.monotonic() + IDLE

    def answer(self):
        """Answer what is there, some at a time."""
        while not self.quits and len(self.waiting) < LIMIT and b"\n" in self.received:
            request, _, self.received = self.received.partition(b"\n")
            self.waiting += answer(request)
            self.quits = request == b"QUIT"
            self.due = time.monotonic() + (2 if self.quits else IDLE)

    def advance(self):
        """Read or write as far as it goes; False when it is over."""
        if self.waiting:
            self.waiting = self.waiting[self.connection.send(self.waiting) :]
            self.due = max(self.due, time.monotonic() + IDLE)
            if self.quits and not self.waiting:
                self.connection.shutdown(socket.SHUT_WR)  # The rest is read: or the close would be a reset.
        else:
            data = self.connection.recv(LIMIT)
            if not data or len(self.received) > LIMIT:
                return False
            if not self.quits:
                self.received += data
        self.answer()
        selector.modify(self.connection, selectors.EVENT_WRITE if self.waiting else selectors.EVENT_READ, data=self)
        return True


def drop(client):
    selector.unregister(client.connection)
    client.connection.close()
    clients.remove(client)


def turn(listener):
    nearest = min((client.due for client in clients), default=None)
    for key, _ in selector.select(nearest and max(nearest - time.monotonic(), 0)):
        if key.fileobj is listener:
            try:
                connection, _ = listener.accept()
            except OSError:
                time.sleep(0.1)
                continue
            connection.setblocking(False)
            client = Client(connection)
            clients.add(client)
            selector.register(connection, selectors.EVENT_READ, data=client)
        elif not key.data.advance():
            drop(key.data)
    for client in [client for client in clients if client.due <= time.monotonic()]:
        drop(client)


def main(listener):
    while True:
        try:
            while True:
                turn(listener)
        except BlockingIOError:
            pass
        except OSError as error:
            print("something went wrong, starting again:", error)
            for client in list(clients):
                drop(client)


signal.alarm(600)
with socket.create_server((HOST, PORT), backlog=128) as listener:
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    main(listener)
