"""sockcheck's side of a keeper: start one, ask it, hear from it, end it.

This process never waits for another child than the keeper itself, and neither owns nor signals the target while the
keeper lives.
"""

from __future__ import annotations

import errno
import itertools
import marshal
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import trio

from sockcheck.errors import TargetError
from sockcheck.observe import processes

_PROGRAM = Path(__file__).with_name("main.py")
_PACKET = 1 << 18
# Longer than the keeper tries to kill a tree, and than a busy machine may let it wait.
_PATIENCE = 10.0
# How long a question is left alone before the keeper is woken once more.
_NUDGE = 0.25
_LOST_HINT = (
    "something ended the process under which sockcheck runs each server; if the server sends signals, see that it "
    "sends none to its parent, nor to everybody (kill(-1))"
)
_ISOLATION_HINT = "`sockcheck doctor` says what is in the way; without --isolate net the server runs as usual"
# More than are ever sent in one packet.
_MOST_DESCRIPTORS = 32


@dataclass(frozen=True, slots=True)
class Isolated:
    """Open descriptors of a keeper's own network: a sock_diag(7) socket in it, and namespaces if they were just made.

    `ports`: the lowest and the highest port that the kernel chooses there.
    """

    diag: int
    namespaces: tuple[int, ...]
    ports: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tree:
    """The processes of a target: whether any is left, which, and the first one's status, None while it is alive.

    `alive` is False only when no process is left. `why` says why the keeper killed them unasked, or is "".
    """

    alive: bool
    exit_status: int | None
    pids: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Gone:
    """No process of the target is left since `at`, CLOCK_MONOTONIC in seconds. `status`: negative for a signal."""

    at: float
    status: int
    why: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """As `Gone`. `killed`: SIGTERM did not do. `left`: processes that could not be killed."""

    at: float
    status: int
    killed: bool
    left: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Killed:
    """`count` processes were killed; those in `left` could not be."""

    count: int
    left: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """What the target wrote at `at`, CLOCK_MONOTONIC in seconds. `dropped` bytes right before it were not kept."""

    at: float
    stream: Literal["stdout", "stderr"]
    data: bytes
    dropped: int


class KeeperError(TargetError):
    """The keeper could not be started, or was lost: nothing that the target does is to blame for what follows."""


class IsolationError(KeeperError):
    """The keeper could not have a network of its own: the system refused `step` with the errno `number`."""

    def __init__(self, number: int, step: str) -> None:
        super().__init__(f"no network namespace could be made: {os.strerror(number)}, at {step}", _ISOLATION_HINT)
        self.number = number
        self.step = step


class ExecError(Exception):
    """The command could not be executed: execve(2) failed with `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(os.strerror(number))
        self.number = number


class Keeper:
    """A running keeper. `tell` hears what it says unasked, at once and in order; it must not block.

    `namespaces` are descriptors that it inherits, for `isolate`.
    Raises KeeperError if the process cannot be started. `read` has to run beside, shielded from cancellation, until
    `close` has come back.
    """

    def __init__(self, tell: Callable[[Output | Gone], None], namespaces: Sequence[int] = ()) -> None:
        self._tell = tell
        self._namespaces = tuple(namespaces)
        self._numbers = itertools.count()
        self._waiting: dict[int, tuple[trio.Event, list[dict[str, Any]]]] = {}
        self._known: dict[int, int] = {}
        self._first = 0
        self._ended = False
        self._closed = False
        self._reading = trio.CancelScope(shield=True)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PACKET)
            ours.setblocking(False)
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_PROGRAM), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno(), *self._namespaces],
                start_new_session=True,
            )
            self._pidfd = os.pidfd_open(self._process.pid)
        except OSError as error:
            ours.close()
            raise KeeperError(f"sockcheck could not start a process: {error.strerror}") from error
        finally:
            theirs.close()
        self._socket = ours

    @property
    def pid(self) -> int:
        """The keeper's own process. The target's are its descendants."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the keeper ended although it was not asked to: every question raises KeeperError then."""
        return self._ended

    async def isolate(self) -> Isolated:
        """Leave for the network namespace that it inherited, or for a new one. It is to be asked before `start`.

        Whoever asks closes the descriptors. Raises IsolationError, and KeeperError where the keeper was lost.
        """
        answer = await self._ask("isolate", _PATIENCE, namespaces=list(self._namespaces))
        if answer["is"] == "refused":
            raise IsolationError(answer["errno"], answer["step"])
        descriptors = answer["descriptors"]
        if len(descriptors) < answer["count"]:
            _close(descriptors)
            raise IsolationError(errno.EMFILE, "taking over its descriptors")
        return Isolated(descriptors[0], tuple(descriptors[1:]), tuple(answer["ports"]))

    async def sockets(self, family: int, count: int) -> list[int]:
        """Descriptors of TCP sockets of the keeper's network, non-blocking: so many, or fewer, one at least.

        Raises OSError where there are not descriptors enough, and KeeperError where the keeper was lost.
        """
        answer = await self._ask("sockets", _PATIENCE, family=int(family), count=count)
        made: list[int] = answer["descriptors"]
        if not made:
            # Where the keeper has made some, it is here that there was no room for them.
            number = answer["errno"] if answer["is"] == "refused" else errno.EMFILE
            raise OSError(number, os.strerror(number))
        return made

    async def start(self, argv: Sequence[str], *, files: int) -> int:
        """Start the target, with at least so many open files allowed as far as the hard limit does. Its pid.

        Raises ExecError, and KeeperError where the keeper was lost.
        """
        try:
            answer = await self._ask("start", _PATIENCE, argv=[os.fsencode(word) for word in argv], files=files)
        except OSError as error:
            raise ExecError(error.errno or 0) from error
        if answer["is"] == "failed":
            raise ExecError(answer["errno"])
        self._first = int(answer["pid"])
        self._learn([self._first])
        return self._first

    async def ping(self) -> Tree:
        """The state of the tree now: what has ended by now is known to have ended, and what was written has been told.

        Raises KeeperError where the keeper was lost.
        """
        answer = await self._ask("ping", _PATIENCE)
        self._learn(answer["pids"])
        alive = answer["alive"]
        return Tree(alive, None if alive else answer["status"], tuple(answer["pids"]), answer["why"])

    async def signal(self, number: int, *, everyone: bool = False) -> int:
        """Signal the first process of the target, or `everyone` in its tree. How many processes were signalled.

        Once the first is gone, what it left behind takes its place: the children that it had, as a daemon's.
        """
        answer = await self._ask("signal", _PATIENCE, number=int(number), everyone=everyone)
        return int(answer["count"])

    async def kill(self) -> Killed:
        """SIGKILL to all processes, until none is left. The keeper stays, and has told `Gone` when this comes back."""
        answer = await self._ask("kill", _PATIENCE)
        return Killed(answer["count"], tuple(answer["left"]))

    async def stop(self, grace: float) -> Stopped:
        """SIGTERM, up to `grace` seconds of patience, then SIGKILL to all that is left.

        Raises KeeperError where the keeper was lost; `close` then kills what is known of the tree.
        """
        answer = await self._ask("stop", grace + _PATIENCE, grace=grace)
        return Stopped(answer["at"], answer["status"], answer["killed"], tuple(answer["left"]))

    def pids(self) -> tuple[int, ...]:
        """The processes of the target, as /proc has them now."""
        if self._closed:
            return ()
        found = tuple(processes.descendants(self.pid))
        self._learn(found)
        return found

    async def read(self) -> None:
        """Hear the keeper until it ends. What `tell` raises comes out here."""
        try:
            with self._reading:
                # Closing cancels, but what was woken before goes on until it waits again.
                while not self._closed:
                    try:
                        packet, descriptors, _, _ = socket.recv_fds(
                            self._socket, _PACKET, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
                        )
                    except BlockingIOError:
                        await trio.lowlevel.wait_readable(self._socket)
                        continue
                    except ConnectionError:
                        packet, descriptors = b"", []
                    if not packet:
                        return
                    self._hear(marshal.loads(packet), descriptors)
                    await trio.lowlevel.checkpoint()
        finally:
            self._ended = True
            for event, _ in self._waiting.values():
                event.set()

    async def close(self) -> None:
        """End the keeper, which kills all that is left of the tree. It takes 10 s at the most; shield it.

        A keeper that was killed itself leaves a tree to nobody: what is known of that is killed from here.
        """
        if self._closed:
            return
        self._closed = True
        self._reading.cancel()
        lost = self._ended
        trio.lowlevel.notify_closing(self._socket)
        self._socket.close()
        self._signal_keeper(signal.SIGCONT)
        with trio.move_on_after(_PATIENCE) as patience:
            await trio.lowlevel.wait_readable(self._pidfd)
        if patience.cancelled_caught:
            self._signal_keeper(signal.SIGKILL)
        trio.lowlevel.notify_closing(self._pidfd)
        os.close(self._pidfd)
        status = self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        if lost or status != 0:
            await self._kill_known()

    def _signal_keeper(self, number: int) -> None:
        try:
            signal.pidfd_send_signal(self._pidfd, number)
        except ProcessLookupError:
            pass

    def _learn(self, pids: Sequence[int]) -> None:
        for pid in pids:
            if pid not in self._known and (started := processes.start_time(pid)) is not None:
                self._known[pid] = started

    async def _kill_known(self) -> None:
        """Kill the processes that were seen in the tree, those of its session, and what descends from them."""
        limit = time.monotonic() + _PATIENCE
        while time.monotonic() < limit:
            roots = [pid for pid, started in self._known.items() if processes.start_time(pid) == started]
            # A session's number is nobody else's while the session lasts, so a stranger of that number says it is over.
            if self._first and processes.start_time(self._first) in (None, self._known.get(self._first)):
                roots += [pid for pid in processes.everyone() if processes.session(pid) == self._first]
            tree = {pid for root in roots for pid in (root, *processes.descendants(root))}
            tree = {pid for pid in tree if not processes.exiting(pid)}
            if not tree:
                return
            self._learn(tuple(tree))
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for pid in tree:
                    try:
                        os.kill(pid, number)
                    except (ProcessLookupError, PermissionError):
                        pass
            await trio.sleep(0.005)

    async def _ask(self, what: str, within: float, **values: object) -> dict[str, Any]:
        number = next(self._numbers)
        packet = marshal.dumps({"do": what, "id": number, **values})
        event = trio.Event()
        answers: list[dict[str, Any]] = []
        self._waiting[number] = event, answers
        try:
            if self._ended or self._closed:
                raise self._lost()
            with trio.move_on_after(within):
                await self._send(packet)
                while not answers and not self._ended:
                    # The target may have stopped it, or do so while it is being asked.
                    self._signal_keeper(signal.SIGCONT)
                    with trio.move_on_after(_NUDGE):
                        await event.wait()
            if not answers:
                raise self._lost()
            return answers.pop()
        finally:
            del self._waiting[number]
            for unheard in answers:
                _close(unheard["descriptors"])

    async def _send(self, packet: bytes) -> None:
        while True:
            try:
                self._socket.send(packet)
                return
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._socket)
            except ConnectionError as error:
                # The end is known here before `read` has heard of it.
                self._ended = True
                raise self._lost() from error

    def _hear(self, message: dict[str, Any], descriptors: list[int]) -> None:
        kind = message["is"]
        if kind == "output":
            self._tell(Output(message["at"], message["stream"], message["data"], message["dropped"]))
        elif kind == "gone":
            self._tell(Gone(message["at"], message["status"], message["why"]))
        elif message["id"] in self._waiting:
            event, answers = self._waiting[message["id"]]
            answers.append({**message, "descriptors": descriptors})
            event.set()
        else:
            _close(descriptors)

    def _lost(self) -> KeeperError:
        """What to raise where the keeper does not answer: its own last words, if it has any."""
        words = b""
        if self._ended and not self._closed and self._process.stderr is not None:
            descriptor = self._process.stderr.fileno()
            os.set_blocking(descriptor, False)
            try:
                words = os.read(descriptor, 65536)
            except BlockingIOError:
                pass
        what = "ended" if self._ended else "does not answer"
        return KeeperError(f"the process that keeps the server {what}", _LOST_HINT, words)


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
