"""chat, a thread for each client, and no lock around what each writes to all others: lines are mixed.

A line is written in two parts, and others write in between.
"""

import select
import signal
import socket
import sys
import threading
import time

LIMIT = 65536
MOST_WAITING = 1 << 20

lock = threading.Lock()  # for who is there
clients = {}


class Client:
    def __init__(self, connection):
        self.connection = connection
        self.waiting = b""

    def flush(self):
        try:
            sent = self.connection.send(self.waiting, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        self.waiting = self.waiting[sent:]

    def tell(self, line):
        self.waiting += line
        self.flush()
        if len(self.waiting) > MOST_WAITING:
            self.connection.shutdown(socket.SHUT_RDWR)

    def lines(self):
        """Whole lines, until the end of stream or of the room for one. What waits is sent meanwhile."""
        pending = b""
        while len(pending) <= LIMIT:
            poll = select.poll()
            poll.register(self.connection, select.POLLIN | (select.POLLOUT if self.waiting else 0))
            ready = poll.poll(50)
            if self.waiting and ready and ready[0][1] & select.POLLOUT:
                self.flush()
            if ready and ready[0][1] & ~select.POLLOUT:
                data = self.connection.recv(4096)
                if not data:
                    return
                *lines, pending = (pending + data).split(b"\n")
                yield from lines


def tell_others(name, line):
    with lock:
        others = [client for other, client in clients.items() if other != name]
    for client in others:
        try:
            client.tell(line)
        except OSError:
            pass  # It is gone, and its own thread will notice.


def enters(name, client):
    if not 1 <= len(name) <= 32 or b" " in name:
        return False
    with lock:
        taken = name in clients
        if taken:
            client.tell(b"* name taken\n")
        else:
            client.tell(b"* welcome " + name + b"\n")
            clients[name] = client
    return not taken


def serve(connection):
    client = Client(connection)
    name = None
    with connection:
        try:
            for line in client.lines():
                if name is not None:
                    tell_others(name, name + b": ")
                    time.sleep(0.005)  # So that they see who it is before they read it.
                    tell_others(name, line + b"\n")
                elif enters(line, client):
                    name = line
                else:
                    break
        except OSError:
            pass
        if name is not None:
            with lock:
                del clients[name]
            tell_others(name, b"* " + name + b" left\n")


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
