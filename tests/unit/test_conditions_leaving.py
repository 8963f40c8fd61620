"""A peer may leave at any point, and whoever comes behind it is served: where it leaves, and how."""

from __future__ import annotations

import pytest
from varied import ECHO, actor, varied, why_not

from sockcheck.case import Close, Reset

NEXT = ["wait for who leaves has gone", "connect", "send ping\\n", "expect ping\\n"]


def leaver(law: str, variation: str, text: str = ECHO) -> list[str]:
    return varied(law, text).steps(variation)["leaver"]


def test_it_leaves_at_once_in_mid_message_and_behind_each_step() -> None:
    found = varied("leave.close-at-k")
    assert found.traits == {
        "connected": ("at-once",),
        "2:2": ("mid-message",),
        "after 2": ("after-step",),
        "after 3": ("after-step",),
    }
    assert found.steps("connected") == {
        "leaver": ["connect", "leave", "await rest", "mark who leaves has gone"],
        "client": NEXT,
    }
    gone = ["leave", "await rest", "mark who leaves has gone"]
    assert found.steps("2:2")["leaver"] == ["connect", "send pi", "await read", *gone]
    assert found.steps("after 2")["leaver"] == ["connect", "send ping\\n", "await read", *gone]
    assert found.steps("after 3")["leaver"] == ["connect", "send ping\\n", "expect ping\\n", *gone]


def test_by_a_reset_also_in_the_middle_of_a_reply_and_while_it_waits_to_be_accepted() -> None:
    found = varied("leave.reset-at-k")
    assert found.traits == {
        "connected": ("at-once",),
        "2:2": ("mid-message",),
        "after 2": ("after-step",),
        "after 3": ("after-step",),
        "reply to 2 unread": ("unread",),
        "in reply to 2": ("mid-reply",),
        "queued": ("queued",),
    }
    gone = ["reset", "await rest", "mark who leaves has gone"]
    assert found.steps("connected")["leaver"] == ["connect", *gone]
    assert found.steps("in reply to 2")["leaver"] == ["connect small", "send ping\\n", "expect 1 bytes", *gone]
    assert found.steps("reply to 2 unread")["leaver"] == [
        "connect",
        "send ping\\n",
        "await rest",
        "close unread",
        "await rest",
        "mark who leaves has gone",
    ]


def test_who_waits_to_be_accepted_leaves_with_what_it_has_said_so_far() -> None:
    found = varied("leave.reset-at-k", "client: [connect, send: a, send: b, expect: ab]")
    assert found.steps("queued") == {
        "leaver": [
            "wait for the server is paused",
            "connect",
            "send a",
            "send b",
            "reset",
            "mark who leaves has left",
            "wait for the server goes on",
            "await rest",
            "mark who leaves has gone",
        ],
        "client": ["wait for who leaves has gone", "connect", "send a", "send b", "expect ab"],
        "server": [
            "pause",
            "mark the server is paused",
            "wait for who leaves has left",
            "resume",
            "mark the server goes on",
        ],
    }
    silent = varied("leave.reset-at-k", "client: [connect]")
    assert silent.variations == ["connected", "queued"]
    assert silent.steps("queued")["leaver"] == [
        "wait for the server is paused",
        "connect",
        "reset",
        "mark who leaves has left",
        "wait for the server goes on",
        "await rest",
        "mark who leaves has gone",
    ]


def test_what_is_no_reply_is_not_left_unread() -> None:
    assert varied("leave.reset-at-k", "client: [connect, expect: hi, send: a, quiet: 1s]").variations == [
        "connected",
        "after 2",
        "after 3",
        "queued",
    ]


def test_only_the_first_client_leaves_as_far_as_it_needs_no_other() -> None:
    text = (
        "clients: {ann: [connect, mark: in, send: ab, wait-for: out, send: c], bob: [wait-for: in, connect, mark: out]}"
    )
    found = varied("leave.close-at-k", text)
    assert found.variations == ["connected", "2:1", "after 2"]
    assert found.steps("after 2") == {
        "leaver": ["connect", "send ab", "await read", "leave", "await rest", "mark who leaves has gone"],
        "ann": ["wait for who leaves has gone", "connect", "mark in", "send ab", "wait for out", "send c"],
        "bob": ["wait for who leaves has gone", "wait for in", "connect", "mark out"],
    }


@pytest.mark.parametrize("end", ["close", "reset", "end: eof", "shutdown: write"])
def test_where_the_exchange_ends_nobody_needs_to_leave(end: str) -> None:
    assert varied("leave.close-at-k", f"client: [connect, send: a, {end}]").variations == ["connected", "after 2"]


def test_of_a_long_exchange_the_first_steps_unless_all_is_asked_for() -> None:
    text = f"client: [connect, {', '.join(['send: abcd'] * 20)}]"
    assert len(varied("leave.close-at-k", text).variations) == 1 + 8 * 2
    thorough = varied("leave.close-at-k", text, thorough=True).variations
    assert len(thorough) == 1 + 20 * 4
    assert thorough[:5] == ["connected", "2:1", "2:2", "2:3", "after 2"]


@pytest.mark.parametrize("sent", ["a", "'${unique}'"])
def test_what_has_no_middle_is_not_left_in_it(sent: str) -> None:
    assert varied("leave.close-at-k", f"client: [connect, send: {sent}]").variations == ["connected", "after 2"]


def test_who_leaves_is_another_than_who_comes_behind() -> None:
    text = "payloads: {p: {random: 4, seed: 1}}\nclient: [connect, send: {payload: p}, expect: {payload: p}]"
    found = varied("leave.close-at-k", text).steps("after 2")
    assert found["leaver"][1] == "send <4 by 2>"
    assert found["client"][2] == "send <4 by 1>"


def test_nothing_that_the_leaver_sees_is_a_finding() -> None:
    for law, end in (("leave.close-at-k", Close), ("leave.reset-at-k", Reset)):
        case = varied(law).cases["after 3"]
        who = actor(case.actors, "leaver")
        assert who.pushes
        assert isinstance(who.actions[-3], end)


@pytest.mark.parametrize("law", ["leave.close-at-k", "leave.reset-at-k"])
def test_what_leaves_something_behind_is_not_left_twice(law: str) -> None:
    why = "it leaves something behind (state: own), and no ${unique} keeps two runs of it apart"
    assert why_not(law, "state: own\nclient: [connect, send: a]") == why
    assert varied(law, "state: own\nclient: [connect, send: '${unique}']").variations
