"""A run: cases in, events out. It starts targets, has the cases performed on them, and says how it ended."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass, field

import trio

from sockcheck.addresses import Address
from sockcheck.case import Case, Pause, Restart, Start
from sockcheck.driver import Driver
from sockcheck.errors import TargetError
from sockcheck.events import CaseFinished, CaseNotRun, CaseStarted, RunFinished, TargetFailed, Troubled
from sockcheck.facts import Facts
from sockcheck.observe.sockdiag import Diag
from sockcheck.poller import open_poller
from sockcheck.target import Command, Target, connected, started
from sockcheck.world import World

PASSED, FAILED, UNAVAILABLE, INTERNAL, INTERRUPTED = 0, 1, 3, 4, 130

Server = Command | Address

# Descriptors: so many for ourselves, and so many for each server with its keeper and clients.
_OWN_FILES, _FILES_A_JOB = 48, 16


def files_needed(jobs: int) -> int:
    """How many open files a run takes with so many servers at a time."""
    return _OWN_FILES + _FILES_A_JOB * jobs


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


@dataclass(eq=False)
class _Place:
    """A server and what this run has come to know of it."""

    server: Server
    lost: str = ""
    """Why it cannot be had (any more), or ""."""
    any_port: bool = False
    """Whether it takes a port that the kernel chooses: started again, it would listen somewhere else."""
    tried: bool = False
    pausable: bool | None = None
    """Whether a pause and resume alone leaves the server alive; None until that was tried."""
    known: trio.Event = field(default_factory=trio.Event)
    """Set once it was had, or could not be had: the first worker tries alone, so that a failure is told once."""

    @property
    def address_is_ours(self) -> bool:
        """Whether we choose where it listens. Another's choice can be had by one instance at a time."""
        if isinstance(self.server, Address) or self.server.port is not None:
            return False
        return any("{port}" in word for word in self.server.argv)


_ANY_PORT = (
    "this server listens on any port that is free, so it cannot be started again at the same address: use {port}"
)
_NOT_PAUSABLE = "pausing harms this server (SIGSTOP and SIGCONT alone end it), so this cannot be tested here"


def _pauses(case: Case) -> bool:
    return any(isinstance(action, Pause) for action in case.server)


def _takes_any_port(place: _Place, target: Target) -> bool:
    """Whether its port is from the range that the kernel gives away, and neither we nor the user chose it."""
    if isinstance(place.server, Address) or place.server.port is not None or place.address_is_ours:
        return False
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as limits:
        low, high = map(int, limits.read().split())
    return low <= target.address.port <= high


def _obstacle(place: _Place, case: Case) -> str:
    """Why this case would tell nothing of this server, or ""."""
    if place.any_port and any(isinstance(action, Start | Restart) for action in case.server):
        return _ANY_PORT
    return _NOT_PAUSABLE if place.pausable is False and _pauses(case) else ""


class Run:
    """One run of some items. `origin` is time.monotonic() at its start; every event goes to `facts`."""

    def __init__(self, items: Sequence[Item], options: Options, facts: Facts, origin: float) -> None:
        places: list[_Place] = []
        self._waiting: deque[tuple[Case, _Place]] = deque()
        for item in items:
            place = next((place for place in places if place.server == item.server), None)
            if place is None:
                places.append(place := _Place(item.server))
            self._waiting.append((item.case, place))
        self._places = places
        self._options = options
        self._facts = facts
        self._origin = origin
        self._attempts = 0
        self._targets = 0
        self._outcomes: set[str] = set()
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
                # The watcher stays until all servers are stopped: a second Ctrl-C changes nothing.
                with trio.CancelScope() as work:
                    await nursery.start(self._watch_signals, work)
                    async with trio.open_nursery() as workers:
                        for _ in range(self._jobs()):
                            workers.start_soon(self._work, world)
                nursery.cancel_scope.cancel()
            while self._waiting:
                self._not_run(self._waiting.popleft()[0], self._stop)
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
        if not all(place.address_is_ours for place in self._places):
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
            case, place = self._waiting[0]
            if place.lost or case.skip:
                self._waiting.popleft()
                self._not_run(case, case.skip or place.lost)
            elif place.tried and not place.known.is_set():
                await place.known.wait()
            else:
                place.tried = True
                await self._serve(place, world)

    async def _serve(self, place: _Place, world: World) -> None:
        """One instance of a server, for as many of its cases as it stays fit for."""
        self._targets += 1
        number = self._targets
        try:
            async with self._target(place.server, number, world) as target:
                place.any_port = _takes_any_port(place, target)
                place.known.set()
                driver = Driver(world, target)
                while (case := self._take(place)) is not None:
                    if _pauses(case) and not await self._can_pause(place, driver):
                        self._not_run(case, _NOT_PAUSABLE)
                        return
                    passed, fit = await self._perform(case, driver, number, world)
                    if isinstance(place.server, Command) and (not passed or not fit or case.state == "own"):
                        # Whatever is wrong with this instance now, or left behind in it, is not to be the next
                        # case's burden.
                        return
                    if not fit:
                        place.lost = "the server was lost in an earlier case"
                        return
        except TargetError as error:
            world.emit(TargetFailed(world.clock(), number, error.message, error.hint, error.output))
            place.lost = error.message
            place.known.set()

    def _target(self, server: Server, number: int, world: World) -> AbstractAsyncContextManager[Target]:
        if isinstance(server, Command):
            return started(server, number=number, emit=world.emit, clock=world.clock)
        return connected(server, number=number, emit=world.emit, clock=world.clock)

    def _take(self, place: _Place) -> Case | None:
        """The next case that is to be run on this server, if any is left and the run goes on."""
        while self._waiting and not self._stop and self._waiting[0][1] is place:
            case, _ = self._waiting.popleft()
            why = case.skip or _obstacle(place, case)
            if not why:
                return case
            self._not_run(case, why)
        return None

    async def _can_pause(self, place: _Place, driver: Driver) -> bool:
        """A control, once for each server: a textbook C program ends when epoll_wait() tells of the pause by EINTR."""
        if place.pausable is None:
            place.pausable = await driver.survives_pause()
        return place.pausable

    async def _perform(self, case: Case, driver: Driver, target: int, world: World) -> tuple[bool, bool]:
        """Perform a case; whether it passed, and whether the server is fit for another."""
        self._attempts += 1
        attempt = self._attempts
        world.emit(CaseStarted(world.clock(), attempt, target, case, self._unique(attempt)))
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

    def _unique(self, attempt: int) -> str:
        """What `${unique}` stands for. Runs that follow each other against one server must not meet again in it."""
        return f"{int(self._origin * 1000) % 0x1000000:06x}{attempt:x}"

    def _not_run(self, case: Case, why: str) -> None:
        self._facts.emit(CaseNotRun(self._clock(), case, why))

    def _exit_code(self) -> int:
        if self._interrupted:
            return INTERRUPTED
        if "error" in self._outcomes:
            return INTERNAL
        if "fail" in self._outcomes:
            return FAILED
        return UNAVAILABLE if any(place.lost for place in self._places) else PASSED
