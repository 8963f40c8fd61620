"""Which cases are worth running, by what the others came to: no law is tried with an exchange that does not work.

Nor is one that is broken tried in each of its variations: a few that fail say all that is to be said.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from sockcheck.case import Case
from sockcheck.verdict import Outcome

ENOUGH = 5
"""So many variations of a law that failed are enough to call it broken with a scenario."""

_PLAIN = "::plain"
# Their cases ask for less than the exchange as it is written: they say at which size it ceases to work.
_SIMPLER = ("size.edges",)


class Usefulness:
    """What became of the cases of one server. `exhaustive`: every variation is worth running.

    Tell it of every case that is `planned`, of each that is `suspected` until that is `cleared`, and how each was
    `judged` in the end, or that it is `passed_over`.
    """

    def __init__(self, *, exhaustive: bool) -> None:
        self._exhaustive = exhaustive
        self._plain: dict[str, Literal["planned", "failed", "known"]] = {}
        self._suspected: Counter[tuple[str, str]] = Counter()
        self._broken: Counter[tuple[str, str]] = Counter()

    def planned(self, case: Case) -> bool:
        """Whether others wait for what becomes of it."""
        awaited = case.id.endswith(_PLAIN) and not case.skip and not case.known_failure
        if awaited:
            self._plain[_stem(case)] = "planned"
        return awaited

    def suspected(self, case: Case) -> None:
        """It failed at first; whether that counts is not known yet."""
        self._suspected[_variant(case)] += 1

    def cleared(self, case: Case) -> None:
        """It was suspected; others need not wait for what comes of that any more."""
        self._suspected[_variant(case)] -= 1

    def judged(self, case: Case, outcome: Outcome) -> None:
        if outcome in ("fail", "flaky", "advice"):
            self._broken[_variant(case)] += 1
        if case.id.endswith(_PLAIN) and _stem(case) in self._plain:
            self._plain[_stem(case)] = "failed" if outcome == "fail" else "known"

    def passed_over(self, case: Case) -> None:
        """It is not run, or judged when all others are done: they do not wait for it."""
        if case.id.endswith(_PLAIN) and _stem(case) in self._plain:
            self._plain[_stem(case)] = "known"

    def of(self, case: Case) -> Literal["", "later", "pointless", "broken"]:
        """ "" where it is to be run now, `later` where it depends on what is under way, else of what no use it is."""
        if case.id.endswith(_PLAIN):
            return ""
        plain = self._plain.get(_stem(case), "known")
        if plain == "failed" and case.law not in _SIMPLER:
            return "pointless"
        variant = _variant(case)
        if not self._exhaustive and self._broken[variant] >= ENOUGH:
            return "broken"
        suspected = 0 if self._exhaustive else self._suspected[variant]
        enough = suspected > 0 and suspected + self._broken[variant] >= ENOUGH
        return "later" if plain == "planned" or enough else ""


def why_useless(case: Case, useless: Literal["pointless", "broken"]) -> str:
    """Why the case is of no use, in a sentence."""
    if useless == "pointless":
        return f"the exchange itself does not work: {_stem(case)}{_PLAIN} failed"
    return f"{case.law} is broken already, in {ENOUGH} variations; --exhaustive tries them all"


def _stem(case: Case) -> str:
    return case.id.partition("::")[0]


def _variant(case: Case) -> tuple[str, str]:
    return _stem(case), case.law
