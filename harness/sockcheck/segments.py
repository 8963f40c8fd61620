"""Where a send is cut."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

FALLBACK_GAP = 0.02
"""Seconds between segments where the server's end cannot be observed. It fails to part about 2 of 10,000."""


def random_cuts(size: int, count: int, seed: int) -> tuple[int, ...]:
    """`count` different positions strictly inside `size` bytes, ascending; fewer where there are not so many."""
    inside = range(1, size)
    return tuple(sorted(random.Random(seed).sample(inside, min(count, len(inside)))))


def bounds(size: int, cuts: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The segments as (begin, end) positions. A send of no bytes is one empty segment."""
    edges = (0, *cuts, size)
    return tuple(itertools.pairwise(edges))
