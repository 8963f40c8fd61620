"""How a connection ends in order, and which exchanges may not be ended in another way than their author's."""

from __future__ import annotations

import pytest
from varied import ECHO, varied, why_not


def test_the_end_of_stream_right_behind_the_last_message_and_the_reply_all_the_same() -> None:
    found = varied("end.half", "client: [connect, expect: hi, send: a, expect: a, expect: bye]")
    assert found.steps() == {
        "client": [
            "connect",
            "expect hi",
            "send a",
            "await read",
            "shutdown write",
            "expect a",
            "expect bye",
            "end eof",
        ]
    }


def test_all_was_read_and_then_both_end() -> None:
    assert varied("end.orderly").steps() == {
        "client": ["connect", "send ping\\n", "expect ping\\n", "shutdown write", "end eof"]
    }


@pytest.mark.parametrize("law", ["end.half", "merge.with-end"])
def test_by_what_the_server_ends_is_asked_only_where_it_is_promised(law: str) -> None:
    assert varied(law).steps()["client"][-1] == "end eof"
    assert varied(law, without=["orderly-close"]).steps()["client"][-1] == "end any"


@pytest.mark.parametrize("law", ["end.half", "end.orderly", "merge.with-end"])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("client: [connect, send: a, expect: a, end: eof]", "the server ends it by itself"),
        ("client: [connect, send: a, expect: a, close]", "its author has said how the client ends it"),
        ("client: [connect, send: a, expect: a, reset]", "its author has said how the client ends it"),
        (
            "client: [connect, send: a, shutdown: write, expect: a]",
            "its author has said how the client ends it",
        ),
        (
            "clients: {a: [connect, mark: x], b: [connect, wait-for: x]}",
            "it has several clients, each with something to say to the others",
        ),
    ],
)
def test_an_exchange_that_ends_in_its_own_way_is_not_ended_otherwise(law: str, text: str, why: str) -> None:
    assert why_not(law, text) == why


@pytest.mark.parametrize("law", ["end.half", "merge.with-end"])
@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("expect: hi", "it sends nothing"),
        ("send: a, quiet: 1s", "it waits for something behind its last message"),
        ("send: a, expect: a, wait: 1s", "it waits for something behind its last message"),
        (
            "send: a, expect: a, expect: {not: {text: x}, for: 1s}",
            "it waits for something behind its last message",
        ),
        ("send: a", "nothing is expected behind its last message"),
    ],
)
def test_only_who_has_said_all_and_is_answered_half_closes(law: str, steps: str, why: str) -> None:
    assert why_not(law, f"client: [connect, {steps}]") == why


@pytest.mark.parametrize("law", ["end.half", "merge.with-end", "end.orderly"])
def test_nothing_else_is_changed(law: str) -> None:
    before = varied("cut.every-byte", ECHO).cases[""].actors[0].actions
    after = varied(law).cases[""].actors[0].actions
    assert (after[0], after[1].span) == (before[0], before[1].span)


def test_the_end_of_stream_behind_many_messages_whose_replies_wait_to_be_read() -> None:
    found = varied("end.half", "client: [connect, send: ab, expect: abcdefgh]")
    assert found.traits == {"": (), "many replies": ("many-replies",)}
    assert found.steps("many replies") == {
        "client": [
            "connect small",
            "send <32768 of ab>",
            "shutdown write",
            "await rest",
            "wait 0.3",
            "expect <131072 of abcdefgh>",
            "end eof",
        ]
    }
    assert varied("end.half", without=["orderly-close"]).steps("many replies")["client"][-1] == "end any"


@pytest.mark.parametrize(
    ("text", "without"),
    [
        (ECHO, ["pipelining"]),
        (f"state: own\n{ECHO}", []),
        ("client: [connect, send: aaaaaaaaaa, expect: a]", []),
    ],
)
def test_a_message_that_cannot_be_sent_many_times_over_is_half_closed_once(text: str, without: list[str]) -> None:
    assert varied("end.half", text, without=without).variations == [""]
