"""No size is special, and replies may be larger than every buffer."""

from __future__ import annotations

import pytest
from varied import ECHO, varied, why_not

from sockcheck.case import Expect, Send


def echo_of(size: int, more: str = "") -> str:
    return f"payloads: {{p: {{random: {size}}}}}\nclient: [connect, send: {{payload: p}}, expect: {{payload: p}}{more}]"


def test_sizes_around_the_powers_of_two_up_to_its_own() -> None:
    found = varied("size.edges", echo_of(9))
    assert found.traits == {
        "size=1": ("power",),
        "size=2": ("power",),
        "size=3": ("above-power",),
        "size=4": ("power",),
        "size=5": ("above-power",),
        "size=7": ("below-power",),
        "size=8": ("power",),
        "size=9": ("above-power",),
    }
    assert found.steps("size=5") == {"client": ["connect", "send <5 by 0>", "expect <5 by 0>"]}


def test_no_larger_edge_than_sixty_four_kibibytes() -> None:
    assert varied("size.edges", echo_of(1 << 20)).variations[-1] == "size=65537"


def test_a_length_before_the_payload_changes_with_it() -> None:
    text = (
        "payloads: {p: {random: 9}}\n"
        "client: [connect, send: [{frame: u16be, of: {payload: p}}, x], expect: {frame: u16be, equals: {payload: p}}]"
    )
    assert varied("size.edges", text).steps("size=4") == {
        "client": ["connect", "send u16be+<4 by 0>x", "expect u16be+<4 by 0>"]
    }


def test_of_several_payloads_the_largest_is_resized_wherever_it_stands() -> None:
    text = (
        "payloads: {p: {random: 3, seed: 1}, q: {random: 4, seed: 2}}\n"
        "client: [connect, send: [{payload: p}, {payload: q}], expect: [{payload: p}, {payload: q}]]"
    )
    assert varied("size.edges", text).steps("size=1") == {
        "client": ["connect", "send <3 by 1><1 by 2>", "expect <3 by 1><1 by 2>"]
    }


@pytest.mark.parametrize(
    "text",
    [
        ECHO,
        "payloads: {p: {random: 9}}\nclient: [connect, send: {payload: p}, expect: ok]",
        "payloads: {p: {random: 9}}\nclient: [connect, send: {payload: p}, expect: {payload: p, first: 3}]",
        # The digest may be that of the payload, which then could not be another one.
        echo_of(9, f", expect: {{bytes: 9, sha256: {'0' * 64}}}"),
    ],
)
def test_what_does_not_come_back_is_not_resized(text: str) -> None:
    assert why_not("size.edges", text) == "no payload is both sent and expected"


@pytest.mark.parametrize(
    "send",
    [
        "send: ['put 9 ', {payload: p}]",
        "send: ['put 0009 ', {payload: q}, {payload: p}]",
        "send: 'put 9 ', send: {payload: p}",
        "send: [{payload: p}, ' 9']",
        "send: {frame: u8, of: ['9 ', {payload: p}]}",
        "send: [{hex: '09'}, {payload: p}]",
        "send: [{hex: '00 09'}, {payload: p}]",
        "send: [{hex: '09 00'}, {payload: p}]",
        "send: {hex: '09 00 00 00'}, send: {payload: p}",
        "send: [{hex: '00 00 00 00 00 00 00'}, {hex: '09'}, {payload: p}]",
    ],
)
def test_where_its_size_may_be_written_elsewhere_it_keeps_it(send: str) -> None:
    text = f"payloads: {{p: {{random: 9}}, q: {{random: 3}}}}\nclient: [connect, {send}, expect: {{payload: p}}]"
    assert why_not("size.edges", text) == "its size seems to stand in another place of the message"


@pytest.mark.parametrize(
    "send",
    [
        "send: ['put 19 and 90 ', {payload: p}]",
        "send: put 1, send: ['9 ', {payload: p}]",
        "send: [{hex: '09'}, {payload: q}, {payload: p}]",
        "send: {frame: u8, of: {payload: p}}",
        "send: [{hex: '09'}, {frame: u8, of: {payload: p}}]",
        "send: [{payload: p}, {hex: '09'}]",
    ],
)
def test_what_only_resembles_its_size_does_not_hold_it(send: str) -> None:
    text = f"payloads: {{p: {{random: 9}}, q: {{random: 3}}}}\nclient: [connect, {send}, expect: {{payload: p}}]"
    assert len(varied("size.edges", text).variations) == 8


def test_what_another_client_sends_says_nothing_of_its_size() -> None:
    text = (
        "payloads: {p: {random: 9}}\n"
        "clients: {a: [connect, send: {payload: p}, expect: {payload: p}], b: [connect, send: 'put 9', expect: ok]}"
    )
    assert varied("size.edges", text).variations


def test_a_large_reply_is_read_late_through_a_small_window() -> None:
    text = echo_of(10_000, ", send: x, expect: y, expect: {bytes: 10000}")
    found = varied("size.large", text)
    assert found.variations == ["one reply"]
    assert found.steps("one reply") == {
        "client": [
            "connect small",
            "send <10000 by 0>",
            "await rest",
            "wait 0.3",
            "expect <10000 by 0>",
            "send x",
            "expect y",
            "expect 10000 bytes",
        ]
    }
    plain = varied("cut.at-k", text).cases["client.2:1"].actors[0].actions
    late = found.cases["one reply"].actors[0].actions
    assert isinstance(plain[1], Send)
    assert isinstance(late[1], Send)
    assert isinstance(plain[2], Expect)
    assert isinstance(late[4], Expect)
    assert (late[1].within, late[4].within) == (plain[1].within * 4, plain[2].within * 4)


@pytest.mark.parametrize(
    "expect",
    ["{frame: u32be, equals: {payload: big}}", "{bytes: 20000}"],
)
def test_by_whatever_form_it_is_known_to_be_large(expect: str) -> None:
    text = f"payloads: {{big: {{random: 20000}}}}\nclient: [connect, send: a, expect: {expect}]"
    assert varied("size.large", text).variations == ["one reply"]


def test_replies_of_many_requests_together_are_large() -> None:
    text = "client: [connect, expect: hi, send: ab, expect: abcd, send: ef, expect: {frame: u8, equals: gh}, quiet: 1s]"
    assert varied("size.large", text).steps("many replies") == {
        "client": [
            "connect small",
            "expect hi",
            "send <65536 of abef>",
            "await rest",
            "wait 0.3",
            "expect <114688 of abcd\\x02gh>",
            "quiet 1",
        ]
    }


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("expect: hi", "it has no request with a reply"),
        ("send: a", "it has no request with a reply"),
        ("expect: hi, send: a", "it has no request with a reply"),
        ("send: a, expect: {line: a}", "its requests and replies are not always the same bytes"),
        ("send: a, expect: {frame: u8}", "its requests and replies are not always the same bytes"),
        ("send: '${unique}', expect: a", "its requests and replies are not always the same bytes"),
        ("{send: ab, cut: [1]}, expect: a", "its requests and replies are not always the same bytes"),
        ("send: aaaaaaaaaa, expect: a", "its replies are small beside its requests"),
        ("send: a, expect: a, end: eof", "the server ends it by itself"),
    ],
)
def test_what_cannot_be_asked_many_times_over_stays_small(steps: str, why: str) -> None:
    assert why_not("size.large", f"client: [connect, {steps}]") == why


def test_requests_are_repeated_only_where_they_may_be_pipelined() -> None:
    why = "its replies are small, and its requests may not be pipelined"
    assert why_not("size.large", ECHO, without=["pipelining"]) == why
    assert why_not("size.large", f"state: own\n{ECHO}") == why
    assert varied("size.large", ECHO, promises=None).variations == ["many replies"]
