"""What every server program needs around its serving: arguments, a listening socket, an end."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

BACKLOG = 128
"""Clients that may wait in the accept queue: a burst of 64 with room to spare; a full queue costs a client 1 s."""

ACCEPT_PAUSE = 0.1
"""Seconds between tries of an accept() that failed: often enough to serve soon, seldom enough not to spin."""


def main(name: str, serve: Callable[[socket.socket], None]) -> int:
    """Listen on the HOST and PORT of the command line and `serve`. Return the exit status.

    2: the arguments make no sense. 1: the address cannot be had. Signals end it as `end_on_signals` says.
    """
    try:
        host, port = sys.argv[1], int(sys.argv[2])
        if len(sys.argv) != 3 or not 0 <= port <= 65535:
            raise ValueError
    except (IndexError, ValueError):
        sys.stderr.write(f"usage: {name} HOST PORT    (PORT from 0 to 65535; 0: the kernel chooses one)\n")
        return 2
    end_on_signals()
    try:
        listener = listen(host, port)
    except OSError as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        sys.stderr.write(f"{name}: cannot listen on {host} port {port}: {reason}\n")
        return 1
    with listener:
        announce(name, listener)
        serve(listener)
    return 0


def listen(host: str, port: int) -> socket.socket:
    """Return a TCP socket that listens on `host` (IPv4, IPv6 or a name) and `port`. Raise OSError where it cannot.

    create_server() sets SO_REUSEADDR: without it a server that is started again at once cannot bind while connections
    of the old one are in TIME_WAIT (RFC 9293, section 3.6.1). TCP_NODELAY, which accepted connections inherit, lets
    small replies out at once: with Nagle's algorithm one may wait 40 ms for the client's delayed ACK.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def announce(name: str, listener: socket.socket) -> None:
    """Say on standard output where `listener` listens. It is true already: connections are queued from listen() on."""
    host, port = listener.getsockname()[:2]
    sys.stdout.write(f"{name}: listening on {f'[{host}]' if ':' in host else host}:{port}\n")
    sys.stdout.flush()


def end_on_signals() -> None:
    """From now on SIGTERM ends the process with status 0, SIGINT with 130, whatever its threads are doing.

    A thread waits for the signals, which all others block. A handler would not do: Python runs it between two
    instructions, so a signal that comes just before accept() blocks would be noticed when the next client connects.
    The kernel closes the sockets; nothing else needs to be put in order.
    """
    statuses = {signal.SIGTERM: 0, signal.SIGINT: 130}
    signal.pthread_sigmask(signal.SIG_BLOCK, statuses)

    def wait() -> None:
        os._exit(statuses[signal.Signals(signal.sigwait(statuses))])

    threading.Thread(target=wait, name="signals", daemon=True).start()


def accepted(listener: socket.socket) -> Iterator[socket.socket]:
    """Yield each client's connection, for ever.

    accept() fails for reasons that pass: a client that left while it was queued, no free descriptor (accept(2)). None
    of them is a reason to stop.
    """
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(ACCEPT_PAUSE)
            continue
        yield connection
