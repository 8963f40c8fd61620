"""What has changed between two runs: by case, by law, by cause; and what is no news."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from report_builder import HOSTILE, Stream, case
from report_causes import named

from sockcheck.case import Case
from sockcheck.events import CaseNotRun, CaseStarted, Event, Plan, PlannedServer, Share, SourceRead
from sockcheck.verdict import Kind, Outcome
from sockcheck_reports.difference import Difference, compare
from sockcheck_reports.difference_text import render, to_json
from sockcheck_reports.view import View, fold

PLAN = Plan("d", (), (PlannedServer(("echo",), ("python", "server.py")),))


def cut(byte: int, name: str = "pieces") -> Case:
    label = f"client.2:{byte}"
    return replace(case(name), id=f"echo/{name}::cut.at-k({label})", variation=label)


class Run(Stream):
    """A run in which each case comes to what is said of it."""

    def case(self, name: str | Case, outcome: Outcome = "pass", kind: Kind = "silence", took: float = 50.0) -> Run:
        self.begin(case(name, law="plain") if isinstance(name, str) else name).connect()
        self.at += took / 1000
        findings = () if outcome in ("pass", "error", "busy") else (self.finding(kind, message=f"{kind} it was"),)
        self.verdict(outcome, *findings, reason="" if findings or outcome == "pass" else f"{outcome} it was")
        return self

    def not_run(self, name: Case, why: str = "a reason") -> Run:
        self.add(CaseNotRun(self.at, name, why))
        return self


def run(**facts: Any) -> Run:
    started = Run()
    started.start(plan=PLAN, **facts).serve()
    return started


def view(one: Run, code: int = 0, why: str = "") -> View:
    # The cases that there are, so that none is missing.
    return replace(fold(one.finish(code, why)), never_reached=0)


def of(old: Run, new: Run) -> Difference:
    return compare(view(old), view(new))


def names(changes: Sequence[Any]) -> list[str]:
    return [change.name.removeprefix("echo/").removesuffix("::plain") for change in changes]


def groups(difference: Difference) -> dict[str, list[str]]:
    found = {
        name: names(getattr(difference, name))
        for name in (
            "newly_failing",
            "newly_flaky",
            "flaky_otherwise",
            "fixed",
            "still_failing",
            "unjudged",
            "new_cases",
            "gone_cases",
            "slower",
        )
    }
    return {name: those for name, those in found.items() if those}


def test_the_records_are_named_where_they_have_names() -> None:
    difference = of(run().case("a"), run().case("a"))
    text = render(difference, view(run().case("a")), fold([]), names=("ada/record.jsonl", "\x1b[2Jben"))
    assert text.startswith("OLD  ada/record.jsonl, 2025-11-20 13:15:00 UTC: 1 case\nNEW  \\x1b[2Jben: 0 cases\n"), text


def test_where_nothing_has_changed_that_is_said() -> None:
    difference = of(run().case("a"), run().case("a"))
    assert groups(difference) == {}
    assert (difference.exit_code, difference.unlike, difference.unsure, difference.laws) == (0, (), "", ())
    text = render(difference, view(run().case("a")), view(run().case("a")))
    assert (
        text == "OLD  2025-11-20 13:15:00 UTC: 1 case\nNEW  2025-11-20 13:15:00 UTC: 1 case\n\nNothing has changed.\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "group", "code"),
    [
        ("pass", "fail", "newly_failing", 1),
        ("error", "fail", "newly_failing", 1),
        ("advice", "fail", "newly_failing", 1),
        ("pass", "flaky", "newly_flaky", 1),
        ("fail", "flaky", "flaky_otherwise", 0),
        ("flaky", "fail", "flaky_otherwise", 0),
        ("fail", "pass", "fixed", 0),
        ("flaky", "pass", "fixed", 0),
        ("fail", "fail", "still_failing", 0),
        ("flaky", "flaky", "still_failing", 0),
        ("pass", "error", "unjudged", 0),
        ("fail", "busy", "unjudged", 0),
        ("pass", "advice", "unjudged", 0),
        ("error", "pass", "", 0),
        ("error", "busy", "", 0),
    ],
)
def test_a_case_that_is_in_both(old: Outcome, new: Outcome, group: str, code: int) -> None:
    difference = of(run().case("a", old), run().case("a", new))
    assert groups(difference) == ({group: ["a"]} if group else {})
    assert difference.exit_code == code


def test_a_moment_that_is_written_otherwise_is_shown_as_it_is() -> None:
    nothing = view(run(started="2025-11-20T13:15:00+01:00"))
    assert "OLD  2025-11-20T13:15:00+01:00: 1 case" in render(compare(nothing, nothing), nothing, nothing)


def test_cases_come_and_go() -> None:
    difference = of(run().case("a").case("old", "fail"), run().case("a").case("new").case("bad", "fail"))
    assert groups(difference) == {
        "newly_failing": ["bad"],
        "new_cases": ["new", "bad"],
        "gone_cases": ["old"],
    }


@pytest.mark.parametrize("reason", ["in the baseline (known.yaml:3)", "known failure: issue 12"])
def test_what_is_known_to_fail_and_passes_is_fixed(reason: str) -> None:
    known = run()
    known.begin(case("a", law="plain")).verdict("skip", known.finding(), reason=reason)
    assert groups(of(known, run().case("a"))) == {"fixed": ["a"]}
    known = run()
    known.begin(case("a", law="plain")).verdict("skip", known.finding(), reason=reason)
    assert groups(of(run().case("a", "fail"), known)) == {"unjudged": ["a"]}


def test_which_variations_of_a_broken_law_were_run_is_no_news() -> None:
    old = run().case(cut(1), "fail").case(cut(2), "fail").not_run(cut(3)).case(cut(5))
    new = run().case(cut(1), "fail").not_run(cut(2)).case(cut(3), "fail").case(cut(4), "fail").case(cut(5), "fail")
    found = groups(of(old, new))
    assert found["newly_failing"] == ["pieces::cut.at-k(client.2:5)"], "that passed before"
    assert found["still_failing"] == [f"pieces::cut.at-k(client.2:{byte})" for byte in (1, 3, 4, 2)]
    assert "unjudged" not in found


def test_what_is_not_run_any_more_is_told_by_its_reason() -> None:
    old = run().case("a").case(cut(1)).case(cut(2), "fail")
    new = run().case("a", "fail").not_run(cut(1), "the exchange fails").not_run(cut(2), "the exchange fails")
    difference = of(old, new)
    assert groups(difference)["unjudged"] == ["pieces::cut.at-k(client.2:1)", "pieces::cut.at-k(client.2:2)"]
    text = render(difference, view(old), view(new))
    assert "\n2 cases no longer judged, 1 of which failed before, not run: the exchange fails\n" in text
    assert "Laws" not in text, "it is not known whether it is kept"
    skipped = run().case("a").not_run(replace(cut(1), skip="here not"))
    assert groups(of(old, skipped))["unjudged"] == ["pieces::cut.at-k(client.2:1)"]


def test_of_several_times_the_worst_counts_and_a_fresh_client_is_told_apart() -> None:
    old = run().case("a").case("a")
    new = run().case("a").case("a", "fail").case("a", "flaky")
    assert names(of(old, new).newly_failing) == ["a"]
    fresh = run().case("a")
    fresh.attempt += 1
    fresh.add(CaseStarted(fresh.at, fresh.attempt, 1, case("a", law="plain"), trial=fresh.attempt, role="probe"))
    fresh.verdict("fail", fresh.finding())
    assert [change.name for change in of(run().case("a"), fresh).newly_failing] == ["echo/a::plain (a fresh client)"]


def test_laws_are_told_with_both_sides() -> None:
    difference = of(run().case(cut(1)).case(cut(2)), run().case(cut(1), "fail").case(cut(2)))
    [law] = difference.laws
    assert (law.name, dict(law.old), dict(law.new)) == (
        "echo/pieces::cut.at-k",
        {"passed": 2},
        {"failed": 1, "passed": 1},
    )
    assert law.turned
    more = of(run().case(cut(1), "fail").case(cut(2)), run().case(cut(1), "fail").case(cut(2), "fail"))
    assert [each.turned for each in more.laws] == [False]


def test_causes_come_and_go() -> None:
    def caused(name: str) -> Run:
        one = run().case(cut(1), "fail")
        one.add(named(one, cut(1).id, id=name))
        return one

    difference = of(caused("one-recv"), caused("hard-close"))
    assert [cause.id for cause in difference.causes_came] == ["hard-close"]
    assert [cause.id for cause in difference.causes_went] == ["one-recv"]
    assert groups(of(caused("unknown"), caused("one-recv")))["still_failing"]
    text = render(difference, view(caused("one-recv")), view(caused("hard-close")))
    assert "Causes that came\n  hard-close: the server " in text
    assert "Causes that went\n  one-recv: the server " in text


def test_only_large_ratios_of_times_are_said_and_judge_nothing() -> None:
    difference = of(
        run().case("a", took=200).case("b", took=1).case("c", took=900).case("d", "fail", took=1),
        run().case("a", took=2000).case("b", took=300).case("c", took=1500).case("d", "fail", took=9000),
    )
    assert names(difference.slower) == ["a"]
    assert difference.exit_code == 0
    text = render(difference, view(run()), view(run()))
    assert "1 case passed and took much longer, which may be the machine's doing:\n  echo/a::plain\n" in text


@pytest.mark.parametrize(
    ("code", "why", "exit_code", "said"),
    [
        (1, "", 0, ""),
        (5, "", 5, "The run NEW ended with exit code 5: not all cases could be judged."),
        (3, "no server", 3, "The run ended early: no server"),
        (130, "interrupted", 130, "The run ended early: interrupted"),
    ],
)
def test_a_run_that_could_not_judge_all_says_so(code: int, why: str, exit_code: int, said: str) -> None:
    difference = compare(view(run().case("a")), view(run().case("a"), code, why))
    assert (difference.exit_code, difference.unsure) == (exit_code, said)
    worse = compare(view(run().case("a")), view(run().case("a", "fail"), code, why))
    assert worse.exit_code == 1


def test_what_a_record_that_was_cut_off_lacks_is_not_gone() -> None:
    new = fold(run().case("a").events)
    difference = compare(view(run().case("a").case("b").case("c", "error")), new)
    assert groups(difference) == {"unjudged": ["b"]}
    assert difference.exit_code == 4
    assert "1 case no longer judged, not there: the record does not have it" in render(difference, new, new)
    old = compare(new, view(run().case("a").case("b", "fail")))
    assert old.unlike == ("OLD: The record is not whole: the run was cut off.",)
    assert old.exit_code == 1
    partial = compare(
        view(run().case("a")), fold(run(share=Share((1,), 2)).case("b").finish(4, "shard 2/2 is missing"))
    )
    assert partial.unsure == "The run is not whole: shard 2/2 is missing"


def test_what_else_differs_is_said() -> None:
    plan = replace(PLAN, options=("--strict",), servers=(PlannedServer(("echo",), ("./server",)),))
    old, new = run().case("a"), Run()
    new.start(plan=plan, sockcheck="0.2.0", platform="Linux 7").serve()
    new.case("a")
    for path, texts in {"a": ("1", "2"), "b": ("1", None), "c": (None, "1")}.items():
        for one, text in zip((old, new), texts, strict=True):
            if text is not None:
                one.events.insert(1, SourceRead(0.0, path, text))
    assert of(old, new).unlike == (
        "sockcheck 0.1.0, now 0.2.0",
        "the server: python server.py; now ./server",
        "options: none; now --strict",
        "the machine: Linux 6.18.44 x86_64, Python 3.11.7; now Linux 7",
        "1 file changed: a",
        "1 file only in NEW: c",
        "1 file only in OLD: b",
    )
    for number in range(5):
        new.events.insert(1, SourceRead(0.0, f"z{number}", ""))
    assert "6 files only in NEW: z4, z3, z2 and 3 more" in of(old, new).unlike
    assert compare(fold([]), fold([])).unlike == ("OLD: The record is not whole: the run was cut off.",)


def many() -> tuple[View, View]:
    old, new = run(), run()
    for number in range(30):
        old.case(f"a{number}").case(f"b{number}", "fail").case(cut(1, f"c{number}")).case(cut(2, f"c{number}"))
        new.case(f"a{number}", "fail").case(f"b{number}", "fail", "reset")
        new.case(cut(1, f"c{number}"), "fail").case(cut(2, f"c{number}"), "fail")
    old.begin(case("bytes\x1b[31m")).verdict()
    new.begin(case("bytes\x1b[31m")).verdict("fail", new.finding(message=HOSTILE.decode("latin-1")))
    return view(old), view(new)


@pytest.mark.parametrize("colour", [False, True])
def test_long_lists_are_cut_and_lines_fit(colour: bool) -> None:
    old, new = many()
    text = render(compare(old, new), old, new, colour=colour)
    if not colour:
        assert "\x1b" not in text
        assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "NEWLY FAILING" in text
    assert "and 71 more" in text
    assert "Still failing, but otherwise" in text
    assert "(before: failed, silence)" in text
    assert "Laws that were kept or broken, and are not now" in text


def test_programs_get_all_of_it() -> None:
    old, new = many()
    text = to_json(compare(old, new), old, new)
    assert text.isascii()
    tree = json.loads(text)
    assert (tree["exit_code"], len(tree["newly_failing"]), len(tree["still_failing"])) == (1, 91, 30)
    assert tree["newly_failing"][0]["case"] == "echo/a0::plain"
    assert tree["newly_failing"][0]["old"]["state"] == "passed"
    assert tree["laws"][0].keys() == {"law", "old", "new"}
    assert tree["old"]["cases"] == 121
    one = run().case("a", "fail")
    one.add(named(one, "echo/a::plain"))
    tree = json.loads(to_json(of(run().case("a"), one), view(run()), fold([])))
    assert tree["causes_came"][0]["id"] == "one-recv"
    assert tree["new"] == {"started": "", "command": [], "cases": 0, "failed": 0, "flaky": 0, "exit_code": None}


def test_events_of_nothing_come_to_nothing() -> None:
    nothing: list[Event] = []
    difference = compare(fold(nothing), fold(nothing))
    assert difference.exit_code == 4
    assert render(difference, fold(nothing), fold(nothing)).startswith("OLD  0 cases\nNEW  0 cases\n")
