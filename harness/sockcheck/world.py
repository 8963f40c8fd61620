"""What the performers of a case share: the clock, the poller, the kernel's ear, and where facts go."""

from __future__ import annotations

import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sockcheck.events import Event
from sockcheck.observe.sockdiag import Diag
from sockcheck.poller import Poller


class Trouble(Exception):  # noqa: N818 - not an error of the caller's: the machine does not let us judge
    """The machine, not the server, keeps us from going on: out of descriptors, of ports, of routes."""


async def here(family: socket.AddressFamily) -> socket.socket:
    """A TCP socket of the network that sockcheck is in, unconnected and non-blocking. OSError where there is none."""
    return socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)


@dataclass(frozen=True, slots=True)
class World:
    """What a client needs of its surroundings.

    `emit` takes every fact. `origin` is time.monotonic() at the start of the run. `diag` is None where sock_diag is not
    to be had, or is not to be used; `unobserved` says why. `new_socket` gives clients their sockets, as `here` does;
    both are of the network that the server is in.
    """

    poller: Poller
    emit: Callable[[Event], None]
    origin: float
    diag: Diag | None
    unobserved: str
    new_socket: Callable[[socket.AddressFamily], Awaitable[socket.socket]] = here

    def clock(self) -> float:
        """Seconds on the run's clock."""
        return time.monotonic() - self.origin
