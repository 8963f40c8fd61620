"""The server under test, and one that sockcheck starts, keeps and ends."""

from __future__ import annotations

import re
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import trio

from sockcheck import scratch, target_errors
from sockcheck.addresses import Address, serves
from sockcheck.errors import TargetError
from sockcheck.events import Event, Figures, TargetExited, TargetFailed, TargetOutput, TargetStarted, TargetStopped
from sockcheck.isolation import Isolation
from sockcheck.keeper.client import Gone, Output, Stopped, Tree
from sockcheck.life import Life, Meant
from sockcheck.observe import measures, processes
from sockcheck.observe.proctcp import ListenSource, listen_source
from sockcheck.reservation import Reservation
from sockcheck.steps import (
    Measure,
)

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}")
# How often another port is chosen for a target that finds its own in use.
_PORT_TRIES = 3
# How long a server may listen nowhere between two connections, and how often it is looked again, in seconds.
RELISTENS_WITHIN, RELOOK = 1.0, 0.01
# In a network of its own nothing else takes this port: it is none that the kernel gives to clients.
_ALONE = Address("127.0.0.1", 10_000)
_UNSEEN = "the listening sockets of this machine cannot be seen: neither sock_diag nor /proc/net/tcp is there"

Emit = Callable[[Event], None]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Command:
    """How a target is started.

    In `argv`, `{host}`, `{port}`, `{dir}`, `{python}` and the names in `parameters` are filled in; other braces stay.
    `port` says which port is meant where the command does not take one. `ready` is how long the target may take until
    it listens, `grace` how long from SIGTERM to its end, both in seconds. `isolate`: in a network of its own.
    """

    argv: tuple[str, ...]
    parameters: Mapping[str, str]
    port: int | None
    ready: float
    grace: float = 2.0
    isolate: bool = False


class Health(NamedTuple):
    """Whether a process of the target is left, whether it listens; `why` where one of them is not so or not seen.

    `figures` are of the processes that are alive and can be seen.
    """

    alive: bool
    listening: bool
    why: str
    figures: Figures | None = None


class Target(Protocol):
    """A server under test, started here or not."""

    @property
    def number(self) -> int:
        """The number of this instance within the run."""

    @property
    def address(self) -> Address:
        """Where clients connect to."""

    @property
    def isolation(self) -> Isolation | None:
        """The network of its own that it listens in, None where that is sockcheck's."""

    @property
    def pid(self) -> int:
        """The first process, 0 for one that was not started here."""

    @property
    def command(self) -> tuple[str, ...]:
        """The command with everything filled in, empty for one that was not started here."""

    @property
    def ready_limit(self) -> float:
        """How long it may take, in seconds, until it serves; 0 for one that was not started here."""

    @property
    def exit_status(self) -> int | None:
        """The first process's status, negative for a signal, once no process is left; until then None."""

    @property
    def running(self) -> bool:
        """Whether it is fit for another case: it has come to listen, and its end is not known. See `ping`."""

    async def ping(self) -> Tree:
        """The processes as they are now: an end that a client may have seen by now is known. Raises TargetError."""

    def pids(self) -> tuple[int, ...]:
        """The processes of it that are alive and can be seen."""

    def asleep(self) -> bool | None:
        """Whether none of its threads ran or wanted to, at one moment. None where that cannot be seen."""

    async def health(self) -> Health:
        """Is it alive, does it listen? Raises TargetError."""

    def last_output(self, limit: int) -> bytes:
        """The last that it wrote to stdout and stderr, at most `limit` bytes."""

    async def stop(self) -> None:
        """Stop it if it was started here. It is a matter of course when the context is left."""

    async def resume(self) -> None:
        """SIGCONT to every process if any was stopped by a signal from here."""

    # What follows is for a target that was started here: any other raises TargetError.

    async def signal_first(self, number: int) -> int:
        """Signal the first process or, once that is gone, those that it left behind. How many were signalled."""

    async def signal_all(self, number: int) -> int:
        """Signal every process. How many there were. After SIGSTOP every thread of them is stopped."""

    async def kill(self) -> int:
        """SIGKILL to every process, until none is left. How many there were."""

    async def exited(self, deadline: float) -> int | None:
        """Wait until no process is left: `exit_status`. None where one is left at `deadline`, on the run's clock."""

    async def start_again(self) -> float:
        """Start the same command once more, after its end, and wait until it listens at the same address.

        The seconds from the start to listening. The error says why it does not listen: a KeeperError is not the
        server's fault.
        """

    async def restart(self) -> float:
        """Stop it, with SIGTERM and then SIGKILL, and `start_again`."""

    async def second(self, limit: float) -> Second:
        """Start the same command once more, beside this one, and stop it when it listens there too, or after `limit`
        seconds, if it has not ended."""

    def limit_files(self, files: int, *, least: bool) -> int:
        """Let each process have `files` more descriptors than it has, or so many at the `least`: how many it may have.

        Raises OSError where that is not allowed.
        """

    def measure(self, what: Measure) -> float | None:
        """A figure as it is now, None where it cannot be seen. `sockcheck.observe.measures` says what is counted."""


@dataclass(frozen=True, slots=True)
class Second:
    """What became of a second server at the same address: its first process's `status`, negative for a signal, or None
    where it had to be stopped; what it wrote; and whether it `listens` there beside the first."""

    status: int | None
    output: bytes
    listens: bool


class StartedTarget:
    """A `Target` that sockcheck started. `started` makes it."""

    def __init__(self, command: Command, number: int, emit: Emit, clock: Clock) -> None:
        self.number = number
        self.pid = 0
        self.ready = False
        self._plan = command
        self._emit = emit
        self._clock = clock
        self._origin = time.monotonic() - clock()
        self._life: Life | None = None
        self._stopped: Stopped | None = None
        self._paused = False
        self._resources = AsyncExitStack()
        self._placeholders = {name for word in command.argv for name in _PLACEHOLDER.findall(word)}
        self._reservation: Reservation | Address | None = None
        self.isolation = Isolation() if command.isolate else None

    @property
    def ready_limit(self) -> float:
        return self._plan.ready

    @property
    def exit_status(self) -> int | None:
        end = self._stopped if self._life is None else self._life.gone or self._stopped
        return None if end is None else end.status

    @property
    def running(self) -> bool:
        return self.ready and self.exit_status is None

    @property
    def chosen(self) -> Address | None:
        """The address that was chosen for it, None where it has a port of its own."""
        if self._reservation is None or self._plan.port is not None or "port" not in self._placeholders:
            return None
        host = self._reservation.host if "host" in self._placeholders else "127.0.0.1"
        return Address(host, self._reservation.port)

    async def start(self, nursery: trio.Nursery) -> None:
        """Start it and wait until it listens. Raises TargetError. Whatever happens, `close` is due."""
        began = time.monotonic()
        self._nursery = nursery
        self._source = self.isolation or _listen_source()
        self._resources.callback(self._source.close)
        self._reservation = self._reserve()
        self.command = self._filled()
        self._resources.push_async_callback(self._end_life)
        self._resources.push_async_callback(self.stop)
        self.address = await self._live(None)
        now = time.monotonic()
        at, took, isolated = now - self._origin, now - began, self.isolation is not None
        self._emit(TargetStarted(at, self.number, self.command, str(self.address), self.pid, took, isolated))

    async def start_again(self) -> float:
        if self.ready and (await self.ping()).alive:
            raise target_errors.still_running(self.address)
        self.ready = False
        with trio.CancelScope(shield=True):
            await self._end_life()
        began = time.monotonic()
        await self._live(self.address)
        return time.monotonic() - began

    async def restart(self) -> float:
        if self.ready:
            self.ready = False
            self._stopped = await self._stop_life()
        return await self.start_again()

    async def second(self, limit: float) -> Second:
        life = Life(self.command, self._source, lambda message: None)
        self._nursery.start_soon(life.run)
        try:
            await life.start()
            with trio.move_on_after(max(0.0, limit)):
                while life.gone is None and not self._is_listening(life, life.keeper.pids()):
                    with trio.move_on_after(RELOOK):
                        await life.ended.wait()
            tree = await life.keeper.ping()
            status = None if life.gone is None else life.gone.status
            return Second(status, bytes(life.output), listens=self._is_listening(life, tree.pids))
        finally:
            with trio.CancelScope(shield=True):
                await life.close()

    def limit_files(self, files: int, *, least: bool) -> int:
        allowed = files
        for pid in self.pids():
            with suppress(ProcessLookupError):  # A child may just have ended.
                soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
                its = max(soft, files) if least else (processes.open_files(pid) or 0) + files
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (its, max(hard, its)))
                allowed = its
        return allowed

    async def ping(self) -> Tree:
        return await self._now().keeper.ping()

    def pids(self) -> tuple[int, ...]:
        return self._now().keeper.pids()

    def asleep(self) -> bool | None:
        return processes.asleep_at_once(self.pids)

    async def health(self) -> Health:
        tree = await self.ping()
        if not tree.alive:
            return Health(False, False, tree.why)
        try:
            listening = self._is_listening(self._now(), tree.pids)
            # One that serves a connection a listening socket may just be between two: it is asked again, for a while.
            limit = time.monotonic() + RELISTENS_WITHIN
            while tree.alive and not listening and time.monotonic() < limit:
                await trio.sleep(RELOOK)
                tree = await self.ping()
                listening = self._is_listening(self._now(), tree.pids)
        except OSError as error:
            return Health(True, True, f"the listening sockets cannot be seen: {error.strerror}")
        return Health(tree.alive, tree.alive and listening, tree.why, measures.figures(tree.pids))

    def _is_listening(self, life: Life, pids: Sequence[int]) -> bool:
        """Whether these processes of `life` listen at the target's address: of two at once only by SO_REUSEPORT."""
        return any(serves(row, self.address) for row in life.listeners(pids))

    def measure(self, what: Measure) -> float | None:
        pids = self.pids()
        if what == "listening" or what == "queue" or what == "backlog":
            try:
                rows = [row for row in self._now().listeners(pids) if serves(row, self.address)]
            except OSError:
                return None
            return measures.of_listeners(what, rows, tells_backlog=self._source.tells_backlog)
        return measures.of_processes(what, pids)

    def last_output(self, limit: int) -> bytes:
        return bytes(self._now().output[-limit:]) if limit > 0 else b""

    async def signal_first(self, number: int) -> int:
        self._paused = self._paused or number in (signal.SIGSTOP, signal.SIGTSTP)
        return await self._now().keeper.signal(number)

    async def signal_all(self, number: int) -> int:
        if number == signal.SIGSTOP:
            self._paused = True
            return await self._now().pause()
        count = await self._now().keeper.signal(number, everyone=True)
        self._paused = self._paused and number != signal.SIGCONT
        return count

    async def resume(self) -> None:
        if self._paused:
            await self.signal_all(signal.SIGCONT)

    async def kill(self) -> int:
        killed = await self._now().keeper.kill()
        self._paused = False
        self._tell_of_left(killed.left)
        return killed.count

    async def exited(self, deadline: float) -> int | None:
        with trio.move_on_after(max(0.0, deadline - self._clock())):
            await self._now().ended.wait()
        # What has ended by now ended in time, however late we are ourselves.
        await self.ping()
        return self.exit_status

    async def stop(self) -> None:
        if self._stopped is not None or self._life is None:
            return
        self._stopped = stopped = await self._stop_life()
        if self.ready and self._life.gone is None:
            self._emit(TargetStopped(stopped.at - self._origin, self.number, stopped.status, stopped.killed))

    async def close(self) -> None:
        """Stop it, kill what is left, give everything back. Shield it; it takes `grace` and some seconds at most."""
        await self._resources.aclose()

    def _now(self) -> Life:
        assert self._life is not None, "the target was not started"
        return self._life

    async def _live(self, again: Address | None) -> Address:
        """Start the command, and wait until it listens, `again` at this address if it had one: where it listens."""
        life = self._life = Life(self.command, self._source, self._hear)
        self._stopped = None
        self._paused = False
        self._nursery.start_soon(life.run)
        self.pid = await life.start()
        address = await life.listening(self._meant(again), self._plan.ready)
        self.ready = True
        self.pids()  # What has been seen can be killed, even if the keeper is lost.
        return address

    def _meant(self, again: Address | None) -> Meant:
        host = self._reservation.host if self._reservation is not None and "host" in self._placeholders else None
        port = self._plan.port if self.chosen is None else self.chosen.port
        return Meant(port, host, self.chosen, "port" in self._placeholders, again)

    async def _stop_life(self) -> Stopped:
        try:
            stopped = await self._now().keeper.stop(self._plan.grace)
        except TargetError:
            # The keeper is lost, and the first process was killed with it. Closing the keeper kills the others.
            return Stopped(time.monotonic(), -signal.SIGKILL, True, ())
        self._tell_of_left(stopped.left)
        return stopped

    async def _end_life(self) -> None:
        if self._life is not None:
            await self._life.close()

    def _reserve(self) -> Reservation | Address | None:
        wants_port = "port" in self._placeholders and self._plan.port is None
        if not wants_port and "host" not in self._placeholders:
            return None
        if self.isolation is not None:
            return _ALONE
        reservation = Reservation()
        self._resources.callback(reservation.release)
        return reservation

    def _filled(self) -> tuple[str, ...]:
        values = {**self._plan.parameters, "python": sys.executable}
        if self._reservation is not None:
            values["host"] = self._reservation.host
            values["port"] = str(self._reservation.port)
        if self._plan.port is not None:
            values["port"] = str(self._plan.port)
        if "dir" in self._placeholders:
            folder = scratch.made()
            self._resources.callback(scratch.removed, folder)
            values["dir"] = folder
        return filled(self._plan.argv, values)

    def _hear(self, message: Output | Gone) -> None:
        at = message.at - self._origin
        if isinstance(message, Output):
            self._emit(TargetOutput(at, self.number, message.stream, message.data, message.dropped))
        elif self.ready:
            self._emit(TargetExited(at, self.number, message.status))

    def _tell_of_left(self, left: Sequence[int]) -> None:
        if left:
            pids = ", ".join(map(str, left))
            message = f"processes of the server could not be killed: {pids}"
            hint = "they may belong to another user; end them by hand"
            self._emit(TargetFailed(self._clock(), self.number, message, hint, b""))


@asynccontextmanager
async def started(command: Command, *, number: int, emit: Emit, clock: Clock) -> AsyncIterator[StartedTarget]:
    """Start a target and wait until it listens, found in the kernel and not by a connection.

    `emit` hears TargetStarted, TargetOutput, TargetExited and, at the end, TargetStopped as they happen; `clock` is the
    run's, in seconds. Raises TargetError. When the context is left, in whatever way, no process of the target is left,
    nor its scratch folder.
    """
    try:
        async with trio.open_nursery() as nursery:
            target = await _launched(command, nursery, number, emit, clock)
            try:
                yield target
            finally:
                with trio.CancelScope(shield=True):
                    await target.close()
    except BaseExceptionGroup as group:
        # The nursery is an inner matter: an error of the body or of the start comes out as it is.
        if len(group.exceptions) > 1:
            raise
        raise group.exceptions[0] from group.exceptions[0].__cause__


def filled(argv: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """The words with `{name}` replaced for the names that are known; other braces stay as they are."""
    return tuple(_PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), word) for word in argv)


async def _launched(command: Command, nursery: trio.Nursery, number: int, emit: Emit, clock: Clock) -> StartedTarget:
    """A target that listens. One whose chosen port was taken in the meantime is started anew with another."""
    tries = _PORT_TRIES
    while True:
        target = StartedTarget(command, number, emit, clock)
        tries -= 1
        try:
            await target.start(nursery)
            return target
        except target_errors.AddressInUseError:
            if target.chosen is None or target.exit_status is None or not tries:
                raise
        finally:
            if not target.ready:
                with trio.CancelScope(shield=True):
                    await target.close()


def _listen_source() -> ListenSource:
    try:
        return listen_source()
    except OSError as error:
        raise TargetError(
            f"a server cannot be started here: {_UNSEEN}", "start it yourself and use --connect HOST:PORT"
        ) from error
