"""Verdicts from events. The same code judges a run while it happens and a record of it later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sockcheck.case import SERVER, Action, Actor, Case, Close, Reset, ServerAction
from sockcheck.client_events import (
    ClientEvent,
    Connected,
    Marked,
    Released,
    Waited,
)
from sockcheck.events import (
    CaseFinished,
    CaseStarted,
    CaseTimedOut,
    Event,
    HealthRead,
    TargetExited,
    Troubled,
)
from sockcheck.evidence import is_hard
from sockcheck.exchange import Exchange
from sockcheck.server_events import (
    ServerEvent,
)
from sockcheck.serving import SPIN, Serving
from sockcheck.show import seconds, status_text
from sockcheck.verdict import Finding, Kind, Verdict
from sockcheck.wording import hindered

# A reply that takes longer, in seconds, may have waited for a delayed ACK: Linux delays them by 40 ms (tcp(7)).
_HELD = 0.03
# So many replies are enough to tell the rule from the exception.
_REPLIES = 10
_GROWN = {"open_files": "descriptors", "threads": "threads", "children": "child processes"}

# Put together once: for each event it would cost more than all that is made of it.
_Told = ClientEvent | ServerEvent | HealthRead | CaseTimedOut | Troubled
_OfMarks = Marked | Waited | Released


class Judge:
    """One attempt at one case.

    `exchanges` are its clients' state machines, by name: the driver asks them what to do.
    """

    def __init__(self, started: CaseStarted) -> None:
        self.case: Case = started.case
        self.target = started.target
        values = {"unique": started.unique.encode()}
        self.exchanges = {
            actor.name: Exchange(actor, self._law(actor), self.case.hint, values) for actor in self.case.actors
        }
        self.serving = Serving(self.case.server, self.case.law, self.case.hint, started.at)
        self._connected = False
        self._exited: TargetExited | None = None
        self._exited_unused = False
        self._health: HealthRead | None = None
        self._timed_out: CaseTimedOut | None = None
        self._trouble = ""

    def _law(self, actor: Actor) -> str:
        """What a finding of this client breaks.

        That a client may leave costs the server nothing: what it saw itself before it left is another matter.
        """
        leaves = any(isinstance(action, Reset) or _closes_unread(action) for action in actor.actions)
        return "plain" if leaves and self.case.law.startswith("leave.") else self.case.law

    def exited(self, event: TargetExited) -> None:
        """The server that this attempt uses has exited. Whether its own steps ask for that is a question of now."""
        if self.serving.exit_asked:
            return
        self._exited = event
        self._exited_unused = not self._connected

    def verdict(self) -> Verdict:
        """What the attempt comes to, when all its events have been told."""
        verdict = self._unexcused()
        if not self.case.known_failure:
            return verdict
        if verdict.outcome == "fail":
            return Verdict("skip", verdict.findings, f"known failure: {self.case.known_failure}")
        if verdict.outcome == "pass":
            wanted = f"a failure, since it is known: {self.case.known_failure}"
            message = "the case passed, though it is known to fail; take `known-failure` out of the file"
            return Verdict("fail", (self._finding("not-known-to-fail", message, wanted, "it passed", 0.0),))
        return verdict

    def _unexcused(self) -> Verdict:
        exchanges = self.exchanges.values()
        troubles = [self._trouble, self.serving.trouble]
        if self._exited is None:
            # That it exited is seen without any client: what kept one from being judged is no excuse.
            troubles += [exchange.trouble for exchange in exchanges]
        for trouble in troubles:
            if trouble:
                return Verdict("error", reason=trouble)
        findings = [exchange.finding for exchange in exchanges if exchange.finding is not None]
        findings.sort(key=lambda finding: finding.at)
        server = self.serving.finding or self._server_finding()
        if server is not None:
            findings.insert(0, server)
        elif self._timed_out is not None and not findings and self.case.law == "limit.endless":
            # It is not asked how quick a server is there, and a slow one keeps nothing that it has not read.
            if busy := self._busy():
                return Verdict("busy", reason=busy)
            return Verdict("skip", reason="the server did not take so much in time, so its memory was not judged")
        elif self._timed_out is not None and not findings:
            findings.append(self._timeout_finding(self._timed_out))
        if not findings:
            findings += self._held_back()
        for busy in (self._busy(), self.serving.busy, *(exchange.busy for exchange in exchanges)):
            if busy and not is_hard(findings):
                return Verdict("busy", reason=busy)
        if not findings and (self.serving.unjudged or any(exchange.released_by for exchange in exchanges)):
            return Verdict("error", reason="a mark could not be set any more, and no finding says why")
        return Verdict("fail" if findings else "pass", tuple(findings))

    def _busy(self) -> str:
        event = self._timed_out
        return hindered(event.late, event.starved, self.case.deadline) if event is not None else ""

    def tell(self, event: _Told) -> None:
        """Something was seen in this attempt. What no client of the case saw is passed over."""
        if isinstance(event, ClientEvent):
            exchange = self.exchanges.get(event.client)
            if exchange is not None:
                self._connected = self._connected or isinstance(event, Connected)
                exchange.tell(event)
            elif isinstance(event, _OfMarks) and event.client == SERVER:
                self.serving.tell(event)
        elif isinstance(event, ServerEvent):
            self.serving.tell(event)
        elif isinstance(event, HealthRead):
            self._health = event
        elif isinstance(event, CaseTimedOut):
            self._timed_out = event
        else:
            self._trouble = event.message

    def _server_finding(self) -> Finding | None:
        if self._exited is not None:
            how = status_text(self._exited.status)
            when = "during this case"
            if self._exited_unused:
                when = "before this case had come to it: the cause may lie in the case before"
            return self._finding(
                "exited",
                f"the server {how} {when}",
                "the server goes on serving",
                f"it {how}",
                self._exited.at,
            )
        health = self._health
        if health is None or self.serving.exit_asked:
            return None
        if health.listening:
            return self._spin_finding(health) or self._leak_finding(health)
        state = "is alive but listens no more" if health.alive else "is gone"
        return self._finding(
            "deaf" if health.alive else "exited",
            f"after this case the server {state}" + (f": {health.why}" if health.why else ""),
            "the server goes on listening",
            f"it {state}",
            health.at,
        )

    def _held_back(self) -> list[Finding]:
        """Most of many small replies came late, on a machine that had the time to bring them earlier."""
        replies = max((exchange.replies for exchange in self.exchanges.values()), key=len, default=[])
        held = [took for took in replies if took >= _HELD]
        if self.case.law != "time.prompt" or len(replies) < _REPLIES or 2 * len(held) <= len(replies):
            return []
        health = self._health
        if health is None or hindered(health.late, health.starved, sum(held)):
            return []
        middle = seconds(sorted(replies)[len(replies) // 2])
        message = f"{len(held)} of {len(replies)} small replies were held back, half of them for {middle} or more"
        return [self._finding("held-back", message, "each as soon as it is known", f"{middle} and more", health.at)]

    def _spin_finding(self, health: HealthRead) -> Finding | None:
        if health.share is None or health.share < SPIN:
            return None
        finding = self._finding(
            "spinning",
            f"with nothing to do, the server used {health.share:.0%} of a CPU",
            "a server that waits, without using a CPU, for its clients to do something",
            f"{health.share:.0%} of a CPU, used or waited for, long after the last client had gone",
            health.at,
        )
        return replace(finding, law="churn.spin")

    def _leak_finding(self, health: HealthRead) -> Finding | None:
        if not health.growths:
            return None
        grown = health.growths[0]
        what, each = _GROWN[grown.what], f"{grown.each:.2g}"
        finding = self._finding(
            "leaking",
            f"the server keeps {each} {what} of each connection that it has served",
            f"{what} are given back when a connection ends",
            f"{each} more {what} with each of the last {grown.connections:,} connections",
            health.at,
        )
        return replace(finding, law="churn.leak")

    def _timeout_finding(self, event: CaseTimedOut) -> Finding:
        limit = seconds(self.case.deadline)
        message = f"the case was not over after {limit}; this step was under way"
        return self._finding("case-timeout", message, f"the whole case within {limit}", "it was not over", event.at)

    def _finding(self, kind: Kind, message: str, expected: str, actual: str, at: float) -> Finding:
        """A finding that no exchange made. It points at the step that its first unfinished client had come to.

        Where a case has no clients, that is the step that the server's own steps had come to.
        """
        client, position, received = SERVER, self.serving.position, 0
        actions: Sequence[Action | ServerAction] = self.case.server
        unfinished = [actor for actor in self.case.actors if self.exchanges[actor.name].command is not None]
        for actor in (*unfinished, *self.case.actors)[:1]:
            exchange = self.exchanges[actor.name]
            client, position, received, actions = actor.name, exchange.position, exchange.received, actor.actions
        step = min(position, len(actions) - 1)
        return Finding(
            kind=kind,
            law=self.case.law,
            client=client,
            step=step,
            span=actions[step].span,
            message=message,
            expected=expected,
            actual=actual,
            received=received,
            at=at,
            hint=self.case.hint,
        )


def _closes_unread(action: Action) -> bool:
    return isinstance(action, Close) and action.unread


class Bench:
    """The judges of all attempts that are under way. It is told every event of a run, in order, and sorts them."""

    def __init__(self) -> None:
        self._judges: dict[int, Judge] = {}

    def tell(self, event: Event) -> None:
        if isinstance(event, CaseStarted):
            self._judges[event.attempt] = Judge(event)
        elif isinstance(event, CaseFinished):
            self._judges.pop(event.attempt, None)
        elif isinstance(event, TargetExited):
            for judge in self._judges.values():
                if judge.target == event.target:
                    judge.exited(event)
        elif isinstance(event, _Told):
            judge_ = self._judges.get(event.attempt)
            if judge_ is not None:
                judge_.tell(event)

    def judge(self, attempt: int) -> Judge:
        """The judge of an attempt that has started and is not finished. KeyError for any other."""
        return self._judges[attempt]


def rejudge(events: Iterable[Event]) -> Iterator[tuple[int, Verdict]]:
    """The verdicts that the events of a record come to, by attempt, whatever verdicts the record itself holds."""
    bench = Bench()
    for event in events:
        if isinstance(event, CaseFinished):
            yield event.attempt, bench.judge(event.attempt).verdict()
        bench.tell(event)
