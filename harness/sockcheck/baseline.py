"""The baseline: failures that a team knows of and has still to mend. They fail no run; one that passes does.

An entry is for one case, by its id, or for all variations of a law with a scenario, by what their ids have in common:
`echo/hello::cut.at-k`. Which of them fail may differ from run to run, since a few are enough to call a law broken.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import get_args

from sockcheck.case import SERVER, Case
from sockcheck.events import CaseJudged, CaseStarted, Event
from sockcheck.forms import (
    Span,
)
from sockcheck.frozen import dataclass, replace
from sockcheck.verdict import IN_BASELINE, Finding, Kind, Verdict

KNOWN_TO_FAIL = tuple(kind for kind in get_args(Kind) if kind != "not-known-to-fail")
"""The kinds of findings that a baseline may name."""

# Whether the end of a server that ends too early is seen as an orderly one or as a reset is a race (RFC 2525, 2.17).
_ENDED_EARLY = frozenset({"missing-bytes", "early-end", "reset"})
_BARE = re.compile(r"[\w/][\w/.:=\[\](),+-]*[\w\])]")
_ABOUT = """\
# Failures that are known and not mended yet: they do not fail a run with `--baseline`.
# One that fails otherwise does, and one that passes: take it out then. Written by sockcheck;
# a `why:` that you add to an entry is kept when the file is written anew.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """`case` is an id, or one without the variation in brackets: all that begin so. `fresh_client`, where there is
    no `case`, is the contract whose servers fail when a fresh client comes behind all cases.

    What is first found is of one of `kinds`. `flaky`: it passes now and then. `why` is for people. `span` is where the
    entry says what it is for.
    """

    case: str
    fresh_client: str
    kinds: tuple[str, ...]
    flaky: bool
    why: str
    span: Span

    @property
    def place(self) -> str:
        return f"{self.span.path}:{self.span.line}"


def family(case: Case) -> str:
    """What the ids of all variations of a law with a scenario have in common."""
    return case.id.removesuffix(f"({case.variation})") if case.variation else case.id


def gone(
    entries: Iterable[Entry], cases: Iterable[Case], whole: Collection[str], *, derived: bool
) -> tuple[Entry, ...]:
    """The entries for which there is no case any more among all that there are, whichever were chosen.

    `whole`: the contracts of which all scenarios were read; of others it is not known. `derived`: whether all laws are
    tried that the files ask for.
    """
    names: set[str] = set()
    scenarios: set[str] = set()
    for case in cases:
        names |= {case.id, family(case)}
        scenarios.add(case.id.partition("::")[0])
    return tuple(entry for entry in entries if entry.case and _is_gone(entry, names, scenarios, whole, derived))


def _is_gone(
    entry: Entry, names: Collection[str], scenarios: Collection[str], whole: Collection[str], derived: bool
) -> bool:
    scenario = entry.case.partition("::")[0]
    if scenario in scenarios:
        return derived and entry.case not in names
    return scenario.partition("/")[0] in whole


class Baseline:
    """What a run makes of the entries.

    `cases` are all that there are, each as often as it would be run: an entry of which not all are run is not judged.
    """

    def __init__(self, entries: Sequence[Entry] = (), cases: Iterable[Case] = ()) -> None:
        self._by_name = {entry.case: entry for entry in entries if entry.case}
        self._by_contract = {entry.fresh_client: entry for entry in entries if entry.fresh_client}
        self._open: Counter[Entry] = Counter()
        self._passed: dict[Entry, tuple[Case, CaseJudged]] = {}
        for case in cases if entries else ():
            entry = self._entry(case)
            if entry is not None and not case.skip:
                self._open[entry] += 1
        self._of = dict(self._open)
        self._ended = False

    def _entry(self, case: Case) -> Entry | None:
        return self._by_name.get(case.id) or self._by_name.get(family(case))

    def excused(self, case: Case, verdict: Verdict, *, fresh: bool) -> Verdict:
        """What a verdict comes to. `fresh`: it is on a fresh client behind all cases, and not on the case itself."""
        entry = self._by_contract.get(case.contract) if fresh else self._entry(case)
        if entry is None or verdict.outcome not in ("fail", "flaky") or not verdict.findings:
            return verdict
        first = verdict.findings[0]
        if _is_known(first.kind, entry.kinds):
            return Verdict("skip", verdict.findings, f"{IN_BASELINE} ({entry.place}){entry.why and f': {entry.why}'}")
        hint = f"The baseline knows it to fail otherwise, by {' or '.join(entry.kinds)} ({entry.place})."
        return replace(verdict, findings=(replace(first, hint=hint), *verdict.findings[1:]))

    def holds(self, case: Case | None, event: CaseJudged) -> bool:
        """Whether it is kept back until the end, since what it passed may be known to fail; `ended` gives it then."""
        entry = self._entry(case) if case is not None else None
        if case is None or entry is None or event.verdict.outcome != "pass" or self._ended:
            return False
        self._open[entry] -= 1
        if entry in self._passed or entry.flaky:
            return False
        self._passed[entry] = case, event
        return True

    def ended(self, at: float) -> Iterator[CaseJudged]:
        """What was kept back, `at` the end of the run: an entry of which all cases passed is out of date."""
        self._ended = True
        for entry, (case, event) in self._passed.items():
            outdated = not self._open[entry]
            verdict = Verdict("fail", (self._finding(entry, case, at),)) if outdated else event.verdict
            yield replace(event, at=at, verdict=verdict)

    def _finding(self, entry: Entry, case: Case, at: float) -> Finding:
        number = self._of[entry]
        passed = "it passed" if number == 1 else f"all {number} passed"
        return Finding(
            kind="not-known-to-fail",
            law=case.law,
            client=case.actors[0].name if case.actors else SERVER,
            step=0,
            span=entry.span,
            message=f"{entry.case} is in the baseline, and does not fail any more; take this entry out",
            expected=f"a failure, since it is known: {' or '.join(entry.kinds)}",
            actual=passed,
            received=0,
            at=at,
        )


def _is_known(kind: str, kinds: Collection[str]) -> bool:
    return kind in kinds or (kind in _ENDED_EARLY and not _ENDED_EARLY.isdisjoint(kinds))


class Failures:
    """Collects what fails in a run, to make a baseline of it. Is told the run's events, in order."""

    def __init__(self) -> None:
        self._begun: dict[int, tuple[Case, bool]] = {}
        self._kinds: dict[tuple[str, str], dict[str, None]] = {}
        self._flaky: Counter[tuple[str, str]] = Counter()

    def tell(self, event: Event) -> None:
        if isinstance(event, CaseStarted):
            self._begun.setdefault(event.trial, (event.case, event.role == "probe"))
        elif isinstance(event, CaseJudged) and event.trial in self._begun:
            self._judged(*self._begun.pop(event.trial), event.verdict)

    def _judged(self, case: Case, fresh: bool, verdict: Verdict) -> None:
        excused = verdict.outcome == "skip" and verdict.reason.startswith(IN_BASELINE)
        if not verdict.findings or not (verdict.outcome in ("fail", "flaky") or excused):
            return
        kind = verdict.findings[0].kind
        if kind == "not-known-to-fail":
            return
        key = ("", case.contract) if fresh else (family(case), "")
        self._kinds.setdefault(key, {})[kind] = None
        self._flaky[key] += verdict.outcome != "flaky"

    @property
    def number(self) -> int:
        """How many entries there are."""
        return len(self._kinds)

    def text(self, whys: Mapping[str, str]) -> str:
        """The file. `whys` by what an entry is for, as in one that is written anew."""
        lines = [_ABOUT, "failures:" if self._kinds else "failures: []"]
        for key in sorted(self._kinds):
            name, contract = key
            lines.append(f"  - case: {_scalar(name)}" if name else f"  - fresh-client: {_scalar(contract)}")
            lines.append(f"    kinds: [{', '.join(sorted(self._kinds[key]))}]")
            if not self._flaky[key]:
                lines.append("    flaky: yes")
            why = whys.get(name or contract, "")
            if why:
                lines.append(f"    why: {json.dumps(why, ensure_ascii=False)}")
        return "\n".join(lines) + "\n"


def _scalar(text: str) -> str:
    return text if _BARE.fullmatch(text) and ": " not in text else json.dumps(text, ensure_ascii=False)
