"""Many clients at once, in turns, in a queue; and which exchanges can be had beside each other at all."""

from __future__ import annotations

import pytest
from varied import ECHO, varied, why_not

PING = ["send ping\\n", "expect ping\\n"]


def test_all_are_connected_before_the_first_speaks_and_none_leaves_before_the_last() -> None:
    found = varied("crowd.at-once").steps()
    assert list(found) == ["client[0]", "client[1]", "client[2]", "client[3]"]
    for actions in found.values():
        assert actions == ["connect", "meet 4: all are connected", *PING, "meet 4: all are served"]


@pytest.mark.parametrize(("clients", "number"), [("2", 2), ("64", 20)])
def test_as_many_as_are_promised_and_twenty_at_the_most(clients: str, number: int) -> None:
    assert len(varied("crowd.at-once", promises={"clients": clients}).cases[""].actors) == number


def test_each_has_bytes_of_its_own_where_they_come_back() -> None:
    text = (
        "payloads: {p: {random: 4, seed: 1}, q: {random: 4, seed: 9}}\n"
        "client: [connect, send: [{payload: p}, {payload: q}], expect: [{payload: p}]]"
    )
    found = varied("crowd.at-once", text, promises={"clients": "2"}).steps()
    assert found["client[0]"][2] == "send <4 by 1><4 by 9>"
    assert found["client[1]"][2:4] == ["send <4 by 2><4 by 9>", "expect <4 by 2>"]


def test_step_by_step_in_turn() -> None:
    found = varied("crowd.interleaved", promises={"clients": "2"}).steps("step by step")
    assert found == {
        "client[0]": [
            "connect",
            "mark 0 did 0",
            "wait for 1 did 0",
            "send ping\\n",
            "mark 0 did 1",
            "wait for 1 did 1",
            "expect ping\\n",
            "mark 0 did 2",
            "meet 2: all are served",
        ],
        "client[1]": [
            "wait for 0 did 0",
            "connect",
            "mark 1 did 0",
            "wait for 0 did 1",
            "send ping\\n",
            "mark 1 did 1",
            "wait for 0 did 2",
            "expect ping\\n",
            "mark 1 did 2",
            "meet 2: all are served",
        ],
    }


def test_answered_in_the_reverse_of_the_order_in_which_they_were_accepted() -> None:
    found = varied("crowd.interleaved").steps("in reverse")
    assert found["client[0]"] == [
        "connect",
        "mark 0 is connected",
        "wait for 2 is connected",
        "wait for 1 is served",
        *PING,
        "mark 0 is served",
        "meet 3: all are served",
    ]
    assert found["client[2]"] == [
        "wait for 1 is connected",
        "connect",
        "mark 2 is connected",
        "wait for 2 is connected",
        *PING,
        "mark 2 is served",
        "meet 3: all are served",
    ]


def test_each_message_by_halves_so_that_what_others_say_comes_between() -> None:
    found = varied("crowd.interleaved", promises={"clients": "2"})
    assert found.traits == {"step by step": (), "in reverse": (), "by halves": ("by-halves",)}
    first = found.steps("by halves")["client[0]"]
    assert [step for step in first if not step.startswith(("mark", "wait"))] == [
        "connect",
        "send pi",
        "await read",
        "send ng\\n",
        "expect ping\\n",
        "meet 2: all are served",
    ]
    assert first[4:7] == ["mark 0 did 1", "wait for 1 did 1", "await read"]


@pytest.mark.parametrize(
    ("steps", "halves"),
    [
        ("send: 'a ${unique} b'", ["send a ${unique}-0", "send  b"]),
        ("send: 'set ${unique}'", ["send set ${unique}", "send -0"]),
    ],
)
def test_of_a_message_whose_length_is_not_known_its_last_part_is_the_second_half(steps: str, halves: list[str]) -> None:
    found = varied("crowd.interleaved", f"client: [connect, {steps}]", promises={"clients": "2"})
    sends = [step for step in found.steps("by halves")["client[0]"] if step.startswith("send")]
    assert sends == halves


@pytest.mark.parametrize("steps", ["expect: hi", "send: a", "{send: ab, cut: [1]}"])
def test_what_has_no_halves_is_not_said_by_halves(steps: str) -> None:
    found = varied("crowd.interleaved", f"client: [connect, {steps}]", promises={"clients": "2"})
    assert found.variations == ["step by step", "in reverse"]


def test_clients_come_while_the_server_is_paused() -> None:
    found = varied("crowd.queued").steps()
    assert len(found) == 6
    assert found["client[0]"] == ["wait for paused", "connect", "mark the first waits", *PING]
    assert found["client[4]"] == ["wait for paused", "connect", *PING]
    assert found["server"] == ["pause", "mark paused", "wait for the first waits", "resume"]


@pytest.mark.parametrize("law", ["crowd.at-once", "crowd.interleaved", "crowd.queued"])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            f"state: own\n{ECHO}",
            "it leaves something behind (state: own), and no ${unique} keeps two runs of it apart",
        ),
        ("client: [connect, send: a, quiet: 1s]", "it waits by itself, and this takes it many times"),
        (
            "client: [connect, {send: abc, cut: [1, 2], gap: 1s}]",
            "it waits by itself, and this takes it many times",
        ),
        (
            "clients: {a: [connect, mark: x], b: [connect, wait-for: x]}",
            "it has several clients, each with something to say to the others",
        ),
        (f"pushes: yes\n{ECHO}", "the server speaks to it unasked, perhaps of the others"),
    ],
)
def test_what_could_be_heard_in_another_is_had_alone(law: str, text: str, why: str) -> None:
    assert why_not(law, text) == why


def test_what_leaves_something_behind_under_a_name_of_its_own_may_be_had_many_times() -> None:
    text = "state: own\nclient: [connect, send: 'set ${unique}', expect: {line: '${unique} is set'}]"
    found = varied("crowd.at-once", text, promises={"clients": "2"})
    assert found.cases[""].state == "own"
    assert found.steps()["client[1]"][2] == "send set ${unique}-1"


def test_clients_that_tell_each_other_what_they_captured_are_had_once() -> None:
    text = (
        "clients: {a: [connect, expect: {line: '(?P<key>.*)'}, mark: told],"
        " b: [connect, wait-for: told, send: '${key}']}"
    )
    why = "its clients tell each other what they captured, so that two of it would mix"
    assert why_not("plain.again", text) == why


def test_the_backlog_is_that_which_is_promised() -> None:
    assert varied("crowd.backlog").steps() == {"client": ["connect", *PING], "server": ["check backlog >= 4"]}
    assert varied("crowd.backlog", promises=None).steps()["server"] == ["check backlog >= 4"]
    assert varied("crowd.backlog", promises={"backlog": "some"}).why == "the promise 'some' is no number"


def test_more_clients_than_select_has_bits() -> None:
    found = varied("crowd.many", promises={"clients": "2000"})
    assert found.cases[""].state == "own"
    steps = found.steps()
    assert len(steps) == 1101
    assert steps["neighbour[1098]"] == [
        "wait for there may be many",
        "connect",
        "meet 1099: the neighbours are here",
        "wait for all others are served",
        "close unread",
    ]
    assert steps["client"] == [
        "wait for the neighbours are here",
        "connect",
        *PING,
        "close",
        "meet 1: all others are served",
    ]
    assert steps["server"] == ["limit 1500", "mark there may be many"]
    assert why_not("crowd.many", ECHO) == "the server promises to serve no more than 4 at once"
