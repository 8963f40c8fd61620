"""hello: it goes to the background, as daemon(3) does, before it listens, and has a session of its own."""

import os
import selectors
import socket
import sys

ANSWER = b"Hello Node!\n"
LIMIT = 65536


class Client:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.rest = b""
        self.out = b""
        self.stopped = False

    def advance(self) -> bool:
        """Send what waits, else read; False when the connection is over."""
        if not self.out:
            data = self.connection.recv(16384)
            if not data:
                return False
            if not self.stopped:
                self.take(data)
        if self.out:
            self.out = self.out[self.connection.send(self.out) :]
            if self.stopped and not self.out:
                self.connection.shutdown(socket.SHUT_WR)
        return True

    def take(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            text = line.decode().removesuffix("\r")
            self.out += ANSWER
            if text == "STOP":
                self.stopped = True
                return
        if len(self.rest) > LIMIT:
            raise OSError("a line without end")


def daemonize() -> None:
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)


def serve(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    client = key.data
    try:
        goes_on = client.advance()
    except BlockingIOError:
        goes_on = True
    except (OSError, UnicodeDecodeError):
        goes_on = False
    if goes_on:
        selector.modify(client.connection, selectors.EVENT_WRITE if client.out else selectors.EVENT_READ, client)
    else:
        selector.unregister(client.connection)
        client.connection.close()


with (
    socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener,
    selectors.DefaultSelector() as selector,
):
    # Behind bind(), so that who starts it learns whether the address is to be had.
    daemonize()
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.data is not None:
                serve(selector, key)
                continue
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                continue
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ, Client(connection))
