"""The report for the terminal: golden texts, widths, colours."""

import re
from dataclasses import replace
from typing import get_args

import pytest
from report_builder import COMMAND, LAWS, Stream, case
from report_causes import fails, named
from report_streams import GOLDEN, STREAMS, golden_texts, view
from rich.cells import cell_len

from sockcheck.case import Actor
from sockcheck.events import CaseNotRun, Share
from sockcheck.verdict import Difference, Kind
from sockcheck_reports.failure import wrap
from sockcheck_reports.terminal import overview, render, use_colour
from sockcheck_reports.view import fold

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("name", [name for name, _ in golden_texts()])
def test_golden(name: str) -> None:
    assert dict(golden_texts())[name] == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    ["classic", "every-kind", "mixed", "cut-off", "huge", "empty", "stalled", "crowd", "life", "known", "causes"],
)
@pytest.mark.parametrize("width", [60, 71, 80, 132])
def test_no_line_is_wider_than_it_may_be(name: str, width: int) -> None:
    path = "HTML report: " + "x" * 300
    text = render(view(name), LAWS, width=width, verbosity=1, written=(path,))
    # Only the path of a report is never broken, so that it can be opened.
    assert [line for line in text.splitlines() if cell_len(line) > width] == [path]


def test_whatever_came_the_report_is_one_printable_character_after_the_other() -> None:
    for name in ("hostile-cause", "hostile"):
        text = render(view(name), LAWS, verbosity=1)
        assert [line for line in text.splitlines() if not line.isprintable()] == []
    assert "[bold]markup[/bold] :smile:" in text.replace("\n", " ")


@pytest.mark.parametrize("name", STREAMS)
def test_colour_changes_nothing_but_the_colour(name: str) -> None:
    coloured = render(view(name), LAWS, colour=True)
    plain = render(view(name), LAWS)
    assert "\x1b" not in plain
    assert "\x1b" in coloured
    assert ANSI.sub("", coloured) == plain


@pytest.mark.parametrize("name", ["NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"])
def test_the_text_does_not_depend_on_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = render(view("classic"), LAWS, colour=True)
    monkeypatch.setenv(name, "dumb" if name == "TERM" else "1")
    assert render(view("classic"), LAWS, colour=True) == before


@pytest.mark.parametrize(
    ("terminal", "environ", "colour"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_where_colour_is_used(terminal: bool, environ: dict[str, str], colour: bool) -> None:
    assert use_colour(terminal, environ) is colour


def test_only_the_first_failures_are_shown_in_full_unless_all_are_asked_for() -> None:
    brief = render(view("every-kind"), LAWS)
    assert brief.count("Run just this case again:") == 10
    more = len(get_args(Kind)) - 10
    assert (
        f"  {more} more cases did not pass (-v shows them in full):\nFAIL  echo/kind-no-connection::cut.at-k\n" in brief
    )
    assert render(view("every-kind"), LAWS, verbosity=1).count("Run just this case again:") == len(get_args(Kind))


def test_the_causes_come_first_and_only_the_smallest_case_of_each_is_shown_in_full() -> None:
    brief = render(view("causes"), LAWS)
    assert brief.startswith(
        "2 causes explain 12 failing cases; 2 more fit no known pattern.\n\nCAUSE  The server takes"
    )
    assert brief.count("Run just this case again:") == 3
    assert (
        "  10 more cases of this cause (-v shows them in full):\n    FAIL  echo/pieces::cut.at-k(client.1:2)\n" in brief
    )
    assert "    FAIL  echo/pieces::cut.at-k(client.1:9)\n    and 2 more\n" in brief
    assert "  1 more case that breaks this law (-v shows them in full):\n    FAIL  echo/odd-2::plain\n" in brief
    full = render(view("causes"), LAWS, verbosity=1)
    assert full.count("Run just this case again:") == 16
    assert "more case" not in full


def test_advice_is_told_apart_and_counted() -> None:
    brief = render(view("causes"), LAWS)
    assert "\nAdvice: not promised, so it does not count\n\nADVICE  The server drops what comes behind" in brief
    assert "\n        tail-dropped: 1 case, since pipelining is not promised\n" in brief
    assert "\n    ADVICE  echo/half::merge.pipeline\n" in brief
    assert brief.endswith("\n17 cases: 14 failed, 1 passed, 2 advice in 64 ms\n")
    assert "2 advice" in render(view("causes"), LAWS, verbosity=-1)
    run = Stream().start().serve().passes()
    run.begin(case("half")).verdict("advice", run.finding(), reason="the contract does not promise half-close")
    alone = render(fold(run.finish(0)), LAWS)
    assert alone.startswith("Advice: not promised, so it does not count\n\n    ADVICE  echo/half::cut.at-k\n\n")


@pytest.mark.parametrize(
    ("command", "language"),
    [
        (("python3.11", "server"), "Python"),
        (("/usr/bin/pypy", "-u", "server"), "Python"),
        (("uv", "run", "server.py"), "Python"),
        (("./server", "7000"), "C"),
        ((), "C"),
    ],
)
def test_how_to_mend_it_is_told_in_the_language_of_the_server(command: tuple[str, ...], language: str) -> None:
    run = Stream().start().serve(command)
    which = fails(run, case())
    run.add(named(run, which, mend_python="Python", mend_c="C"))
    assert f"\n  Mend     {language}\n" in render(fold(run.finish()), LAWS)


def test_where_another_tells_the_cases_there_are_causes_and_advice_and_what_was_weaker() -> None:
    told = "\n".join(line.plain for line in overview(view("causes"), LAWS, 80))
    assert told.startswith("2 causes explain 12 failing cases; 2 more fit no known pattern.\n\nCAUSE  The server takes")
    assert "\nADVICE  The server" in told
    assert "\nFAIL  " not in told
    weak = overview(view("mixed"), LAWS, 80)
    assert "Weaker than usual:" in [line.plain for line in weak]
    assert overview(fold(Stream().start().serve().passes().finish(0)), LAWS, 80) == []


def test_without_the_command_of_the_run_only_the_law_can_be_read_about() -> None:
    run = Stream().serve()
    which = fails(run, case())
    text = render(fold([*run.events, named(run, which)]), LAWS)
    assert "\n  Next     sockcheck explain cut.at-k\n\n" in text
    assert text.startswith("1 cause explains 1 failing case.\n")
    run.start().serve()
    fails(run, case("other"))
    text = render(fold([*run.events, named(run, which)]), LAWS)
    assert text.startswith("1 cause explains 1 failing case; 1 more fits no known pattern.\n")


def test_known_failures_are_named_under_their_reasons_and_told_where_all_is_asked_for() -> None:
    brief = render(view("known"), LAWS)
    assert "\n2 known failures: issue 12\n  echo/pieces::cut.at-k\n  echo/bytes::cut.at-k\n" in brief
    assert brief.endswith("\n5 cases: 1 failed, 1 passed, 3 known failures in 48 ms\n")
    full = render(view("known"), LAWS, verbosity=1)
    assert full.count("\nKNOWN  echo/") == 3
    assert "\n  known failure: issue 12\n" in full
    assert "not run" not in full


def test_what_is_in_the_baseline_is_told_apart_from_known_failures() -> None:
    run = Stream().start(total=3).serve().passes()
    for number in range(2):
        run.begin(case(f"n{number}")).verdict(
            "skip", run.finding(), reason=f"in the baseline (known.yaml:{number + 3})"
        )
    run.begin(case("other")).verdict("skip", run.finding(), reason="known failure: issue 12")
    text = render(fold(run.finish(0)), LAWS)
    assert text.startswith(
        "2 failures in the baseline\n  echo/n0::cut.at-k\n  echo/n1::cut.at-k\n1 known failure: issue"
    )
    assert "4 cases: 1 passed, 2 in the baseline, 1 known failure in" in text


@pytest.mark.parametrize(
    ("share", "total", "why", "said"),
    [
        (Share((2,), 5), 1, "", "Shard 2/5: the other cases are in the other shards.\n"),
        (Share((1,), 1), 1, "", ""),
        (Share((1, 2), 2), 1, "", ""),
        (
            Share((1, 2, 4, 5), 5),
            1,
            "shard 3/5 is missing",
            "The run is not whole: shard 3/5 is missing\n",
        ),
    ],
)
def test_a_share_of_a_run_says_so(share: Share, total: int, why: str, said: str) -> None:
    text = render(fold(Stream().start(share=share, total=total).serve().passes().finish(0, why)), LAWS)
    assert text.partition("1 case: ")[0] == said


def test_a_shard_without_a_case_says_so_and_nothing_else() -> None:
    text = render(fold(Stream().start(share=Share((7,), 9), total=0).finish(0)), LAWS)
    assert text == "Shard 7/9 has no case: there are fewer scenarios than shards.\n"


def test_many_known_failures_are_counted() -> None:
    run = Stream().start(total=12).serve()
    for number in range(12):
        run.begin(case(f"n{number}")).verdict("skip", run.finding(), reason="known failure: issue 12")
    text = render(fold(run.finish(0)), LAWS)
    assert text.startswith("12 known failures: issue 12\n  echo/n0::cut.at-k\n")
    assert "  echo/n9::cut.at-k\n  and 2 more\n" in text


def test_where_nothing_came_there_is_nothing_to_compare() -> None:
    run = Stream().start().serve().begin(case())
    finding = run.finding("silence", actual="nothing", difference=Difference(0, 0, b"hello world\n", b""))
    text = render(fold(run.verdict("fail", finding).finish()), LAWS)
    assert "    actual    nothing\n\n  Law" in text


def test_many_findings_are_told_in_few_words() -> None:
    run = Stream().start().serve().begin(replace(case(), actors=tuple(Actor(f"c[{n}]", ()) for n in range(40))))
    findings = [run.by(f"c[{number}]").finding(message=f"message {number // 3}") for number in range(40)]
    text = render(fold(run.verdict("fail", *findings).finish()), LAWS)
    assert text.count("first difference") + text.count(" of 40: ") == 3
    assert "    - c[1] and c[2]: message 0 (scenarios/echo/pieces.sock.yaml:8)\n" in text
    assert "    - c[9] to c[11]: message 3 (scenarios/echo/pieces.sock.yaml:8)\n" in text
    assert "    - and 16 more findings\n" in text


def test_cases_that_were_not_run_are_counted_by_reason() -> None:
    run = Stream().start(total=4)
    for name in ("a", "b", "c"):
        run.add(CaseNotRun(run.after(1), case(name), "stopped after the first failure" if name != "c" else ""))
    text = render(fold(run.finish(1)), LAWS)
    assert text.startswith("2 cases not run: stopped after the first failure\n2 cases not run: no reason was given\n\n")


def test_several_clients_are_told_apart() -> None:
    several = replace(case(), actors=(*case().actors, Actor("bob", ())))
    run = Stream().start().serve(()).begin(several).connect().verdict("fail", Stream().finding())
    text = render(fold(run.finish()), {})
    assert "-- client: connected to" in text
    assert "\n  Server  at 127.0.12.1:41731, not started by sockcheck\n" in text
    assert "The server" not in text
    assert "  Law cut.at-k\n" in text


def test_nothing_recorded_and_no_run() -> None:
    text = render(fold(Stream(target=1).begin(case()).events), LAWS)
    assert "Timeline: nothing was recorded" in text
    assert "again" not in text


def test_hostile_words_of_the_command_can_still_be_copied() -> None:
    text = render(fold(Stream().start(command=(*COMMAND, "\x1b\u202e")).begin(case()).events), LAWS)
    assert "$'\\x1b\\xe2\\x80\\xae'" in text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("abcdefghijklmnop q", ["abcdefgh", "ijklmnop", "q"]),
        ("世界世界世界", ["世界世界", "世界"]),
        ("a  b", ["a  b"]),
    ],
)
def test_wrap(text: str, lines: list[str]) -> None:
    assert wrap(text, 8) == lines
