"""kv: every request is written to a file, and to the disk, before it is answered. A thread for each connection."""

import os
import socket
import sys
import threading
import time

LIMIT = 65536
store: dict[bytes, bytes] = {}
lock = threading.Lock()


def serve(connection: socket.socket, idle: float, journal: int) -> None:
    with connection:
        try:
            converse(connection, idle, journal)
        except OSError:
            pass  # The client is gone, or was idle for too long.


def converse(connection: socket.socket, idle: float, journal: int) -> None:
    rest = b""
    due = time.monotonic() + idle
    while (remaining := due - time.monotonic()) > 0:
        connection.settimeout(remaining)
        data = connection.recv(16384)
        *lines, rest = (rest + data).split(b"\n")
        connection.settimeout(idle)
        for line in lines:
            os.write(journal, b"%r %r\n" % (connection.getpeername(), line))
            connection.sendall(answer(line))
            if line == b"QUIT":
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
                return
        if not data or len(rest) > LIMIT:
            return
        if lines:
            os.fsync(journal)
            due = time.monotonic() + idle


def answer(line: bytes) -> bytes:
    verb, _, rest = line.partition(b" ")
    key, space, value = rest.partition(b" ")
    with lock:
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


idle = seconds(sys.argv[4])
journal = os.open(os.path.join(sys.argv[5], "requests.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=[connection, idle, journal], daemon=True).start()
