"""A server and all that a run has to test one, without a run around it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from sockcheck.client_events import (
    Connected,
)
from sockcheck.connected import connected
from sockcheck.driver import Driver
from sockcheck.events import (
    CaseFinished,
    CaseStarted,
    Event,
    TargetStarted,
)
from sockcheck.facts import Facts
from sockcheck.observe.sockdiag import Diag
from sockcheck.place import Server
from sockcheck.planning import plan
from sockcheck.poller import Poller
from sockcheck.reading import read_scenario
from sockcheck.scenario import Contract
from sockcheck.target import Command, Target, started
from sockcheck.verdict import Verdict
from sockcheck.world import World


class Trial:
    """What a run has, for one server: its world, and cases that are performed on it. An `Opener` makes it."""

    def __init__(self, world: World, facts: Facts, target: Target, told: Sequence[Event]) -> None:
        self.world = world
        self.target = target
        self.driver = Driver(world, target)
        self._facts = facts
        self._told = told
        self._attempts = 0

    @property
    def ready_after(self) -> float:
        """Seconds from the start of the server until it was seen to listen."""
        return next((event.took for event in self._told if isinstance(event, TargetStarted)), 0.0)

    async def perform(self, scenario: str) -> tuple[Verdict, Sequence[Event]]:
        """Perform a scenario, given as text; the verdict, and all that happened in it."""
        read = read_scenario("doctor.sock.yaml", scenario, Contract("doctor", "."), lambda _: b"")
        (case,) = plan(read, seed=0)
        self._attempts += 1
        begin = len(self._told)
        emit, clock = self._facts.emit, self.world.clock
        emit(CaseStarted(clock(), self._attempts, self.target.number, case, f"{self._attempts}"))
        judge = self._facts.bench.judge(self._attempts)
        await self.driver.perform(self._attempts, judge)
        verdict = judge.verdict()
        emit(CaseFinished(clock(), self._attempts, verdict))
        return verdict, self._told[begin:]

    def unobserved(self, events: Sequence[Event]) -> str:
        """Why the server's end of the connection in these events was not seen, or ""."""
        return next((event.unobserved for event in events if isinstance(event, Connected)), self.world.unobserved)


@dataclass(frozen=True, slots=True)
class Opener:
    """What all trials share. `diag` is None where the kernel cannot be asked; `unobserved` says why."""

    poller: Poller
    diag: Diag | None
    unobserved: str

    @asynccontextmanager
    async def open(self, server: Server) -> AsyncIterator[Trial]:
        """Start the server, or use the one that listens at the address. Raises TargetError.

        When the block is left, nothing is left of a server that was started.
        """
        told: list[Event] = []
        facts = Facts([told.append])
        world = World(self.poller, facts.emit, time.monotonic(), self.diag, self.unobserved)
        context: AbstractAsyncContextManager[Target] = (
            started(server, number=1, emit=facts.emit, clock=world.clock)
            if isinstance(server, Command)
            else connected(server, number=1, emit=facts.emit, clock=world.clock)
        )
        async with context as target:
            yield Trial(world, facts, target, told)
