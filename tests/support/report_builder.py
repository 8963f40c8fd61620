"""What streams of events are made with, by hand, for the tests of the reports."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sockcheck.case import (
    Action,
    Actor,
    Case,
    Close,
    Connect,
    End,
    Exact,
    Expect,
    Piece,
    Send,
    Shutdown,
)
from sockcheck.client_events import (
    Barrier,
    Closed,
    Connected,
    PeerClosed,
    Received,
    Sent,
    Settled,
)
from sockcheck.events import (
    RECORD_VERSION,
    CaseFinished,
    CaseJudged,
    CaseStarted,
    Event,
    HealthRead,
    RunFinished,
    RunStarted,
    SourceRead,
    TargetOutput,
    TargetStarted,
)
from sockcheck.forms import (
    Span,
)
from sockcheck.verdict import Finding, Kind, Outcome, Verdict

LAWS = {
    "plain": "The exchange works as the contract says.",
    "cut.at-k": "A stream has no message boundaries: a message may arrive in two pieces, cut at any byte.",
    "end.orderly": "The server ends a connection in order (FIN), not by a reset.",
}
PATH = "scenarios/echo/pieces.sock.yaml"
SOURCE = """\
scenario: A line in two pieces is echoed whole
law: cut.at-k
hint: recv() returns what has come so far. Keep reading until you have the whole line.
client:
  - connect
  - send: "hello world\\n"
    cut: [5]
  - expect: "hello world\\n"
  - shutdown: write
  - end: eof
"""
COMMAND = ("sockcheck", "run", "scenarios/echo", "--html", "report.html", "--", "python", "my_server.py", "{port}")
HOSTILE = (
    bytes(range(256))
    + b"</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    + b"]]><![CDATA[ --> \x1b[31mred\x1b[0m \x1b]0;owned\x07 \xe2\x80\xae \xe2\x81\xa6"
    + b"{{7*7}} {% raw %} [bold]markup[/bold] :smile:"
)


def span(line: int, text: str, source: str = SOURCE, path: str = PATH) -> Span:
    """The span of `text` in that line of a source."""
    column = source.splitlines()[line - 1].index(text) + 1
    return Span(path, line, column, column + len(text))


def pieces_actions(pieces: tuple[Piece, ...] = (b"hello world\n",), cuts: tuple[int, ...] = (5,)) -> tuple[Action, ...]:
    return (
        Connect(span(5, "connect"), 5.0),
        Send(span(6, '"hello world\\n"'), pieces, cuts, None, 5.0),
        Expect(span(8, '"hello world\\n"'), Exact(pieces), 2.0, None),
        Shutdown(span(9, "write"), "write"),
        End(span(10, "eof"), "eof", 2.0, None),
        Close(span(10, "eof"), False),
    )


def case(name: str = "pieces", *, law: str = "cut.at-k", title: str = "", hint: str = "", skip: str = "") -> Case:
    return Case(
        id=f"echo/{name}::{law}",
        contract="echo",
        scenario=name,
        title=title or "A line in two pieces is echoed whole",
        law=law,
        hint=hint,
        actors=(Actor("client", pieces_actions()),),
        deadline=30.0,
        span=span(1, "A line in two pieces is echoed whole"),
        skip=skip,
    )


@dataclass
class Stream:
    """A run that is written down event by event. `at` moves on as they are added."""

    at: float = 0.0
    attempt: int = 0
    target: int = 0
    client: str = "client"
    events: list[Event] = field(default_factory=list)

    def start(self, *, total: int = 1, command: tuple[str, ...] = COMMAND, **facts: Any) -> Stream:
        started = RunStarted(
            at=0.0,
            version=RECORD_VERSION,
            sockcheck="0.1.0",
            started="2025-11-20T13:15:00+00:00",
            command=command,
            directory="/home/ada/project",
            seed=0,
            stretch=1.0,
            observe=True,
            platform="Linux 6.18.44 x86_64, Python 3.11.7",
            total=total,
        )
        self.events += [replace(started, **facts), SourceRead(0.0, PATH, SOURCE)]
        return self

    def serve(self, command: tuple[str, ...] = ("python", "my_server.py", "41731")) -> Stream:
        self.target += 1
        self.at += 0.04
        pid = 4711 if command else 0
        self.events.append(TargetStarted(self.at, self.target, command, "127.0.12.1:41731", pid, 0.036))
        return self

    def begin(self, case: Case) -> Stream:
        self.attempt += 1
        self.at += 0.001
        self.events.append(CaseStarted(self.at, self.attempt, self.target, case, trial=self.attempt))
        return self

    def by(self, client: str) -> Stream:
        """What is added from here on is that client's."""
        self.client = client
        return self

    def after(self, milliseconds: float) -> float:
        self.at = round(self.at + milliseconds / 1000, 9)
        return self.at

    def connect(self, unobserved: str = "") -> Stream:
        began = self.at
        at = self.after(0.12)
        port = 50524 + sum(isinstance(event, Connected) and event.attempt == self.attempt for event in self.events)
        local = f"127.0.0.1:{port}"
        self.events.append(Connected(at, began, self.attempt, self.client, 0, local, "127.0.12.1:41731", unobserved))
        return self

    def sent(self, offset: int, size: int, barrier: Barrier = "read", waited: float = 0.00003) -> Stream:
        at = self.after(0.05)
        self.events.append(
            Sent(at, at - 0.00001, self.attempt, self.client, self._send_step(), offset, size, barrier, waited)
        )
        self.at += waited
        return self

    def _send_step(self) -> int:
        """The place of the first send of the client in the case that was begun last."""
        begun = next(event for event in reversed(self.events) if isinstance(event, CaseStarted))
        actions = next((actor.actions for actor in begun.case.actors if actor.name == self.client), ())
        return next((step for step, action in enumerate(actions) if isinstance(action, Send)), 1)

    def received(self, data: bytes) -> Stream:
        self.events.append(Received(self.after(0.02), self.attempt, self.client, data))
        return self

    def ended(self, how: Literal["eof", "reset", "error"] = "eof") -> Stream:
        error = {"eof": "", "reset": "ECONNRESET", "error": "ETIMEDOUT"}[how]
        state = "CLOSE_WAIT" if how == "eof" else "CLOSE"
        self.events.append(PeerClosed(self.after(0.03), self.attempt, self.client, how, error, state))
        return self

    def output(self, data: bytes, stream: Literal["stdout", "stderr"] = "stdout", dropped: int = 0) -> Stream:
        self.events.append(TargetOutput(self.after(0.01), self.target, stream, data, dropped))
        return self

    def add(self, event: Event) -> Stream:
        self.at = max(self.at, event.at)
        self.events.append(event)
        return self

    def healthy(self, why: str = "") -> Stream:
        return self.add(HealthRead(self.after(0.04), self.attempt, True, True, why))

    def settled(self, outcome: Literal["settled", "late", "gap"] = "settled", waited: float = 0.0002) -> Stream:
        return self.add(Settled(self.after(0.2), self.attempt, self.client, outcome, waited))

    def close(self) -> Stream:
        return self.add(Closed(self.after(0.02), self.attempt, self.client, 5, "close"))

    def verdict(self, outcome: Outcome = "pass", *findings: Finding, reason: str = "") -> Stream:
        return self.judged(Verdict(outcome, findings, reason))

    def judged(self, verdict: Verdict, milliseconds: float = 0.05) -> Stream:
        """The attempt ends, and the case with it."""
        self.add(CaseFinished(self.after(milliseconds), self.attempt, verdict))
        return self.add(CaseJudged(self.at, self.attempt, (self.attempt,), verdict))

    def finding(self, kind: Kind = "missing-bytes", **facts: Any) -> Finding:
        finding = Finding(
            kind=kind,
            law="cut.at-k",
            client=self.client,
            step=2,
            span=span(8, '"hello world\\n"'),
            message="the server closed the connection after 5 bytes: 7 of 12 bytes did not come",
            expected='"hello world\\n"',
            actual="\"hello\" (5 bytes), then the orderly end (b'')",
            received=5,
            at=self.at,
        )
        return replace(finding, **facts)

    def passes(self, name: str = "greets") -> Stream:
        return (
            self.begin(case(name, law="plain", title="A line is echoed"))
            .connect()
            .sent(0, 12, "none", 0.0)
            .received(b"hello world\n")
            .settled()
            .close()
            .healthy()
            .verdict()
        )

    def finish(self, exit_code: int = 1, why: str = "") -> list[Event]:
        self.add(RunFinished(self.after(1.0), exit_code, why))
        return self.events
