"""frames, which sends an answer by one send() on a socket with a timeout: that returns when a part of it has gone."""

import signal
import socket
import sys
import threading
import time

LIMIT = 1 << 20


def receive(connection, size):
    """Return `size` bytes, or fewer at the end of stream."""
    data = b""
    while len(data) < size:
        try:
            part = connection.recv(size - len(data))
        except TimeoutError:
            continue  # A moment to look after other things.
        if not part:
            break
        data += part
    return data


def serve(connection):
    connection.settimeout(30)
    with connection:
        try:
            while len(prefix := receive(connection, 4)) == 4:
                size = int.from_bytes(prefix, "big")
                if size > LIMIT:
                    return
                body = receive(connection, size)
                if len(body) < size:
                    return
                connection.send(prefix + body[::-1])
        except OSError:
            pass


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
