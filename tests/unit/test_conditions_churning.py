"""One connection after the other, ended in each way, and a server that has nothing to do afterwards."""

from __future__ import annotations

import pytest
from varied import ECHO, varied, why_not

from sockcheck.case import Expect, Send

GREETED = "client: [connect, expect: hi, send: abcd, expect: ok]"


def first(text: str, variation: str) -> list[str]:
    return varied("churn.leak", text).steps(variation)["client[0]"]


def test_so_many_connections_one_after_the_other_ended_alike() -> None:
    found = varied("churn.leak")
    assert found.traits == {kind: (kind,) for kind in ("close", "reset", "mid-message", "garbage", "half-close")}
    for case in found.cases.values():
        assert len(case.actors) == 250
    assert found.steps("close")["client[249]"] == [
        "wait for 245 has ended",
        "connect",
        "send ping\\n",
        "expect ping\\n",
        "close",
        "mark 249 has ended",
    ]


def test_they_go_in_eight_lanes_at_the_most() -> None:
    found = varied("churn.leak", promises={"clients": "64"}).steps("close")
    assert [found[f"client[{number}]"][0] for number in (0, 7, 8, 249)] == [
        "connect",
        "connect",
        "wait for 0 has ended",
        "wait for 241 has ended",
    ]


def test_where_only_one_client_is_promised_each_waits_for_the_one_before() -> None:
    found = varied("churn.leak", promises={"clients": "1"}).steps("close")
    assert found["client[249]"][0] == "wait for 248 has ended"


def test_who_is_served_beside_seven_others_has_the_time_of_all() -> None:
    def within(clients: str) -> list[float]:
        case = varied("churn.leak", promises={"clients": clients}).cases["close"]
        return [action.within for action in case.actors[0].actions if isinstance(action, Send | Expect)]

    assert within("64") == [8 * each for each in within("1")]


def test_how_each_of_them_ends() -> None:
    ended = "mark 0 has ended"
    assert first(ECHO, "reset") == ["connect", "send ping\\n", "await read", "reset", ended]
    assert first(ECHO, "mid-message") == ["connect", "send pi", "leave", ended]
    assert first(ECHO, "garbage") == ["connect", "send <775 bytes>", "leave", ended]
    assert first(ECHO, "half-close") == [
        "connect",
        "send ping\\n",
        "shutdown write",
        "expect ping\\n",
        "end eof",
        "close",
        ended,
    ]


def test_a_client_that_is_greeted_reads_that_before_it_leaves() -> None:
    assert first(GREETED, "mid-message")[:3] == ["connect", "expect hi", "send ab"]


@pytest.mark.parametrize("sent", ["a", "'${unique}'"])
def test_a_message_without_a_middle_is_sent_whole(sent: str) -> None:
    assert first(f"client: [connect, send: {sent}]", "mid-message")[1] in ("send a", "send ${unique}-1")


def test_a_client_that_never_speaks_only_connects() -> None:
    text = "client: [connect, expect: hi]"
    found = varied("churn.leak", text)
    assert found.variations == ["close", "reset", "mid-message", "garbage"]
    assert found.steps("mid-message")["client[0]"] == ["connect", "leave", "mark 0 has ended"]


@pytest.mark.parametrize(
    ("promises", "kinds"),
    [
        ({}, ["close", "mid-message", "garbage"]),
        ({"survives-reset": "yes"}, ["close", "reset", "mid-message", "garbage"]),
        ({"half-close": "yes"}, ["close", "mid-message", "garbage", "half-close"]),
        (None, ["close", "reset", "mid-message", "garbage"]),
    ],
)
def test_they_end_only_as_they_may(promises: dict[str, str] | None, kinds: list[str]) -> None:
    assert varied("churn.leak", promises=promises).variations == kinds


@pytest.mark.parametrize("law", ["churn.leak", "churn.spin"])
@pytest.mark.parametrize("text", ["state: own\nclient: [connect, send: a]", "client: [connect, wait: 1s]"])
def test_what_takes_long_or_leaves_something_behind_is_not_had_so_often(law: str, text: str) -> None:
    assert why_not(law, text)


def test_clients_that_wait_for_each_other_cannot_go_one_behind_the_other() -> None:
    text = "clients: {a: [connect, mark: x], b: [connect, wait-for: x]}"
    assert why_not("churn.leak", text) == "it has several clients, each with something to say to the others"


def test_a_server_with_nothing_to_do_is_looked_at() -> None:
    found = varied("churn.spin")
    assert found.traits == {kind: (kind,) for kind in ("close", "reset", "mid-message", "idle", "half-closed", "deaf")}
    over = "mark there is nothing to do"
    assert found.steps("close") == {
        "client": ["connect", "send ping\\n", "leave", over],
        "server": ["wait for there is nothing to do", "rests", "mark it was looked at"],
    }
    stays = [over, "wait for it was looked at"]
    assert found.steps("idle")["client"] == ["connect", "await accepted", *stays, "leave"]
    assert found.steps("half-closed")["client"] == [
        "connect",
        "shutdown write",
        "await end-read",
        *stays,
        "leave",
    ]
    assert found.steps("deaf")["client"] == [
        "connect small",
        "send <8388608 of ping\\n> unread until blocked",
        *stays,
        "reset",
    ]


@pytest.mark.parametrize(
    ("promises", "kinds"),
    [
        ({}, ["close", "mid-message", "idle", "half-closed"]),
        ({"pipelining": "yes"}, ["close", "mid-message", "idle", "half-closed"]),
        (None, ["close", "reset", "mid-message", "idle", "half-closed", "deaf"]),
    ],
)
def test_it_is_looked_at_only_after_what_it_promised_to_survive(
    promises: dict[str, str] | None, kinds: list[str]
) -> None:
    assert varied("churn.spin", promises=promises).variations == kinds
