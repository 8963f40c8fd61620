"""The server as a whole: that it goes on, ends, comes back, and is where it promised to be."""

from __future__ import annotations

import signal

import pytest
from varied import ECHO, PROMISES, varied, why_not

from sockcheck.case import Exits

CLIENT = ["connect", "send ping\\n", "expect ping\\n"]


def test_three_times_in_turn() -> None:
    found = varied("plain.again")
    assert found.steps() == {
        "client[0]": [*CLIENT, "close", "await rest", "meet 1: run 0 is over"],
        "client[1]": ["wait for run 0 is over", *CLIENT, "close", "await rest", "meet 1: run 1 is over"],
        "client[2]": ["wait for run 1 is over", *CLIENT, "close", "await rest", "meet 1: run 2 is over"],
    }


def test_marks_and_meetings_of_one_run_are_not_those_of_the_next() -> None:
    text = "clients: {a: {count: 2, steps: [connect, meet: both, reset]}, b: [connect, wait-for: both]}"
    found = varied("plain.again", text).steps()
    assert found["a[1][1]"] == [
        "wait for run 0 is over",
        "wait for a[0] connected [1]",
        "connect",
        "mark a[1] connected [1]",
        "meet 2: both [1]",
        "reset",
        "await rest",
        "meet 3: run 1 is over",
    ]
    assert found["b[0]"] == ["connect", "wait for both [0]", "close", "await rest", "meet 3: run 0 is over"]


def test_killed_with_a_client_connected_and_started_again_at_once() -> None:
    assert varied("life.restart").steps() == {
        "client before": [
            *CLIENT,
            "mark it serves",
            "wait for it is dead",
            "end any",
            "shutdown write",
            "close unread",
            "mark the client has gone",
        ],
        "client": ["wait for it is back", *CLIENT],
        "server": [
            "wait for it serves",
            "kill",
            "mark it is dead",
            "wait for the client has gone",
            "start",
            "mark it is back",
        ],
    }
    # What it has not read of a longer reply is no finding.
    assert varied("life.restart").cases[""].actors[0].pushes
    assert varied("life.restart", "client: [connect, send: a, send: b]").steps()["client before"][:3] == [
        "connect",
        "send a",
        "mark it serves",
    ]


def test_told_to_end_it_ends_and_nothing_of_it_is_left() -> None:
    found = varied("life.stop")
    assert found.steps() == {
        "client": [*CLIENT, "close", "meet 1: all are gone"],
        "late": ["wait for it has ended", "connect, refused"],
        "server": ["wait for all are gone", "rests", "signal SIGTERM everyone", "exits", "mark it has ended"],
    }
    (exits,) = [action for action in found.cases[""].server if isinstance(action, Exits)]
    assert exits.statuses == (0, -signal.SIGTERM, 143)
    assert exits.within == 2.0


def test_how_long_it_may_take_to_end() -> None:
    assert varied("life.stop", promises={"stops-on-sigterm": "soon"}).why == "the promise 'soon' is no length of time"
    (exits,) = [action for action in varied("life.stop", promises=None).cases[""].server if isinstance(action, Exits)]
    assert exits.within == 5.0


def test_told_to_end_in_mid_message_it_answers_that_and_no_more() -> None:
    text = "client: [connect, expect: hi, send: abcd, expect: ok, send: x, expect: y]"
    found = varied("life.drain", text)
    assert found.steps() == {
        "client": [
            "connect",
            "expect hi",
            "send ab",
            "await read",
            "mark half is sent",
            "wait for it was told",
            "send cd",
            "expect ok",
            "close unread",
        ],
        "server": ["wait for half is sent", "signal SIGTERM everyone", "mark it was told", "exits"],
    }
    without = {name: value for name, value in PROMISES.items() if name != "stops-on-sigterm"}
    (exits,) = [
        action for action in varied("life.drain", promises=without).cases[""].server if isinstance(action, Exits)
    ]
    assert exits.within == 10.0


@pytest.mark.parametrize("steps", ["expect: hi", "send: a", "send: '${unique}'", "{send: ab, cut: [1]}"])
def test_a_message_that_cannot_be_halved_is_not_in_flight(steps: str) -> None:
    assert why_not("life.drain", f"client: [connect, {steps}]") == "its first message cannot be sent by halves"


def test_the_same_command_once_more_while_the_first_serves() -> None:
    assert varied("life.taken").steps() == {
        "client": ["wait for it was tried", *CLIENT],
        "server": ["taken", "mark it was tried"],
    }


def test_by_the_addresses_at_which_it_promised_to_listen() -> None:
    found = varied("host.any")
    assert found.variations == ["127.0.0.2", "::1"]
    assert found.steps("::1") == {"client": ["connect ::1", "send ping\\n", "expect ping\\n"]}
    assert varied("host.any", promises={"ipv6": "yes"}).variations == ["::1"]


@pytest.mark.parametrize("law", ["plain.again", "life.restart", "life.stop"])
def test_what_leaves_something_behind_is_had_once(law: str) -> None:
    assert why_not(law, f"state: own\n{ECHO}")
