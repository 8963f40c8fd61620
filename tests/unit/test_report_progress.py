"""Progress while a run is under way."""

import io
import re
import threading

import pytest
from report_builder import Stream, case
from report_streams import STREAMS
from rich.cells import cell_len

from sockcheck.events import CaseFinished, CaseNotRun, CaseStarted, Event, RunFinished, TargetFailed
from sockcheck.verdict import Verdict
from sockcheck_reports.progress import Progress

REDRAWN = "\x1b[2K"


def seen(text: str) -> list[str]:
    """What stands on a terminal after this: the lines behind the last time that all was taken away."""
    rest = re.split(r"\r(?:\x1b\[2K)?(?:\x1b\[1A\x1b\[2K)*|\x1b\[\?25[lh]", text)[-1]
    return [line.rstrip() for line in rest.split("\n") if line.strip()]


def shown(events: list[Event], *, terminal: bool, colour: bool = False, close: bool = True) -> str:
    stream = io.StringIO()
    progress = Progress(stream, terminal=terminal, colour=colour)
    for event in events:
        progress.add(event)
    if close:
        progress.close()
        progress.close()
    return stream.getvalue()


def slow_run(cases: int, each: float) -> list[Event]:
    run = Stream().start(total=cases).serve()
    for number in range(cases):
        run.begin(case(f"n{number}"))
        run.judged(Verdict("pass"), each * 1000)
    return run.finish(0)


def test_elsewhere_only_what_does_not_pass_is_named_at_once() -> None:
    assert shown(STREAMS["mixed"](), terminal=False).splitlines() == [
        "FAIL  echo/pieces::cut.at-k  the server closed the connection after 5 bytes: 7 of 12 bytes did not come",
        "ERROR echo/trouble::cut.at-k  no descriptors are left (EMFILE)",
        "ERROR the server exited with status 1 before it listened",
    ]


def test_advice_is_counted_and_not_named() -> None:
    run = Stream().start(total=2).serve().passes()
    run.begin(case()).judged(Verdict("advice", (run.finding(),), "pipelining is not promised"), 11_000)
    said = shown(run.finish(0), terminal=False)
    assert said.startswith("2 of 2 cases after 11.")
    assert said.endswith(": 1 passed, 1 advice\n")


def test_elsewhere_a_line_says_every_ten_seconds_how_far_it_is() -> None:
    assert shown(slow_run(5, 6.0), terminal=False).splitlines() == [
        "2 of 5 cases after 12.04 s: 2 passed",
        "4 of 5 cases after 24.04 s: 4 passed",
    ]


def test_elsewhere_nothing_has_happened_yet() -> None:
    run = Stream().start(total=1).serve()
    run.after(11_000)
    assert shown(run.begin(case()).events, terminal=False) == "0 of 1 case after 11.04 s\n"


@pytest.mark.parametrize("name", STREAMS)
def test_elsewhere_nothing_acts_on_what_reads_it(name: str) -> None:
    assert all(line.isprintable() for line in shown(STREAMS[name](), terminal=False).splitlines())


def test_a_terminal_shows_two_lines_and_takes_them_away() -> None:
    text = shown(slow_run(4, 1.0), terminal=True)
    assert "████████████░░░░░░░░░░░░ 2/4 2 passed" in text
    assert seen(text) == []


def test_a_terminal_names_the_case_that_is_under_way() -> None:
    run = Stream().start(total=2).serve().begin(case("one"))
    run.after(200)
    text = shown(run.begin(case("two")).events, terminal=True, close=False)
    assert seen(text) == ["░" * 24 + " 0/2", "echo/two::cut.at-k"]


def test_what_is_waited_for_is_said_where_nothing_happens() -> None:
    run = Stream().start(total=2).serve().begin(case("one")).connect().sent(0, 5)
    stream = io.StringIO()
    progress = Progress(stream, terminal=True, colour=False)
    for event in run.begin(case("two")).events:
        progress.add(event)
    progress.tick(run.at + 3.2)
    assert seen(stream.getvalue())[1] == "waiting for send, 3.20 s: echo/one::cut.at-k"
    progress.add(run.sent(5, 7, "none", 0.0).events[-1])
    progress.tick(run.at + 3.4)
    assert seen(stream.getvalue())[1].startswith("waiting for send, 3.40 s")
    progress.close()
    lines = shown([*run.events, *run.begin(case("three")).events[-1:]], terminal=False)
    assert lines == ""


def test_elsewhere_too() -> None:
    stream = io.StringIO()
    progress = Progress(stream, terminal=False, colour=False)
    run = Stream().start(total=1).serve().begin(case("one")).connect().sent(0, 12, "none", 0.0)
    for event in run.events:
        progress.add(event)
    for seconds in range(21):
        progress.tick(float(seconds))
    assert stream.getvalue().splitlines() == [
        "0 of 1 case after 10.00 s; waiting for expect, 9.96 s: echo/one::cut.at-k",
        "0 of 1 case after 20.00 s; waiting for expect, 19.96 s: echo/one::cut.at-k",
    ]


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_no_line_is_longer_than_the_terminal_has_become(columns: int) -> None:
    widths = iter([120, *[columns] * 100])
    stream = io.StringIO()
    progress = Progress(stream, terminal=True, colour=False, width=lambda: next(widths))
    run = Stream().start(total=9).serve().begin(case("long" * 100 + "\x1b[31m\r\n\u202e界" * 50)).connect()
    for event in run.events:
        progress.add(event)
    progress.tick(run.at + 5)
    lines = seen(stream.getvalue())
    assert len(lines) == 2
    assert all(cell_len(line) <= columns and line.isprintable() for line in lines)
    progress.close()


def test_a_terminal_is_redrawn_ten_times_a_second_at_most() -> None:
    text = shown(slow_run(1000, 0.001), terminal=True)
    assert 10 < text.count("/1,000") < 25


def test_a_terminal_names_what_does_not_pass() -> None:
    text = shown(STREAMS["classic"](), terminal=True)
    assert "FAIL  echo/pieces::cut.at-k" in text


def test_colour_only_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31mFAIL" in shown(STREAMS["classic"](), terminal=True, colour=True)
    assert "\x1b[1;31m" not in shown(STREAMS["classic"](), terminal=True)


def test_nothing_is_drawn_by_a_thread() -> None:
    before = threading.active_count()
    progress = Progress(io.StringIO(), terminal=True, colour=True)
    for event in Stream().start(total=3).serve().begin(case()).events:
        progress.add(event)
    assert threading.active_count() == before
    progress.close()


def test_hostile_names_do_nothing() -> None:
    names: list[Event] = [
        event
        for event in STREAMS["hostile"]()
        if isinstance(event, CaseStarted | CaseFinished | CaseNotRun | TargetFailed | RunFinished)
    ]
    text = shown(Stream().start(total=9).events + names, terminal=True, colour=True)
    assert "\x07" not in text
    assert "\x1b]0;" not in text
    assert "\u202e" not in text
