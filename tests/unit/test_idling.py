"""Which cases may share a server, and which tells whether it still serves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sockcheck.case import Action, Actor, Case, Connect, End, Exact, Expect, Kill, Not, Quiet, Send, Wait
from sockcheck.forms import (
    Span,
)
from sockcheck.idling import can_share, estimate, idle_time, is_probe

HERE = Span("x.sock.yaml", 1, 1, 2)
CONNECT, WAIT = Connect(HERE, 5.0), Wait(HERE, 0.25)


def case(*actions: Action, law: str = "plain") -> Case:
    return Case("c/s::plain", "c", "s", "", law, "", (Actor("client", actions),), 30.0, HERE)


@pytest.mark.parametrize(
    ("action", "idle"),
    [
        (CONNECT, 0.0),
        (WAIT, 0.25),
        (Quiet(HERE, 0.5), 0.5),
        (Send(HERE, (b"abc",), (1, 2), 0.25, 2.0), 0.5),
        (Send(HERE, (b"abc",), (1, 2), None, 2.0), 0.0),
        (End(HERE, "eof", 2.0, 1.0), 1.0),
        (End(HERE, "eof", 2.0, None), 0.0),
        (Expect(HERE, Exact((b"x",)), 2.0, 0.75), 0.75),
        (Expect(HERE, Not(Exact((b"x",)), 0.3), 2.0, None), 0.3),
    ],
)
def test_how_long_a_case_waits_since_it_says_so(action: Action, idle: float) -> None:
    assert idle_time(case(CONNECT, action)) == idle


def test_of_several_clients_the_one_that_waits_longest() -> None:
    waiting = case(WAIT)
    assert idle_time(replace(waiting, actors=(Actor("a", (WAIT,)), Actor("b", (WAIT, WAIT))))) == 0.5
    assert idle_time(replace(waiting, actors=())) == 0


def test_what_waits_may_share_where_there_is_room() -> None:
    waiting = case(CONNECT, WAIT)
    assert can_share(waiting, 2)
    assert not can_share(waiting, 1)
    assert not can_share(case(CONNECT), 64)
    assert not can_share(replace(waiting, actors=waiting.actors * 3), 2)
    assert not can_share(replace(waiting, actors=()), 2)


def test_a_plain_exchange_tells_whether_a_server_serves() -> None:
    plain = case(CONNECT)
    assert is_probe(plain)
    assert not is_probe(case(CONNECT, law="cut.at-k"))
    assert not is_probe(case(CONNECT, WAIT))
    assert not is_probe(replace(plain, actors=plain.actors * 2))


def test_what_is_special_neither_shares_nor_is_a_probe() -> None:
    waiting = case(CONNECT, WAIT)
    special = [
        replace(waiting, server=(Kill(HERE),)),
        replace(waiting, skip="not here"),
        replace(waiting, known_failure="later"),
        replace(waiting, state="own"),
    ]
    for each in special:
        assert not can_share(each, 64)
        assert not is_probe(replace(each, actors=case(CONNECT).actors))


def test_a_run_takes_what_its_cases_do_in_turns_and_the_longest_wait() -> None:
    quick, waiting = case(CONNECT), case(CONNECT, WAIT)
    assert estimate([], 4) == 0
    one = estimate([quick], 1)
    assert one > 0
    assert estimate([quick] * 6, 1) == pytest.approx(6 * one)
    assert estimate([quick] * 6, 3) == pytest.approx(2 * one)
    assert estimate([replace(quick, actors=quick.actors * 6)], 1) == pytest.approx(6 * one)
    # Those that wait do so beside each other.
    assert estimate([waiting] * 6, 1) == pytest.approx(6 * one + 0.25)
    assert estimate([replace(quick, server=(Kill(HERE),))], 1) > 2 * one
