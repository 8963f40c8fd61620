"""Where a send is cut, and how long is waited where nothing can be observed, or nothing happens."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

FALLBACK_GAP = 0.02
"""Seconds between segments where the server's end cannot be observed. Now and then it fails to part them."""

REST_LIMIT = 2.0
"""Seconds that a server is given to come to rest when that is what it is looked at for: it may have something to finish
for a client that has gone, or garbage to collect."""


def random_cuts(size: int, count: int, seed: int) -> tuple[int, ...]:
    """`count` different positions strictly inside `size` bytes, ascending; fewer where there are not so many."""
    inside = range(1, size)
    return tuple(sorted(random.Random(seed).sample(inside, min(count, len(inside)))))


def bounds(size: int, cuts: Sequence[int] | None) -> tuple[tuple[int, int], ...]:
    """The segments as (begin, end) positions. A send of no bytes is one empty segment.

    `cuts` ascend; None cuts between any two bytes. Where the size was not known when the cuts were placed, those that
    lie behind it part nothing.
    """
    inside = range(1, size) if cuts is None else [cut for cut in cuts if cut < size]
    return tuple(itertools.pairwise((0, *inside, size)))
