"""What a run is worth where it is graded: points by scenario and law.

A row is earned when all its cases pass. It is never lost for what is not the server's: a case that could not be judged
leaves its row open, to be graded again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sockcheck.case import Case
from sockcheck.events import CaseNotRun
from sockcheck.forms import (
    Span,
)

from .failure import hints
from .view import CaseView, CauseView, View
from .wording import count

POINTS = 1.0
"""What a row is worth where its scenario does not say."""

Standing = Literal["earned", "lost", "regrade", "left-out"]
"""`lost`: not earned. `regrade`: it cannot be said, so the run has to be repeated. `left-out`: of no account here."""


@dataclass(frozen=True, slots=True)
class Grade:
    """One row: a scenario under one law. `points` is what it is worth; `span` is the scenario's.

    `scenario` is what the ids of its cases begin with: `echo/hello`. `why` says in a sentence why it is not earned, or
    is "". `failing` are its cases that failed, `open` those that could not be judged, `causes` those behind `failing`.
    `cases` is the number of all its cases, those that were not run among them. `gated_by` are the gates that keep it
    from being earned: scenarios that failed, or could not be judged.
    """

    contract: str
    scenario: str
    law: str
    title: str
    points: float
    standing: Standing
    why: str
    visibility: str
    span: Span
    cases: int
    hints: tuple[str, ...] = ()
    failing: tuple[CaseView, ...] = ()
    open: tuple[CaseView, ...] = ()
    causes: tuple[CauseView, ...] = ()
    gated_by: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        return self.contract, self.scenario, self.law

    @property
    def earned(self) -> float:
        return self.points if self.standing == "earned" else 0.0


@dataclass(frozen=True, slots=True)
class Grades:
    """All the rows, by contract, scenario and law. `why_open` says in sentences why the run has to be repeated.

    `beside` are failures that no row tells of, since nobody planned their cases: they cost no points.
    """

    rows: tuple[Grade, ...]
    why_open: tuple[str, ...] = ()
    beside: tuple[CaseView, ...] = ()

    @property
    def regrade(self) -> bool:
        """Whether what is there is no grade yet."""
        return bool(self.why_open)

    @property
    def counting(self) -> tuple[Grade, ...]:
        """The rows that make the total."""
        return tuple(row for row in self.rows if row.standing != "left-out")

    @property
    def earned(self) -> float:
        return sum(row.earned for row in self.rows)

    @property
    def total(self) -> float:
        """Of a run that is to be repeated it may be too low: cases that it never came to are not known."""
        return sum(row.points for row in self.counting)


def grade(view: View) -> Grades:
    """The rows of a run."""
    flaky_counts = view.run is None or view.run.flaky == "fail"
    folds: dict[tuple[str, str, str], _Fold] = {}
    beside = []
    entries: Iterable[CaseView | CaseNotRun] = (*view.cases, *view.not_run)
    for entry in entries:
        if isinstance(entry, CaseView) and entry.probe:
            beside.append(entry)
            continue
        key = entry.case.contract, _scenario(entry.case), entry.case.law
        folds.setdefault(key, _Fold(entry.case, flaky_counts)).add(entry, view)
    ordered = sorted(folds.items(), key=lambda item: (*item[0][:2], not item[1].plain, item[0][2]))
    caused = {id(case): id(cause) for cause in view.causes for case in cause.cases}
    rows = _gated([fold.row(view, caused) for _, fold in ordered], {key for key, fold in folds.items() if fold.gate})
    return Grades(tuple(rows), tuple(_why_open(view, rows)), tuple(beside))


class _Fold:
    """The cases of one row."""

    def __init__(self, case: Case, flaky_counts: bool) -> None:
        self._case = case
        self._flaky_counts = flaky_counts
        self._cases = 0
        self._left_out: list[str] = []
        self._lost: list[str] = []
        self._open: list[str] = []
        self._failing: list[CaseView] = []
        self._unjudged: list[CaseView] = []
        self.plain = False
        """Whether it is the scenario as it is written."""
        self.gate = False

    def add(self, entry: CaseView | CaseNotRun, view: View) -> None:
        self._cases += 1
        self.plain = self.plain or entry.case.id.endswith("::plain")
        self.gate = self.gate or entry.case.gate
        if entry.case.known_failure:
            self._left_out.append(f"known failure: {entry.case.known_failure}")
        elif isinstance(entry, CaseNotRun):
            self._not_run(entry, view)
        else:
            self._judged(entry)

    def _judged(self, case: CaseView) -> None:
        match case.outcome:
            case "fail":
                self._failing.append(case)
            case "flaky" if self._flaky_counts:
                self._failing.append(case)
            case "error" | "busy":
                self._unjudged.append(case)
                self._open.append(f"{case.label}: {case.reason}")
            case "skip":
                self._left_out.append(case.reason)
            case _:
                pass  # It passed, or what it broke was not promised.

    def _not_run(self, event: CaseNotRun, view: View) -> None:
        match event.reason:
            case "skipped" | "such":
                self._left_out.append(event.why)
            case "pointless":
                self._lost.append(event.why)
            case "broken":
                pass  # Those that broke it are in the same row, and say what it is worth.
            case "no-server" if _never_came(event, view):
                self._lost.append(event.why)
            case _:
                self._open.append(f"{event.case.id} was not run: {event.why}")

    def row(self, view: View, caused: Mapping[int, int]) -> Grade:
        """`caused`: the identity of the cause of each case, by the case's."""
        case = self._case
        standing, why = self._standing()
        causes = {caused[id(failing)] for failing in self._failing if id(failing) in caused}
        return Grade(
            contract=case.contract,
            scenario=_scenario(case),
            law=case.law,
            title=case.title,
            points=POINTS if case.points is None else case.points,
            standing=standing,
            why=why,
            visibility=case.visibility,
            span=case.span,
            cases=self._cases,
            hints=tuple(dict.fromkeys(hint for failing in self._failing for hint in hints(failing))),
            failing=tuple(self._failing),
            open=tuple(self._unjudged),
            causes=tuple(cause for cause in view.causes if id(cause) in causes),
        )

    def _standing(self) -> tuple[Standing, str]:
        """One failure is enough to lose it, whatever became of the other cases."""
        if self._failing:
            return "lost", f"{len(self._failing):,} of {count(self._cases, 'case')} failed"
        if self._lost:
            return "lost", self._lost[0]
        if self._open:
            return "regrade", self._open[0]
        if len(self._left_out) == self._cases:
            return "left-out", self._left_out[0]
        return "earned", ""


def _scenario(case: Case) -> str:
    """The scenario of a case, whatever its matrix had it try."""
    return f"{case.contract}/{case.scenario}"


def _never_came(event: CaseNotRun, view: View) -> bool:
    """Whether its server never came to serve anything, by its own fault: that is the only zero for what was not run.

    It is its own fault where it ended or listened nowhere; not where its command cannot be executed, its address is
    held by another program, the machine lacks something, or SIGKILL came: for that others may answer. One that was
    there once can be started, so that whatever hindered it later is no proof against it.
    """
    if any(case.case.contract == event.case.contract for case in view.cases):
        return False
    return any(failure.fault == "server" and failure.message == event.why for failure in view.target_failures)


def _gated(rows: list[Grade], gates: Collection[tuple[str, str, str]]) -> list[Grade]:
    """The rows, none of them earned whose contract has a gate that was not passed."""
    shut = [row for row in rows if row.key in gates and row.standing in ("lost", "regrade")]
    return [_behind(row, [gate for gate in shut if gate.contract == row.contract and gate is not row]) for row in rows]


def _behind(row: Grade, gates: list[Grade]) -> Grade:
    """The row behind some gates that were not passed. What is lost by itself keeps its own reason."""
    lost = tuple(dict.fromkeys(gate.scenario for gate in gates if gate.standing == "lost"))
    if lost and row.standing in ("earned", "regrade"):
        return replace(row, standing="lost", why=f"gated by {', '.join(lost)}", gated_by=lost)
    if gates and row.standing == "earned":
        names = tuple(dict.fromkeys(gate.scenario for gate in gates))
        why = f"gated by {', '.join(names)}, which could not be judged"
        return replace(row, standing="regrade", why=why, gated_by=names)
    return row


def _why_open(view: View, rows: Iterable[Grade]) -> Iterator[str]:
    left = [row for row in rows if row.standing == "regrade"]
    share = view.run.share if view.run else None
    if share and len(share.numbers) < share.of:
        yield f"only {len(share.numbers):,} of {count(share.of, 'shard')} is here: merge their records"
    if not view.whole:
        yield "the run was cut off"
    elif view.finished and view.finished.why and (left or view.never_reached):
        yield f"the run ended early: {view.finished.why}"
    if view.never_reached:
        yield f"{count(view.never_reached, 'case was', 'cases were')} never reached"
    if left:
        yield f"{count(len(left), 'row')} could not be judged: {left[0].why}"
    if view.whole and not view.counts.total:
        yield "no case was run"
