"""A server under test that was running already: it is looked at, and never signalled."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio

from sockcheck import target_errors
from sockcheck.addresses import Address, is_local, serves
from sockcheck.errors import TargetError
from sockcheck.events import TargetStarted
from sockcheck.keeper.client import Tree
from sockcheck.observe import measures, processes
from sockcheck.observe.proctcp import ListenSource, listen_source
from sockcheck.observe.sockdiag import Listener
from sockcheck.steps import (
    Measure,
)
from sockcheck.target import RELISTENS_WITHIN, RELOOK, Clock, Emit, Health, Second


class ConnectedTarget:
    """A `Target` that was running already. It is looked at where that is possible, and never signalled."""

    def __init__(self, address: Address, number: int, source: ListenSource | None, holders: frozenset[int]) -> None:
        self.number = number
        self.address = address
        self.pid = 0
        self.ready_limit = 0.0
        self.isolation = None
        self.command: tuple[str, ...] = ()
        self.exit_status: int | None = None
        self.running = True
        self._source = source
        self._holders = holders

    async def ping(self) -> Tree:
        health = await self.health()
        return Tree(health.alive, None, self.pids(), "")

    def pids(self) -> tuple[int, ...]:
        alive = [pid for pid in self._holders if processes.start_time(pid) is not None and not processes.exiting(pid)]
        return tuple({pid for holder in alive for pid in (holder, *processes.descendants(holder))})

    def asleep(self) -> bool | None:
        return processes.asleep_at_once(self.pids) if self.pids() else None

    async def health(self) -> Health:
        if self._source is None:
            return Health(True, True, "the server cannot be seen from here")
        try:
            listening = self._is_listening(self._source)
            limit = time.monotonic() + RELISTENS_WITHIN
            while not listening and self.pids() and time.monotonic() < limit:
                await trio.sleep(RELOOK)
                listening = self._is_listening(self._source)
        except OSError as error:
            return Health(True, True, f"the listening sockets cannot be seen: {error.strerror}")
        pids = self.pids()
        figures = measures.figures(pids) if pids else None
        why = "" if listening else f"nothing listens on {self.address}"
        return Health(listening or bool(pids), listening, why, figures)

    def _is_listening(self, source: ListenSource) -> bool:
        return any(serves(row, self.address) for row in source.listeners())

    def last_output(self, limit: int) -> bytes:
        return b""

    async def stop(self) -> None:
        """It was not started here, so it is not stopped either."""

    async def resume(self) -> None:
        """It was never stopped."""

    async def signal_first(self, number: int) -> int:
        raise target_errors.not_started_here(self.address)

    async def signal_all(self, number: int) -> int:
        raise target_errors.not_started_here(self.address)

    async def kill(self) -> int:
        raise target_errors.not_started_here(self.address)

    async def exited(self, deadline: float) -> int | None:
        raise target_errors.not_started_here(self.address)

    async def start_again(self) -> float:
        raise target_errors.not_started_here(self.address)

    async def restart(self) -> float:
        raise target_errors.not_started_here(self.address)

    async def second(self, limit: float) -> Second:
        raise target_errors.not_started_here(self.address)

    def limit_files(self, files: int, *, least: bool) -> int:
        raise target_errors.not_started_here(self.address)

    def measure(self, what: Measure) -> float | None:
        raise target_errors.not_started_here(self.address)


@asynccontextmanager
async def connected(address: Address, *, number: int, emit: Emit, clock: Clock) -> AsyncIterator[ConnectedTarget]:
    """Use a server that is served already.

    Where that can be seen without a connection, TargetError is raised if nothing listens there.
    """
    address = address.destination
    try:
        source = listen_source() if is_local(address) else None
    except OSError:
        source = None
    try:
        holders: frozenset[int] = frozenset()
        if source is not None:
            rows = [row for row in source.listeners() if serves(row, address)]
            if not rows:
                raise TargetError(
                    f"nothing listens on {address}",
                    "start the server first, or let sockcheck start it: sockcheck run PATHS -- COMMAND",
                )
            holders = _others_that_hold(rows)
        emit(TargetStarted(clock(), number, (), str(address), 0, 0.0))
        yield ConnectedTarget(address, number, source, holders)
    finally:
        if source is not None:
            source.close()


def _others_that_hold(rows: Sequence[Listener]) -> frozenset[int]:
    """The processes that hold these sockets, without this one, which never sleeps while it looks."""
    return frozenset(pid for row in rows for pid in processes.holders(row.inode) if pid != os.getpid())
