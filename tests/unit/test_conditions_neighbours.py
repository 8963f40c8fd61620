"""What one client does, or does not do, costs the others nothing: which neighbours an exchange gets."""

from __future__ import annotations

import pytest
from varied import ECHO, varied, why_not

SERVED = "wait for all others are served"
CLIENT = ["connect", "send ping\\n", "expect ping\\n", "close", "meet 1: all others are served"]
TWO = "clients: {a: [connect, mark: in, send: ab], b: [wait-for: in, connect]}"


def test_idle_neighbours_one_and_as_many_as_there_may_be() -> None:
    found = varied("neighbour.idle")
    assert found.variations == ["1 idle", "3 idle"]
    assert found.steps("1 idle") == {
        "neighbour": ["connect", "mark neighbour 0 is here", SERVED, "leave"],
        "client": ["wait for neighbour 0 is here", *CLIENT],
    }
    assert found.steps("3 idle")["neighbour[2]"] == [
        "wait for neighbour 1 is here",
        "connect",
        "mark neighbour 2 is here",
        SERVED,
        "leave",
    ]
    assert found.steps("3 idle")["client"][0] == "wait for neighbour 2 is here"


@pytest.mark.parametrize(("clients", "variations"), [("2", ["1 idle"]), ("1000", ["1 idle", "20 idle"])])
def test_as_many_neighbours_as_are_promised_and_twenty_at_the_most(clients: str, variations: list[str]) -> None:
    assert varied("neighbour.idle", promises={"clients": clients}).variations == variations


def test_where_nobody_promised_anything_eight_clients_are_advice() -> None:
    found = varied("neighbour.idle", promises=None)
    assert found.variations == ["1 idle", "7 idle"]
    assert found.cases["1 idle"].advice == "clients"


def test_neighbours_stay_until_all_others_have_left() -> None:
    assert varied("neighbour.idle", TWO).steps("1 idle") == {
        "neighbour": ["connect", "mark neighbour 0 is here", SERVED, "leave"],
        "a": [
            "wait for neighbour 0 is here",
            "connect",
            "mark in",
            "send ab",
            "close",
            "meet 2: all others are served",
        ],
        "b": ["wait for neighbour 0 is here", "wait for in", "connect", "close", "meet 2: all others are served"],
    }


def test_where_all_that_is_promised_is_taken_there_is_no_room() -> None:
    why = "the clients that the server promises to serve at once are all in it already"
    assert varied("neighbour.idle", TWO, promises={"clients": "2"}).why == why


def test_a_neighbour_stops_in_the_middle_of_its_message() -> None:
    found = varied("neighbour.stalled")
    assert found.variations == ["2:1", "2:2", "2:4"]
    assert found.steps("2:4") == {
        "neighbour": ["connect", "send ping", "await read", "mark neighbour 0 is here", SERVED, "leave"],
        "client": ["wait for neighbour 0 is here", *CLIENT],
    }
    greeted = varied("neighbour.stalled", "client: [connect, expect: hi, send: ab]").steps("3:1")
    assert greeted["neighbour"][:3] == ["connect", "expect hi", "send a"]


@pytest.mark.parametrize(
    "steps", ["expect: hi", "send: a", "send: '${unique}'", "{send: ab, cut: [1]}", "{send: ab, until: blocked}"]
)
def test_a_message_that_cannot_be_halved_stalls_nobody(steps: str) -> None:
    assert why_not("neighbour.stalled", f"client: [connect, {steps}]") == "its first message cannot be sent by halves"


def test_a_neighbour_asks_and_never_reads() -> None:
    assert varied("neighbour.deaf").steps() == {
        "neighbour": [
            "connect small",
            "send <8388608 of ping\\n> unread until blocked",
            "mark neighbour 0 is here",
            SERVED,
            "reset",
        ],
        "client": ["wait for neighbour 0 is here", *CLIENT],
    }


def test_a_neighbour_asks_once_and_never_reads_where_that_is_much() -> None:
    text = "client: [connect, expect: hi, send: all, expect: {bytes: 8MiB}, send: bye]"
    assert varied("neighbour.deaf", text, without=["pipelining"]).steps()["neighbour"] == [
        "connect small",
        "expect hi",
        "send all unread until blocked",
        "await rest",
        "mark neighbour 0 is here",
        SERVED,
        "reset",
    ]


@pytest.mark.parametrize(
    ("text", "without", "why"),
    [
        (ECHO, ["pipelining"], "its requests may not be pipelined, so that replies cannot back up"),
        ("client: [connect, send: aaaaaaaaaa, expect: a]", [], "its replies are small beside its requests"),
        ("client: [connect, send: a, expect: {line: a}]", [], "its requests and replies are not always the same bytes"),
    ],
)
def test_only_replies_that_back_up_make_a_deaf_neighbour(text: str, without: list[str], why: str) -> None:
    assert why_not("neighbour.deaf", text, without=without) == why


def test_a_neighbour_fails_while_the_others_are_being_served() -> None:
    found = varied("neighbour.fails")
    assert found.traits == {"reset": ("reset",), "garbage": ("garbage",)}
    neighbour = ["connect", "mark the neighbour is here", "wait for the others have begun"]
    client = [
        "wait for the neighbour is here",
        "connect",
        "await accepted",
        "mark the others have begun",
        "wait for the neighbour has gone",
        "send ping\\n",
        "expect ping\\n",
    ]
    assert found.steps("reset") == {
        "neighbour": [*neighbour, "reset", "await rest", "mark the neighbour has gone"],
        "client": client,
    }
    assert found.steps("garbage") == {
        "neighbour": [
            *neighbour,
            "send <775 bytes>",
            "await read",
            "leave",
            "await rest",
            "mark the neighbour has gone",
        ],
        "client": client,
    }


@pytest.mark.parametrize(
    ("promises", "variations"),
    [
        ({"clients": "4", "survives-reset": "yes"}, ["reset", "garbage"]),
        ({"clients": "4"}, ["garbage"]),
        (None, ["reset", "garbage"]),
    ],
)
def test_a_reset_only_where_it_is_promised_or_nothing_is(
    promises: dict[str, str] | None, variations: list[str]
) -> None:
    assert varied("neighbour.fails", promises=promises).variations == variations


@pytest.mark.parametrize("law", ["neighbour.stalled", "neighbour.deaf"])
def test_what_leaves_something_behind_has_no_neighbour_like_itself(law: str) -> None:
    assert why_not(law, f"state: own\n{ECHO}")
