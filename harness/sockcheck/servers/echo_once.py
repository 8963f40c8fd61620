"""echo over TCP, one client at a time, in a loop. Clients that come meanwhile wait in the accept queue."""

from __future__ import annotations

import socket
import sys

from sockcheck.servers.program import accepted, main

CHUNK = 65536


def serve(listener: socket.socket) -> None:
    """Serve the clients of `listener`, one after the other, for ever."""
    for connection in accepted(listener):
        with connection:
            try:
                echo(connection)
            except OSError:
                pass  # this client is gone, in one of many ways; the next one is served


def echo(connection: socket.socket) -> None:
    """Send back all that comes, until the client's end of stream. Raise OSError where the connection breaks."""
    while data := connection.recv(CHUNK):
        connection.sendall(data)


if __name__ == "__main__":
    sys.exit(main("echo-once", serve))
