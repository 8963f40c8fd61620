"""What every server program needs around its serving: arguments, a listening socket, an end."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

BACKLOG = 128
"""Clients that may wait in the accept queue: a burst of 64 with room to spare; a full queue costs a client 1 s."""

LINGER = 2.0
"""Seconds that a client has to close its end once the server has ended its own."""

ACCEPT_PAUSE = 0.1
"""Seconds between tries of an accept() that failed: often enough to serve soon, seldom enough not to spin."""


DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|)")


def main(name: str, serve: Callable[..., None], durations: Sequence[str] = ()) -> int:
    """Listen on the HOST and PORT of the command line and `serve`. Return the exit status.

    Each of `durations` may follow as an option, `--idle 300ms` for `idle`, and goes to `serve` in seconds.
    2: the arguments make no sense. 1: the address cannot be had. Signals end it as `end_on_signals` says.
    """
    try:
        host, port, options = understood(sys.argv[1:], durations)
    except ValueError:
        more = "".join(f" [--{option} TIME]" for option in durations)
        times = "; TIME as in 300ms, 2s or 2" if durations else ""
        sys.stderr.write(f"usage: {name} HOST PORT{more}    (PORT from 0 to 65535; 0: the kernel chooses one{times})\n")
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
        serve(listener, **options)
    return 0


def understood(words: Sequence[str], durations: Sequence[str]) -> tuple[str, int, Mapping[str, float]]:
    """Return host, port and options, the latter in seconds. Raise ValueError where `words` are none of that."""
    host, number, *rest = words
    options = {}
    for option, value in zip(rest[::2], rest[1::2], strict=True):
        if option.removeprefix("--") not in durations or not option.startswith("--"):
            raise ValueError(option)
        options[option[2:]] = seconds(value)
    port = int(number)
    if not 0 <= port <= 65535:
        raise ValueError(number)
    return host, port, options


def seconds(text: str) -> float:
    """Return the duration `300ms`, `2s` or `2`, in seconds. Raise ValueError where it is none, or no time at all."""
    amount = DURATION.fullmatch(text)
    if amount is None or not float(amount[1]):
        raise ValueError(text)
    return float(amount[1]) / (1000 if amount[2] == "ms" else 1)


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


def finish(connection: socket.socket) -> None:
    """End our stream, then read the client's to its end, so that the connection can be closed in order.

    close() with bytes unread sends a reset, which may overtake the last reply (RFC 2525, section 2.17): a client that
    had sent more would never see it. A client that sends on for `LINGER` seconds is left. Raise OSError where the
    connection breaks.
    """
    connection.shutdown(socket.SHUT_WR)
    deadline = time.monotonic() + LINGER
    while (remaining := deadline - time.monotonic()) > 0:
        connection.settimeout(remaining)
        if not connection.recv(65536):
            return
