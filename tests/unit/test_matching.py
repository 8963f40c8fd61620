"""Matchers are fed whole, byte by byte, and with a tail: the answer is the same."""

from __future__ import annotations

import hashlib
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockcheck.case import (
    AnyOf,
    Count,
    Exact,
    Form,
    Frame,
    Generated,
    Integer,
    Line,
    Lines,
    Not,
    Prefixed,
    Unordered,
    Until,
    Value,
)
from sockcheck.client_events import (
    Elided,
)
from sockcheck.matching import LONGEST, LONGEST_FRAME, Done, ExactMatcher, Mismatch, NotMatcher, matcher, patterns
from sockcheck.payloads import BadValueError, MissingValueError


def line(pattern: bytes, ends: Literal["any", "crlf", "lf"] = "any") -> Line:
    return Line((pattern,), ends)


HELLO = Exact((b"hello ", b"world\n"))
BLOCK = Until(b"\r\n\r\n", ((rb"^HTTP/1\.1 (?P<status>200)",), (rb"(?m)^Length: (?P<length>\d+)\r$",)))
EHLO = Lines((rb"250-(?P<word>\w+)(?: (?P<size>\d+))?",), (rb"250 (?P<last>.*)",), "any")
FRAME = Frame("u16be", None, ((rb"a(?P<middle>.*)c",), (rb"^.(?P<second>.)",)))
HI = Frame("u32be", (b"h", b"i"), ())
CROWD = Unordered((line(rb"(?P<a>a+)"), line(rb"b*"), Exact((b"c!",))))
EITHER = AnyOf((Exact((b"yes, and more",)), Exact((b"yes",)), line(rb"no (?P<why>.*)")))
SIZES = pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])


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
            assert fed.taken + len(answer.rest) == begin + len(piece)
            return Done(answer.rest + data[begin + size :], answer.captures)
    return answer


@SIZES
@pytest.mark.parametrize(
    ("form", "data", "captures"),
    [
        (HELLO, b"hello world\n", {}),
        (Exact((Generated("repeat", 1000, 0, b"abc"),)), (b"abc" * 334)[:1000], {}),
        (line(rb"220 .*"), b"220 here\r\n", {}),
        (line(rb"220 (?P<host>.*)"), b"220 here\n", {"host": b"here"}),
        (line(rb"(?P<one>1)|(?P<two>2)"), b"2\n", {"two": b"2"}),
        (line(rb"", "crlf"), b"\r\n", {}),
        (line(rb"a\rb", "lf"), b"a\rb\n", {}),
        (BLOCK, b"HTTP/1.1 200 OK\r\nLength: 12\r\n\r\n", {"status": b"200", "length": b"12"}),
        (Until(b"aab", ()), b"aaaaab", {}),
        (Count(5, None), b"\0\n\xff--", {}),
        (Count(3, hashlib.sha256(b"abc").hexdigest()), b"abc", {}),
        (EHLO, b"250 all\r\n", {"last": b"all"}),
        (EHLO, b"250-SIZE 9\r\n250-HELP\n250 ok\r\n", {"word": b"HELP", "size": b"9", "last": b"ok"}),
        (Lines((rb".*",), (rb"\.",), "crlf"), b"..\r\n.\r\n", {}),
        (FRAME, b"\0\4abcc", {"middle": b"bc", "second": b"b"}),
        (Frame("u8", None, ()), b"\0", {}),
        (Frame("u32le", None, ()), b"\3\0\0\0abc", {}),
        (HI, b"\0\0\0\2hi", {}),
        (Frame("u8", (), ()), b"\0", {}),
        (CROWD, b"aa\nb\nc!", {"a": b"aa"}),
        (CROWD, b"c!\naaa\r\n", {"a": b"aaa"}),
        (Unordered((HELLO, Exact(()))), b"hello world\n", {}),
        (Unordered(()), b"", {}),
        (Unordered((Unordered((line(b"a"), line(b"b"))), line(b"c"))), b"c\nb\na\n", {}),
        (EITHER, b"yes", {}),
        (EITHER, b"no way\n", {"why": b"way"}),
        (AnyOf((line(rb"(?P<first>.)."), line(rb".(?P<second>.)"))), b"ab\n", {"first": b"a"}),
        (AnyOf((line(rb"never"), Unordered((line(b"a"), line(b"b"))))), b"b\na\n", {}),
    ],
)
@pytest.mark.parametrize("tail", [b"", b"\n", b"more\r\n\r\n"])
def test_what_is_right_matches_however_it_is_segmented(
    form: Form, data: bytes, captures: dict[str, bytes], tail: bytes, size: int
) -> None:
    assert feed(form, data + tail, size) == Done(tail, captures)


@SIZES
@pytest.mark.parametrize(
    ("form", "data", "message"),
    [
        (HELLO, b"hello_world\n", "byte 5 differs"),
        (HELLO, b"Hello world\n", "byte 0 differs"),
        (line(rb"220 .*"), b"500 no\r\n", "the line does not match"),
        (line(rb".*", "crlf"), b"220 here\n", "the line does not end in \\r\\n"),
        (line(rb".*", "lf"), b"220 here\r\n", "the line ends in \\r\\n"),
        (line(rb".*"), b"x" * (LONGEST + 1), "no end of line within 65,536 bytes"),
        (line(rb".*"), b"x" * LONGEST + b"\n", "no end of line within 65,536 bytes"),
        (BLOCK, b"HTTP/1.1 404 No\r\n\r\n", "/^HTTP/1\\.1 (?P<status>200)/ is not found in it"),
        (Until(b"\0", ()), b"x" * (LONGEST + 1), 'no "\\x00" within 65,536 bytes'),
        (Until(b"\0", ()), b"x" * LONGEST + b"\0", 'no "\\x00" within 65,536 bytes'),
        (Count(3, "0" * 64), b"abc", "the digest of 3 bytes differs"),
        (EHLO, b"250-HELP\r\n500 no\r\n", "line 2 does not match"),
        (EHLO, b"250-HELP\r\n" + b"x" * LONGEST + b"\n", "no end of line within 65,536 bytes"),
        (Lines((rb".*",), (rb"\.",), "lf"), b"..\n.\r\n", "the line ends in \\r\\n"),
        (FRAME, b"\0\3xyz", "/a(?P<middle>.*)c/ is not found in it"),
        (
            Frame("u32be", None, ()),
            (LONGEST_FRAME + 1).to_bytes(4, "big"),
            "the length of the frame is 67,108,865 bytes, but no more than 67,108,864 are taken",
        ),
        (HI, b"\0\0\0\2ho", "byte 5 differs"),
        (HI, b"\0\0\0\3hi!", "byte 3 differs, in the length of the frame"),
        (CROWD, b"b\nx\n", "none of those that are missing is what came"),
        (CROWD, b"b\na\nd!", "none of those that are missing is what came: byte 0 differs"),
        (EITHER, b"ya\n", "it is none of them"),
        (AnyOf((HELLO,)), b"hello_", "it is none of them: byte 5 differs"),
    ],
)
def test_what_is_wrong_does_not(form: Form, data: bytes, message: str, size: int) -> None:
    answer = feed(form, data, size)
    assert isinstance(answer, Mismatch)
    assert (answer.message, answer.trouble) == (message, "")


@pytest.mark.parametrize(
    ("form", "data", "message", "actual"),
    [
        (HELLO, b"", "none of it came", "nothing"),
        (HELLO, b"hello", "7 of 12 bytes did not come", '"hello"'),
        (line(rb".*"), b"", "no line came", "nothing"),
        (line(rb".*"), b"220", "the line has no end", '"220"'),
        (Until(b"\n\n", ()), b"a\n", '"\\n\\n" did not come', '"a\\n"'),
        (Count(5, None), b"abc", "3 of 5 bytes came", '"abc"'),
        (Count(500, None), b"a" * 100, "100 of 500 bytes came", f'100 bytes: "{"a" * 40}" …'),
        (EHLO, b"", "no line came", "nothing"),
        (EHLO, b"250-HELP\r\n", "the last line did not come, only 1 before it", "nothing"),
        (EHLO, b"250-HELP\r\n25", "line 2 has no end", '"25"'),
        (FRAME, b"", "no frame came", "nothing"),
        (FRAME, b"\0", "the length of the frame is not whole", '"\\x00"'),
        (FRAME, b"\0\5abc", "2 of the 5 bytes of the frame did not come", '"abc"'),
        (HI, b"\0\0\0\2h", "1 of 6 bytes did not come", '"\\x00\\x00\\x00\\x02h"'),
        (CROWD, b"", "3 of 3 did not come", "nothing"),
        (CROWD, b"b\naa", "2 of 3 did not come", '"aa"'),
        (CROWD, b"b\na\n", "1 of 3 did not come: none of it came", "nothing"),
        (EITHER, b"no", "none of them is complete", '"no"'),
        (EITHER, b"no" + b"o" * 60, "none of them is complete", f'"no{"o" * 58}" … (62 bytes)'),
        (Not(HELLO, 0.1), b"", "it did not come", "nothing"),
    ],
)
def test_what_is_missing_is_told(form: Form, data: bytes, message: str, actual: str) -> None:
    fed = matcher(form)
    fed.feed(data)
    lacking = fed.lacking()
    assert (lacking.message, lacking.actual) == (message, actual)
    assert fed.taken == len(data)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (HELLO, '"hello world\\n"'),
        (
            BLOCK,
            r'everything up to "\r\n\r\n", with /^HTTP/1\.1 (?P<status>200)/ and /(?m)^Length: (?P<length>\d+)\r$/',
        ),
        (
            EHLO,
            "lines that match /250-(?P<word>\\w+)(?: (?P<size>\\d+))?/, and a last one that matches /250 (?P<last>.*)/",
        ),
        (Frame("u16be", None, ()), "a frame: its length as u16be, and as many bytes"),
        (
            Frame("u16be", None, ((b"a",), (b"b",))),
            "a frame: its length as u16be, and as many bytes, with /a/ and /b/",
        ),
        (HI, 'a frame of 2 bytes: "\\x00\\x00\\x00\\x02" "hi"'),
        (CROWD, 'in any order: a line that matches /(?P<a>a+)/; a line that matches /b*/; "c!"'),
        (AnyOf((line(b"a"), HELLO)), 'one of: a line that matches /a/; "hello world\\n"'),
        (
            AnyOf(tuple(Exact((letter.encode(),)) for letter in "abcdef")),
            'one of: "a"; "b"; "c"; "d"; and 2 more',
        ),
        (Not(HELLO, 0.1), 'no "hello world\\n"'),
        (Not(line(b".*"), 0.1), "no line that matches /.*/"),
    ],
)
def test_what_was_expected_is_told(form: Form, expected: str) -> None:
    assert matcher(form).lacking().expected == expected


def test_of_those_that_could_come_in_any_order_only_the_missing_are_named() -> None:
    fed = matcher(CROWD)
    fed.feed(b"b\n")
    assert fed.lacking().expected == 'in any order: a line that matches /(?P<a>a+)/; "c!"'


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


@SIZES
def test_a_difference_counts_from_the_first_byte_of_all_in_any_order(size: int) -> None:
    answer = feed(CROWD, b"b\naa\ncx", size)
    assert isinstance(answer, Mismatch)
    assert answer.difference is not None
    assert (answer.difference.offset, answer.difference.start) == (6, 5)
    assert (answer.difference.expected, answer.difference.actual) == (b"c!", b"cx")


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


def exact(form: Form) -> ExactMatcher:
    made = matcher(form)
    assert isinstance(made, ExactMatcher)
    return made


def test_a_digest_stands_for_the_bytes() -> None:
    fed = exact(HELLO)
    assert fed.feed_elided(elided(b"hello")) is None
    assert fed.feed_elided(elided(b" world\n")) == Done(b"")
    assert exact(HI).feed_elided(elided(b"\0\0\0\2hi")) == Done(b"")


def test_a_digest_of_other_bytes_is_a_mismatch() -> None:
    assert isinstance(exact(HELLO).feed_elided(elided(b"hullo")), Mismatch)
    assert isinstance(exact(HELLO).feed_elided(elided(b"hello world\nand more")), Mismatch)


NO_HELLO = Not(Exact((b"aab",)), 0.3)
NO_LINE = Not(line(rb"b+", "crlf"), 0.3)


@SIZES
@pytest.mark.parametrize(
    ("form", "data", "message", "actual"),
    [
        (NO_HELLO, b"aab", "it came", '"aab"'),
        (NO_HELLO, b"aaaaabaab", "it came, behind 3 bytes", '"aab"'),
        (NO_LINE, b"bb\r\n", "it came", '"bb\\r\\n"'),
        (NO_LINE, b"bb\na\r\nb\r\nb\r\n", "it came, behind 6 bytes", '"b\\r\\n"'),
        (Not(line(rb"b+", "lf"), 0.3), b"b\r\n" + b"b" * LONGEST + b"\nb\n", "it came, behind 65,540 bytes", '"b\\n"'),
        (Not(line(rb"b+"), 0.3), b"a\r\nb\r\n", "it came, behind 3 bytes", '"b\\r\\n"'),
    ],
)
def test_what_must_not_come_is_found(form: Form, data: bytes, message: str, actual: str, size: int) -> None:
    answer = feed(form, data + b"\n", size)
    assert isinstance(answer, Mismatch)
    assert (answer.message, answer.actual) == (message, actual)


@SIZES
@pytest.mark.parametrize(
    ("form", "data"),
    [(NO_HELLO, b"aabb"[1:] + b"aa"), (NO_LINE, b"bb\r"), (NO_LINE, b"bb\nc\r\n\r\nb"), (NO_LINE, b"")],
)
def test_what_came_instead_is_held(form: Form, data: bytes, size: int) -> None:
    fed = matcher(form)
    assert isinstance(fed, NotMatcher)
    for begin in range(0, len(data), size):
        assert fed.feed(data[begin : begin + size]) is None
    assert (fed.held, fed.taken) == (data, 0)


VALUES = {"name": b"a.b", "n": b"3", "long": b"x" * 99}


@pytest.mark.parametrize(
    ("form", "data"),
    [
        (Exact((b"<", Value("name"), b">")), b"<a.b>"),
        (Exact((Prefixed("u8", (Integer("u16le", Value("n")),)),)), b"\2\3\0"),
        (Line((b"(?i)hi ", Value("name"), b"+"), "any"), b"HI A.bB\n"),
        (Lines((Value("n"),), (Value("name"),), "any"), b"3\n3\na.b\n"),
        (Until(b"!", ((b"^", Value("name")),)), b"a.b!"),
        (Count(Value("n"), None), b"abc"),
        (Frame("u8", (Value("name"),), ()), b"\3a.b"),
        (Frame("u8", None, ((Value("name"), b"$"),)), b"\4xa.b"),
        (Unordered((Line((Value("n"),), "any"), Line((Value("name"),), "any"))), b"a.b\n3\n"),
        (AnyOf((Line((Value("name"),), "any"), Exact((Value("long"),)))), b"a.b\n"),
    ],
)
def test_values_stand_for_themselves(form: Form, data: bytes) -> None:
    values = dict(VALUES)
    fed = matcher(form, values)
    values.clear()
    assert fed.feed(data) == Done(b"")
    with pytest.raises(MissingValueError):
        matcher(form, {})


def test_a_dot_in_a_value_is_only_a_dot() -> None:
    assert isinstance(matcher(Line((Value("name"),), "any"), VALUES).feed(b"a_b\n"), Mismatch)


@pytest.mark.parametrize("form", [Exact((Value("name"),)), Line((Value("name"),), "any")])
def test_what_must_not_come_may_hold_values(form: Exact | Line) -> None:
    assert matcher(Not(form, 0.1), VALUES).feed(b"a_b\n") is None
    assert isinstance(matcher(Not(form, 0.1), VALUES).feed(b"a.b\n"), Mismatch)
    with pytest.raises(MissingValueError, match="name"):
        matcher(Not(form, 0.1))


@given(
    st.binary(min_size=1, max_size=20).filter(lambda value: b"\n" not in value),
    st.sampled_from([b"", b"(?x)", b"(?V1)"]),
)
def test_whatever_a_value_holds_it_is_no_regular_expression(value: bytes, flags: bytes) -> None:
    fed = matcher(Line((flags + b"(?P<it>", Value("value"), b")"), "any"), {"value": value})
    assert fed.lacking().expected.isprintable()
    if not value.endswith(b"\r"):
        assert fed.feed(value + b"\n") == Done(b"", {"it": value})


def test_of_a_long_pattern_the_beginning_is_shown() -> None:
    expected = matcher(Line((b"it is ", Value("it")), "any"), {"it": b"x" * LONGEST}).lacking().expected
    assert expected == f"a line that matches /it is {'x' * 194}…/"


def test_a_value_that_makes_no_regular_expression_is_told() -> None:
    with pytest.raises(BadValueError, match=r"^with its values, /a\{9,3\}/ is no regular expression: "):
        matcher(Line((b"a{9,", Value("n"), b"}"), "any"), VALUES)


@pytest.mark.parametrize(
    "form", [Count(Value("name"), None), Exact((Integer("u8", Value("name")),)), Frame("u8", (b"x" * 256,), ())]
)
def test_a_value_that_cannot_be_used_is_told(form: Form) -> None:
    with pytest.raises(BadValueError):
        matcher(form, VALUES)


HOSTILE = rb"(a|aa)+\d?[bd]"


@pytest.mark.parametrize(
    "form",
    [
        line(HOSTILE),
        Lines((b"a",), (HOSTILE,), "any"),
        Until(b"\n", ((b"^" + HOSTILE + b"$",),)),
        Frame("u8", None, ((b"^" + HOSTILE + b"$",),)),
        Not(line(HOSTILE), 0.1),
        AnyOf((Exact((b"x",)), line(HOSTILE))),
        Unordered((line(HOSTILE),)),
    ],
    ids=lambda form: type(form).__name__,
)
def test_a_pattern_that_takes_for_ever_is_trouble_of_ours(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "PATTERN_LIMIT", 0.001)
    data = b"a" * 60 + b"cbd\n"
    answer = feed(form, bytes((len(data),)) + data if isinstance(form, Frame) else data, 1000)
    assert isinstance(answer, Mismatch)
    assert "took longer" in answer.trouble


def test_what_matches_beside_a_pattern_that_takes_for_ever_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "PATTERN_LIMIT", 0.001)
    data = b"a" * 60 + b"cbd\n"
    assert feed(AnyOf((line(HOSTILE), Exact((data,)))), data, 1000) == Done(b"")


PIECES = st.lists(st.sampled_from([b"a", b"b", b"\r", b"\n", b"\0", b"\1", b"ab\n"]), max_size=8).map(b"".join)
LINES = st.sampled_from([line(rb"a*"), line(rb"(?P<x>[ab]*)", "lf"), line(rb".*b", "crlf")])
SIMPLE: st.SearchStrategy[Form] = st.one_of(
    PIECES.map(lambda data: Exact((data,))),
    LINES,
    st.sampled_from([Lines((rb"(?P<x>a*)b*",), (rb"(?P<y>b*)",), "any"), Lines((rb".*",), (rb"a",), "lf")]),
    st.sampled_from([Until(b"ab", ((rb"(?P<x>a+)b",),)), Until(b"\n\0", ((b"b",),))]),
    st.builds(Count, st.integers(0, 4), st.none()),
    st.sampled_from([Frame("u8", None, ((b"(?P<z>a)",),)), Frame("u16be", None, ()), Frame("u8", (b"a",), ())]),
)
FORMS: st.SearchStrategy[Form] = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda forms: Unordered(tuple(forms))),
        st.lists(inner, min_size=1, max_size=3).map(lambda forms: AnyOf(tuple(forms))),
    ),
    max_leaves=5,
) | st.builds(Not, LINES, st.just(0.1))


@given(FORMS, PIECES, st.lists(st.integers(1, 4), max_size=6))
def test_no_segmentation_changes_the_answer(form: Form, data: bytes, sizes: list[int]) -> None:
    whole = matcher(form).feed(data)
    fed = matcher(form)
    answer = fed.feed(b"")
    rest = data
    for size in [*sizes, *[1] * len(data)]:
        if answer is not None:
            break
        piece, rest = rest[:size], rest[size:]
        answer = fed.feed(piece)
    if isinstance(whole, Done):
        assert isinstance(answer, Done)
        assert Done(answer.rest + rest, answer.captures) == whole
    elif isinstance(whole, Mismatch):
        assert isinstance(answer, Mismatch)
        assert (answer.message, answer.expected) == (whole.message, whole.expected)
    else:
        assert answer is None
