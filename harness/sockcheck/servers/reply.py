"""reply over TCP: a greeting, and every line is answered with `OK...` and itself. A thread for each client.

A thread that waits for its client, to send or to read, keeps nobody else waiting.
"""

from __future__ import annotations

import socket
import sys
import threading

from sockcheck.servers.program import accepted, main

GREETING = b"Welcome to the server. Type something and hit enter\n"

LINE_LIMIT = 65536
"""Bytes that a line may have, its `\\n` included."""


def serve(listener: socket.socket) -> None:
    """Serve the clients of `listener`, each in a thread of its own, for ever."""
    for connection in accepted(listener):
        try:
            threading.Thread(target=attend, args=(connection,), daemon=True).start()
        except RuntimeError:  # no thread is to be had now; the next client may be luckier
            connection.close()


def attend(connection: socket.socket) -> None:
    """Serve one client to its end, whatever that is, and close the connection."""
    with connection:
        try:
            reply(connection)
        except OSError:
            pass  # the client is gone, in one of many ways; that costs nobody else


def reply(connection: socket.socket) -> None:
    """Greet, then answer line by line until the client's end of stream or a line above the limit.

    recv() knows nothing of lines. readline() collects bytes until one is whole, and keeps what comes after it for the
    next; at the end of stream it gives the rest, and then `b''`. Raise OSError where the connection breaks.
    """
    connection.sendall(GREETING)
    with connection.makefile("rb") as reader:
        while line := reader.readline(LINE_LIMIT + 1):
            if len(line) > LINE_LIMIT:
                return
            connection.sendall(b"OK..." + line)


if __name__ == "__main__":
    sys.exit(main("reply", serve))
