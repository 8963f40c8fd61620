"""A run: cases in, events out. It ends early when it is told to, and says in the end how it went."""

from __future__ import annotations

import heapq
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

import trio

from sockcheck.case import Case
from sockcheck.events import RunFinished
from sockcheck.exit_codes import INTERRUPTED, code_of
from sockcheck.facts import Facts
from sockcheck.idling import can_share
from sockcheck.observe.sockdiag import Diag, peer_query
from sockcheck.poller import open_poller
from sockcheck.pool import IDLERS, Pool
from sockcheck.queues import Feed, Item
from sockcheck.world import World

# Descriptors: so many for ourselves, and so many for each server with its keeper; more where it has a network of its
# own, from which sockets are kept in stock.
_OWN_FILES, _FILES_A_JOB, _FILES_OF_A_NETWORK = 48, 16, 20
_NOWHERE = ("127.0.0.1", 1)


def servers_at_once(jobs: int) -> int:
    """How many servers there may be at once with so many `jobs`: some more that mostly wait."""
    return jobs + (2 * IDLERS if jobs > 1 else 0)


def files_needed(servers: int, *, isolated: bool = False, clients: int = 0) -> int:
    """How many open files a run takes with so many servers at a time, `isolated` in networks of their own.

    `clients`: how many there are at once, at all these servers together.
    """
    return _OWN_FILES + (_FILES_A_JOB + isolated * _FILES_OF_A_NETWORK) * servers + clients


def clients_at_once(items: Sequence[Item], servers: int) -> int:
    """How many clients there may be at once, with so many servers at a time."""
    sharing = [item for item in items if can_share(item.case, item.clients)]
    together = sum(len(item.case.actors) for item in sharing)
    at_one_server = [len(item.case.actors) for item in items] + [min(item.clients, together) for item in sharing]
    return sum(heapq.nlargest(servers, at_one_server))


@dataclass(frozen=True, slots=True)
class Options:
    """`jobs`: how many servers at a time. `observe`: whether the kernel may be asked about the server's sockets.

    `flaky`: whether a case that failed, and then did not, fails the run. `exhaustive`: all variations of a law are
    run, also when some have shown that it is broken. `signals`: SIGINT and SIGTERM end the run, which takes the main
    thread.
    """

    jobs: int
    fail_fast: bool = False
    observe: bool = True
    flaky: Literal["fail", "pass"] = "fail"
    exhaustive: bool = False
    signals: bool = True


def performed(execute: Callable[[], Coroutine[None, None, int]]) -> int:
    """The exit code that `execute` comes to under trio; INTERRUPTED where SIGINT came while nobody listened for it."""
    code = INTERRUPTED
    try:
        code = trio.run(execute, strict_exception_groups=True)
    except* KeyboardInterrupt:
        pass
    return code


class Run:
    """One run of some items, and of what `feed` has, one by one, where there is one.

    `origin` is time.monotonic() at its start; every event goes to `facts`. `interrupted`: it was told to stop.
    `finished`: the last event has been told.
    """

    def __init__(
        self, items: Sequence[Item], options: Options, facts: Facts, origin: float, *, feed: Feed | None = None
    ) -> None:
        self._pool = Pool(items, facts, origin, fail_fast=options.fail_fast, exhaustive=options.exhaustive, feed=feed)
        self._work = trio.CancelScope()
        self._options = options
        self._facts = facts
        self._origin = origin
        self.interrupted = False
        self.finished = False
        servers = [place.server for place in self._pool.places]
        self._servers = {id(item.case): servers.index(item.server) for item in items}

    def stop(self, why: str) -> None:
        """End it early: what was measured is kept, and no server is left running."""
        self.interrupted = True
        self._pool.stop = why
        self._work.cancel()

    async def execute(self) -> int:
        """Run everything and name the causes; the exit code. SIGINT and SIGTERM end it early."""
        await self.perform()
        self._facts.end_baseline(time.monotonic() - self._origin)
        code = self._exit_code()
        stopped = self._pool.stop if self.interrupted else ""
        for cause in self._facts.causes(time.monotonic() - self._origin, self._server):
            self._facts.emit(cause)
        self._facts.emit(RunFinished(time.monotonic() - self._origin, code, stopped))
        self.finished = True
        return code

    async def perform(self) -> None:
        """Run everything. Every item ends as a judged case or as one that was not run."""
        with ExitStack() as stack:
            diag, why = self._open_diag()
            if diag is not None:
                stack.callback(diag.close)
            async with open_poller() as poller, trio.open_nursery() as nursery:
                world = World(poller, self._facts.emit, self._origin, diag, why)
                # The watcher stays until all servers are stopped: a second Ctrl-C changes nothing.
                with self._work:
                    if self._options.signals:
                        await nursery.start(self._watch_signals)
                    await self._pool.work(world, self._jobs())
                nursery.cancel_scope.cancel()

    def _open_diag(self) -> tuple[Diag | None, str]:
        if not self._options.observe:
            return None, "--no-observe"
        diag = None
        try:
            diag = Diag()
            # Some sandboxes have the socket, and refuse what is asked by it.
            diag.lookup(peer_query(_NOWHERE, _NOWHERE))
            return diag, ""
        except OSError as error:
            if diag is not None:
                diag.close()
            return None, f"sock_diag is not to be had here: {error.strerror}"

    def _server(self, case: Case) -> int:
        """Which server a case is for."""
        return self._servers[id(case)]

    def _jobs(self) -> int:
        """How many workers: one where an address is not ours to choose, since no two servers can have it."""
        if not all(place.can_be_many for place in self._pool.places):
            return 1
        return min(self._options.jobs, self._pool.size)

    async def _watch_signals(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for number in signals:
                self.stop(f"interrupted by {signal.Signals(number).name}")

    def _exit_code(self) -> int:
        lost = any(place.lost for place in self._pool.places)
        return INTERRUPTED if self.interrupted else code_of(self._facts.outcomes, flaky=self._options.flaky, lost=lost)
