"""kv, which keeps half a request by descriptor, for when more comes. After a timeout somebody else has that number."""

import signal
import socket
import threading
import time

from keys_and_values import HOST, IDLE, LIMIT, PORT, answer, finish

pending = {}


def converse(connection):
    due = time.monotonic() + IDLE
    fd = connection.fileno()
    while True:
        connection.settimeout(max(due - time.monotonic(), 0.001))
        data = connection.recv(LIMIT)
        connection.settimeout(None)
        *requests, rest = (pending.get(fd, b"") + data).split(b"\n")
        if not data or len(rest) > LIMIT:
            return
        pending[fd] = rest
        for request in requests:
            connection.sendall(answer(request))
            if request == b"QUIT":
                finish(connection)
                return
        if requests:
            due = time.monotonic() + IDLE


def serve(connection):
    with connection:
        try:
            converse(connection)
        except TimeoutError:
            return
        except OSError:
            pass
        pending.pop(connection.fileno(), None)


signal.alarm(100)
with socket.create_server((HOST, PORT), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
