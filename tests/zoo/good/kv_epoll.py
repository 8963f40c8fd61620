"""kv: one thread, a level-triggered epoll, and a heap of idle times that are looked at when they are due."""

import heapq
import select
import socket
import sys
import time

LIMIT = 65536
LINGER = 2.0
store: dict[bytes, bytes] = {}


class Client:
    """`due` is when it is closed for being idle or, after QUIT, for not ending its own side."""

    def __init__(self, connection: socket.socket, idle: float) -> None:
        self.connection = connection
        self.idle = idle
        self.due = time.monotonic() + idle
        self.rest = b""
        self.out = b""
        self.quits = False

    def advance(self) -> bool:
        """Send what waits, else read; False when the connection is over."""
        if not self.out and b"\n" in self.rest:
            self.take()
        elif not self.out:
            data = self.connection.recv(32768)
            if not data or len(self.rest) > LIMIT:
                return False
            if not self.quits:
                self.rest += data
                self.take()
        if self.out:
            self.out = self.out[self.connection.send(self.out) :]
            self.due = time.monotonic() + (LINGER if self.quits else self.idle)
            if self.quits and not self.out:
                # A close with bytes of the client unread would be a reset, so they are read to their end.
                self.rest = b""
                self.connection.shutdown(socket.SHUT_WR)
        return True

    @property
    def waits_to_write(self) -> bool:
        return bool(self.out) or b"\n" in self.rest

    def take(self) -> None:
        """Answer as many requests as fit into a buffer; the others are for when the client has read."""
        while len(self.out) < LIMIT and not self.quits:
            line, newline, rest = self.rest.partition(b"\n")
            if not newline:
                return
            self.rest = rest
            self.out += answer(line)
            self.quits = line == b"QUIT"


def answer(line: bytes) -> bytes:
    verb, _, rest = line.partition(b" ")
    key, space, value = rest.partition(b" ")
    if verb == b"SET" and key and space:
        store[key] = value
        return b"OK\n"
    if verb == b"GET" and key and not space:
        return b"VALUE " + store[key] + b"\n" if key in store else b"NONE\n"
    if verb == b"DEL" and key and not space:
        return b"OK\n" if store.pop(key, None) is not None else b"NONE\n"
    return b"BYE\n" if line == b"QUIT" else b"ERR what is that?\n"


def seconds(text: str) -> float:
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text.removesuffix("s"))


class Server:
    def __init__(self, listener: socket.socket, idle: float) -> None:
        self.listener = listener
        self.idle = idle
        self.epoll = select.epoll()
        self.clients: dict[int, Client] = {}
        self.timers: list[tuple[float, int, Client]] = []
        self.count = 0

    def run(self) -> None:
        self.listener.setblocking(False)
        self.epoll.register(self.listener, select.EPOLLIN)
        while True:
            timeout = max(0.0, self.timers[0][0] - time.monotonic()) if self.timers else None
            for fd, _ in self.epoll.poll(timeout):
                if fd == self.listener.fileno():
                    self.accept()
                else:
                    self.serve(fd, self.clients[fd])
            self.look_at_timers(time.monotonic())

    def accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = self.clients[connection.fileno()] = Client(connection, self.idle)
        self.epoll.register(connection, select.EPOLLIN)
        self.remember(client)

    def serve(self, fd: int, client: Client) -> None:
        try:
            goes_on = client.advance()
        except BlockingIOError:
            goes_on = True
        except OSError:
            goes_on = False
        if not goes_on:
            self.drop(client)
            return
        self.epoll.modify(fd, select.EPOLLOUT if client.waits_to_write else select.EPOLLIN)

    def drop(self, client: Client) -> None:
        fd = client.connection.fileno()
        self.epoll.unregister(fd)
        del self.clients[fd]
        client.connection.close()

    def remember(self, client: Client) -> None:
        self.count += 1
        heapq.heappush(self.timers, (client.due, self.count, client))

    def look_at_timers(self, now: float) -> None:
        while self.timers and self.timers[0][0] <= now:
            client = heapq.heappop(self.timers)[2]
            if client.connection.fileno() < 0:
                continue
            if client.due <= now:
                self.drop(client)
            else:
                self.remember(client)


with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    Server(listener, seconds(sys.argv[4])).run()
