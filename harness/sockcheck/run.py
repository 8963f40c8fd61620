"""A run: cases in, events out. It starts targets, has the cases performed on them, and says how it ended."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass

import trio

from sockcheck.addresses import Address
from sockcheck.case import Case
from sockcheck.client import World
from sockcheck.driver import Driver, Target
from sockcheck.errors import TargetError
from sockcheck.events import CaseFinished, CaseNotRun, CaseStarted, RunFinished, TargetFailed, Troubled
from sockcheck.facts import Facts
from sockcheck.observe.sockdiag import Diag
from sockcheck.poller import open_poller
from sockcheck.target import Command, connected, started

PASSED, FAILED, UNAVAILABLE, INTERNAL, INTERRUPTED = 0, 1, 3, 4, 130

Server = Command | Address


@dataclass(frozen=True, slots=True)
class Item:
    """One case and the server that it is for: a command to start, or the address of one that runs already."""

    case: Case
    server: Server


@dataclass(frozen=True, slots=True)
class Options:
    """`jobs`: how many servers at a time. `observe`: whether the kernel may be asked about the server's sockets."""

    jobs: int
    fail_fast: bool = False
    observe: bool = True


class Run:
    """One run of some items. `origin` is time.monotonic() at its start; every event goes to `facts`."""

    def __init__(self, items: Sequence[Item], options: Options, facts: Facts, origin: float) -> None:
        self._waiting = deque(items)
        self._options = options
        self._facts = facts
        self._origin = origin
        self._attempts = 0
        self._targets = 0
        self._outcomes: set[str] = set()
        self._unavailable: list[tuple[Server, str]] = []
        self._stop = ""
        self._interrupted = False

    async def execute(self) -> int:
        """Run everything; the exit code. Every item ends as a finished case or as one that was not run.

        SIGINT and SIGTERM end it early: what was measured is kept, and no server is left running.
        """
        with ExitStack() as stack:
            diag, why = self._open_diag()
            if diag is not None:
                stack.callback(diag.close)
            async with open_poller() as poller, trio.open_nursery() as nursery:
                world = World(poller, self._facts.emit, self._origin, diag, why)
                await nursery.start(self._watch_signals, nursery.cancel_scope)
                async with trio.open_nursery() as workers:
                    for _ in range(self._jobs()):
                        workers.start_soon(self._work, world)
                nursery.cancel_scope.cancel()
            while self._waiting:
                self._not_run(self._waiting.popleft(), self._stop)
            code = self._exit_code()
            self._facts.emit(RunFinished(self._clock(), code, self._stop if self._interrupted else ""))
            return code

    def _clock(self) -> float:
        return time.monotonic() - self._origin

    def _open_diag(self) -> tuple[Diag | None, str]:
        if not self._options.observe:
            return None, "--no-observe"
        try:
            return Diag(), ""
        except OSError as error:
            return None, f"sock_diag is not to be had here: {error.strerror}"

    def _jobs(self) -> int:
        """How many workers: one where an address is not ours to choose, since no two servers can have it."""
        if any(not _address_is_ours(item.server) for item in self._waiting):
            return 1
        return min(self._options.jobs, max(1, len(self._waiting)))

    async def _watch_signals(
        self, scope: trio.CancelScope, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for number in signals:
                self._interrupted = True
                self._stop = f"interrupted by {signal.Signals(number).name}"
                scope.cancel()

    async def _work(self, world: World) -> None:
        while self._waiting and not self._stop:
            server = self._waiting[0].server
            why = next((why for lost, why in self._unavailable if lost == server), None)
            if why is None:
                await self._serve(server, world)
            else:
                self._not_run(self._waiting.popleft(), why)

    async def _serve(self, server: Server, world: World) -> None:
        """One instance of a server, for as many of its cases as it stays fit for."""
        self._targets += 1
        number = self._targets
        try:
            async with self._target(server, number, world) as target:
                driver = Driver(world, target)
                while (item := self._take(server)) is not None:
                    passed, fit = await self._perform(item.case, driver, number, world)
                    if not passed and isinstance(server, Command):
                        # Whatever is wrong with this instance now is not to be the next case's burden.
                        return
                    if not fit:
                        self._unavailable.append((server, "the server was lost in an earlier case"))
                        return
        except TargetError as error:
            world.emit(TargetFailed(world.clock(), number, error.message, error.hint, error.output))
            self._unavailable.append((server, error.message))

    def _target(self, server: Server, number: int, world: World) -> AbstractAsyncContextManager[Target]:
        start = started if isinstance(server, Command) else connected
        return start(server, number=number, emit=world.emit, clock=world.clock)

    def _take(self, server: Server) -> Item | None:
        """The next item that is to be run on this server, if any is left and the run goes on."""
        while self._waiting and not self._stop and self._waiting[0].server == server:
            item = self._waiting.popleft()
            if not item.case.skip:
                return item
            self._not_run(item, item.case.skip)
        return None

    async def _perform(self, case: Case, driver: Driver, target: int, world: World) -> tuple[bool, bool]:
        """Perform a case; whether it passed, and whether the server is fit for another."""
        self._attempts += 1
        attempt = self._attempts
        world.emit(CaseStarted(world.clock(), attempt, target, case))
        judge = self._facts.bench.judge(attempt)
        try:
            fit = await driver.perform(attempt, judge)
        except BaseException as error:
            # Cut short, by a signal or because the server's keeper was lost: no evidence either way.
            why = self._stop or (error.message if isinstance(error, TargetError) else "the case was cut short")
            world.emit(Troubled(world.clock(), attempt, why))
            raise
        finally:
            verdict = judge.verdict()
            self._outcomes.add(verdict.outcome)
            world.emit(CaseFinished(world.clock(), attempt, verdict))
        if verdict.outcome == "fail" and self._options.fail_fast:
            self._stop = "an earlier case failed (--fail-fast)"
        return verdict.outcome == "pass", fit

    def _not_run(self, item: Item, why: str) -> None:
        self._facts.emit(CaseNotRun(self._clock(), item.case, why))

    def _exit_code(self) -> int:
        if self._interrupted:
            return INTERRUPTED
        if "error" in self._outcomes:
            return INTERNAL
        if "fail" in self._outcomes:
            return FAILED
        return UNAVAILABLE if self._unavailable else PASSED


def _address_is_ours(server: Server) -> bool:
    """Whether we choose where it listens. Another's choice can be had by one instance at a time."""
    return isinstance(server, Command) and any("{port}" in word for word in server.argv)
