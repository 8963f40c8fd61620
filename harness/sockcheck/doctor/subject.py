"""A server to try techniques on: `python -I -S subject.py HOST PORT`. It is there to be cut, paused, watched and ended.

One client at a time. Each recv() is answered by the number of bytes that it returned, so that a client knows what
arrived together; one that begins with R is answered by a reset. Beside it stands a daemon in a session of its own, the
kind of process that is hard to find and easy to leave behind.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys

BACKLOG = 7


def main(host: str, port: int) -> None:
    """Serve until a signal ends the process."""
    _daemon()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=BACKLOG) as server:
        while True:
            client, _ = server.accept()
            with client:
                try:
                    _serve(client)
                except OSError:
                    pass  # This client is gone.


def _serve(client: socket.socket) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := client.recv(65536):
        if data.startswith(b"R"):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        client.sendall(b"%d" % len(data))


def _daemon() -> None:
    """Leave a process that has no parent among ours, no session of ours, and ignores SIGTERM."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                signal.pause()
        os._exit(0)
    os.wait()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
