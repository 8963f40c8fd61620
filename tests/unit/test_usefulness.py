"""Which cases are worth running, by what the others came to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sockcheck.case import Case
from sockcheck.forms import (
    Span,
)
from sockcheck.usefulness import ENOUGH, Usefulness, why_useless
from sockcheck.verdict import Outcome

PLAIN = Case("talk/hello::plain", "talk", "hello", "", "plain", "", (), 30.0, Span("x.sock.yaml", 1, 1, 2))


def cut(at: int, stem: str = "talk/hello") -> Case:
    return replace(PLAIN, id=f"{stem}::cut.at-k(client.2:{at})", law="cut.at-k", variation=f"client.2:{at}")


def begun(*, exhaustive: bool = False, plain: Outcome | None = "pass") -> Usefulness:
    found = Usefulness(exhaustive=exhaustive)
    for case in (PLAIN, *map(cut, range(10))):
        found.planned(case)
    if plain is not None:
        found.judged(PLAIN, plain)
    return found


def test_no_law_is_tried_before_the_plain_exchange_has_worked() -> None:
    found = begun(plain=None)
    assert found.of(PLAIN) == ""
    assert found.of(cut(1)) == "later"
    found.judged(PLAIN, "pass")
    assert found.of(cut(1)) == ""


def test_none_is_tried_with_an_exchange_that_does_not_work_also_where_all_are_wanted() -> None:
    for exhaustive in (False, True):
        found = begun(exhaustive=exhaustive, plain="fail")
        assert found.of(cut(1)) == "pointless"
        assert found.of(PLAIN) == ""
        assert found.of(cut(1, "talk/other")) == ""


@pytest.mark.parametrize("outcome", ["flaky", "error", "busy", "skip", "advice"])
def test_only_a_failure_says_that_it_does_not_work(outcome: Outcome) -> None:
    assert begun(plain=outcome).of(cut(1)) == ""


def test_who_is_judged_last_or_not_run_is_not_waited_for() -> None:
    found = begun(plain=None)
    found.passed_over(PLAIN)
    assert found.of(cut(1)) == ""
    found.passed_over(cut(1))
    assert found.of(cut(2)) == ""


@pytest.mark.parametrize(
    "plain", [replace(PLAIN, skip="why"), replace(PLAIN, known_failure="slow"), replace(PLAIN, id="talk/other::plain")]
)
def test_where_there_is_no_plain_case_to_wait_for_none_is_waited_for(plain: Case) -> None:
    found = Usefulness(exhaustive=False)
    found.planned(plain)
    found.planned(cut(1))
    assert found.of(cut(1)) == ""
    found.judged(PLAIN, "fail")
    found.passed_over(PLAIN)
    assert found.of(cut(1)) == ""


@pytest.mark.parametrize("outcome", ["fail", "flaky", "advice"])
def test_a_law_is_broken_when_enough_of_its_variations_are(outcome: Outcome) -> None:
    found = begun()
    for at in range(ENOUGH):
        assert found.of(cut(9)) == ""
        found.judged(cut(at), outcome)
    assert found.of(cut(9)) == "broken"
    assert found.of(cut(9, "talk/other")) == ""
    assert found.of(replace(cut(9), law="pace.slow", id="talk/hello::pace.slow")) == ""


def test_what_passes_breaks_nothing() -> None:
    found = begun()
    for at in range(ENOUGH):
        found.judged(cut(at), "pass")
    assert found.of(cut(9)) == ""


def test_while_enough_are_suspected_the_others_wait() -> None:
    found = begun()
    for at in range(ENOUGH):
        assert found.of(cut(9)) == ""
        found.suspected(cut(at))
    assert found.of(cut(9)) == "later"


def test_those_that_are_judged_and_those_that_are_suspected_are_enough_together() -> None:
    found = begun()
    for at in range(ENOUGH - 1):
        found.judged(cut(at), "fail")
    found.suspected(cut(8))
    assert found.of(cut(9)) == "later"


def test_whoever_was_suspected_and_is_cleared_is_not_waited_for() -> None:
    found = begun()
    for at in range(ENOUGH):
        found.suspected(cut(at))
        found.judged(cut(at), "error")
        found.cleared(cut(at))
    assert found.of(cut(9)) == ""


def test_all_are_tried_where_all_are_wanted() -> None:
    found = begun(exhaustive=True)
    for at in range(ENOUGH):
        found.suspected(cut(at))
        found.judged(cut(at), "fail")
    assert found.of(cut(9)) == ""


def test_sizes_are_tried_all_the_same_since_they_ask_for_less() -> None:
    size = replace(PLAIN, id="talk/hello::size.edges(size=1)", law="size.edges", variation="size=1")
    assert begun(plain="fail").of(size) == ""
    assert begun(plain=None).of(size) == "later"


def test_why_it_is_of_no_use_is_said_in_a_sentence() -> None:
    assert why_useless(cut(1), "pointless") == "the exchange itself does not work: talk/hello::plain failed"
    assert why_useless(cut(1), "broken") == "cut.at-k is broken already, in 5 variations; --exhaustive tries them all"
