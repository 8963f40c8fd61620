"""kv, which closes right after BYE. What it has not read makes the close a reset. It reads no more than a line."""

import signal
import socket
import threading
import time

from keys_and_values import HOST, IDLE, LIMIT, PORT, answer


def read_line(connection, due):
    """The next line with its newline; less at the end of stream or of the room for it."""
    line = b""
    while not line.endswith(b"\n") and len(line) <= LIMIT:
        connection.settimeout(max(due - time.monotonic(), 0.001))
        seen = connection.recv(LIMIT + 1 - len(line), socket.MSG_PEEK)
        if not seen:
            break
        line += connection.recv(seen.find(b"\n") + 1 or len(seen))
    connection.settimeout(None)
    return line


def serve(connection):
    with connection:
        try:
            while (line := read_line(connection, time.monotonic() + IDLE)).endswith(b"\n"):
                connection.sendall(answer(line[:-1]))
                if line == b"QUIT\n":
                    return
        except OSError:
            pass


signal.alarm(600)
with socket.create_server((HOST, PORT), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
