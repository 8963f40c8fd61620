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


async def settle(through: Callable[[], bool], asleep: Callable[[], bool | None], limit: float) -> Settling:
    """Until the kernel is through with what was sent, both ways, and all threads of the server sleep.

    `through` is asked of the kernel's sockets: whether the server has taken what it was sent, and what it sent itself
    has come. It is asked again behind `asleep`, which tells of the server's threads, all at one moment: what was
    written before that moment has come then, and behind it nobody is awake who could write. `asleep` is None where it
    cannot be seen.
    """
    blind = False

    def done() -> bool:
        nonlocal blind
        sleeping = asleep() if through() else False
        blind = sleeping is None
        return blind or (bool(sleeping) and through())

    settled = await until(done, limit)
    if blind:
        return "unobservable"
    return "settled" if settled else "late"
