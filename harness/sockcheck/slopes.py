"""Whether a figure of a server grows with the number of connections that it has served."""

from __future__ import annotations

from collections.abc import Sequence

from sockcheck.events import Figures, Growth

# What grows at first is a pool, a cache, a compiler: it is looked at from so many connections on, in two halves, of so
# many connections each at the least. A pool that came to its size in the first half does not grow in the second.
_FROM, _HALF = 50, 100
# From so much a connection on it is no pool that fills slowly.
_LEAK = 0.5


def growths(readings: Sequence[tuple[int, Figures]]) -> tuple[Growth, ...]:
    """What grows, by `readings`: after so many connections, in ascending order, these figures were read.

    The last reading has to be of a server that came to rest.
    """
    found = []
    for what in ("open_files", "threads", "children"):
        read = [(connections, getattr(figures, what)) for connections, figures in readings if connections >= _FROM]
        points = [(connections, value) for connections, value in read if value is not None]
        slope = _slope(points)
        if slope is not None and slope >= _LEAK:
            found.append(Growth(what, slope, points[-1][0] - points[0][0]))
    return tuple(found)


def _slope(points: Sequence[tuple[int, int]]) -> float | None:
    """How much a connection adds at the least, in the first half as in the second; None where there are too few."""
    if not points or points[-1][0] - points[0][0] < 2 * _HALF:
        return None
    middle = min(points, key=lambda point: abs(point[0] - (points[0][0] + points[-1][0]) / 2))
    halves = ((points[0], middle), (middle, points[-1]))
    return min((after[1] - before[1]) / (after[0] - before[0]) for before, after in halves)
