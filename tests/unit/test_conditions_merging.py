"""What was sent apart may arrive together: sends, requests, the end of the stream, and all that before accept()."""

from __future__ import annotations

import pytest
from varied import ECHO, varied, why_not

TWO = "client: [connect, send: a, expect: a, send: b, expect: b, close]"
LARGE = "payloads: {big: {random: 65537}}\n"


def test_sends_that_follow_each_other_are_one() -> None:
    text = "client: [connect, send: a, send: b, expect: ab, send: c, {send: de, cut: [1]}, send: f, send: g]"
    assert varied("merge.sends", text).steps() == {
        "client": ["connect", "send ab", "expect ab", "send c", "send de cut 1", "send fg"]
    }


@pytest.mark.parametrize("text", [ECHO, TWO, "client: [connect, send: a, {send: bc, cut: [1]}]"])
def test_no_two_sends_follow_each_other(text: str) -> None:
    assert why_not("merge.sends", text) == "nowhere do two sends follow each other"


def test_all_requests_then_all_replies() -> None:
    found = varied("merge.pipeline", TWO)
    assert found.steps() == {"client": ["connect", "send ab", "expect a", "expect b", "close"]}


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("send: a, expect: a", "it has no second request behind a reply"),
        ("expect: a", "it has no second request behind a reply"),
        ("send: a, send: b, expect: ab", "it has no second request behind a reply"),
        (
            "send: a, expect: {line: '(?P<n>.)'}, send: '${n}'",
            "a later request is made of an earlier reply, or sent in a way of its own",
        ),
        (
            "send: a, expect: a, {send: bc, cut: [1]}",
            "a later request is made of an earlier reply, or sent in a way of its own",
        ),
        (
            "send: a, expect: a, quiet: 1s, send: b",
            "its requests are not all that stands between the first and the last of them",
        ),
        (
            "send: a, expect: a, expect: {not: {text: x}, for: 1s}, send: b",
            "its requests are not all that stands between the first and the last of them",
        ),
    ],
)
def test_what_is_no_row_of_plain_requests_is_not_pipelined(steps: str, why: str) -> None:
    assert why_not("merge.pipeline", f"client: [connect, {steps}]") == why


def test_what_may_not_fit_before_a_reply_is_read_is_not_sent_at_once() -> None:
    text = f"{LARGE}client: [connect, send: {{payload: big}}, expect: a, send: b]"
    assert why_not("merge.pipeline", text) == "its requests are too large to be sent before a reply is read"


def test_several_clients_are_not_pipelined() -> None:
    text = "clients: {a: [connect, mark: x], b: [connect, wait-for: x]}"
    assert why_not("merge.pipeline", text) == "it has several clients, each with something to say to the others"


def test_the_end_of_stream_comes_with_the_last_message() -> None:
    found = varied("merge.with-end", TWO.replace(", close", ""))
    assert found.steps() == {
        "client": ["connect", "send a", "expect a", "send b", "shutdown write", "expect b", "end eof"]
    }


def test_what_the_client_says_first_is_there_before_it_is_accepted() -> None:
    found = varied("merge.before-accept", "client: [connect, send: a, send: b, expect: ab, send: c]")
    assert found.steps() == {
        "client": ["wait for paused", "connect", "send a", "send b", "mark sent", "expect ab", "send c"],
        "server": ["pause", "mark paused", "wait for sent", "resume"],
    }


def test_a_client_that_only_speaks_is_heard_too() -> None:
    found = varied("merge.before-accept", "client: [connect, send: a]")
    assert found.steps()["client"] == ["wait for paused", "connect", "send a", "mark sent"]


@pytest.mark.parametrize("step", ["expect: hi", "quiet: 1s", "end: eof", "wait: 1s", "close", "shutdown: write"])
def test_a_client_that_waits_first_has_nothing_to_say_before(step: str) -> None:
    text = f"client: [connect, {step}]"
    assert why_not("merge.before-accept", text) == "it waits for the server to speak first"


def test_what_cannot_wait_in_a_queue_is_not_sent_there() -> None:
    text = f"{LARGE}client: [connect, send: {{payload: big}}, expect: a]"
    assert why_not("merge.before-accept", text) == "it first sends more than can wait in a queue"
