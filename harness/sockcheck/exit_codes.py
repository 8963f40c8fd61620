"""How a run ends: its exit code, which is also in the record."""

from __future__ import annotations

from collections.abc import Iterable

from sockcheck.verdict import Outcome

PASSED, FAILED, UNAVAILABLE, INTERNAL, BUSY, INTERRUPTED = 0, 1, 3, 4, 5, 130

_WORST_FIRST = (INTERRUPTED, INTERNAL, FAILED, UNAVAILABLE, BUSY)


def worst(codes: Iterable[int]) -> int:
    """The one that counts where several apply: a failure says more of a server than that another could not start."""
    found = set(codes)
    return next((code for code in _WORST_FIRST if code in found), PASSED)


def code_of(outcomes: Iterable[Outcome], *, flaky: str, lost: bool) -> int:
    """What the outcomes of cases come to. `flaky`: whether such a case may `pass`. `lost`: a server was not had."""
    fails = {"error": INTERNAL, "fail": FAILED, "busy": BUSY}
    if flaky == "fail":
        fails["flaky"] = FAILED
    codes = [fails[outcome] for outcome in outcomes if outcome in fails]
    return worst([*codes, UNAVAILABLE] if lost else codes)
