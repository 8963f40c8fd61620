"""Waiting for sockets, cheaply: one edge-triggered epoll inside trio, and one timer task for all deadlines.

A socket is registered once. Whoever needs it tries the system call first and waits only on EAGAIN, so that an exchange
with a quick server never waits at all, and no deadline costs a cancel scope.
"""

from __future__ import annotations

import heapq
import math
import select
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import outcome
import trio

_READABLE = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_WRITABLE = select.EPOLLOUT | select.EPOLLHUP | select.EPOLLERR

# How often the canary looks whether we run when we should, and what it calls late, both in seconds.
_TICK, _LATE = 0.02, 0.02

Woken = Literal["ready", "deadline"]


class Watched:
    """One registered socket.

    `readable` and `writable` are what the kernel last told; whoever gets EAGAIN clears them before waiting.
    """

    __slots__ = (
        "_deadline",
        "_fd",
        "_poller",
        "_queued",
        "_task",
        "_wants_read",
        "_wants_write",
        "readable",
        "writable",
    )

    def __init__(self, poller: Poller, fd: int) -> None:
        self._poller = poller
        self._fd = fd
        self._task: trio.lowlevel.Task | None = None
        self._deadline = math.inf
        self._queued = math.inf
        self._wants_read = False
        self._wants_write = False
        self.readable = False
        self.writable = False

    async def wait(self, deadline: float, *, read: bool = True, write: bool = False) -> Woken:
        """Until the socket is readable (if `read`) or writable (if `write`), or until `deadline` (time.monotonic()).

        The flag that ends the wait stays set: the caller clears it before it tries again.
        """
        if (read and self.readable) or (write and self.writable):
            return "ready"
        if deadline <= time.monotonic():
            return "deadline"
        self._task = trio.lowlevel.current_task()
        self._wants_read = read
        self._wants_write = write
        self._deadline = deadline
        if deadline < self._queued:
            self._queued = deadline
            self._poller.queue(self, deadline)

        def abort(_: object) -> trio.lowlevel.Abort:
            self._task = None
            return trio.lowlevel.Abort.SUCCEEDED

        woken: Woken = await trio.lowlevel.wait_task_rescheduled(abort)
        return woken

    def forget(self) -> None:
        """Stop watching; call it before the socket is closed."""
        self._poller.unregister(self._fd)

    def told(self, events: int) -> None:
        if events & _READABLE:
            self.readable = True
        if events & _WRITABLE:
            self.writable = True
        if self._task is not None and ((self._wants_read and self.readable) or (self._wants_write and self.writable)):
            self._wake("ready")

    def expire(self, now: float) -> None:
        """The entry in the poller's heap came up. It may be an earlier wait's: then the present one is queued."""
        self._queued = math.inf
        if self._task is None:
            return
        if self._deadline <= now:
            self._wake("deadline")
        else:
            self._queued = self._deadline
            self._poller.queue(self, self._deadline)

    def _wake(self, woken: Woken) -> None:
        task, self._task = self._task, None
        assert task is not None
        trio.lowlevel.reschedule(task, outcome.Value(woken))


class Poller:
    """Make it with `open_poller()`: it needs two background tasks."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Watched] = {}
        self._heap: list[tuple[float, int, Watched]] = []
        self._count = 0
        self._timer_scope = trio.CancelScope()
        self._tick_due = math.inf
        self._lates: deque[tuple[float, float]] = deque(maxlen=1000)

    def register(self, fd: int) -> Watched:
        watched = self._watched[fd] = Watched(self, fd)
        self._epoll.register(fd, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET)
        return watched

    def unregister(self, fd: int) -> None:
        if self._watched.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def queue(self, watched: Watched, deadline: float) -> None:
        """Have `watched.expire` called once `deadline` has passed."""
        heap = self._heap
        if not heap or deadline < heap[0][0]:
            # The timer sleeps until a later time, or for ever: it must look again.
            self._timer_scope.cancel()
        self._count += 1
        heapq.heappush(heap, (deadline, self._count, watched))

    async def run(self) -> None:
        """The task that listens to epoll."""
        while True:
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            for fd, events in self._epoll.poll(0):
                watched = self._watched.get(fd)
                if watched is not None:
                    watched.told(events)

    async def run_timer(self) -> None:
        """The task that ends waits whose deadline has passed."""
        while True:
            heap = self._heap
            now = time.monotonic()
            while heap and heap[0][0] <= now:
                heapq.heappop(heap)[2].expire(now)
            with trio.CancelScope() as self._timer_scope:
                if heap:
                    await trio.sleep(heap[0][0] - now)
                else:
                    await trio.sleep_forever()

    async def run_canary(self) -> None:
        """The task that notices when this process is kept from running: it wakes often, and looks how late it is."""
        while True:
            self._tick_due = time.monotonic() + _TICK
            await trio.sleep(_TICK)
            now = time.monotonic()
            if now - self._tick_due > _LATE:
                self._lates.append((now, now - self._tick_due))

    def late_since(self, since: float) -> float:
        """The longest time, in seconds, that this process was kept from running since `since` (time.monotonic())."""
        now = time.monotonic()
        return max([0.0, now - self._tick_due, *(late for at, late in self._lates if at >= since)])

    def close(self) -> None:
        self._epoll.close()


@asynccontextmanager
async def open_poller() -> AsyncIterator[Poller]:
    """A poller that works as long as the block runs."""
    poller = Poller()
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(poller.run)
            nursery.start_soon(poller.run_timer)
            nursery.start_soon(poller.run_canary)
            yield poller
            nursery.cancel_scope.cancel()
    finally:
        poller.close()
