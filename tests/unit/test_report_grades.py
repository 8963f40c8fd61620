"""Points: what each row of a run is worth, and what nobody can be blamed for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from report_builder import Stream, case
from report_streams import STREAMS, view

from sockcheck.case import Case
from sockcheck.events import CaseNotRun, CaseStarted, NotRun, Share, TargetFailed
from sockcheck.verdict import Outcome
from sockcheck_reports.grades import Grade, Grades, Standing, grade
from sockcheck_reports.view import fold

HELLO = replace(case("hello", law="plain"), id="echo/hello::plain")


def cut(at: int, **facts: Any) -> Case:
    made = replace(case("hello", law="cut.at-k"), id=f"echo/hello::cut.at-k({at})", hint="Read on.")
    return replace(made, **facts)


def ended(run: Stream, which: Case, outcome: Outcome) -> Stream:
    run.begin(which).connect()
    return run.verdict(outcome, *([run.finding()] if outcome in ("fail", "flaky", "advice") else []), reason="so it is")


def graded(*cases: tuple[Case, Outcome | NotRun], total: int | None = None, **facts: Any) -> Grades:
    """What a run comes to in which these cases ended so, or were not run for that reason."""
    run = Stream().start(total=len(cases) if total is None else total, **facts).serve()
    for which, how in cases:
        if how in get_args(NotRun):
            run.add(CaseNotRun(run.at, which, f"it is {how}", how))  # type: ignore[arg-type]
        else:
            ended(run, which, how)  # type: ignore[arg-type]
    return grade(fold(run.finish()))


def row(*cases: tuple[Case, Outcome | NotRun], **facts: Any) -> Grade:
    [only] = graded(*cases, **facts).rows
    return only


@pytest.mark.parametrize(
    ("ends", "standing"),
    [
        (["pass", "pass"], "earned"),
        (["pass", "fail"], "lost"),
        (["pass", "flaky"], "lost"),
        (["pass", "advice"], "earned"),
        (["pass", "error"], "regrade"),
        (["pass", "busy"], "regrade"),
        (["error", "fail"], "lost"),
        (["pass", "skip"], "earned"),
        (["skip", "skip"], "left-out"),
        (["pass", "skipped"], "earned"),
        (["skipped"], "left-out"),
        (["such"], "left-out"),
        (["pass", "pointless"], "lost"),
        (["fail", "broken"], "lost"),
        (["advice", "broken"], "earned"),
        (["pass", "stopped"], "regrade"),
        (["pass", "no-server"], "regrade"),
        (["stopped", "fail"], "lost"),
    ],
)
def test_a_row_is_earned_when_all_its_cases_pass(ends: list[Outcome | NotRun], standing: Standing) -> None:
    found = row(*((cut(number), how) for number, how in enumerate(ends)))
    assert found.standing == standing
    assert found.cases == len(ends)
    assert found.earned == (1.0 if standing == "earned" else 0.0)
    assert bool(found.why) == (standing != "earned")


def test_what_flakiness_is_worth_is_for_the_run_to_say() -> None:
    assert row((cut(1), "flaky"), flaky="pass").standing == "earned"
    assert row((cut(1), "flaky"), flaky="pass").failing == ()


def test_rows_stand_by_contract_scenario_and_law_the_exchange_itself_first() -> None:
    hello, other = replace(HELLO, points=2.5, visibility="hidden"), replace(case("other"), contract="chat")
    result = graded((cut(2), "fail"), (cut(1), "pass"), (hello, "pass"), (other, "pass"))
    assert [(each.scenario, each.law, each.points, each.earned) for each in result.rows] == [
        ("chat/other", "cut.at-k", 1.0, 1.0),
        ("echo/hello", "plain", 2.5, 2.5),
        ("echo/hello", "cut.at-k", 1.0, 0.0),
    ]
    assert (result.earned, result.total, result.regrade) == (3.5, 4.5, False)
    assert result.rows[1].visibility == "hidden"
    lost = result.rows[2]
    assert lost.why == "1 of 2 cases failed"
    assert [each.case.id for each in lost.failing] == ["echo/hello::cut.at-k(2)"]
    assert lost.hints == ("Read on.",)


def test_all_combinations_of_a_matrix_are_one_row() -> None:
    both = [replace(HELLO, id=f"echo/hello[n={n}]::plain") for n in (1, 2)]
    assert row((both[0], "pass"), (both[1], "fail")).scenario == "echo/hello"


def test_what_is_left_out_is_no_part_of_the_total() -> None:
    known = replace(case("known"), known_failure="issue 7")
    result = graded((HELLO, "pass"), (replace(case("half"), skip="no"), "skipped"), (known, "fail"))
    assert [each.standing for each in result.rows] == ["left-out", "earned", "left-out"]
    assert (result.total, len(result.counting), result.regrade) == (1.0, 1, False)
    assert result.rows[2].why == "known failure: issue 7"


def test_an_open_row_says_why_and_the_whole_result_does() -> None:
    result = graded((HELLO, "busy"))
    assert result.rows[0].why == "echo/hello::plain: so it is"
    assert [each.label for each in result.rows[0].open] == ["echo/hello::plain"]
    assert result.regrade
    assert result.why_open == ("1 row could not be judged: echo/hello::plain: so it is",)


def test_a_run_that_was_stopped_or_cut_off_is_to_be_repeated() -> None:
    run = Stream().start(total=3).serve()
    ended(run, HELLO, "pass").add(CaseNotRun(run.at, cut(1), "interrupted by SIGINT", "stopped"))
    result = grade(fold(run.finish(130, "interrupted by SIGINT")))
    assert result.why_open == (
        "the run ended early: interrupted by SIGINT",
        "1 case was never reached",
        "1 row could not be judged: echo/hello::cut.at-k(1) was not run: interrupted by SIGINT",
    )
    cut_off = grade(view("cut-off"))
    assert cut_off.why_open[:2] == ("the run was cut off", "3 cases were never reached")
    assert grade(view("empty")).why_open == ("the run was cut off",)
    assert grade(fold(Stream().start(total=0).finish(0))).why_open == ("no case was run",)


def test_a_shard_alone_is_no_grade_and_all_of_them_are() -> None:
    alone = graded((HELLO, "pass"), share=Share((2,), 3))
    assert alone.why_open == ("only 1 of 3 shards is here: merge their records",)
    assert not graded((HELLO, "pass"), share=Share((1, 2, 3), 3)).regrade


def test_what_a_fresh_client_found_costs_no_points() -> None:
    run = ended(Stream().start(total=1).serve(), HELLO, "pass")
    run.attempt += 1
    run.add(CaseStarted(run.at, run.attempt, 1, HELLO, trial=run.attempt, role="probe"))
    run.verdict("fail", run.finding("exited", law="life.survives"))
    result = grade(fold(run.finish(1)))
    assert (result.earned, result.total) == (1.0, 1.0)
    assert [each.label for each in result.beside] == ["echo/hello::plain (a fresh client)"]


def test_the_causes_of_a_row_are_those_of_its_failing_cases() -> None:
    result = grade(view("causes"))
    named = {each.named.id for found in result.rows for each in found.causes}
    assert named >= {"one-recv", "hard-close"}
    for found in result.rows:
        failing = {id(each) for each in found.failing}
        assert all(failing & {id(each) for each in cause.cases} for cause in found.causes)


FAILED = "the server exited with status 1 before it listened"


@pytest.mark.parametrize(
    ("fault", "began", "why", "standing"),
    [
        ("server", False, FAILED, "lost"),
        ("unknown", False, FAILED, "regrade"),
        ("server", True, FAILED, "regrade"),
        ("server", False, "something else", "regrade"),
    ],
)
def test_a_server_that_never_started_by_its_own_fault_is_worth_nothing(
    fault: Any, began: bool, why: str, standing: Standing
) -> None:
    run = Stream().start(total=1 + began)
    if began:
        ended(run.serve(), HELLO, "pass")
    run.add(TargetFailed(run.at, 1, FAILED, "", b"Traceback", fault)).add(CaseNotRun(run.at, cut(1), why, "no-server"))
    result = grade(fold(run.finish(3)))
    assert result.rows[-1].standing == standing
    assert result.regrade == (standing == "regrade")


GATE = replace(HELLO, gate=True)


def test_behind_a_gate_that_failed_nothing_is_earned() -> None:
    other, elsewhere, half = case("other"), replace(case("other"), contract="chat"), case("half")
    result = graded(
        (GATE, "fail"), (cut(1), "pass"), (other, "error"), (elsewhere, "pass"), (half, "skipped"), (case("z"), "fail")
    )
    assert [(each.scenario, each.standing, each.why) for each in result.rows] == [
        ("chat/other", "earned", ""),
        ("echo/half", "left-out", "it is skipped"),
        ("echo/hello", "lost", "1 of 1 case failed"),
        ("echo/hello", "lost", "gated by echo/hello"),
        ("echo/other", "lost", "gated by echo/hello"),
        ("echo/z", "lost", "1 of 1 case failed"),
    ]
    assert result.rows[3].gated_by == ("echo/hello",)
    assert not result.regrade


def test_behind_a_gate_that_could_not_be_judged_nothing_is_certain() -> None:
    result = graded((GATE, "busy"), (case("other"), "pass"), (case("z"), "fail"))
    assert [(each.standing, each.why) for each in result.rows] == [
        ("regrade", "echo/hello::plain: so it is"),
        ("regrade", "gated by echo/hello, which could not be judged"),
        ("lost", "1 of 1 case failed"),
    ]


@pytest.mark.parametrize("how", ["pass", "skipped", "skip"])
def test_a_gate_that_passes_or_is_of_no_account_is_open(how: Outcome | NotRun) -> None:
    assert graded((GATE, how), (case("other"), "pass")).rows[1].standing == "earned"


def test_of_two_gates_each_stands_behind_the_other() -> None:
    second = replace(case("a", law="plain"), gate=True)
    assert [each.why for each in graded((GATE, "fail"), (second, "pass"), (case("z"), "pass")).rows] == [
        "gated by echo/hello",
        "1 of 1 case failed",
        "gated by echo/hello",
    ]


@pytest.mark.parametrize("name", STREAMS)
def test_every_run_can_be_graded(name: str) -> None:
    result = grade(view(name))
    assert 0 <= result.earned <= result.total
    assert len({each.key for each in result.rows}) == len(result.rows)
