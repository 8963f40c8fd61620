"""Performs drafted scenarios on a server, through the same code as `sockcheck run`, and keeps what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import trio

from sockcheck.addresses import Address
from sockcheck.case import Capabilities
from sockcheck.client_events import (
    Received,
)
from sockcheck.drafting.transcripts import MOST_HEARD, Transcript, transcript
from sockcheck.errors import TargetError
from sockcheck.events import (
    AttemptEvent,
    CaseFinished,
    CaseJudged,
    CaseNotRun,
    CaseStarted,
    Event,
    TargetFailed,
)
from sockcheck.exit_codes import FAILED, INTERRUPTED
from sockcheck.facts import Facts
from sockcheck.place import Server
from sockcheck.planning import plan
from sockcheck.queues import Item
from sockcheck.reading import read_scenario
from sockcheck.run import Options, Run, performed
from sockcheck.scenario import Contract, Timeouts
from sockcheck.server_events import (
    ServerChecked,
)
from sockcheck.verdict import Finding, Verdict

# A server that hangs costs no more than this for each thing that is tried, in seconds.
_TIMEOUTS = Timeouts(expect=2.0, connect=5.0, ready=10.0, case=10.0)

_EXPLAINED_BY_AN_EXIT = ("reset", "missing-bytes", "early-end", "refused")


@dataclass(slots=True)
class Performed:
    """One performance of a scenario, in the order of the events."""

    name: str
    events: list[Event] = field(default_factory=list)
    verdict: Verdict = field(default_factory=lambda: Verdict("error", reason="it was cut short"))

    @property
    def passed(self) -> bool:
        return self.verdict.outcome == "pass"

    @property
    def finding(self) -> Finding | None:
        """What went wrong, if anything: the end of the server, unless a client had failed otherwise before.

        How that client leaves then may be what ends the server.
        """
        findings = self.verdict.findings
        first = min(findings, key=lambda finding: finding.at, default=None)
        return findings[0] if first is not None and first.kind in _EXPLAINED_BY_AN_EXIT else first

    @property
    def why(self) -> str:
        """Why it did not pass."""
        return self.finding.message if self.finding else self.verdict.reason

    @property
    def transcript(self) -> Transcript:
        """What its only client heard."""
        return transcript(self.events)

    @property
    def checked(self) -> float | None:
        """The first figure of the last `check` of the server, None where there was none or it cannot be seen."""
        values = [event.values[0] for event in self.events if isinstance(event, ServerChecked)]
        return values[-1] if values else None


class Prober:
    """Performs scenarios on one server. `pushes`: it may send what no step asks for."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.pushes = False

    @property
    def started(self) -> bool:
        """Whether sockcheck starts the server itself."""
        return not isinstance(self._server, Address)

    def perform(self, scenarios: Mapping[str, str], times: int = 1, *, fail_fast: bool = False) -> list[Performed]:
        """Perform scenarios, by their names, all of them so many times, on a fresh instance of the server.

        With `fail_fast` the first failure ends it, and is not tried again: what has failed once is not claimed.
        Raises TargetError where the server could not be started or reached, KeyboardInterrupt where a signal came.
        """
        contract = Contract("init", "init", timeouts=_TIMEOUTS, pushes=self.pushes)
        items = []
        for name, text in scenarios.items():
            scenario = read_scenario(f"{name}.sock.yaml", text, contract, _no_file)
            cases = plan(scenario, seed=0, capabilities=Capabilities(started=self.started, observable=True))
            items += [Item(case, self._server) for case in cases]
        collector = _Collector()
        run = Run(items * times, Options(jobs=1), Facts([collector.add]), time.monotonic())

        async def execute() -> int:
            with trio.CancelScope() as scope:
                if fail_fast:
                    collector.on_failure = scope.cancel
                return await run.execute()
            return INTERRUPTED if run.interrupted else FAILED

        if performed(execute) == INTERRUPTED:
            raise KeyboardInterrupt
        found = list(collector.performed.values())
        if collector.failed is not None and not found:
            raise TargetError(collector.failed.message, collector.failed.hint, collector.failed.output)
        return found + collector.not_run


class _Collector:
    """A sink for the events of a run. Of what a client received it keeps no more than drafts can use.

    `performed` has the last attempt at each case, under what all of them came to. `on_failure`, where there is one, is
    called at the first failure; nothing that comes behind it is kept.
    """

    def __init__(self) -> None:
        self.performed: dict[int, Performed] = {}
        self.not_run: list[Performed] = []
        self.failed: TargetFailed | None = None
        self.on_failure: Callable[[], None] | None = None
        self._stopped = False
        self._attempts: dict[int, Performed] = {}
        self._kept: dict[tuple[int, str], int] = {}

    def add(self, event: Event) -> None:
        if self._stopped:
            return
        match event:
            case CaseStarted(role="probe" | "predecessor"):
                pass
            case CaseStarted():
                self._attempts[event.attempt] = self.performed[event.trial] = Performed(event.case.scenario)
            case CaseFinished() if event.attempt in self._attempts:
                self._finished(event)
            case CaseJudged() if event.trial in self.performed:
                self.performed[event.trial].verdict = event.verdict
            case CaseNotRun():
                self.not_run.append(Performed(event.case.scenario, verdict=Verdict("skip", reason=event.why)))
            case TargetFailed():
                self.failed = self.failed or event
            case Received():
                self._received(event)
            case _ if isinstance(event, AttemptEvent) and event.attempt in self._attempts:
                self._attempts[event.attempt].events.append(event)
            case _:
                pass

    def _finished(self, event: CaseFinished) -> None:
        self._attempts[event.attempt].verdict = event.verdict
        if event.verdict.outcome == "fail" and self.on_failure is not None:
            self._stopped = True
            self.on_failure()

    def _received(self, event: Received) -> None:
        if event.attempt not in self._attempts or not isinstance(event.data, bytes):
            return
        key = event.attempt, event.client
        kept = self._kept.get(key, 0)
        # More than a turn may keep, so that the turn shows that it was more.
        room = 4 * MOST_HEARD - kept
        if room > 0:
            self._kept[key] = kept + len(event.data)
            self._attempts[event.attempt].events.append(replace(event, data=event.data[:room]))


def _no_file(path: str) -> bytes:
    raise FileNotFoundError(path)
