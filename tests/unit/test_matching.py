"""Matchers are fed whole, byte by byte, and with a tail: the answer is the same."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockcheck import matching
from sockcheck.case import Count, Exact, Form, Generated, Line, Until
from sockcheck.events import Elided
from sockcheck.matching import LONGEST, Done, ExactMatcher, Mismatch, matcher

HELLO = Exact((b"hello ", b"world\n"))
BLOCK = Until(b"\r\n\r\n", (rb"^HTTP/1\.1 200", rb"(?m)^Length: \d+\r$"))


def feed(form: Form, data: bytes, size: int) -> Done | Mismatch | None:
    """Feed `data` in pieces of `size` until there is an answer; what was not fed is the rest."""
    fed = matcher(form)
    answer = fed.feed(b"")
    if isinstance(answer, Done):
        return Done(data)
    for begin in range(0, len(data), size):
        if answer is not None:
            break
        piece = data[begin : begin + size]
        answer = fed.feed(piece)
        if isinstance(answer, Done):
            return Done(answer.rest + data[begin + size :])
    return answer


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("form", "data"),
    [
        (HELLO, b"hello world\n"),
        (Exact((Generated("repeat", 1000, 0, b"abc"),)), (b"abc" * 334)[:1000]),
        (Line(rb"220 .*", "any"), b"220 here\r\n"),
        (Line(rb"220 .*", "any"), b"220 here\n"),
        (Line(rb"", "crlf"), b"\r\n"),
        (Line(rb"a\rb", "lf"), b"a\rb\n"),
        (BLOCK, b"HTTP/1.1 200 OK\r\nLength: 12\r\n\r\n"),
        (Until(b"aab", ()), b"aaaaab"),
        (Count(5, None), b"\0\n\xff--"),
        (Count(3, hashlib.sha256(b"abc").hexdigest()), b"abc"),
    ],
)
@pytest.mark.parametrize("tail", [b"", b"\n", b"more\r\n\r\n"])
def test_what_is_right_matches_however_it_is_segmented(form: Form, data: bytes, tail: bytes, size: int) -> None:
    assert feed(form, data + tail, size) == Done(tail)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("form", "data", "message"),
    [
        (HELLO, b"hello_world\n", "byte 5 differs"),
        (HELLO, b"Hello world\n", "byte 0 differs"),
        (Line(rb"220 .*", "any"), b"500 no\r\n", "the line does not match"),
        (Line(rb".*", "crlf"), b"220 here\n", "the line does not end in \\r\\n"),
        (Line(rb".*", "lf"), b"220 here\r\n", "the line ends in \\r\\n"),
        (Line(rb".*", "any"), b"x" * (LONGEST + 1), "no end of line within 65,536 bytes"),
        (Line(rb".*", "any"), b"x" * LONGEST + b"\n", "no end of line within 65,536 bytes"),
        (BLOCK, b"HTTP/1.1 404 No\r\n\r\n", "/^HTTP/1\\.1 200/ is not found in it"),
        (Until(b"\0", ()), b"x" * (LONGEST + 1), 'no "\\x00" within 65,536 bytes'),
        (Until(b"\0", ()), b"x" * LONGEST + b"\0", 'no "\\x00" within 65,536 bytes'),
        (Count(3, "0" * 64), b"abc", "the digest of 3 bytes differs"),
    ],
)
def test_what_is_wrong_does_not(form: Form, data: bytes, message: str, size: int) -> None:
    answer = feed(form, data, size)
    assert isinstance(answer, Mismatch)
    assert answer.message == message


@pytest.mark.parametrize(
    ("form", "data", "message", "actual"),
    [
        (HELLO, b"", "none of it came", "nothing"),
        (HELLO, b"hello", "7 of 12 bytes did not come", '"hello"'),
        (Line(rb".*", "any"), b"", "no line came", "nothing"),
        (Line(rb".*", "any"), b"220", "the line has no end", '"220"'),
        (Until(b"\n\n", ()), b"a\n", '"\\n\\n" did not come', '"a\\n"'),
        (Count(5, None), b"abc", "3 of 5 bytes came", '"abc"'),
        (Count(500, None), b"a" * 100, "100 of 500 bytes came", f'100 bytes: "{"a" * 40}" …'),
    ],
)
def test_what_is_missing_is_told(form: Form, data: bytes, message: str, actual: str) -> None:
    fed = matcher(form)
    fed.feed(data)
    lacking = fed.lacking()
    assert (lacking.message, lacking.actual) == (message, actual)
    assert fed.taken == len(data)


def test_a_difference_shows_both_streams_around_it() -> None:
    expected = bytes(range(65, 91)) * 4
    actual = expected[:50] + b"?" + expected[51:]
    answer = feed(Exact((expected,)), actual, 1000)
    assert isinstance(answer, Mismatch)
    assert answer.difference is not None
    difference = answer.difference
    assert (difference.offset, difference.start) == (50, 26)
    assert difference.expected == expected[26:90]
    assert difference.actual == actual[26:90]


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_the_first_byte_that_differs_is_found(expected: bytes, actual: bytes) -> None:
    answer = feed(Exact((expected,)), actual, 1000)
    same = next((i for i, (a, b) in enumerate(zip(expected, actual, strict=False)) if a != b), None)
    if same is None:
        assert answer == (Done(actual[len(expected) :]) if len(actual) >= len(expected) else None)
    else:
        assert isinstance(answer, Mismatch)
        assert answer.difference is not None
        assert answer.difference.offset == same


def elided(data: bytes) -> Elided:
    return Elided(len(data), hashlib.sha256(data).hexdigest(), data[:4], data[-4:])


def test_a_digest_stands_for_the_bytes() -> None:
    fed = ExactMatcher(HELLO)
    assert fed.feed_elided(elided(b"hello")) is None
    assert fed.feed_elided(elided(b" world\n")) == Done(b"")


def test_a_digest_of_other_bytes_is_a_mismatch() -> None:
    fed = ExactMatcher(HELLO)
    answer = fed.feed_elided(elided(b"hullo"))
    assert isinstance(answer, Mismatch)
    assert isinstance(ExactMatcher(HELLO).feed_elided(elided(b"hello world\nand more")), Mismatch)


def test_a_pattern_that_takes_for_ever_is_trouble_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "PATTERN_LIMIT", 0.001)
    hostile, line = rb"(a|aa)+\d?[bd]", b"a" * 60 + b"cbd\n"
    answer = feed(Line(hostile, "any"), line, 1000)
    assert isinstance(answer, Mismatch)
    assert "took longer" in answer.trouble
    until = feed(Until(b"\n", (rb"^" + hostile + rb"$",)), line, 1000)
    assert isinstance(until, Mismatch)
    assert "took longer" in until.trouble
