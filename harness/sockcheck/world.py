"""What the performers of a case share: the clock, the poller, the kernel's ear, and where facts go."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sockcheck.events import Event
from sockcheck.observe.sockdiag import Diag
from sockcheck.poller import Poller


class Trouble(Exception):  # noqa: N818 - not an error of the caller's: the machine does not let us judge
    """The machine, not the server, keeps us from going on: out of descriptors, of ports, of routes."""


@dataclass(frozen=True, slots=True)
class World:
    """What a client needs of its surroundings.

    `emit` takes every fact. `origin` is time.monotonic() at the start of the run. `diag` is None where sock_diag is not
    to be had, or is not to be used; `unobserved` says why.
    """

    poller: Poller
    emit: Callable[[Event], None]
    origin: float
    diag: Diag | None
    unobserved: str

    def clock(self) -> float:
        """Seconds on the run's clock."""
        return time.monotonic() - self.origin
