"""Waiting until the server has nothing more to do: a state to wait for, not a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import trio

# The server reads within tens of microseconds where it has a CPU: so long it is worth asking again at once. After that
# a sleep leaves the CPU to it.
_SPIN = 0.0003
_PAUSE = 0.001

Settling = Literal["settled", "late", "unobservable"]


async def until(done: Callable[[], bool], limit: float) -> bool:
    """Ask until `done`, without sleeping at first; False when it is not after `limit` seconds."""
    began = time.monotonic()
    while not done():
        elapsed = time.monotonic() - began
        if elapsed >= limit:
            return False
        if elapsed < _SPIN:
            await trio.lowlevel.checkpoint()
        else:
            await trio.sleep(_PAUSE)
    return True


async def settle(consumed: Callable[[], bool], asleep: Callable[[], bool | None], limit: float) -> Settling:
    """Until the server has taken what it was sent and all its threads sleep, seen twice in a row.

    `consumed` is asked of the kernel's sockets, `asleep` of its threads; the latter is None where it cannot be seen.
    """
    seen = 0
    blind = False

    def done() -> bool:
        nonlocal seen, blind
        sleeping = asleep() if consumed() else False
        blind = sleeping is None
        seen = seen + 1 if sleeping else 0
        return blind or seen == 2

    settled = await until(done, limit)
    if blind:
        return "unobservable"
    return "settled" if settled else "late"
