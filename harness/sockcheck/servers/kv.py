"""kv over TCP: keys and values that all clients share. A thread for each client, one lock, an idle time.

The state is touched under the lock alone, and nothing is sent or received while it is held: a client that does not read
must not keep the others from their keys.
"""

from __future__ import annotations

import socket
import sys
import threading
import time

from sockcheck.servers.program import accepted, finish, main

IDLE = 30.0
"""Seconds that a client may be silent, unless the command line says otherwise."""

CHUNK = 65536

LINE_LIMIT = 65536
"""Bytes that a request may have before its `\\n`."""

BYE = b"BYE\n"


class Store:
    """The keys and their values. Any thread may use it."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._lock = threading.Lock()

    def answer(self, request: bytes) -> bytes:
        """Do what `request`, a line without its `\\n`, asks for. Return the reply, a line with its `\\n`."""
        match request.split(b" ", 2):
            case [b"SET", key, value] if key:
                with self._lock:
                    self._values[key] = value
                return b"OK\n"
            case [b"GET", key] if key:
                with self._lock:
                    found = self._values.get(key)
                return b"NONE\n" if found is None else b"VALUE " + found + b"\n"
            case [b"DEL", key] if key:
                with self._lock:
                    found = self._values.pop(key, None)
                return b"NONE\n" if found is None else b"OK\n"
            case [b"QUIT"]:
                return BYE
            case [b"SET" | b"GET" | b"DEL" | b"QUIT", *_]:
                return b"ERR write SET key value, GET key, DEL key or QUIT\n"
            case _:
                return b"ERR there are SET, GET, DEL and QUIT\n"


def serve(listener: socket.socket, idle: float = IDLE) -> None:
    """Serve the clients of `listener`, each in a thread of its own, for ever. Close those silent for `idle` seconds."""
    store = Store()
    for connection in accepted(listener):
        try:
            threading.Thread(target=attend, args=(connection, store, idle), daemon=True).start()
        except RuntimeError:  # no thread is to be had now; the next client may be luckier
            connection.close()


def attend(connection: socket.socket, store: Store, idle: float) -> None:
    """Serve one client to its end, whatever that is, and close the connection."""
    with connection:
        try:
            converse(connection, store, idle)
        except OSError:
            pass  # the client is gone, in one of many ways, or it was idle (TimeoutError); that costs nobody else


def converse(connection: socket.socket, store: Store, idle: float) -> None:
    """Answer request by request until `QUIT`, the client's end of stream, or a request above the limit.

    One recv() may return half a request or ten of them: what has no `\\n` yet waits in `pending`. Where the stream ends
    in the middle of a request, that is dropped: to do half of what a client wanted to say may be the opposite of it.

    Raise TimeoutError after `idle` seconds without a whole request, OSError where the connection breaks.
    """
    pending = b""
    deadline = time.monotonic() + idle
    while data := receive(connection, deadline):
        *requests, pending = (pending + data).split(b"\n")
        for request in requests:
            reply = store.answer(request)
            connection.sendall(reply)
            if reply == BYE:
                finish(connection)
                return
        if requests:
            deadline = time.monotonic() + idle
        if len(pending) > LINE_LIMIT:
            return


def receive(connection: socket.socket, deadline: float) -> bytes:
    """Return what recv() returns. Raise TimeoutError at `deadline`, on the monotonic clock, where nothing has come.

    Half a request is none, so what comes does not move the deadline: or a client could stay for ever, byte by byte.
    """
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    connection.settimeout(remaining)
    try:
        return connection.recv(CHUNK)
    finally:
        connection.settimeout(None)  # a reply may take its time: the client is not idle while it reads


if __name__ == "__main__":
    sys.exit(main("kv", serve, durations=("idle",)))
