"""frames, which collects the bytes of a frame until they are all there, but expects its length in one piece."""

import signal
import socket
import sys
import threading
import time

LIMIT = 1 << 20


def receive(connection, size):
    """Return `size` bytes, or fewer at the end of stream."""
    data = b""
    while len(data) < size and (part := connection.recv(size - len(data))):
        data += part
    return data


def serve(connection):
    with connection:
        try:
            while prefix := connection.recv(4):
                size = int.from_bytes(prefix, "big")
                if size > LIMIT:
                    return
                body = receive(connection, size)
                if len(body) < size:
                    return
                connection.sendall(size.to_bytes(4, "big") + body[::-1])
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
