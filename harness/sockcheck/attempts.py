"""One attempt at a case on an instance of its server, and what all attempts at it come to: what is told of them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace

from sockcheck.case import Case
from sockcheck.driver import Driver, Patience
from sockcheck.errors import TargetError
from sockcheck.events import CaseFinished, CaseJudged, CaseNotRun, CaseStarted, NotIsolated, Role, Troubled
from sockcheck.evidence import cut_short
from sockcheck.facts import Facts
from sockcheck.place import Place
from sockcheck.queues import Queues, Trial, Why
from sockcheck.target import Target
from sockcheck.verdict import Verdict
from sockcheck.world import World


@dataclass(eq=False)
class Instance:
    """A server that is there, and what it has served so far."""

    place: Place
    target: Target
    number: int
    served: list[Case] = field(default_factory=list)


class Attempts:
    """Performs cases and tells of it. `origin` is time.monotonic() at the start of the run.

    `stop`: why no more cases are begun, or "". With `fail_fast` the first failure sets it.
    """

    def __init__(self, queues: Queues, facts: Facts, origin: float, *, fail_fast: bool) -> None:
        self.stop = ""
        self._queues = queues
        self._facts = facts
        self._origin = origin
        self._fail_fast = fail_fast
        self._prefix = os.urandom(3).hex()
        self._attempts = 0

    async def perform(
        self, trial: Trial, case: Case, instance: Instance, driver: Driver, role: Role, world: World
    ) -> bool:
        """One attempt at a case; whether the server is there and listens behind it."""
        self._attempts += 1
        attempt = self._attempts
        instance.served.append(case)
        unique = self._unique(attempt)
        world.emit(CaseStarted(world.clock(), attempt, instance.number, case, unique, trial.number, role))
        judge = self._facts.bench.judge(attempt)
        try:
            return await driver.perform(attempt, judge, patience=_patience(trial, case, role))
        except BaseException as error:
            # Cut short, by a signal or because the server's keeper was lost: no evidence either way.
            why = self.stop or (error.message if isinstance(error, TargetError) else "the case was cut short")
            world.emit(Troubled(world.clock(), attempt, why))
            raise
        finally:
            instance.place.accept_took = max(instance.place.accept_took, driver.accept_took)
            verdict = judge.verdict()
            world.emit(CaseFinished(world.clock(), attempt, verdict))
            if role != "predecessor":
                trial.attempts.append(attempt)
                trial.verdicts.append(verdict)

    def judged(self, trial: Trial, verdict: Verdict, after: tuple[str, ...] = ()) -> None:
        """All attempts come to this. `after`: the ids of the cases without which it does not fail."""
        if trial.probe and not _tells_something(trial.place, verdict, after):
            return
        if trial.case.advice and verdict.outcome in ("fail", "flaky"):
            why = f"the law needs {trial.case.advice!r}, which nobody promised"
            verdict = replace(verdict, outcome="advice", reason=verdict.reason or why)
        if not trial.probe:
            self._queues.judged(trial, verdict.outcome)
        if trial.case is trial.place.probe:
            trial.place.probe_failed = verdict.outcome != "pass"
        verdict = self._facts.excused(trial.case, verdict, fresh=trial.probe)
        if verdict.outcome == "fail" and self._fail_fast:
            self.stop = self.stop or "an earlier case failed (--fail-fast)"
        self._facts.emit(CaseJudged(self._clock(), trial.number, tuple(trial.attempts), verdict, after))

    def cut_short(self, trial: Trial, why: str = "") -> None:
        """No more attempts can be made at this case: it is judged by those that there are. Why: else as `stop` says."""
        if trial.verdicts:
            self.judged(trial, cut_short(trial.verdicts, why or self.stop))
        self._queues.over(trial)

    def leave_out(self, trial: Trial, why: Why) -> None:
        """It is not run."""
        reason, sentence = why
        self._queues.passed_over(trial)
        self._facts.emit(CaseNotRun(self._clock(), trial.case, sentence, reason))

    def not_isolated(self, trial: Trial, outside: int) -> None:
        """It fails in a network of the server's own only: there is none from here on, and that is told once.

        `outside`: the instance that was tried without.
        """
        if trial.place.give_up_isolation():
            why = f"the case {trial.case.id} fails again and again, and passes without"
            self._facts.emit(NotIsolated(self._clock(), outside, why))

    def _unique(self, attempt: int) -> str:
        """What `${unique}` stands for. Runs against one server, also at the same time, must not meet in it."""
        return f"{self._prefix}{attempt:x}"

    def _clock(self) -> float:
        return time.monotonic() - self._origin


def _tells_something(place: Place, verdict: Verdict, after: tuple[str, ...]) -> bool:
    """Whether what a fresh client met behind the last case says more than its case by itself does.

    Where the exchange does not work twice on one server it leaves something behind, and is no fair question.
    """
    if verdict.outcome not in ("fail", "flaky") or place.probe_failed:
        return False
    asked_twice = place.probe is not None and place.probe.id in after
    return not asked_twice or all(finding.law.startswith("churn.") for finding in verdict.findings)


def _patience(trial: Trial, case: Case, role: Role) -> Patience:
    if role == "predecessor":
        return "none"
    if trial.probe:
        return "server"
    return "case" if case.law == "churn.leak" else "none"
