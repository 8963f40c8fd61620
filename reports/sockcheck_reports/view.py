"""What a run comes to: the fold of its facts into one frozen value that every report is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from sockcheck.client_events import (
    Awaited,
    Blocked,
    ClientEvent,
    Closed,
    Connected,
    ConnectFailed,
    DeadlinePassed,
    Marked,
    PeerClosed,
    Received,
    Released,
    SendFailed,
    Sent,
    Settled,
    ShutDown,
    Waited,
)
from sockcheck.events import (
    CaseFinished,
    CaseJudged,
    CaseNotRun,
    CaseStarted,
    CaseTimedOut,
    CauseNamed,
    Event,
    HealthRead,
    NotIsolated,
    RunFinished,
    RunStarted,
    SourceRead,
    TargetExited,
    TargetFailed,
    TargetOutput,
    TargetStarted,
    TargetStopped,
    Troubled,
)
from sockcheck.forms import (
    Span,
)
from sockcheck.server_events import (
    SecondEnded,
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
)
from sockcheck.verdict import Finding

from .cases import (
    OUTPUT_KEPT,
    CaseView,
    Performance,
    Reading,
    Target,
    TargetView,
    Trial,
    is_mere_probe,
    is_told,
    shown,
    told,
)
from .weaker import sentences, weakness
from .wording import status

__all__ = ["OUTPUT_KEPT", "CaseView", "CauseView", "Counts", "Folder", "View", "fold", "place"]

_CaseEvent = ClientEvent | ServerEvent | CaseTimedOut | HealthRead | Troubled


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases ended how. `not_run` are those that were planned but had no verdict.

    `known` are known failures, which are not among the others, `baseline` those of them that the baseline knows.
    `advice` are those that broke what was not promised.
    """

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    not_run: int = 0
    known: int = 0
    flaky: int = 0
    busy: int = 0
    advice: int = 0
    baseline: int = 0

    @property
    def total(self) -> int:
        judged = self.passed + self.failed + self.flaky + self.errors + self.busy + self.advice
        return judged + self.skipped + self.not_run + self.known


@dataclass(frozen=True, slots=True)
class CauseView:
    """Why some cases fail. `cases` are those of the run, the smallest first; there is one at the least."""

    named: CauseNamed
    cases: tuple[CaseView, ...]

    @property
    def known(self) -> bool:
        """Whether a fault is named, and not only the law that is broken."""
        return self.named.id != "unknown"

    @property
    def failing(self) -> tuple[CaseView, ...]:
        """Those of its cases that count."""
        return tuple(case for case in self.cases if case.outcome != "advice")


@dataclass(frozen=True, slots=True)
class View:
    """All that a report says. `cases` are in the order in which they began.

    `whole` is False where the record has no end. `weaker` says in sentences what this run could see or do less well
    than usual. `sources` are the texts of the scenario files by path. `duration` is in seconds. No case has two
    `causes`; a record that was cut off names none. `readings` are what was seen of each server, by its number.
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
    causes: tuple[CauseView, ...] = ()
    readings: Mapping[int, Sequence[Reading]] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return self.run is not None and self.finished is not None

    @property
    def cut_short(self) -> str:
        """Why this is not all that there should be, in a sentence; "" where it is."""
        if self.run is None or self.finished is None:
            return "The record is not whole: the run was cut off."
        if not self.finished.why:
            return ""
        share = self.run.share
        shared = share is not None and share.of > 1
        return f"The run {'is not whole' if shared else 'ended early'}: {self.finished.why}"

    @property
    def shard(self) -> str:
        """Which share of the cases these are, in a sentence; "" where they are all that there are, or were merged."""
        share = self.run.share if self.run else None
        if share is None or len(share.numbers) != 1:
            return ""
        name = f"Shard {share.numbers[0]}/{share.of}"
        if self.nothing_to_do:
            return f"{name} has no case: there are fewer scenarios than shards."
        return f"{name}: the other cases are in the other shards." if share.of > 1 else ""

    @property
    def nothing_to_do(self) -> bool:
        """Whether this is a shard that no case fell to, which is no mistake."""
        return self.run is not None and self.run.share is not None and self.run.total == 0

    @property
    def failures(self) -> tuple[CaseView, ...]:
        return tuple(case for case in self.cases if case.outcome in ("fail", "flaky"))

    @property
    def errors(self) -> tuple[CaseView, ...]:
        return tuple(case for case in self.cases if case.outcome in ("error", "busy"))

    @property
    def advice(self) -> tuple[CaseView, ...]:
        """The cases that broke what was not promised."""
        return tuple(case for case in self.cases if case.outcome == "advice")

    @property
    def known_failures(self) -> tuple[CaseView, ...]:
        return tuple(case for case in self.cases if case.known_failure)


class Folder:
    """Folds facts one by one, so that a run can be reported without holding all of its facts.

    Of a case that passed only the summary stays. A fact of a case or server that was never begun is passed over: the
    reader of records has already refused a record that does not begin at the beginning.
    """

    def __init__(self) -> None:
        self._run: RunStarted | None = None
        self._finished: RunFinished | None = None
        self._sources: dict[str, str] = {}
        self._targets: dict[int, Target] = {}
        self._started = 0
        self._failures: list[TargetFailed] = []
        self._trials: dict[int, Trial] = {}
        self._open: dict[int, Performance] = {}
        self._times: Counter[str] = Counter()
        self._not_run: list[CaseNotRun] = []
        self._causes: list[CauseNamed] = []
        self._weak: Counter[tuple[str, str]] = Counter()
        self._not_isolated: list[NotIsolated] = []
        self._readings: dict[int, list[Reading]] = {}
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
            case CauseNamed():
                self._causes.append(event)
            case RunFinished():
                self._finished = event
            case _:
                assert_never(event)

    def view(self) -> View:
        """What the facts so far come to. Cases that have begun and not ended are errors here."""
        cases = tuple(
            told(trial, self._last, self._observe) for trial in self._trials.values() if not is_mere_probe(trial)
        )
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
                advice=counted["advice"],
                baseline=sum(case.in_baseline for case in cases),
            ),
            cases=cases,
            not_run=tuple(self._not_run),
            never_reached=never_reached,
            target_failures=tuple(self._failures),
            targets=self._started,
            weaker=self._weaker(),
            sources=dict(self._sources),
            duration=self._last - (self._first or 0.0),
            causes=_causes(self._causes, cases),
            readings={target: tuple(readings) for target, readings in self._readings.items()},
        )

    def _case_started(self, event: CaseStarted) -> None:
        # Attempts of no trial each are one of their own.
        number = event.trial or -event.attempt
        trial = self._trials.get(number)
        if trial is None:
            trial = self._trials[number] = Trial(self._label(event))
        target = self._targets.get(event.target)
        performance = Performance(trial.label, event, target)
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
            if isinstance(event, HealthRead) and event.figures:
                self._readings.setdefault(performance.started.target, []).append(Reading(event.at, event.figures))

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

    def _target(self, number: int) -> Target:
        """The server of that number. It may write something before it is known to have started."""
        return self._targets.setdefault(number, Target(TargetView(number, (), "", 0, 0.0)))

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
        if is_told(event.verdict):
            return
        performance.view = shown(performance, self._last, self._observe)
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
        if len(trial.attempts) == 1 and not is_told(event.verdict):
            trial.summary = told(trial, self._last, self._observe)
            trial.attempts.clear()

    def _let_go(self, target: Target) -> None:
        """Nothing that the server writes from here on belongs to the case that it served last."""
        performance = target.latest
        if performance and performance.finished:
            performance.view = shown(performance, self._last, self._observe)
            performance.events.clear()
            performance.target = None
            target.latest = None

    @property
    def _observe(self) -> bool:
        return self._run is None or self._run.observe

    def _weaker(self) -> tuple[str, ...]:
        weak = self._weak + Counter(weak for performance in self._open.values() for weak in performance.weak)
        return sentences(self._run, [event.why for event in self._not_isolated], weak)


def _causes(named: Iterable[CauseNamed], cases: Iterable[CaseView]) -> tuple[CauseView, ...]:
    """The causes with their cases, in the order in which they were named; a case belongs to the first that has it."""
    failing: dict[str, list[CaseView]] = {}
    for case in cases:
        if case.outcome in ("fail", "flaky", "advice"):
            failing.setdefault(case.case.id, []).append(case)
    views = []
    for cause in named:
        mine = [case for name in (cause.smallest, *cause.cases) for case in failing.pop(name, ())]
        if mine:
            views.append(CauseView(cause, tuple(mine)))
    return tuple(views)


def fold(events: Iterable[Event]) -> View:
    """The view of all the facts of a run, in the order in which they were recorded."""
    folder = Folder()
    for event in events:
        folder.add(event)
    return folder.view()


def place(case: CaseView, finding: Finding | None = None) -> Span:
    """Where in a scenario file a finding belongs: its own line, or the scenario where it is about the whole server."""
    return finding.span if finding and finding.span.path else case.case.span
