"""A server, and what a run comes to know of it from one instance to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import trio

from sockcheck.addresses import Address
from sockcheck.case import Case, Pause, Restart, Start, Taken
from sockcheck.target import Command, Target
from sockcheck.usefulness import Usefulness

Server = Command | Address

_ANY_PORT = (
    "this server listens on any port that is free, so it cannot be started again at the same address: use {port}"
)
_SPINS = "this server uses a CPU when there is nothing to do: after so many connections it would use all there are"
NOT_PAUSABLE = "pausing harms this server (SIGSTOP and SIGCONT alone end it), so this cannot be tested here"


@dataclass(eq=False)
class Place:
    """A server and what this run has come to know of it."""

    server: Server
    clients: int
    probe: Case | None = None
    """A plain exchange that tells whether the server still serves a fresh client."""
    probe_failed: bool = False
    """Whether that exchange, as a case of its own, did not pass."""
    lost: str = ""
    """Why it cannot be had (any more), or ""."""
    any_port: bool = False
    """Whether it takes a port that the kernel chooses: started again, it would listen somewhere else."""
    tried: bool = False
    pausable: bool | None = None
    """Whether a pause and resume alone leaves the server alive; None until that was tried."""
    spins: bool = False
    """Whether an instance was seen to use a CPU when there was nothing to do."""
    accept_took: float = 0.0
    """The longest, in seconds, that the first client of an instance had to wait until it was accepted."""
    usefulness: Usefulness = field(default_factory=lambda: Usefulness(exhaustive=False))
    culprits: set[tuple[str, ...]] = field(default_factory=set)
    """The ids of a few cases after which another failed."""
    known: trio.Event = field(default_factory=trio.Event)
    """Set once it was had, or could not be had: the first worker tries alone, so that a failure is told once."""

    @property
    def replaceable(self) -> bool:
        """Whether a fresh instance can be had."""
        return isinstance(self.server, Command)

    def suspects(self, served: Sequence[Case]) -> tuple[int, ...]:
        """The last of what has been served, by position, that made another case fail before; () where nothing has."""
        ids = [case.id for case in served]
        known = [each for each in self.culprits if set(each) <= set(ids)]
        if not known:
            return ()
        latest = max(known, key=lambda each: min(_last(ids, identifier) for identifier in each))
        return tuple(sorted(_last(ids, identifier) for identifier in latest))

    @property
    def isolated(self) -> bool:
        """Whether each instance has a network of its own."""
        return isinstance(self.server, Command) and self.server.isolate

    @property
    def can_be_many(self) -> bool:
        """Whether several instances can run at a time: each has a network of its own, or an address of our choice."""
        return self.isolated or self.address_is_ours

    @property
    def address_is_ours(self) -> bool:
        """Whether we choose where it listens."""
        if isinstance(self.server, Address) or self.server.port is not None:
            return False
        return any("{port}" in word for word in self.server.argv)

    def was_had(self, target: Target) -> None:
        """An instance of it is there."""
        ours = isinstance(self.server, Address) or self.server.port is not None or self.address_is_ours
        self.any_port = not ours and _given_by_kernel(target.address.port, target)
        self.known.set()

    def give_up_isolation(self) -> bool:
        """From here on no instance has a network of its own. Whether any had."""
        if not isinstance(self.server, Command) or not self.server.isolate:
            return False
        self.server = replace(self.server, isolate=False)
        return True

    def obstacle(self, case: Case) -> str:
        """Why this case would tell nothing of this server, or ""."""
        if self.any_port and any(isinstance(action, Start | Restart | Taken) for action in case.server):
            return _ANY_PORT
        if self.spins and case.law == "churn.leak":
            return _SPINS
        return NOT_PAUSABLE if self.pausable is False and pauses(case) else ""


def _given_by_kernel(port: int, target: Target) -> bool:
    """Whether it is of those ports that the kernel chooses, in the network that the target is in."""
    if target.isolation is not None:
        low, high = target.isolation.ports
    else:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as limits:
            low, high = map(int, limits.read().split())
    return low <= port <= high


def _last(ids: Sequence[str], wanted: str) -> int:
    return len(ids) - 1 - ids[::-1].index(wanted)


def pauses(case: Case) -> bool:
    """Whether it has a step that pauses the server."""
    return any(isinstance(action, Pause) for action in case.server)
