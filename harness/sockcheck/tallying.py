"""What the cases of a run came to, so that in the end the causes of what failed can be named."""

from __future__ import annotations

from collections.abc import Callable

from sockcheck.case import Case
from sockcheck.events import CaseFinished, CaseJudged, CaseStarted, CauseNamed, Event


class Tally:
    """Is told the events of a run, in order."""

    def __init__(self) -> None:
        self._cases: dict[int, Case] = {}
        self._passed: set[int] = set()
        self._judged: list[tuple[Case, CaseJudged]] = []

    def tell(self, event: Event) -> None:
        if isinstance(event, CaseStarted):
            if event.role != "predecessor":
                self._cases[event.trial] = event.case
        elif isinstance(event, CaseFinished):
            if event.verdict.outcome == "pass":
                self._passed.add(event.attempt)
        elif isinstance(event, CaseJudged) and event.trial in self._cases:
            self._judged.append((self._cases[event.trial], event))

    def case(self, trial: int) -> Case | None:
        """The case of that number, if it has begun."""
        return self._cases.get(trial)

    def causes(self, at: float, server: Callable[[Case], int]) -> list[CauseNamed]:
        """Why cases failed so far, for each server by itself; `server` tells them apart by number."""
        if all(judged.verdict.outcome in ("pass", "skip") for _, judged in self._judged):
            return []
        # Where all is well, nobody needs the patterns of what may be wrong.
        from sockcheck.causes import Result, name_causes, told

        results: dict[int, list[Result]] = {}
        for case, judged in self._judged:
            by_chance = not judged.after and not self._passed.isdisjoint(judged.attempts)
            results.setdefault(server(case), []).append(Result(case, judged.verdict, judged.after, by_chance))
        return [told(cause, at) for each in results.values() for cause in name_causes(each)]
