"""Whether a server comes to rest, and what it does with a CPU where it does not."""

from __future__ import annotations

import time
from collections.abc import Callable

from sockcheck.events import Figures
from sockcheck.observe.settling import settle


async def share(figures: Callable[[], Figures | None], asleep: Callable[[], bool | None], limit: float) -> float | None:
    """What a server uses of a CPU, or waits for, in `limit` seconds; None where it comes to rest within them.

    1.0 is one whole CPU. On a busy machine a server that spins is given less than that, and waits for the rest: so what
    it waited for counts as well. None also where that cannot be seen.
    """
    before, began = figures(), time.monotonic()
    if await settle(lambda: True, asleep, limit) != "late":
        return None
    return used(before, figures(), time.monotonic() - began)


def used(before: Figures | None, now: Figures | None, took: float) -> float | None:
    """The share of a CPU that was used or waited for between two readings that are `took` seconds apart."""
    if before is None or now is None or before.cpu is None or now.cpu is None:
        return None
    waited = 0.0 if before.delay is None or now.delay is None else now.delay - before.delay
    return max(0.0, now.cpu - before.cpu + waited) / took
