"""A message may arrive in pieces, and slowly: where it is cut, and what is left as its author wrote it."""

from __future__ import annotations

import pytest
from varied import ECHO, varied, why_not

from sockcheck.segments import FALLBACK_GAP

LONG = """
payloads: {big: {random: 100000, seed: 7}}
client: [connect, send: {payload: big}, expect: {payload: big}]
"""


def positions(variations: list[str]) -> list[int]:
    return [int(variation.partition(":")[2]) for variation in variations]


def traits(written: str) -> dict[int, str]:
    found = varied("cut.at-k", f"client: [connect, send: {written}]").traits
    return {int(variation.partition(":")[2]): trait for variation, (trait,) in found.items()}


def test_a_short_message_is_cut_at_every_byte() -> None:
    found = varied("cut.at-k")
    assert found.variations == ["client.2:1", "client.2:2", "client.2:3", "client.2:4"]
    assert found.steps("client.2:3") == {"client": ["connect", "send ping\\n cut 3", "expect ping\\n"]}


def test_each_message_of_each_client_is_cut_and_only_one_at_a_time() -> None:
    text = "clients: {ann: [connect, send: ab, mark: said], bob: [connect, wait-for: said, send: cd, send: ef]}"
    found = varied("cut.at-k", text)
    assert found.variations == ["ann.2:1", "bob.3:1", "bob.4:1"]
    assert found.steps("bob.4:1") == {
        "ann": ["connect", "send ab", "mark said"],
        "bob": ["connect", "wait for said", "send cd", "send ef cut 1"],
    }


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"ab\\r\\n"', {1: "in-body", 2: "in-body", 3: "in-delimiter"}),
        ('"\\nab"', {1: "in-body", 2: "in-body"}),
        ('"aé"', {1: "in-body", 2: "in-character"}),
        ("{frame: u32be, of: ab}", {1: "in-length", 2: "in-length", 3: "in-length", 4: "in-body", 5: "in-body"}),
        ('[{u16be: 3}, "\\n"]', {1: "in-body", 2: "in-delimiter"}),
        ("[{frame: u16be, of: a}, b]", {1: "in-length", 2: "in-body", 3: "in-body"}),
        ("[{payload: two}, a]\npayloads: {two: {repeat: x, size: 2}}", {1: "in-body", 2: "in-body"}),
        ("{frame: u16be, of: {frame: u16be, of: ''}}", {1: "in-length", 2: "in-body", 3: "in-length"}),
        # Behind what may be of any length no place is known; inside it there may be none.
        ('["ab", "${unique}", "cd"]', {1: "in-body"}),
        ("[{frame: u16be, of: [ab, '${unique}']}, cd]", {1: "in-length", 2: "in-body", 3: "in-body"}),
    ],
)
def test_what_sort_of_a_place_a_cut_is_at(written: str, expected: dict[int, str]) -> None:
    if "\n" in written:
        written, _, keys = written.partition("\n")
        found = varied("cut.at-k", f"{keys}\nclient: [connect, send: {written}]").traits
        assert list(found.values()) == [(trait,) for trait in expected.values()]
    else:
        assert traits(written) == expected


def test_an_integer_that_is_known_only_later_is_a_length() -> None:
    text = "client: [connect, expect: {line: '(?P<n>[0-9]+)'}, send: [a, {u32be: '${n}'}, b]]"
    assert [trait for (trait,) in varied("cut.at-k", text).traits.values()] == [
        "in-body",
        "in-length",
        "in-length",
        "in-length",
        "in-body",
    ]


def test_of_a_long_message_the_telling_places_and_a_sample() -> None:
    found = positions(varied("cut.at-k", LONG).variations)
    assert len(found) == 64
    assert found == sorted(set(found))
    assert found[0] == 1
    assert found[-1] == 99_999
    powers = {2**power + more for power in range(3, 17) for more in (-1, 0, 1)}
    assert len(powers & set(found)) >= 28
    assert len(set(found) - powers) >= 28


def test_where_there_are_too_many_telling_places_a_sample_of_them() -> None:
    text = f"client: [connect, send: '{'é' * 100}']"
    found = varied("cut.at-k", text)
    assert len(found.variations) == 64
    telling = [trait for (trait,) in found.traits.values() if trait == "in-character"]
    assert len(telling) >= 32


def test_another_seed_cuts_elsewhere_and_the_same_seed_at_the_same_places() -> None:
    assert varied("cut.at-k", LONG, seed=1).cases == varied("cut.at-k", LONG, seed=1).cases
    assert varied("cut.at-k", LONG, seed=1).variations != varied("cut.at-k", LONG, seed=2).variations


def test_of_many_messages_fewer_places_each_and_more_where_it_is_thorough() -> None:
    text = f"client: [connect, {', '.join(['send: abcdefghi'] * 20)}]"
    standard = varied("cut.at-k", text)
    assert len(standard.variations) == 64
    assert {variation.partition(":")[0] for variation in standard.variations} == {
        f"client.{step}" for step in range(2, 22)
    }
    assert len(varied("cut.at-k", text, thorough=True).variations) == 20 * 8


@pytest.mark.parametrize(
    "send",
    ["{send: ab, cut: [1]}", "{send: a}", "{send: ''}", "{send: ab, read: no}", "{send: '${unique}'}"],
)
@pytest.mark.parametrize("law", ["cut.at-k", "cut.every-byte", "pace.slow"])
def test_what_its_author_has_cut_or_what_is_too_short_stays_as_it_is(law: str, send: str) -> None:
    assert why_not(law, f"client: [connect, {send}]") == "it sends nothing that could be cut"


def test_each_byte_of_all_messages_by_itself() -> None:
    text = "client: [connect, send: ab, expect: ab, send: [cd, '${unique}', e], send: x]"
    assert varied("cut.every-byte", text).steps() == {
        "client": ["connect", "send ab cut each byte", "expect ab", "send cd${unique}e cut each byte", "send x"]
    }


def test_each_byte_takes_its_time_where_only_gaps_part_them() -> None:
    plain = varied("cut.at-k").cases["client.2:1"].deadline - FALLBACK_GAP
    assert varied("cut.every-byte").cases[""].deadline == pytest.approx(plain + 5 * FALLBACK_GAP)


def test_what_is_large_is_not_sent_byte_by_byte() -> None:
    assert why_not("cut.every-byte", LONG, without=["idle-close"]) == "its messages have more than 4,096 bytes"
    sent = "payloads: {big: {random: 5000, seed: 7}}\nclient: [connect, send: {payload: big}, send: ab]"
    assert varied("cut.every-byte", sent, without=["idle-close"]).steps() == {
        "client": ["connect", "send <5000 by 7>", "send ab cut each byte"]
    }


def test_no_more_is_sent_byte_by_byte_than_fits_into_the_time_for_which_a_client_may_be_silent() -> None:
    text = f"client: [connect, send: {'a' * 101}]"
    assert varied("cut.every-byte", text, promises={"idle-close": "1s"}).why == "its messages have more than 100 bytes"
    assert varied("cut.every-byte", text, promises={"idle-close": "2s"}).variations == [""]


def test_by_gaps_alone_fewer_bytes_are_sent_one_by_one() -> None:
    text = f"client: [connect, send: {'a' * 33}, send: {'b' * 32}]"
    assert varied("cut.every-byte", text, observable=False).steps() == {
        "client": ["connect", f"send {'a' * 33}", f"send {'b' * 32} cut each byte"]
    }


def test_a_message_with_pauses_in_it_the_first_ones_with_more() -> None:
    found = varied("pace.slow", without=["idle-close"])
    assert found.steps() == {"client": ["connect", "send ping\\n cut 1 2 3 4 gap 0.15", "expect ping\\n"]}
    text = "client: [connect, send: abc, expect: abc, send: abcdefgh, expect: abcdefgh, send: ij]"
    assert varied("pace.slow", text, without=["idle-close"]).steps() == {
        "client": [
            "connect",
            "send abc cut 1 2 gap 0.15",
            "expect abc",
            "send abcdefgh cut 2 5 gap 0.15",
            "expect abcdefgh",
            "send ij",
        ]
    }


def test_no_pause_is_as_long_as_a_client_may_be_silent() -> None:
    promises = {"idle-close": "200ms"}
    assert varied("pace.slow", ECHO, promises=promises).steps() == {
        "client": ["connect", "send ping\\n cut 1 2 3 4 gap 0.0166667", "expect ping\\n"]
    }
