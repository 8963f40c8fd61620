"""Runs as streams of events, made by hand: what the tests of the reports are fed with.

    python tests/support/report_streams.py

writes the golden texts under tests/golden/reports anew; read the difference before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from report_attempts import attempts
from report_builder import HOSTILE, LAWS, SOURCE, Stream, case, span
from report_causes import causes, hostile_cause
from report_neighbours import backlog, crowd, known, life, stalled

from sockcheck.client_events import (
    DeadlinePassed,
    SendFailed,
    ShutDown,
)
from sockcheck.events import (
    CaseNotRun,
    Event,
    HealthRead,
    SourceRead,
    TargetExited,
    TargetFailed,
    TargetStopped,
    Troubled,
)
from sockcheck.forms import (
    Span,
)
from sockcheck.verdict import Difference, Kind
from sockcheck_reports import junit, terminal
from sockcheck_reports.view import View, fold

GOLDEN = Path(__file__).parents[1] / "golden" / "reports"
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
    "stalled": stalled,
    "backlog": backlog,
    "crowd": crowd,
    "life": life,
    "known": known,
    "attempts": attempts,
    "causes": causes,
    "hostile-cause": hostile_cause,
}


def view(name: str) -> View:
    return fold(STREAMS[name]())


def golden_texts() -> Iterator[tuple[str, str]]:
    """File name and text of every golden report."""
    for name in (
        "classic",
        "every-kind",
        "mixed",
        "cut-off",
        "empty",
        "stalled",
        "backlog",
        "crowd",
        "life",
        "known",
        "attempts",
        "causes",
    ):
        yield f"{name}.txt", terminal.render(view(name), LAWS)
    yield "classic.ansi", terminal.render(view("classic"), LAWS, colour=True)
    yield "causes.ansi", terminal.render(view("causes"), LAWS, colour=True)
    yield "mixed-verbose.txt", terminal.render(view("mixed"), LAWS, verbosity=1, written=("JUnit report: junit.xml",))
    yield "known-verbose.txt", terminal.render(view("known"), LAWS, verbosity=1)
    yield "mixed-quiet.txt", terminal.render(view("mixed"), LAWS, verbosity=-1)
    yield "mixed.xml", junit.render(view("mixed"), LAWS)
    yield "attempts.xml", junit.render(view("attempts"), LAWS)
    yield "causes.xml", junit.render(view("causes"), LAWS)
    yield "known.xml", junit.render(view("known"), LAWS)


if __name__ == "__main__":
    for file, text in golden_texts():
        (GOLDEN / file).write_text(text, encoding="utf-8")
