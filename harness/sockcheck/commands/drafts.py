"""What is found in the place of a report while the run goes on, and behind one that was killed."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

from sockcheck.commands.outputs import FORMATS, STDOUT, is_replaceable, write_file
from sockcheck.errors import ReportError
from sockcheck.events import CaseJudged, CaseStarted, Event, RunStarted, TargetFailed
from sockcheck_reports.view import fold
from sockcheck_reports.wording import count

# So many seconds, and so many times what it costs, are between one writing and the next.
_EVERY, _SHARE = 1.0, 50
_NAMED = 50


class Drafts:
    """Writes a draft of every report that was asked for, when the run begins and as cases are judged.

    It says that the run is not finished, how far it is, and what has failed so far. The reports themselves take its
    place in the end. Use `add` as a sink of events, and call `tick` now and then.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        asked = [(form, getattr(options, form.option, None)) for form in FORMATS]
        paths = [(form, Path(name)) for form, name in asked if name not in (None, STDOUT)]
        # Nothing can be taken back from a pipe.
        self._forms = [(form, path) for form, path in paths if is_replaceable(path)]
        self._record: str | None = options.record
        self._total = 0
        self._names: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        self._failing: list[str] = []
        self._next = 0.0
        self._stale = True

    def add(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._total = event.total
                self._begin(event)
            case CaseStarted(role="first" | "shared"):
                self._names[event.trial] = event.case.id
            case CaseJudged():
                self._judged(event)
                self.tick()
            case TargetFailed():
                self._failing.append(event.message)
                self._stale = True
            case _:
                pass

    def tick(self) -> None:
        """Write what is new, unless that was done a moment ago."""
        began = time.monotonic()
        if self._stale and began >= self._next:
            self._write()
            now = time.monotonic()
            self._next = now + max(_EVERY, _SHARE * (now - began))

    def _begin(self, started: RunStarted) -> None:
        """What stood there before is of an earlier run, and must not be taken for this one's."""
        for form, path in self._forms:
            if form.unfinished is None:
                _try(path, form.render(fold([started])))
        self._forms = [(form, path) for form, path in self._forms if form.unfinished is not None]
        self.tick()

    def _judged(self, event: CaseJudged) -> None:
        self._stale = True
        verdict = event.verdict
        name = self._names.pop(event.trial, "a fresh client")
        self._counts[verdict.outcome] += 1
        if verdict.outcome in ("fail", "flaky"):
            said = verdict.findings[0].message if verdict.findings else verdict.reason
            self._failing.append(f"{verdict.outcome.upper()}  {name}  {said}")

    def _write(self) -> None:
        self._stale = False
        sentences = self._sentences()
        for form, path in self._forms:
            if form.unfinished is not None:
                _try(path, form.unfinished(sentences))

    def _sentences(self) -> list[str]:
        failed = self._counts["fail"] + self._counts["flaky"]
        said = f"{self._counts.total():,} of {count(self._total, 'case')} had been judged; {failed:,} of them failed."
        more = len(self._failing) - _NAMED
        return [
            said,
            *([f"`sockcheck report {self._record}` tells what is known."] if self._record else []),
            *self._failing[:_NAMED],
            *([f"and {more:,} more"] if more > 0 else []),
        ]


def _try(path: Path, text: str) -> None:
    try:
        write_file(path, text)
    except ReportError:
        pass  # The report itself will not be written either, and that is told.
