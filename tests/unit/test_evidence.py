"""What several attempts at a case come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args

import pytest

from sockcheck.evidence import SOFT, Alone, Attempt, Judged, Move, Replay, cut_short, is_hard, weigh
from sockcheck.forms import (
    Span,
)
from sockcheck.verdict import Finding, Kind, Verdict

PASS, SKIP = Verdict("pass"), Verdict("skip", reason="known")
BUSY, ERROR = Verdict("busy", reason="no CPU"), Verdict("error", reason="no ports")


def failed(kind: Kind) -> Verdict:
    return Verdict("fail", (Finding(kind, "plain", "client", 0, Span("x", 1, 1, 2), "m", "e", "a", 0, 0.0),))


HARD, SOFTLY = failed("wrong-bytes"), failed("silence")

Server = Callable[[Move], Verdict]


def judged(
    first: Attempt,
    server: Server | Sequence[Verdict],
    *,
    replaceable: bool = True,
    suspects: Sequence[int] = (),
    isolated: bool = False,
) -> tuple[Judged, list[Move]]:
    """What it comes to when the attempts asked for end as `server` says, and which were asked for."""
    answers = iter(() if callable(server) else server)
    moves: list[Move] = []
    weighing = weigh(first, replaceable=replaceable, suspects=suspects, isolated=isolated)
    try:
        move = next(weighing)
        while True:
            moves.append(move)
            assert len(moves) < 30
            move = weighing.send(Attempt(server(move) if callable(server) else next(answers)))
    except StopIteration as stop:
        found: Judged = stop.value
        return found, moves


def test_every_kind_is_hard_or_soft_on_purpose() -> None:
    assert set(get_args(Kind)) > SOFT
    assert is_hard(HARD.findings)
    assert not is_hard(SOFTLY.findings)
    assert not is_hard(())


@pytest.mark.parametrize("verdict", [PASS, SKIP, ERROR])
def test_what_is_no_failure_is_not_repeated(verdict: Verdict) -> None:
    assert judged(Attempt(verdict, 7), []) == (Judged(verdict), [])


def test_hard_evidence_on_a_fresh_server_counts_at_first_sight() -> None:
    assert judged(Attempt(HARD), []) == (Judged(HARD), [])


def test_hard_evidence_on_a_server_that_cannot_be_replaced_counts_too() -> None:
    assert judged(Attempt(HARD, 9), [], replaceable=False) == (Judged(HARD), [])


def test_soft_evidence_counts_when_it_repeats() -> None:
    assert judged(Attempt(SOFTLY), [SOFTLY]) == (Judged(SOFTLY), [Alone()])
    assert judged(Attempt(SOFTLY, 5), [SOFTLY], replaceable=False) == (Judged(SOFTLY), [Alone()])


def test_what_cannot_be_judged_when_it_is_tried_again_is_not_judged() -> None:
    assert judged(Attempt(SOFTLY), [SKIP]) == (Judged(SKIP), [Alone()])


def test_what_was_seen_hard_once_stays_so_when_only_soft_evidence_repeats() -> None:
    assert judged(Attempt(HARD, 3), [SOFTLY])[0] == Judged(HARD)
    assert judged(Attempt(SOFTLY, 3), [HARD])[0] == Judged(HARD)


def test_soft_evidence_that_does_not_repeat_is_flaky() -> None:
    found, moves = judged(Attempt(SOFTLY), [PASS, PASS])
    assert (found.verdict.outcome, found.verdict.findings) == ("flaky", SOFTLY.findings)
    assert found.verdict.reason == "it failed in 1 of 3 attempts"
    assert moves == [Alone(), Alone()]
    assert judged(Attempt(SOFTLY), [PASS, SOFTLY])[0].verdict.reason == "it failed in 2 of 3 attempts"


def test_hard_evidence_that_does_not_repeat_is_a_failure_all_the_same() -> None:
    found, moves = judged(Attempt(HARD, 4), [PASS, PASS])
    assert (found.verdict.outcome, found.verdict.reason) == ("fail", "it failed in 1 of 3 attempts")
    assert moves == [Alone(), Replay((0, 1, 2, 3))]


def test_a_busy_machine_is_no_evidence_until_it_is_quiet() -> None:
    assert judged(Attempt(BUSY), [PASS]) == (Judged(PASS), [Alone(exclusive=True)])
    assert judged(Attempt(BUSY), [BUSY, BUSY]) == (Judged(BUSY), [Alone(exclusive=True)] * 2)
    assert judged(Attempt(BUSY, 3), [SOFTLY, SOFTLY])[0] == Judged(SOFTLY)


def test_a_failure_that_cannot_be_repeated_for_the_machine_is_told_as_such() -> None:
    found, _ = judged(Attempt(SOFTLY), [BUSY, BUSY, BUSY])
    assert found.verdict == Verdict("busy", SOFTLY.findings, "no CPU")
    found, _ = judged(Attempt(SOFTLY), [ERROR])
    assert found.verdict == Verdict("error", SOFTLY.findings, "no ports")
    assert judged(Attempt(HARD, 2), [ERROR])[0].verdict.findings == HARD.findings
    assert judged(Attempt(HARD, 2), [ERROR])[0].verdict.outcome == "fail"


def test_only_a_pass_counts_of_what_shared_a_server() -> None:
    assert judged(Attempt(PASS, 3, shared=True), []) == (Judged(PASS), [])
    assert judged(Attempt(SOFTLY, 3, shared=True), [PASS]) == (Judged(PASS), [Alone()])
    assert judged(Attempt(HARD, 3, shared=True), [PASS, PASS]) == (Judged(PASS), [Alone()] * 2)
    assert judged(Attempt(HARD, 3, shared=True), [PASS, HARD]) == (Judged(HARD), [Alone()] * 2)
    assert judged(Attempt(HARD, 3, shared=True), [HARD]) == (Judged(HARD), [Alone()])
    assert judged(Attempt(SOFTLY, 3, shared=True), [SOFTLY, SOFTLY]) == (Judged(SOFTLY), [Alone()] * 2)
    flaky, _ = judged(Attempt(SOFTLY, 3, shared=True), [SOFTLY, PASS, PASS])
    assert flaky.verdict.reason == "it failed in 1 of 3 attempts"


@pytest.mark.parametrize("evidence", [HARD, SOFTLY])
@pytest.mark.parametrize(("before", "culprit"), [(1, 0), (2, 0), (2, 1), (3, 1), (17, 4), (200, 199), (200, 0)])
def test_the_predecessor_that_a_failure_comes_of_is_found(evidence: Verdict, before: int, culprit: int) -> None:
    def poisoned(move: Move) -> Verdict:
        return evidence if isinstance(move, Replay) and culprit in move.predecessors else PASS

    found, moves = judged(Attempt(evidence, before), poisoned)
    assert found.verdict == evidence
    assert culprit in found.after
    if evidence is HARD:
        assert len(found.after) <= 2
        assert len(moves) <= 14
    else:
        assert len(moves) <= 7


@pytest.mark.parametrize("needed", [1, 2, 3, 60, 99, 100])
def test_a_failure_that_comes_of_the_number_of_predecessors_is_found(needed: int) -> None:
    def exhausted(move: Move) -> Verdict:
        return HARD if isinstance(move, Replay) and len(move.predecessors) >= needed else PASS

    found, _ = judged(Attempt(HARD, 100), exhausted)
    assert found == Judged(HARD, tuple(range(100 - needed, 100)))


def test_suspects_are_tried_first() -> None:
    def poisoned(move: Move) -> Verdict:
        return SOFTLY if isinstance(move, Replay) and 3 in move.predecessors else PASS

    assert judged(Attempt(SOFTLY, 50), poisoned, suspects=[3]) == (
        Judged(SOFTLY, (3,)),
        [Alone(), Replay((3,))],
    )
    found, moves = judged(Attempt(SOFTLY, 4), poisoned, suspects=[1])
    assert found == Judged(SOFTLY, (3,))
    assert moves[1:3] == [Replay((1,)), Replay((0, 1, 2, 3))]


def test_a_failure_that_follows_predecessors_by_luck_is_not_put_down_to_them() -> None:
    # Alone it passes, after all of them it fails, after the last it fails, and then no more.
    found, moves = judged(Attempt(SOFTLY, 2), [PASS, SOFTLY, SOFTLY, PASS])
    assert found.verdict.outcome == "flaky"
    assert found.verdict.reason == "it failed in 3 of 5 attempts"
    assert found.after == ()
    assert moves[-1] == moves[-2] == Replay((1,))


def test_what_is_cut_short_is_judged_by_what_there_is() -> None:
    assert cut_short([HARD, BUSY], "it was interrupted") == HARD
    assert cut_short([PASS], "it was interrupted") == PASS
    assert cut_short([BUSY], "it was interrupted") == BUSY
    why = "it failed once, and could not be tried again: it was interrupted"
    assert cut_short([SOFTLY], "it was interrupted") == Verdict("error", SOFTLY.findings, why)


OUTSIDE, INSIDE = Alone(outside=True), Alone()


def test_what_fails_for_want_of_another_network_passes() -> None:
    """It passes outside, fails inside and passes outside once more: the network makes the difference."""
    found, moves = judged(Attempt(HARD), [PASS, HARD, PASS], isolated=True)
    assert found == Judged(PASS, needs_outside=True)
    assert moves == [OUTSIDE, INSIDE, OUTSIDE]


@pytest.mark.parametrize(
    "answers", [[HARD], [SOFTLY], [ERROR], [PASS, PASS], [PASS, BUSY], [PASS, HARD, HARD], [PASS, HARD, ERROR]]
)
def test_what_fails_outside_too_or_only_now_and_then_is_judged_by_what_was_inside(answers: list[Verdict]) -> None:
    found, moves = judged(Attempt(HARD), answers, isolated=True)
    assert found == Judged(HARD)
    assert moves == [OUTSIDE, INSIDE, OUTSIDE][: len(answers)]


def test_what_is_flaky_inside_is_tried_outside_too() -> None:
    found, moves = judged(Attempt(SOFTLY), [PASS, PASS, PASS, PASS], isolated=True)
    assert found.verdict.outcome == "flaky"
    assert moves == [INSIDE, INSIDE, OUTSIDE, INSIDE]


@pytest.mark.parametrize("verdict", [PASS, SKIP, ERROR])
def test_what_does_not_fail_inside_is_not_tried_outside(verdict: Verdict) -> None:
    assert judged(Attempt(verdict), [], isolated=True) == (Judged(verdict), [])
