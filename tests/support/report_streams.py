"""Runs as streams of events, made by hand: what the tests of the reports are fed with.

    python tests/support/report_streams.py

writes the golden texts under tests/golden/reports anew; read the difference before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

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
from sockcheck.events import (
    RECORD_VERSION,
    Barrier,
    CaseFinished,
    CaseNotRun,
    CaseStarted,
    Closed,
    Connected,
    DeadlinePassed,
    Event,
    HealthRead,
    PeerClosed,
    Received,
    RunFinished,
    RunStarted,
    SendFailed,
    Sent,
    Settled,
    ShutDown,
    SourceRead,
    TargetExited,
    TargetFailed,
    TargetOutput,
    TargetStarted,
    TargetStopped,
    Troubled,
)
from sockcheck.scenario import Span
from sockcheck.verdict import Difference, Finding, Kind, Outcome, Verdict
from sockcheck_reports import junit, terminal
from sockcheck_reports.view import View, fold

GOLDEN = Path(__file__).parents[1] / "golden" / "reports"
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
        self.events.append(CaseStarted(self.at, self.attempt, self.target, case))
        return self

    def after(self, milliseconds: float) -> float:
        self.at = round(self.at + milliseconds / 1000, 9)
        return self.at

    def connect(self, unobserved: str = "") -> Stream:
        began = self.at
        at = self.after(0.12)
        self.events.append(
            Connected(at, began, self.attempt, "client", 0, "127.0.0.1:50524", "127.0.12.1:41731", unobserved)
        )
        return self

    def sent(self, offset: int, size: int, barrier: Barrier = "read", waited: float = 0.00003) -> Stream:
        at = self.after(0.05)
        self.events.append(Sent(at, at - 0.00001, self.attempt, "client", 1, offset, size, barrier, waited))
        self.at += waited
        return self

    def received(self, data: bytes) -> Stream:
        self.events.append(Received(self.after(0.02), self.attempt, "client", data))
        return self

    def ended(self, how: Literal["eof", "reset", "error"] = "eof") -> Stream:
        error = {"eof": "", "reset": "ECONNRESET", "error": "ETIMEDOUT"}[how]
        state = "CLOSE_WAIT" if how == "eof" else "CLOSE"
        self.events.append(PeerClosed(self.after(0.03), self.attempt, "client", how, error, state))
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
        return self.add(Settled(self.after(0.2), self.attempt, "client", outcome, waited))

    def close(self) -> Stream:
        return self.add(Closed(self.after(0.02), self.attempt, "client", 5, "close"))

    def verdict(self, outcome: Outcome = "pass", *findings: Finding, reason: str = "") -> Stream:
        return self.add(CaseFinished(self.after(0.05), self.attempt, Verdict(outcome, findings, reason)))

    def finding(self, kind: Kind = "missing-bytes", **facts: Any) -> Finding:
        finding = Finding(
            kind=kind,
            law="cut.at-k",
            client="client",
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


CLASSIC = Difference(offset=5, start=0, expected=b"hello world\n", actual=b"hello")


def classic() -> list[Event]:
    """The most classic failure of all: one recv(), one reply, and the rest of the line is never read."""
    run = Stream().start(total=3).serve().output(b"listening on port 41731\n").passes("greets")
    run.begin(case(hint="recv() returns what has come so far. Keep reading until you have the whole line."))
    run.connect().output(b"connection from 127.0.0.1:50524\n").sent(0, 5).output(b"got b'hello'\n")
    run.received(b"hello").sent(5, 7, "none", 0.0).ended()
    run.verdict("fail", run.finding(difference=CLASSIC)).output(b"connection closed\n")
    run.passes("long")
    return run.add(TargetStopped(run.after(3.0), run.target, -15, False)).finish()


def every_kind() -> list[Event]:
    """A failing case of every kind of finding."""
    kinds: tuple[Kind, ...] = get_args(Kind)
    run = Stream().start(total=len(kinds))
    for kind in kinds:
        run.serve().begin(case(f"kind-{kind}")).connect().sent(0, 5).received(b"hello")
        facts: dict[str, Any] = {"message": f"this is what {kind} looks like"}
        match kind:
            case "wrong-bytes":
                facts["difference"] = Difference(1029, 1005, b"a" * 24 + b"the end\n", b"a" * 24 + b"-he end\n")
                run.received(b"a" * 3000)
            case "missing-bytes":
                facts["difference"] = CLASSIC
                run.ended()
            case "surplus-bytes":
                facts["difference"] = Difference(6, 0, b"hello\n", b"hello\nhello\n" * 30)
            case "reset" | "no-reset" | "early-end":
                run.ended("reset" if kind == "reset" else "eof")
            case "silence":
                run.add(DeadlinePassed(run.after(2000), run.attempt, "client", 2, 0))
            case "stalled":
                run.add(DeadlinePassed(run.after(5000), run.attempt, "client", 1, 5))
            case "exited":
                run.output(b'Traceback (most recent call last):\n  File "s.py", line 1\n', "stderr")
                run.add(SendFailed(run.after(0.1), run.at, run.attempt, "client", 1, 5, "EPIPE"))
                run.add(TargetExited(run.after(0.1), run.target, -13))
                facts |= {"client": "", "step": 0, "span": Span("", 0, 0, 0), "expected": "", "actual": ""}
            case "deaf":
                run.add(HealthRead(run.after(1), run.attempt, True, False, ""))
        run.verdict("fail", run.finding(kind, **facts))
    return run.finish()


def mixed() -> list[Event]:
    """Passed, failed, error, skipped and not run; late output; a server that could not be started the second time."""
    run = Stream().start(total=9, seed=7, stretch=3.0).serve()
    run.passes().passes()
    run.begin(case()).connect("no netlink here").sent(0, 5, "gap", 0.02).sent(5, 7, "none", 0.0)
    run.add(ShutDown(run.after(1), run.at, run.attempt, "client", 3, "write", "")).ended("reset").settled("gap", 0.1)
    run.verdict(
        "fail",
        run.finding(difference=CLASSIC),
        run.finding(
            "reset", law="end.orderly", span=span(10, "eof"), message="a reset (ECONNRESET) came", hint="Read."
        ),
    )
    run.begin(case("late")).connect().sent(0, 5, "not-read", 1.0).settled("late", 1.0).healthy(
        "no /proc here"
    ).verdict()
    run.begin(case("trouble")).add(Troubled(run.after(1), run.attempt, "no descriptors are left (EMFILE)"))
    run.verdict("error", reason="no descriptors are left (EMFILE)")
    run.add(CaseNotRun(run.after(1), case("skipped", skip="the author says so"), "the author says so"))
    run.add(CaseNotRun(run.after(1), case("half"), "it needs half-close, which the contract does not promise"))
    run.begin(case("skips")).verdict("skip", reason="it cannot be tested here")
    run.add(
        TargetFailed(
            run.after(1),
            2,
            "the server exited with status 1 before it listened",
            "Run `python my_server.py 41731` by hand.",
            b"Traceback (most recent call last):\n\x1b[31mOSError\x1b[0m: [Errno 98] Address already in use\n",
        )
    )
    return run.finish(3, "the server could not be started")


def hostile() -> list[Event]:
    """Bytes, names and texts that try to be something else wherever something of others' is shown."""
    text = HOSTILE.decode("latin-1")
    source = SOURCE.replace("hello world", "</pre><script>document.title='owned'</script>\u202e")
    path = "scenarios/<b>&\"'/\x1b[31m\udcff.sock.yaml"
    place = Span(path, 8, 13, 40)
    bad = case(f"<script>{text}", title=text, hint=text)
    run = Stream().start(total=4, command=("sockcheck", "run", path, "--", "sh", "-c", text)).serve(("sh", "-c", text))
    run.add(SourceRead(run.at, path, source))
    run.output(HOSTILE).begin(bad).connect(text).received(HOSTILE).output(HOSTILE * 3, "stderr", 10)
    run.add(Troubled(run.after(1), run.attempt, text))
    finding = run.finding(span=place, message=text, expected=text, actual=text, hint=text, law=text)
    differences = [Difference(at, 0, HOSTILE, HOSTILE[:at] + b"x" + HOSTILE) for at in (0, 27, 255, 300)]
    run.verdict("fail", finding, *(run.finding(difference=difference) for difference in differences))
    run.begin(bad).verdict("error", reason=text)
    run.add(CaseNotRun(run.after(1), bad, text))
    run.add(TargetFailed(run.after(1), 2, text, text, HOSTILE))
    return run.finish(3, text)


def cut_off() -> list[Event]:
    """A record that ends in the middle of a case."""
    return Stream().start(total=5).serve().passes().begin(case()).connect().sent(0, 5).events


def huge(failures: int = 3) -> list[Event]:
    """Long streams in long cases."""
    run = Stream().start(total=failures)
    for number in range(failures):
        run.serve().begin(case(f"huge-{number}")).connect()
        for segment in range(2000):
            run.sent(segment, 1).received(bytes([segment % 256]) * 4000)
        run.output(b"x" * 100_000 + b"\n").output(b"y\n" * 5000)
        difference = Difference(7_999_999, 7_000_000, b"\x00" * 1_000_100, b"\x00" * 999_999 + b"\xff" * 100)
        run.verdict("fail", run.finding("wrong-bytes", difference=difference, expected="e" * 9000, actual="a b " * 900))
    return run.finish()


STREAMS: Mapping[str, Callable[[], list[Event]]] = {
    "classic": classic,
    "every-kind": every_kind,
    "mixed": mixed,
    "hostile": hostile,
    "cut-off": cut_off,
    "huge": huge,
    "empty": list,
}


def view(name: str) -> View:
    return fold(STREAMS[name]())


def golden_texts() -> Iterator[tuple[str, str]]:
    """File name and text of every golden report."""
    for name in ("classic", "every-kind", "mixed", "cut-off", "empty"):
        yield f"{name}.txt", terminal.render(view(name), LAWS)
    yield "classic.ansi", terminal.render(view("classic"), LAWS, colour=True)
    yield "mixed-verbose.txt", terminal.render(view("mixed"), LAWS, verbosity=1, written=("JUnit report: junit.xml",))
    yield "mixed-quiet.txt", terminal.render(view("mixed"), LAWS, verbosity=-1)
    yield "mixed.xml", junit.render(view("mixed"), LAWS)


if __name__ == "__main__":
    for file, text in golden_texts():
        (GOLDEN / file).write_text(text, encoding="utf-8")
