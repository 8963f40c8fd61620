"""reply: one thread and poll(). Lines are cut out of what has come; a client with replies waiting is not read from."""

import select
import socket
import sys

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536
CHUNK = 32768


class Client:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.rest = b""
        self.out = GREETING
        self.ends = False

    def advance(self) -> bool:
        """Send what waits, else read; False when the connection is over."""
        if not self.out:
            self.read()
        if self.out:
            self.out = self.out[self.connection.send(self.out) :]
        return bool(self.out) or not self.ends

    def read(self) -> None:
        data = self.connection.recv(CHUNK)
        *lines, self.rest = (self.rest + data).split(b"\n")
        if not data:
            self.ends = True
            self.out = b"OK..." + self.rest if self.rest else b""
            return
        for line in lines:
            if len(line) >= LIMIT:
                self.ends = True
                return
            self.out += b"OK..." + line + b"\n"
        self.ends = len(self.rest) >= LIMIT


poll = select.poll()
clients: dict[int, Client] = {}
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setblocking(False)
    poll.register(listener, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                try:
                    connection, _ = listener.accept()
                except BlockingIOError:
                    continue
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[connection.fileno()] = Client(connection)
                poll.register(connection, select.POLLOUT)
                continue
            client = clients[fd]
            try:
                goes_on = client.advance()
            except BlockingIOError:
                goes_on = True
            except OSError:
                goes_on = False
            if goes_on:
                poll.modify(fd, select.POLLOUT if client.out else select.POLLIN)
            else:
                poll.unregister(fd)
                del clients[fd]
                client.connection.close()
