"""How a run ends: its exit code, which is also in the record."""

from __future__ import annotations

from collections.abc import Iterable

PASSED, FAILED, UNAVAILABLE, INTERNAL, BUSY, INTERRUPTED = 0, 1, 3, 4, 5, 130

_WORST_FIRST = (INTERRUPTED, INTERNAL, FAILED, UNAVAILABLE, BUSY)


def worst(codes: Iterable[int]) -> int:
    """The one that counts where several apply: a failure says more of a server than that another could not start."""
    found = set(codes)
    return next((code for code in _WORST_FIRST if code in found), PASSED)
