"""Runs in which cases were tried more than once."""

from __future__ import annotations

from report_builder import Stream, case

from sockcheck.case import Case
from sockcheck.events import CaseFinished, CaseJudged, CaseStarted, Event, Role
from sockcheck.verdict import Verdict

PASSED = Verdict("pass")
BUSY = Verdict("busy", reason="the server had to wait 480.0 ms for a CPU, so the deadline is no evidence")


class Trials(Stream):
    """A run whose attempts say what they are for."""

    trial = 0

    def first(self, case_: Case, verdict: Verdict, role: Role = "first") -> Trials:
        self.trial += 1
        return self.again(case_, verdict, role)

    def again(self, case_: Case, verdict: Verdict, role: Role) -> Trials:
        self.serve()
        self.attempt += 1
        self.add(CaseStarted(self.after(1), self.attempt, self.target, case_, "u", self.trial, role))
        self.connect().sent(0, 12, "none", 0.0).healthy()
        self.add(CaseFinished(self.after(0.1), self.attempt, verdict))
        return self

    def comes_to(self, verdict: Verdict, *attempts: int, after: tuple[str, ...] = ()) -> Trials:
        self.add(CaseJudged(self.at, self.trial, attempts, verdict, after))
        return self


def attempts() -> list[Event]:
    """What fails after others, what is flaky, what the machine was too busy for, what a fresh client met."""
    run = Trials()
    run.start(total=5)
    poisoned, seldom, busy, plain = case("poisoned"), case("seldom"), case("busy"), case("greets", law="plain")
    silent = Verdict("fail", (run.finding("silence", message="nothing came within 2.00 s", received=0),))
    resets = tuple(f"echo/resets-{number}::plain" for number in range(5))
    run.first(case("resets"), PASSED).comes_to(PASSED, 1)
    run.first(poisoned, silent).again(poisoned, PASSED, "alone").again(case("resets"), PASSED, "predecessor")
    run.again(poisoned, silent, "after").comes_to(silent, 2, 3, 5, after=resets[:1])
    run.first(seldom, silent).again(seldom, PASSED, "alone").again(seldom, PASSED, "alone")
    run.comes_to(Verdict("flaky", silent.findings, "it failed in 1 of 3 attempts"), 6, 7, 8)
    run.first(busy, BUSY).again(busy, BUSY, "alone").again(busy, BUSY, "alone").comes_to(BUSY, 9, 10, 11)
    spins = Verdict("fail", (run.finding("spinning", law="churn.spin", message="it used 98% of a CPU"),))
    run.first(plain, spins, "probe").again(plain, PASSED, "alone").again(plain, spins, "after")
    run.comes_to(spins, 12, 13, 14, after=resets)
    run.first(plain, PASSED, "probe")
    return run.finish()
