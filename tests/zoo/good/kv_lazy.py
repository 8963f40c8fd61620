"""kv: what it needs it makes on first use and keeps: threads, a buffer and a journal for each of them."""

import os
import queue
import socket
import sys
import threading
import time

LIMIT = 65536
MOST = 64
store: dict[bytes, bytes] = {}
lock = threading.Lock()
jobs: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
free = threading.Semaphore(0)


def worker(idle: float) -> None:
    journal = os.open(os.devnull, os.O_WRONLY)
    buffer = bytearray(LIMIT)
    while True:
        connection = jobs.get()
        with connection:
            try:
                converse(connection, idle, journal, buffer)
            except OSError:
                pass  # The client is gone, or was idle for too long.
        free.release()


def converse(connection: socket.socket, idle: float, journal: int, buffer: bytearray) -> None:
    rest = b""
    due = time.monotonic() + idle
    while (remaining := due - time.monotonic()) > 0:
        connection.settimeout(remaining)
        taken = connection.recv_into(buffer)
        *lines, rest = (rest + buffer[:taken]).split(b"\n")
        connection.settimeout(idle)
        for line in lines:
            os.write(journal, line)
            connection.sendall(answer(line))
            if line == b"QUIT":
                connection.shutdown(socket.SHUT_WR)
                while connection.recv_into(buffer):
                    pass
                return
        if not taken or len(rest) > LIMIT:
            return
        if lines:
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
workers = 0
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        connection, _ = listener.accept()
        if not free.acquire(blocking=workers == MOST):
            workers += 1
            threading.Thread(target=worker, args=[idle], daemon=True).start()
        jobs.put(connection)
