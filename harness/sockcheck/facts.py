"""Where the facts of a run go: first to the judges, then, shortened where they may be, to whoever listens.

What the cases came to is kept, so that in the end the causes of what failed can be named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from sockcheck.baseline import Baseline
from sockcheck.case import Case
from sockcheck.client_events import (
    Elided,
    Received,
)
from sockcheck.events import (
    CaseFinished,
    CaseJudged,
    CauseNamed,
    Event,
)
from sockcheck.judging import Bench
from sockcheck.tallying import Tally
from sockcheck.verdict import Outcome, Verdict

# So many received bytes of a client are kept whole. Behind that, what an expectation took exactly is kept as a digest:
# a judge that knows what was expected needs no more.
KEPT_WHOLE = 64 * 1024
_END = 32


class Facts:
    """Takes every event of a run, in order. `bench` judges them; each of `sinks` gets them afterwards.

    `outcomes` are those of all cases so far. What is in the `baseline` and passes is kept back until `end_baseline`.
    """

    def __init__(self, sinks: Sequence[Callable[[Event], None]], baseline: Baseline | None = None) -> None:
        self.bench = Bench()
        self.outcomes: set[Outcome] = set()
        self._baseline = baseline if baseline is not None else Baseline()
        self._sinks = tuple(sinks)
        self._kept: dict[tuple[int, str], int] = {}
        self._tally = Tally()

    def emit(self, event: Event) -> None:
        self.bench.tell(event)
        if isinstance(event, CaseJudged):
            if self._baseline.holds(self._tally.case(event.trial), event):
                return
            self.outcomes.add(event.verdict.outcome)
        self._tally.tell(event)
        if isinstance(event, Received):
            event = self._shortened(event)
        elif isinstance(event, CaseFinished):
            for key in [key for key in self._kept if key[0] == event.attempt]:
                del self._kept[key]
        for sink in self._sinks:
            sink(event)

    def excused(self, case: Case, verdict: Verdict, *, fresh: bool) -> Verdict:
        """What a verdict comes to by the baseline. `fresh`: it is on a fresh client behind all cases."""
        return self._baseline.excused(case, verdict, fresh=fresh)

    def end_baseline(self, at: float) -> None:
        """No more cases are judged: what was kept back is told now."""
        for event in self._baseline.ended(at):
            self.emit(event)

    def causes(self, at: float, server: Callable[[Case], int]) -> list[CauseNamed]:
        """Why cases failed so far, for each server by itself; `server` tells them apart by number."""
        return self._tally.causes(at, server)

    def _shortened(self, event: Received) -> Received:
        key = event.attempt, event.client
        data = event.data
        if not isinstance(data, bytes):
            return event
        kept = self._kept[key] = self._kept.get(key, 0) + len(data)
        if kept <= KEPT_WHOLE or not self.bench.judge(event.attempt).exchanges[event.client].absorbed:
            return event
        return replace(event, data=Elided(len(data), hashlib.sha256(data).hexdigest(), data[:_END], data[-_END:]))
