"""hello over TCP: every line of text is greeted, and `STOP` ends the conversation. A thread for each client.

The network carries bytes; text begins where they are decoded. UTF-8 is made so that the byte `\\n` is never a part of
another character. So lines are cut out of the bytes first and decoded whole, and no character is ever seen in halves,
however the segments fell. To decode what each recv() returned would break every character that lies on a boundary.
"""

from __future__ import annotations

import socket
import sys
import threading

from sockcheck.servers.program import accepted, finish, main

ANSWER = b"Hello Node!\n"

LINE_LIMIT = 65536
"""Bytes that a line may have, its ending included."""


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
            greet(connection)
        except (OSError, UnicodeDecodeError):
            pass  # the client is gone, or what it sends is no text; either way that costs nobody else


def greet(connection: socket.socket) -> None:
    """Answer line by line until `STOP`, the client's end of stream or a line above the limit.

    Raise OSError where the connection breaks, UnicodeDecodeError at a line that is not UTF-8.
    """
    with connection.makefile("rb") as reader:
        while line := reader.readline(LINE_LIMIT + 1):
            if len(line) > LINE_LIMIT:
                return
            text = line.decode().removesuffix("\n").removesuffix("\r")
            connection.sendall(ANSWER)
            if text == "STOP":
                finish(connection)
                return


if __name__ == "__main__":
    sys.exit(main("hello", serve))
