"""What the details of a case in the HTML report hold."""

from dataclasses import replace
from typing import Any

import pytest
from report_builder import LAWS, SOURCE, Stream, case
from report_streams import view

from sockcheck.events import Figures, HealthRead, SourceRead
from sockcheck.forms import (
    Span,
)
from sockcheck_reports.cases import Reading
from sockcheck_reports.html_data import details, plots
from sockcheck_reports.view import View, fold


def told(run: View, number: int = 0) -> dict[str, Any]:
    return details(run.failures[number], run, LAWS)


def reading(at: float, files: int | None, cpu: float | None, children: int | None = 0) -> Reading:
    return Reading(at, Figures(files, 1, children, cpu, None))


def test_a_failure_says_what_the_terminal_says() -> None:
    found = told(view("classic"))
    [finding] = found["findings"]
    assert finding["message"] == "the server closed the connection after 5 bytes: 7 of 12 bytes did not come"
    assert finding["where"] == "scenarios/echo/pieces.sock.yaml:8"
    assert finding["texts"] == []
    assert finding["what"] == 'byte 5: expected 0x20 " ", got nothing more'
    assert finding["sides"] == [
        ["expected", '"hello', " ", 'world\\n"', ""],
        ["actual", '"hello', "", '"', " (5 bytes), then the orderly end (b'')"],
    ]
    assert (finding["offset"], finding["hex"]) == (
        "00000000",
        [["68 65 6c 6c 6f ", "20", " 77 6f 72 6c 64 0a"], ["68 65 6c 6c 6f ", "", ""]],
    )
    assert found["laws"] == [["cut.at-k", LAWS["cut.at-k"]]]
    assert found["hints"] == ["recv() returns what has come so far. Keep reading until you have the whole line."]
    assert found["ladder"]["lanes"] == ["client", "server"]
    assert [step[-1] for step in found["ladder"]["steps"]].index(1) == 7
    assert found["output"][2:] == ["got b'hello'", "connection closed"]
    assert found["again"][0] == "Run just this case again"
    assert " ".join(found["again"][1]).startswith("sockcheck run scenarios/echo --select echo/pieces::cut.at-k")


def test_the_source_around_the_place_with_the_place_marked() -> None:
    lines = told(view("classic"))["findings"][0]["source"]
    assert [line[0] for line in lines] == list(range(1, 11))
    assert lines[7] == [8, "  - expect: ", '"hello world\\n"', ""]
    assert lines[4] == [5, "  - connect"]


def test_a_long_source_is_cut_in_both_directions() -> None:
    source = "\n".join([f"# {number}\t{'x' * 300}" for number in range(1, 40)])
    run = Stream().start().serve().begin(case())
    run.add(SourceRead(run.at, "long", source))
    run.verdict("fail", run.finding(span=Span("long", 20, 3, 5)), run.finding(span=Span("missing", 20, 3, 5)))
    first, second = told(fold(run.finish()))["findings"]
    assert [line[0] for line in first["source"]] == list(range(13, 28))
    assert first["source"][0][1] == f"# 13 {'x' * 155}…"
    assert second["source"] == []
    assert SOURCE not in str(second)


def test_without_a_difference_expected_and_actual_are_said() -> None:
    finding = told(view("stalled"))["findings"][0]
    assert (finding["sides"], finding["hex"], finding["what"]) == ([], [], "")
    assert [label for label, _ in finding["texts"]] == ["expected", "actual"]


def test_who_was_not_judged_and_what_else_was_found() -> None:
    same = "crowd[21] to crowd[24]: what came is wrong: byte 17 differs (scenarios/neighbours/backlog.sock.yaml:16)"
    assert told(view("crowd"))["notes"] == [["Also", [same]]]
    assert told(view("backlog"))["notes"] == [
        ["Not judged", ["crowd[0], crowd[1], crowd[3] and crowd[4], since crowd[2] failed first"]]
    ]


def test_each_attempt_has_its_own_diagram_but_those_that_passed() -> None:
    run = view("attempts")
    flaky = next(each for each in run.failures if each.outcome == "flaky")
    found = details(flaky, run, LAWS)
    assert [each["said"].partition(":")[0] for each in found["attempts"]] == [
        "first",
        "again, on a fresh server",
        "again, on a fresh server",
    ]
    # The first is the one that the case is told of.
    assert [(each["ladder"], each["shown"]) for each in found["attempts"]] == [
        (None, True),
        (None, False),
        (None, False),
    ]
    poisoned = details(run.failures[0], run, LAWS)
    assert poisoned["notes"][0][0] == "It fails only after, on the same server"
    failed = [each["ladder"] is not None for each in poisoned["attempts"]]
    assert failed == [True, False, False]


def test_a_case_of_which_nothing_is_known() -> None:
    run = fold(Stream().start().begin(case("empty")).verdict("error", reason="why").events[2:])
    found = details(run.errors[0], run, LAWS)
    assert (found["reason"], found["where"]) == ("why", "scenarios/echo/pieces.sock.yaml:1")
    assert found["ladder"]["steps"] == []
    assert [found[name] for name in ("findings", "plots", "server", "heard", "output", "left", "again", "cause")] == [
        *([], [], [], False, [], "", [], [])
    ]


def test_the_last_of_much_output() -> None:
    found = told(view("huge"))
    assert sum(map(len, found["output"])) <= 16 * 1024
    assert found["left"] == "100.0 kB"


def test_the_figures_of_the_server_that_the_case_ran_on() -> None:
    run = Stream().start(total=4)
    for number in range(4):
        if number != 3:
            run.serve()
        run.begin(case(f"{number}"))
        figures = Figures(5 + number, 1, 0, 0.01 * number, None)
        run.add(HealthRead(run.after(1), run.attempt, True, True, "", figures))
        run.verdict("fail", run.finding())
    shown = fold(run.finish())
    assert [plot["values"] for plot in told(shown, 2)["plots"]] == [[7], [1], [0.02]]
    assert [plot["values"] for plot in told(shown, 3)["plots"]] == [[7, 8], [1, 1], [0.02, 0.01]]


@pytest.mark.parametrize(("ended", "values"), [(2.0, [4, 5]), (3.0, [4, 5, 6])])
def test_figures_up_to_the_case(ended: float, values: list[int]) -> None:
    readings = [reading(at, 3 + at, None) for at in (1, 2, 3)]
    assert plots(readings, ended)[0] == {
        "title": "open descriptors",
        "values": values,
        "last": str(values[-1]),
        "low": "4",
        "high": str(values[-1]),
    }


def test_figures_that_cannot_be_seen_are_not_shown() -> None:
    assert plots([], 9.0) == []
    assert [plot["title"] for plot in plots([reading(1, None, None)], 9.0)] == ["threads"]
    shown = plots([reading(1, 4, 0.5, 2), reading(2, None, None, 0), reading(3, 6, 0.75)], 9.0)
    assert [(plot["title"], plot["values"], plot["low"], plot["high"]) for plot in shown] == [
        ("open descriptors", [4, None, 6], "4", "6"),
        ("threads", [1, 1, 1], "1", "1"),
        ("child processes", [2, 0, 0], "0", "2"),
        ("CPU time", [0.5, None, None], "500 ms", "500 ms"),
    ]
    assert [plot["last"] for plot in shown] == ["6", "1", "0", ""]


def test_cpu_time_is_told_by_case_also_of_a_server_that_was_started_again() -> None:
    shown = plots([reading(at, None, cpu) for at, cpu in enumerate((0.1, 0.3, 0.05, 0.05))], 9.0)
    assert shown[-1]["values"] == [0.1, 0.2, 0.05, 0]
    assert (shown[-1]["low"], shown[-1]["high"], shown[-1]["last"]) == ("0.00 ms", "200 ms", "0.00 ms")


def test_of_many_readings_the_last_are_shown() -> None:
    shown = plots([reading(at, at + 1, at / 100) for at in range(100)], 1000.0)
    assert [len(plot["values"]) for plot in shown] == [60] * 3
    assert shown[0]["low"] == "41"


def test_a_case_knows_its_cause() -> None:
    run = view("causes")
    assert details(run.failures[0], run, LAWS, ("text", "cause-1"))["cause"] == ["text", "cause-1"]
    assert replace(run.failures[0]).label in str(details(run.failures[0], run, LAWS)["again"])
