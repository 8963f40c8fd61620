"""An idle connection lives as long as promised, and small replies are not held back."""

from __future__ import annotations

import pytest
from varied import ECHO, PROMISES, varied, why_not

TWICE = "client: [connect, send: a, expect: a, send: bc, expect: bc]"


def test_silence_shorter_and_longer_than_is_promised() -> None:
    found = varied("time.idle", TWICE)
    assert found.traits == {kind: (kind,) for kind in ("below", "renewed", "beyond")}
    assert found.steps("below")["client"] == ["connect", "wait 0.6", "send a", "expect a", "send bc", "expect bc"]
    assert found.steps("renewed")["client"] == [
        "connect",
        "wait 0.6",
        "send a",
        "expect a",
        "wait 0.6",
        "send bc",
        "expect bc",
    ]
    assert found.steps("beyond")["client"] == ["connect", "end eof after 1"]
    plain = varied("cut.every-byte", TWICE).cases[""].deadline
    assert found.cases["renewed"].deadline > found.cases["below"].deadline
    assert found.cases["beyond"].deadline > plain - 1


def test_bytes_of_a_message_that_is_not_finished_keep_no_connection_open_and_are_nothing_to_the_next_client() -> None:
    found = varied("time.idle", "client: [connect, expect: hi, send: 12345678, expect: ok]")
    assert found.variations == ["below", "beyond", "unfinished"]
    assert found.steps("unfinished") == {
        "idler": [
            "connect",
            "expect hi",
            "send 1234 cut 1 2 3 gap 0.4",
            "end any",
            "close unread",
            "mark the unfinished one is gone",
        ],
        "client": ["wait for the unfinished one is gone", "connect", "expect hi", "send 12345678", "expect ok"],
    }


@pytest.mark.parametrize(
    ("sent", "begun"),
    [
        ("'set ${unique} to 1'", "send set "),
        ("abc", "send a"),
        ("{frame: u16be, of: abcd}", "send \\x00\\x04a"),
    ],
)
def test_of_a_message_half_is_sent_or_what_is_known_of_it(sent: str, begun: str) -> None:
    steps = varied("time.idle", f"client: [connect, send: {sent}]").steps("unfinished")["idler"]
    assert steps[1].partition(" cut ")[0].partition(" gap ")[0] == begun


@pytest.mark.parametrize("sent", ["{send: ab, cut: [1]}", "send: a", "send: '${unique}'", "send: {payload: big}"])
def test_what_cannot_be_halved_is_not_left_unfinished(sent: str) -> None:
    text = f"payloads: {{big: {{random: 65537}}}}\nclient: [connect, {sent}]"
    assert varied("time.idle", text).variations == ["below", "beyond"]


def test_a_timer_is_renewed_only_by_a_request_that_follows_a_reply() -> None:
    assert "renewed" not in varied("time.idle", "client: [connect, send: ab, send: cd, expect: abcd]").variations


def test_the_server_may_end_it_as_it_likes_where_it_promised_nothing() -> None:
    promises = {"idle-close": "1s"}
    assert varied("time.idle", promises=promises).steps("beyond")["client"] == ["connect", "end any after 1"]


def test_a_promise_may_stand_for_a_parameter() -> None:
    assert varied("time.idle", promises={"idle-close": "${idle}"}).why == "the promise '${idle}' is no length of time"


def test_a_long_time_is_waited_for_only_where_all_is_asked_for() -> None:
    promises = {**PROMISES, "idle-close": "60s"}
    assert varied("time.idle", promises=promises).why == "it would take 60 s; --conditions thorough waits for it"
    assert varied("time.idle", promises=promises, thorough=True).steps("below")["client"][1] == "wait 36"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("client: [connect, send: a, quiet: 100ms]", "it waits by itself, and this takes it many times"),
        ("client: [connect, expect: hi]", "it sends nothing"),
        (
            "clients: {a: [connect, mark: x], b: [connect, wait-for: x]}",
            "it has several clients, each with something to say to the others",
        ),
    ],
)
def test_who_waits_anyway_or_says_nothing_is_not_idle(text: str, why: str) -> None:
    assert why_not("time.idle", text) == why


def test_without_a_contract_nothing_is_known_of_an_idle_time() -> None:
    assert varied("time.idle", promises=None).why == "the promise '' is no length of time"


def test_thirty_requests_each_behind_the_reply_to_the_one_before() -> None:
    found = varied("time.prompt", "client: [connect, expect: hi, send: a, expect: a, quiet: 1s]").steps()["client"]
    assert found == ["connect", "expect hi", *(["send a", "expect a"] * 30), "quiet 1"]


@pytest.mark.parametrize("sent", [r'"a\n"', r'{frame: u8, of: "a\nb\n"}'])
def test_a_line_or_a_frame_is_one_request(sent: str) -> None:
    text = f"client: [connect, send: {sent}, expect: a]"
    assert len(varied("time.prompt", text).steps()["client"]) == 61


@pytest.mark.parametrize(
    ("text", "without", "why"),
    [
        ('client: [connect, send: "a\\nb\\n", expect: ab]', [], "what it sends at once may be several requests"),
        (ECHO, ["pipelining"], "nothing says that its requests may be repeated on one connection (pipelining)"),
        (f"client: [connect, send: {'a' * 1001}, expect: a]", [], "its requests are not small"),
        ("client: [connect, expect: a]", [], "it has no request with a reply"),
        (
            "state: own\nclient: [connect, send: a, expect: a]",
            [],
            "it leaves something behind (state: own), and no ${unique} keeps two runs of it apart",
        ),
    ],
)
def test_what_is_not_asked_thirty_times(text: str, without: list[str], why: str) -> None:
    assert why_not("time.prompt", text, without=without) == why
