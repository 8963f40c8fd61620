"""Starting the processes of a grading, waiting for them within a limit, and leaving nothing of them behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import trio

from sockcheck.observe import processes
from sockcheck_reports.wording import duration

_PR_SET_CHILD_SUBREAPER = 36
# How long a run that is told to stop may take for it: its servers are ended first.
_GRACE = 20.0
# How often it is looked for what was left behind, and whether a limit was reached, in seconds.
_LOOK = 1.0
# So many times what the question whether there is another reason costs, it is not asked again.
_SHARE = 50
# The longest that it is tried to kill what was left behind; what is left then cannot be killed from here.
_KILL_LIMIT = 5.0


class Children:
    """The processes of a grading. `open_children` makes it.

    This process becomes the reaper of all that descends from it: what a submission leaves to nobody, having killed its
    keeper, comes to be a child of this one, and is killed.
    """

    def __init__(self) -> None:
        zero = ctypes.c_ulong(0)
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), zero, zero, zero)
        self._known: set[int] = set()

    async def run(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        errors: BinaryIO,
        limit: float,
        over: Callable[[], str] = lambda: "",
    ) -> tuple[int, str]:
        """Run a process of `grade_child`: its exit status, negative for a signal, and why it was told to stop, or "".

        It is when `limit` seconds are over, and when `over`, which is asked in a thread, says a reason. Where this is
        cancelled, it is told to stop as well, and has ended when this comes back. Raises OSError.
        """
        process = _started(words, cwd, env, errors)
        self._known.add(process.pid)
        ended = os.pidfd_open(process.pid)
        why = ""
        try:
            why = await self._watch(ended, limit, over)
        finally:
            with trio.CancelScope(shield=True):
                await _end(ended)
            os.close(ended)
            status = process.wait()
            self._known.discard(process.pid)
            with trio.CancelScope(shield=True):
                await self.sweep()
        return status, why

    async def _watch(self, ended: int, limit: float, over: Callable[[], str]) -> str:
        """Wait for its end, or for a reason to end it."""
        began = looked = time.monotonic()
        cost = 0.0
        while True:
            with trio.move_on_after(min(_LOOK, max(0.0, began + limit - time.monotonic()))):
                await trio.lowlevel.wait_readable(ended)
                return ""
            now = time.monotonic()
            if now >= began + limit:
                return f"its limit of {duration(limit)} was reached"
            if now >= looked + _SHARE * cost:
                if why := await trio.to_thread.run_sync(over):
                    return why
                looked = time.monotonic()
                cost = looked - now

    async def sweep(self) -> None:
        """Kill what was left to this process, with all that descends from it.

        Each is stopped before its children are read, so that it makes none meanwhile. A keeper among them, whose run
        was killed, does the same for its own at this moment; what that leaves comes here in its turn.
        """
        limit = time.monotonic() + _KILL_LIMIT
        while (left := self._left()) and time.monotonic() < limit:
            for root in left:
                for pid in (root, *_stopped(root)):
                    _signal(pid, signal.SIGKILL)
                _reap(root)
            await trio.sleep(0.005)

    async def keep_sweeping(self) -> None:
        """As `sweep`, again and again."""
        while True:
            await trio.sleep(_LOOK)
            await self.sweep()

    def _left(self) -> list[int]:
        return [pid for pid in processes.children(os.getpid()) if pid not in self._known]


@asynccontextmanager
async def open_children() -> AsyncIterator[Children]:
    """What the processes of a grading are started by. When the context is left, nothing of them is left."""
    children = Children()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(children.keep_sweeping)
        try:
            yield children
        finally:
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await children.sweep()


def _started(words: Sequence[str], cwd: Path, env: Mapping[str, str], errors: BinaryIO) -> subprocess.Popen[bytes]:
    """A process that has to be started from the main thread, since it dies with the thread that starts it."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "sockcheck.commands.grade_child", str(os.getpid()), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        cwd=cwd,
        env=env,
        start_new_session=True,
    )


async def _end(ended: int) -> None:
    """Tell a process to stop, wait for it, and kill it when it takes too long. One that has ended is no matter."""
    _send(ended, signal.SIGTERM)
    with trio.move_on_after(_GRACE):
        await trio.lowlevel.wait_readable(ended)
        return
    _send(ended, signal.SIGKILL)
    await trio.lowlevel.wait_readable(ended)


def _send(pidfd: int, number: int) -> None:
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        pass


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def _stopped(root: int) -> list[int]:
    """All that descends from a process, each of them stopped, as it is too."""
    _signal(root, signal.SIGSTOP)
    found = []
    for pid in processes.descendants(root):
        _signal(pid, signal.SIGSTOP)
        found.append(pid)
    return found


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
