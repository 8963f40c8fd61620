"""Performs the server's own steps of a case: it does what their state machine says and tells what it saw."""

from __future__ import annotations

import signal
from typing import Protocol, assert_never

import trio

from sockcheck.case import SERVER
from sockcheck.client_events import (
    Marked,
    Released,
    Waited,
)
from sockcheck.errors import TargetError
from sockcheck.events import (
    Figures,
)
from sockcheck.keeper.client import KeeperError
from sockcheck.observe import measures, resting
from sockcheck.observe.settling import until
from sockcheck.server_events import (
    SecondEnded,
    ServerChecked,
    ServerDeadlinePassed,
    ServerExited,
    ServerLimited,
    ServerNotStarted,
    ServerRested,
    ServerSignalled,
    ServerStarted,
    ServerWaited,
)
from sockcheck.serving import (
    DoAwaitExit,
    DoCheck,
    DoKill,
    DoLimit,
    DoMark,
    DoRest,
    DoRestart,
    DoSecond,
    DoSignal,
    DoStart,
    DoWaitFor,
    DoWaitUntil,
    Serving,
    holds,
)
from sockcheck.steps import (
    Measure,
)
from sockcheck.target import Target
from sockcheck.target_errors import SignalError
from sockcheck.world import Trouble, World

_ADDED: tuple[Measure, ...] = ("cpu", "memory")
_UNTOLD = (
    "/proc or the table of listening sockets does not tell it to this user, or it is the memory of a virtual machine, "
    "which collects late what nobody needs any more"
)


class Board(Protocol):
    """The marks of a case."""

    def mark(self, name: str) -> None:
        """Set this mark. It stays set."""

    async def wait_for(self, name: str) -> bool:
        """Until this mark is set, or can no longer be, which is False."""


async def perform(
    serving: Serving,
    world: World,
    attempt: int,
    target: Target,
    board: Board,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Until the server's steps are over; `started` is said at their first wait, when clients may begin.

    A server that these steps have stopped stays stopped when they have come to their end: it is for the caller to
    `resume` it when the case is over. When they end before, in whatever way, it goes on at once.
    Raises Trouble, and TargetError where the server was lost altogether.
    """
    try:
        await _Performer(serving, world, attempt, target, board, task_status).run()
    except SignalError as error:
        raise Trouble(error.message) from None
    finally:
        if not serving.completed:
            with trio.CancelScope(shield=True):
                await target.resume()


class _Performer:
    def __init__(
        self,
        serving: Serving,
        world: World,
        attempt: int,
        target: Target,
        board: Board,
        task_status: trio.TaskStatus[None],
    ) -> None:
        self._serving = serving
        self._world = world
        self._attempt = attempt
        self._target = target
        self._board = board
        self._task_status = task_status
        self._waited = False
        # An instance may have served other cases before: what they used is not this one's.
        self._before = self._added()

    def _added(self) -> dict[Measure, float]:
        """The measures of which only what is added in the case counts."""
        return {what: self._target.measure(what) or 0.0 for what in _ADDED}

    async def run(self) -> None:
        while (command := self._serving.command) is not None:
            match command:
                case DoSignal():
                    await self._signal(command)
                case DoKill():
                    count = await self._target.kill()
                    self._signalled(command.step, signal.SIGKILL, count)
                case DoAwaitExit():
                    await self._await_exit(command)
                case DoStart() | DoRestart():
                    await self._start(command)
                case DoCheck():
                    await self._check(command)
                case DoRest():
                    self._waits()
                    share = await resting.share(self._figures, self._target.asleep, command.limit)
                    self._world.emit(ServerRested(self._world.clock(), self._attempt, command.step, share))
                case DoLimit():
                    self._limit(command)
                case DoSecond():
                    await self._second(command)
                case DoMark():
                    self._world.emit(Marked(self._world.clock(), self._attempt, SERVER, command.step, command.mark))
                    self._board.mark(command.mark)
                case DoWaitFor():
                    await self._wait_for(command)
                case DoWaitUntil():
                    self._waits()
                    await trio.sleep(max(0.0, command.at - self._world.clock()))
                    self._world.emit(ServerWaited(self._world.clock(), self._attempt, command.step))
                case _:
                    assert_never(command)
        self._waits()

    def _waits(self) -> None:
        """Here clients may begin: the steps wait, or are over."""
        if not self._waited:
            self._waited = True
            self._task_status.started()

    async def _signal(self, command: DoSignal) -> None:
        if command.everyone:
            count = await self._target.signal_all(command.signal)
        else:
            count = await self._target.signal_first(command.signal)
        self._signalled(command.step, command.signal, count)

    def _signalled(self, step: int, number: int, count: int) -> None:
        self._world.emit(ServerSignalled(self._world.clock(), self._attempt, step, int(number), count))

    async def _await_exit(self, command: DoAwaitExit) -> None:
        self._waits()
        began = self._world.clock()
        status = await self._target.exited(command.deadline)
        if status is None:
            self._deadline_passed(command.step, began, orphaned=self._target.pid not in self._target.pids())
        else:
            self._world.emit(ServerExited(self._world.clock(), self._attempt, command.step, status))

    async def _start(self, command: DoStart | DoRestart) -> None:
        world, target = self._world, self._target
        try:
            took = await (target.start_again() if isinstance(command, DoStart) else target.restart())
        except (KeeperError, SignalError):
            raise
        except TargetError as error:
            message = f"{error.message}; {error.hint}" if error.hint else error.message
            world.emit(ServerNotStarted(world.clock(), self._attempt, command.step, message, error.output))
        else:
            self._before = self._added()
            world.emit(ServerStarted(world.clock(), self._attempt, command.step, target.pid, took))

    def _figures(self) -> Figures | None:
        pids = self._target.pids()
        return measures.figures(pids) if pids else None

    def _limit(self, command: DoLimit) -> None:
        files, why = command.files, ""
        try:
            files = self._target.limit_files(command.files, least=command.least)
        except OSError as error:
            why = f"its limit of open files cannot be set here: {error.strerror}"
        self._world.emit(ServerLimited(self._world.clock(), self._attempt, command.step, files, why))

    async def _second(self, command: DoSecond) -> None:
        self._waits()
        second = await self._target.second(command.deadline - self._world.clock())
        at = self._world.clock()
        self._world.emit(
            SecondEnded(at, self._attempt, command.step, second.status, second.output, listens=second.listens)
        )

    async def _check(self, command: DoCheck) -> None:
        values: tuple[float | None, ...] = ()
        began = self._world.clock()

        def over() -> bool:
            """All is as it should be, or cannot be seen, now or later."""
            nonlocal values
            values = tuple([self._measure(check.what) for check in command.checks])
            return None in values or all(map(holds, command.checks, values))

        done = over()
        if not done:
            self._waits()
            done = await until(over, command.deadline - self._world.clock())
        at = self._world.clock()
        why = _UNTOLD if None in values else ""
        self._world.emit(ServerChecked(at, self._attempt, command.step, values, why))
        if not done:
            self._deadline_passed(command.step, began)

    def _deadline_passed(self, step: int, began: float, *, orphaned: bool = False) -> None:
        """`began`: since when was waited, on the run's clock."""
        late = self._world.poller.late_since(self._world.origin + began)
        self._world.emit(ServerDeadlinePassed(self._world.clock(), self._attempt, step, late, orphaned=orphaned))

    def _measure(self, what: Measure) -> float | None:
        value = self._target.measure(what)
        return max(0.0, value - self._before[what]) if what in _ADDED and value is not None else value

    async def _wait_for(self, command: DoWaitFor) -> None:
        self._waits()
        released = Waited if await self._board.wait_for(command.mark) else Released
        self._world.emit(released(self._world.clock(), self._attempt, SERVER, command.step, command.mark))
