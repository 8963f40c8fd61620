"""The grades of a class: what is kept of a run, who fails for the same cause, and what stands in each column."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_builder import Stream, case
from report_causes import cut, fails, named
from report_streams import STREAMS, view

from sockcheck.events import CaseNotRun, TargetFailed
from sockcheck_reports.gradebook import (
    Fault,
    Gradebook,
    Mark,
    Marks,
    Submission,
    decode,
    encode,
    law,
    marks,
    number,
    summary,
)
from sockcheck_reports.grades import Standing, grade
from sockcheck_reports.view import fold

ONE_RECV = Fault("one-recv", "cut.at-k", "takes one recv() for one message", 3)
ODD = Fault("unknown", "cut.at-k", "no known pattern: cut.at-k", 1)


def mark(scenario: str, of_law: str = "plain", standing: Standing = "earned", points: float = 1.0) -> Mark:
    return Mark(scenario, of_law, points, standing, "", True)


def submission(name: str, *rows: Mark, faults: tuple[Fault, ...] = (), why_open: tuple[str, ...] = ()) -> Submission:
    return Submission(name, name, 7, Marks(rows, faults, (), why_open, "", 1.0))


def book(*submissions: Submission) -> Gradebook:
    return Gradebook(submissions, ("sockcheck", "grade", "subs/ada"), ("scenarios/echo",), 0)


@pytest.mark.parametrize("name", STREAMS)
def test_what_is_kept_of_a_run_comes_back_from_its_text(name: str) -> None:
    kept = marks(view(name), grade(view(name)))
    assert decode(encode(kept, "abc")) == (kept, "abc")


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"digest": "a", "rows": [{"x": 1}]}', '{"digest": "a"}'])
def test_what_is_no_such_text_is_told_from_it(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode(text)


def test_points_and_causes_are_those_of_the_run() -> None:
    run = Stream().start(total=4).serve()
    run.add(named(run, *[fails(run, cut(position)) for position in (1, 2)])).passes()
    kept = marks(fold(run.finish()), grade(fold(run.events)))
    assert [(row.column, row.standing) for row in kept.rows] == [
        (("echo/greets", "plain"), "earned"),
        (("echo/pieces", "cut.at-k"), "lost"),
    ]
    assert (kept.earned, kept.total) == (1.0, 2.0)
    assert [(fault.id, fault.cases) for fault in kept.causes] == [("one-recv", 2)]
    # One of the four was never reached.
    assert kept.why_open == ("1 case was never reached",)


def test_a_server_that_never_started_is_a_cause_of_its_own() -> None:
    hello = replace(case("hello"), id="echo/hello::plain")
    run = Stream().start().add(TargetFailed(0.1, 1, "it exited", "", b"", "server"))
    run.add(CaseNotRun(0.1, hello, "it exited", "no-server"))
    kept = marks(fold(run.finish(3)), grade(fold(run.events)))
    found = Submission("ada", "ada", 1, kept)
    assert (found.status, kept.earned) == ("graded", 0.0)
    assert found.reason == "the server did not start: it exited"
    assert [each.fault.label for each in book(found).shared()] == ["no-start"]


def test_a_status_is_told_with_its_reason() -> None:
    assert Submission("ada", "ada", 1).status == "waiting"
    assert Submission("ada", "ada", 1).reason == ""
    crashed = Submission("ada", "ada", 1, None, "its reports could not be made")
    assert (crashed.status, crashed.reason) == ("regrade", "its reports could not be made")
    open_ = submission("ada", mark("echo/a"), why_open=("the run was cut off", "2 rows could not be judged"))
    assert (open_.status, open_.reason) == ("regrade", "the run was cut off; 2 rows could not be judged")
    assert replace(open_, trouble="it was stopped").reason == "it was stopped"
    gated = Submission("ada", "ada", 1, Marks((), (), ("echo/gate",), (), "", 1.0))
    assert (gated.status, gated.reason) == ("graded", "gated by echo/gate")
    # What happened to a run that was judged in full is no reason to repeat it.
    assert replace(gated, trouble="it was stopped").status == "graded"


def test_who_fails_for_the_same_cause_stands_together_the_most_of_them_first() -> None:
    ada = submission("ada", faults=(ONE_RECV,))
    bob = submission("bob", faults=(replace(ODD, law="end.half"), replace(ONE_RECV, cases=9)))
    eve = submission("eve", faults=(ODD, replace(ODD, law="plain")))
    shared = book(ada, bob, eve, Submission("mia", "mia", 1)).shared()
    assert [(each.fault.label, [(member.name, cases) for member, cases in each.members]) for each in shared] == [
        ("one-recv", [("bob", 9), ("ada", 3)]),
        ("breaks:cut.at-k", [("eve", 1)]),
        ("breaks:end.half", [("bob", 1)]),
        ("breaks:plain", [("eve", 1)]),
    ]
    assert [each.fault.sentence for each in shared] == [
        "The server takes one recv() for one message",
        "The server breaks cut.at-k, in a way that fits no known pattern",
        "The server breaks end.half, in a way that fits no known pattern",
        "The exchange does not work, in a way that fits no known pattern",
    ]


def test_columns_are_the_rows_that_count_for_somebody_each_exchange_before_its_laws() -> None:
    ada = submission("ada", mark("echo/b", "cut.at-k"), mark("echo/b"), mark("echo/c", standing="left-out"))
    bob = submission("bob", mark("echo/a", "zero"), mark("echo/b", "cut.at-k", "lost"), mark("echo/d", "x", "left-out"))
    made = book(ada, bob)
    columns = tuple(tally.column for tally in made.tallies())
    assert columns == (("echo/a", "zero"), ("echo/b", "plain"), ("echo/b", "cut.at-k"))
    assert made.tallies()[2].counts == {"earned": 1, "lost": 1}
    assert [law(column) for column in columns] == ["[zero]", "", "[cut.at-k]"]


def test_the_summary_says_how_far_the_class_is() -> None:
    made = book(submission("ada"), submission("bob", why_open=("the run was cut off",)), Submission("eve", "eve", 1))
    assert summary(made) == "3 submissions: 1 graded, 1 to be regraded, 1 not graded yet"
    assert summary(book(submission("ada"))) == "1 submission: 1 graded"


def test_points_are_written_as_a_person_would() -> None:
    assert [number(each) for each in (0.0, 2.0, 2.5, 0.1 + 0.2, 1_234_567.0)] == ["0", "2", "2.5", "0.3", "1234567"]
