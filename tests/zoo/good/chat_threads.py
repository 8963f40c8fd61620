"""chat: two threads for each connection, one that reads and one that sends what is queued for it."""

import queue
import socket
import sys
import threading

LIMIT = 65536
MOST_WAITING = 1 << 20


class Client:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.outgoing: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.waiting = 0


clients: dict[bytes, Client] = {}
lock = threading.Lock()


def tell(client: Client, line: bytes) -> None:
    """With the lock held, so that all are told in the same order. One that has not read for long is dropped."""
    client.waiting += len(line)
    if client.waiting > MOST_WAITING:
        client.connection.shutdown(socket.SHUT_RDWR)
    else:
        client.outgoing.put(line)


def tell_others(name: bytes, line: bytes) -> None:
    for other, client in clients.items():
        if other != name:
            try:
                tell(client, line)
            except OSError:
                pass  # It is gone, and its own thread will notice.


def send(client: Client) -> None:
    try:
        while line := client.outgoing.get():
            client.connection.sendall(line)
            with lock:
                client.waiting -= len(line)
        client.connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def finish(connection: socket.socket) -> None:
    """Read to the client's end, for a while: a close with bytes unread would be a reset."""
    connection.settimeout(2)
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass


def serve(connection: socket.socket) -> None:
    client = Client(connection)
    sender = threading.Thread(target=send, args=[client], daemon=True)
    sender.start()
    with connection, connection.makefile("rb") as lines:
        try:
            converse(client, lines)
        except OSError:
            pass  # The client is gone.
        client.outgoing.put(b"")
        sender.join()
        finish(connection)


def converse(client: Client, lines) -> None:
    first = lines.readline(LIMIT)
    name = first[:-1]
    if not first.endswith(b"\n") or not 1 <= len(name) <= 32 or b" " in name:
        return
    with lock:
        if name in clients:
            tell(client, b"* name taken\n")
            return
        clients[name] = client
        tell(client, b"* welcome " + name + b"\n")
    try:
        while (line := lines.readline(LIMIT + 1)).endswith(b"\n"):
            with lock:
                tell_others(name, name + b": " + line)
    finally:
        with lock:
            del clients[name]
            tell_others(name, b"* " + name + b" left\n")


with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=[connection], daemon=True).start()
