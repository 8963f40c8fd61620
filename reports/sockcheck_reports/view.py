"""What a run comes to: the fold of its facts into one frozen value that every report is made from."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from sockcheck.case import Case
from sockcheck.events import (
    Awaited,
    Blocked,
    CaseFinished,
    CaseJudged,
    CaseNotRun,
    CaseStarted,
    CaseTimedOut,
    ClientEvent,
    Closed,
    Connected,
    ConnectFailed,
    DeadlinePassed,
    Event,
    HealthRead,
    Marked,
    NotIsolated,
    PeerClosed,
    Received,
    Released,
    Role,
    RunFinished,
    RunStarted,
    SecondEnded,
    SendFailed,
    Sent,
    ServerChecked,
    ServerDeadlinePassed,
    ServerEvent,
    ServerExited,
    ServerLimited,
    ServerNotStarted,
    ServerRested,
    ServerSignalled,
    ServerStarted,
    ServerWaited,
    Settled,
    ShutDown,
    SourceRead,
    TargetExited,
    TargetFailed,
    TargetOutput,
    TargetStarted,
    TargetStopped,
    Troubled,
    Waited,
)
from sockcheck.scenario import Span
from sockcheck.verdict import Finding, Outcome, Verdict

from .rows import Row
from .timeline import TimelineEvent, not_judged, tell
from .weaker import sentences, weakness
from .wording import status

OUTPUT_KEPT = 64 * 1024
_CaseEvent = ClientEvent | ServerEvent | CaseTimedOut | HealthRead | Troubled
_CUT_OFF = "the record ends in the middle of this case"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases ended how. `not_run` are those that were planned but had no verdict.

    `known` are known failures, which are not among the others.
    """

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    not_run: int = 0
    known: int = 0
    flaky: int = 0
    busy: int = 0

    @property
    def total(self) -> int:
        judged = self.passed + self.failed + self.flaky + self.errors + self.busy
        return judged + self.skipped + self.not_run + self.known


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

    `attempts` are all that were made, where there was more than one; what is told is one of those that show what was
    found. `after` are the ids of the cases without which it does not fail.
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

    @property
    def known_failure(self) -> bool:
        """It failed, as its author knows: that is no failure, and more than a case that was not run."""
        return self.outcome == "skip" and bool(self.findings)


@dataclass(frozen=True, slots=True)
class View:
    """All that a report says. `cases` are in the order in which they began.

    `whole` is False where the record has no end. `weaker` says in sentences what this run could see or do less well
    than usual. `sources` are the texts of the scenario files by path. `duration` is in seconds.
    """

    run: RunStarted | None
    finished: RunFinished | None
    counts: Counts
    cases: tuple[CaseView, ...]
    not_run: tuple[CaseNotRun, ...]
    never_reached: int
    target_failures: tuple[TargetFailed, ...]
    targets: int
    weaker: tuple[str, ...]
    sources: Mapping[str, str]
    duration: float

    @property
    def whole(self) -> bool:
        return self.run is not None and self.finished is not None

    @property
    def failures(self) -> tuple[CaseView, ...]:
        return tuple(case for case in self.cases if case.outcome in ("fail", "flaky"))

    @property
    def errors(self) -> tuple[CaseView, ...]:
        return tuple(case for case in self.cases if case.outcome in ("error", "busy"))

    @property
    def known_failures(self) -> tuple[CaseView, ...]:
        return tuple(case for case in self.cases if case.known_failure)


@dataclass(slots=True)
class _Target:
    """A server while the facts are folded: its last output and the case that it serves or served last."""

    facts: TargetView
    output: deque[TargetOutput] = field(default_factory=deque)
    size: int = 0
    dropped: int = 0
    latest: _Performance | None = None

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
class _Performance:
    """An attempt while the facts are folded. `target` is let go of when the next case begins on it."""

    label: str
    started: CaseStarted
    target: _Target | None
    events: list[TimelineEvent] = field(default_factory=list)
    weak: set[tuple[str, str]] = field(default_factory=set)
    finished: CaseFinished | None = None
    view: CaseView | None = None


@dataclass(slots=True)
class _Trial:
    """The attempts at a case, without its predecessors, and what they came to.

    `summary` is all that is kept of one that there is nothing to tell of.
    """

    label: str
    attempts: list[_Performance] = field(default_factory=list)
    judged: CaseJudged | None = None
    summary: CaseView | None = None


class Folder:
    """Folds facts one by one, so that a run can be reported without holding all of its facts.

    Of a case that passed only the summary stays. A fact of a case or server that was never begun is passed over: the
    reader of records has already refused a record that does not begin at the beginning.
    """

    def __init__(self) -> None:
        self._run: RunStarted | None = None
        self._finished: RunFinished | None = None
        self._sources: dict[str, str] = {}
        self._targets: dict[int, _Target] = {}
        self._started = 0
        self._failures: list[TargetFailed] = []
        self._trials: dict[int, _Trial] = {}
        self._open: dict[int, _Performance] = {}
        self._times: Counter[str] = Counter()
        self._not_run: list[CaseNotRun] = []
        self._weak: Counter[tuple[str, str]] = Counter()
        self._not_isolated: list[NotIsolated] = []
        self._first: float | None = None
        self._last = 0.0

    def add(self, event: Event) -> None:
        self._first = event.at if self._first is None else self._first
        self._last = max(self._last, event.at)
        match event:
            case RunStarted():
                self._run = event
            case SourceRead():
                self._sources[event.path] = event.text
            case TargetStarted():
                facts = TargetView(event.target, event.command, event.address, event.pid, event.took)
                self._target(event.target).facts = facts
                self._started += 1
            case NotIsolated():
                self._not_isolated.append(event)
            case TargetFailed():
                self._failures.append(event)
            case TargetOutput():
                self._output(event)
            case TargetExited():
                self._ended(event.target, status(event.status), event)
            case TargetStopped():
                how = "was killed, since it did not stop on SIGTERM" if event.killed else "was stopped by sockcheck"
                self._ended(event.target, how, None)
            case CaseStarted():
                self._case_started(event)
            case (
                Connected()
                | ConnectFailed()
                | Sent()
                | SendFailed()
                | Received()
                | PeerClosed()
                | DeadlinePassed()
                | ShutDown()
                | Closed()
                | Awaited()
                | Settled()
                | Blocked()
                | Marked()
                | Waited()
                | Released()
                | ServerSignalled()
                | ServerChecked()
                | ServerDeadlinePassed()
                | ServerWaited()
                | ServerRested()
                | ServerLimited()
                | SecondEnded()
                | CaseTimedOut()
                | HealthRead()
                | Troubled()
            ):
                self._happened(event)
            case ServerExited():
                self._happened(event)
                self._ended_in(event.attempt, status(event.status))
            case ServerStarted():
                self._happened(event)
                self._ended_in(event.attempt, "")
            case ServerNotStarted():
                self._happened(event)
                self._not_started(event)
            case CaseFinished():
                self._case_finished(event)
            case CaseJudged():
                self._case_judged(event)
            case CaseNotRun():
                self._not_run.append(event)
            case RunFinished():
                self._finished = event
            case _:
                assert_never(event)

    def view(self) -> View:
        """What the facts so far come to. Cases that have begun and not ended are errors here."""
        cases = tuple(self._trial(trial) for trial in self._trials.values() if not _is_mere_probe(trial))
        counted = Counter(case.outcome for case in cases)
        known = sum(case.known_failure for case in cases)
        skipped = sum(bool(event.case.skip) for event in self._not_run)
        total = self._run.total if self._run else 0
        never_reached = max(0, total - len(cases) - len(self._not_run))
        return View(
            run=self._run,
            finished=self._finished,
            counts=Counts(
                passed=counted["pass"],
                failed=counted["fail"],
                errors=counted["error"],
                skipped=counted["skip"] + skipped - known,
                not_run=len(self._not_run) - skipped + never_reached,
                known=known,
                flaky=counted["flaky"],
                busy=counted["busy"],
            ),
            cases=cases,
            not_run=tuple(self._not_run),
            never_reached=never_reached,
            target_failures=tuple(self._failures),
            targets=self._started,
            weaker=self._weaker(),
            sources=dict(self._sources),
            duration=self._last - (self._first or 0.0),
        )

    def _case_started(self, event: CaseStarted) -> None:
        # Attempts of no trial each are one of their own.
        number = event.trial or -event.attempt
        trial = self._trials.get(number)
        if trial is None:
            trial = self._trials[number] = _Trial(self._label(event))
        target = self._targets.get(event.target)
        performance = _Performance(trial.label, event, target)
        if target:
            self._let_go(target)
            target.latest = performance
        if event.role != "predecessor":
            trial.attempts.append(performance)
        self._open[event.attempt] = performance

    def _label(self, event: CaseStarted) -> str:
        name = f"{event.case.id} (a fresh client)" if event.role == "probe" else event.case.id
        self._times[name] += 1
        times = self._times[name]
        return name if times == 1 else f"{name} (time {times})"

    def _happened(self, event: _CaseEvent) -> None:
        performance = self._open.get(event.attempt)
        if performance:
            performance.events.append(event)
            weak = weakness(event, performance.started.case)
            if weak:
                performance.weak.add(weak)

    def _ended_in(self, attempt: int, how: str) -> None:
        """The server ended by a step of this attempt; `how` is "" where it was started again."""
        performance = self._open.get(attempt)
        if performance and performance.target:
            performance.target.facts = replace(performance.target.facts, ended=how)

    def _not_started(self, event: ServerNotStarted) -> None:
        """What the server wrote then is its last output, as far as it has not come as such."""
        performance = self._open.get(event.attempt)
        target = performance.target if performance else None
        if target and not target.has_written(event.output):
            target.write(TargetOutput(event.at, target.facts.number, "stderr", event.output, 0))

    def _output(self, event: TargetOutput) -> None:
        target = self._target(event.target)
        target.write(event)
        if target.latest:
            target.latest.events.append(event)

    def _target(self, number: int) -> _Target:
        """The server of that number. It may write something before it is known to have started."""
        return self._targets.setdefault(number, _Target(TargetView(number, (), "", 0, 0.0)))

    def _ended(self, number: int, how: str, event: TargetExited | None) -> None:
        target = self._targets.get(number)
        if target:
            target.facts = replace(target.facts, ended=how)
            if target.latest is None:
                del self._targets[number]
            elif event:
                target.latest.events.append(event)

    def _case_finished(self, event: CaseFinished) -> None:
        performance = self._open.pop(event.attempt, None)
        if performance is None:
            return
        performance.finished = event
        self._weak.update(performance.weak)
        if _is_told(event.verdict):
            return
        performance.view = self._case(performance)
        performance.events.clear()
        target, performance.target = performance.target, None
        if target and target.latest is performance:
            target.latest = None
            if target.facts.ended:
                del self._targets[target.facts.number]

    def _case_judged(self, event: CaseJudged) -> None:
        trial = self._trials.get(event.trial)
        if trial is None:
            return
        trial.judged = event
        if len(trial.attempts) == 1 and not _is_told(event.verdict):
            trial.summary = self._trial(trial)
            trial.attempts.clear()

    def _let_go(self, target: _Target) -> None:
        """Nothing that the server writes from here on belongs to the case that it served last."""
        performance = target.latest
        if performance and performance.finished:
            performance.view = self._case(performance)
            performance.events.clear()
            performance.target = None
            target.latest = None

    def _trial(self, trial: _Trial) -> CaseView:
        """The attempt that shows what was found, under the verdict on all of them."""
        if trial.summary is not None:
            return trial.summary
        attempts = [self._case(performance) for performance in trial.attempts]
        judged = trial.judged
        if judged is None:
            return attempts[-1]
        verdict = judged.verdict
        shown = next((each for each in reversed(attempts) if each.findings == verdict.findings), attempts[-1])
        return replace(
            shown,
            outcome=verdict.outcome,
            reason=verdict.reason,
            findings=verdict.findings,
            began=attempts[0].began,
            duration=sum(attempt.duration for attempt in attempts),
            attempts=tuple(map(_attempt, trial.attempts, attempts)) if len(attempts) > 1 else (),
            after=judged.after,
        )

    def _case(self, performance: _Performance) -> CaseView:
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
            duration=(finished.at if finished else self._last) - started.at,
        )
        if not _is_told(verdict):
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
                observe=self._run is None or self._run.observe,
            ),
            output=tuple(target.output) if target else (),
            dropped=target.dropped if target else 0,
            target=target.facts if target else None,
            not_judged=not_judged(started.case, performance.events, verdict.findings),
        )

    def _weaker(self) -> tuple[str, ...]:
        weak = self._weak + Counter(weak for performance in self._open.values() for weak in performance.weak)
        return sentences(self._run, [event.why for event in self._not_isolated], weak)


def _attempt(performance: _Performance, view: CaseView) -> AttemptView:
    said = view.findings[0].message if view.findings else view.reason
    return AttemptView(performance.started.role, view.outcome, said, view.duration)


def _is_mere_probe(trial: _Trial) -> bool:
    """Whether it told nothing that a case of its own does not tell."""
    return trial.judged is None and bool(trial.attempts) and trial.attempts[0].started.role == "probe"


def _is_told(verdict: Verdict) -> bool:
    """Whether the reports tell how it came to this: of failures, known failures and errors."""
    return verdict.outcome not in ("pass", "skip") or bool(verdict.findings)


def fold(events: Iterable[Event]) -> View:
    """The view of all the facts of a run, in the order in which they were recorded."""
    folder = Folder()
    for event in events:
        folder.add(event)
    return folder.view()


def place(case: CaseView, finding: Finding | None = None) -> Span:
    """Where in a scenario file a finding belongs: its own line, or the scenario where it is about the whole server."""
    return finding.span if finding and finding.span.path else case.case.span
