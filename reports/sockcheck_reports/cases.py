"""The cases of a run and the servers that they ran on: while the facts are folded, and what reports see of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sockcheck.case import Case
from sockcheck.events import CaseFinished, CaseJudged, CaseStarted, Role, TargetOutput
from sockcheck.verdict import IN_BASELINE, Finding, Outcome, Verdict

from .rows import Row
from .timeline import TimelineEvent, not_judged, tell

OUTPUT_KEPT = 64 * 1024
_CUT_OFF = "the record ends in the middle of this case"


@dataclass(frozen=True, slots=True)
class TargetView:
    """A server. `ended` says how it did, or is "" while it runs or where sockcheck did not start it.

    `took` is seconds from its start to listening. `command` is empty for one that ran already.
    """

    number: int
    command: tuple[str, ...]
    address: str
    pid: int
    took: float
    ended: str = ""


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One of several attempts at a case; `said` is what was found, or why there is no judgement, in a sentence."""

    role: Role
    outcome: Outcome
    said: str
    duration: float


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case. `label` is unique in a run: the case's id, and which time where it ran more than once.

    `began` is seconds on the run's clock, `duration` is in seconds. `findings` and all that follows are kept for
    failures, known failures and errors only. `output` is the last that the server wrote, up to and a little beyond the
    case's end; `dropped` bytes of it were not kept. `not_judged` says why of clients that were not judged, by name.

    `attempts` are all that were made, where there was more than one, and `tries` the same in full; what is told is one
    of those that show what was found. `after` are the ids of the cases without which it does not fail. `probe`: it was
    not planned, but a fresh client's exchange behind the last case, which found something that no case tells.
    """

    label: str
    case: Case
    outcome: Outcome
    reason: str
    began: float
    duration: float
    findings: tuple[Finding, ...] = ()
    rows: tuple[Row, ...] = ()
    output: tuple[TargetOutput, ...] = ()
    dropped: int = 0
    target: TargetView | None = None
    not_judged: Mapping[str, str] = field(default_factory=dict)
    attempts: tuple[AttemptView, ...] = ()
    after: tuple[str, ...] = ()
    probe: bool = False
    tries: tuple[CaseView, ...] = ()

    @property
    def known_failure(self) -> bool:
        """It failed, as its author knows: that is no failure, and more than a case that was not run."""
        return self.outcome == "skip" and bool(self.findings)

    @property
    def in_baseline(self) -> bool:
        """It is a known failure because the baseline says so."""
        return self.known_failure and self.reason.startswith(IN_BASELINE)

    @property
    def said(self) -> str:
        """What was found, or why there is no judgement, in a sentence."""
        return self.findings[0].message if self.findings else self.reason

    @property
    def told_try(self) -> CaseView | None:
        """That one of `tries` which is told."""
        return _telling(self.tries, self.findings) if self.tries else None


@dataclass(slots=True)
class Target:
    """A server while the facts are folded: its last output and the case that it serves or served last."""

    facts: TargetView
    output: deque[TargetOutput] = field(default_factory=deque)
    size: int = 0
    dropped: int = 0
    latest: Performance | None = None

    def write(self, event: TargetOutput) -> None:
        self.output.append(event)
        self.size += len(event.data)
        self.dropped += event.dropped
        while self.size > OUTPUT_KEPT and len(self.output) > 1:
            gone = len(self.output.popleft().data)
            self.size -= gone
            self.dropped += gone

    def has_written(self, data: bytes) -> bool:
        return data in b"".join(event.data for event in self.output)


@dataclass(slots=True)
class Performance:
    """An attempt while the facts are folded. `target` is let go of when the next case begins on it."""

    label: str
    started: CaseStarted
    target: Target | None
    events: list[TimelineEvent] = field(default_factory=list)
    weak: set[tuple[str, str]] = field(default_factory=set)
    finished: CaseFinished | None = None
    view: CaseView | None = None


@dataclass(slots=True)
class Trial:
    """The attempts at a case, without its predecessors, and what they came to.

    `summary` is all that is kept of one that there is nothing to tell of.
    """

    label: str
    attempts: list[Performance] = field(default_factory=list)
    judged: CaseJudged | None = None
    summary: CaseView | None = None


def told(trial: Trial, last: float, observe: bool) -> CaseView:
    """The attempt that shows what was found, under the verdict on all of them. `last` and `observe` as for `shown`."""
    if trial.summary is not None:
        return trial.summary
    attempts = [shown(performance, last, observe) for performance in trial.attempts]
    judged = trial.judged
    if judged is None:
        return attempts[-1]
    verdict = judged.verdict
    found = _telling(attempts, verdict.findings)
    return replace(
        found,
        outcome=verdict.outcome,
        reason=verdict.reason,
        findings=verdict.findings,
        began=attempts[0].began,
        duration=sum(attempt.duration for attempt in attempts),
        attempts=tuple(map(_attempt, trial.attempts, attempts)) if len(attempts) > 1 else (),
        after=judged.after,
        tries=tuple(attempts) if len(attempts) > 1 else (),
    )


def _telling(attempts: Sequence[CaseView], findings: tuple[Finding, ...]) -> CaseView:
    """The attempt that shows what was found."""
    return next((each for each in reversed(attempts) if each.findings == findings), attempts[-1])


def shown(performance: Performance, last: float, observe: bool) -> CaseView:
    """An attempt. `last` is when the latest fact became known, `observe` whether the run looked at the kernel."""
    if performance.view:
        return performance.view
    started, finished, target = performance.started, performance.finished, performance.target
    verdict = finished.verdict if finished else Verdict("error", reason=_CUT_OFF)
    summary = CaseView(
        label=performance.label,
        case=started.case,
        outcome=verdict.outcome,
        reason=verdict.reason,
        began=started.at,
        duration=(finished.at if finished else last) - started.at,
        probe=started.role == "probe",
    )
    if not is_told(verdict):
        return summary
    return replace(
        summary,
        findings=verdict.findings,
        rows=tell(
            started.case,
            started.at,
            performance.events,
            findings=verdict.findings,
            unique=started.unique,
            observe=observe,
        ),
        output=tuple(target.output) if target else (),
        dropped=target.dropped if target else 0,
        target=target.facts if target else None,
        not_judged=not_judged(started.case, performance.events, verdict.findings),
    )


def _attempt(performance: Performance, view: CaseView) -> AttemptView:
    return AttemptView(performance.started.role, view.outcome, view.said, view.duration)


def is_mere_probe(trial: Trial) -> bool:
    """Whether it told nothing that a case of its own does not tell."""
    return trial.judged is None and bool(trial.attempts) and trial.attempts[0].started.role == "probe"


def is_told(verdict: Verdict) -> bool:
    """Whether the reports tell how it came to this: of failures, known failures and errors."""
    return verdict.outcome not in ("pass", "skip") or bool(verdict.findings)
