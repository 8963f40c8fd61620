"""Input without an end, too few descriptors, and bytes that are no message."""

from __future__ import annotations

import pytest
from varied import ECHO, varied, why_not

from sockcheck.case import Check, Expect

CLIENT = ["connect", "send ping\\n", "expect ping\\n"]


def test_a_message_without_an_end_and_then_an_ordinary_client() -> None:
    text = "client: [connect, expect: hi, send: a, expect: a]"
    found = varied("limit.endless", text)
    assert found.cases[""].state == "own"
    message = f"send <25165824 of {'x' * 40}> until blocked"
    assert found.steps() == {
        "sender[0]": [
            "connect",
            "expect hi",
            message,
            "await rest",
            "mark message 0 is sent",
            "wait for looked",
            "leave",
        ],
        "sender[1]": [
            "wait for message 0 is sent",
            *("connect", "expect hi", message, "await rest", "mark message 1 is sent", "wait for looked", "leave"),
        ],
        "sender[2]": [
            "wait for message 1 is sent",
            *("connect", "expect hi", message, "await rest", "mark message 2 is sent", "wait for looked", "leave"),
        ],
        "client": ["wait for looked", "connect", "expect hi", "send a", "expect a"],
        "server": ["wait for message 2 is sent", "check memory < 48", "mark looked"],
    }


@pytest.mark.parametrize("clients", ["1", "2"])
def test_where_only_one_more_may_be_there_it_sends_all_by_itself(clients: str) -> None:
    found = varied("limit.endless", promises={"clients": clients, "bounded-input": "yes"})
    assert found.steps()["sender"][1] == f"send <75497472 of {'x' * 40}> until blocked"
    assert found.steps()["server"] == ["wait for message 0 is sent", "check memory < 48", "mark looked"]


def test_where_memory_cannot_be_seen_the_others_are_served_all_the_same() -> None:
    [_, check, _] = varied("limit.endless").cases[""].server
    assert isinstance(check, Check)
    assert check.lenient


def test_where_all_is_tried_requests_without_an_end_whose_replies_nobody_reads() -> None:
    found = varied("limit.endless", thorough=True)
    assert found.variations == ["", "replies unread"]
    assert found.cases["replies unread"].state == "own"
    whole, unread = found.steps(), found.steps("replies unread")
    assert unread["sender[0]"] == [
        "connect",
        "send <25165824 of ping\\n> unread until blocked",
        "await rest",
        "mark message 0 is sent",
        "wait for looked",
        "leave",
    ]
    assert (unread["client"], unread["server"]) == (whole["client"], whole["server"])
    assert varied("limit.endless", f"state: own\n{ECHO}", thorough=True).variations == [""]


def test_who_comes_behind_a_flood_has_patience() -> None:
    found = varied("limit.endless", thorough=True)
    for variation in ("", "replies unread"):
        client = next(actor for actor in found.cases[variation].actors if actor.name == "client")
        [expect] = [action for action in client.actions if isinstance(action, Expect)]
        [base] = [action for action in varied("plain.again").cases[""].actors[0].actions if isinstance(action, Expect)]
        assert expect.within == base.within * 10


def test_it_takes_as_long_as_the_condition_says_and_no_longer() -> None:
    assert varied("limit.endless").cases[""].deadline == 15
    assert varied("limit.garbage").cases["NUL"].deadline >= 30


@pytest.mark.parametrize(
    ("steps", "begun"),
    [
        ("expect: a, expect: b, send: c", ["connect", "expect a", "expect b"]),
        ("send: c, expect: a", ["connect"]),
        # One who never speaks may wait for something that comes only to who waits long.
        ("expect: a", ["connect"]),
    ],
)
def test_the_sender_reads_what_comes_before_its_first_words(steps: str, begun: list[str]) -> None:
    sender = varied("limit.endless", f"client: [connect, {steps}]").steps()["sender[0]"]
    assert sender[: len(begun)] == begun
    assert sender[len(begun)].startswith("send ")


def test_more_clients_than_there_are_descriptors_for() -> None:
    found = varied("limit.files")
    assert found.cases[""].state == "own"
    steps = found.steps()
    assert list(steps) == ["client[1]", *(f"neighbour[{number}]" for number in range(10)), "client", "server"]
    assert steps["client[1]"] == [*CLIENT, "close", "meet 1: it serves"]
    assert steps["neighbour[0]"] == [
        "wait for few are left",
        "connect",
        "mark neighbour 0 is here",
        "wait for looked",
        "leave",
    ]
    assert steps["neighbour[9]"][0] == "wait for neighbour 8 is here"
    assert steps["neighbour[9]"][-1] == "mark the sender has gone"
    assert steps["client"] == ["wait for the sender has gone", *CLIENT]
    assert steps["server"] == [
        "wait for it serves",
        "limit +6",
        "mark few are left",
        "wait for neighbour 9 is here",
        "rests",
        "mark looked",
    ]


@pytest.mark.parametrize(("backlog", "neighbours"), [("2", 8), ("100", 10), ("many", 7)])
def test_no_more_come_than_may_wait(backlog: str, neighbours: int) -> None:
    actors = varied("limit.files", promises={"clients": "4", "backlog": backlog}).cases[""].actors
    assert len(actors) == neighbours + 2


def test_what_leaves_something_behind_is_not_had_twice() -> None:
    assert why_not("limit.files", f"state: own\n{ECHO}")


def test_bytes_that_are_no_message_and_then_a_client_whose_messages_are() -> None:
    found = varied("limit.garbage")
    assert found.variations == ["all byte values", "broken UTF-8", "NUL", "random"]
    for variation, size in (("all byte values", "257"), ("NUL", "65"), ("random", "2049")):
        assert found.steps(variation) == {
            "sender": [
                "connect",
                f"send <{size} bytes>",
                "await read",
                "leave",
                "await rest",
                "mark the sender has gone",
            ],
            "client": ["wait for the sender has gone", *CLIENT],
        }
