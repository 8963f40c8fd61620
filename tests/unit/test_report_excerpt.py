"""Bytes and foreign texts as they are shown."""

import ast
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sockcheck.forms import (
    Span,
)
from sockcheck.verdict import Difference
from sockcheck_reports.excerpt import clipped, compare, escaped, output_lines, plain, quoted, source_line


@given(st.binary())
def test_escaped_bytes_are_printable_ascii_and_can_be_read_back(data: bytes) -> None:
    shown = escaped(data)
    assert shown.isascii()
    assert shown.isprintable()
    assert ast.literal_eval(f'b"{shown}"') == data


@given(st.text(), st.integers(0, 50))
def test_a_foreign_text_keeps_no_control_and_no_bidirectional_mark(text: str, limit: int) -> None:
    for shown in (plain(text), clipped(text, limit)):
        assert shown.isprintable()
        assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße, 世界", "Grüße, 世界"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202e\udcff", "\\u202e\\udcff"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_clipped_text_says_how_much_is_left_out() -> None:
    assert clipped("abc", 3) == "abc"
    assert clipped("a" * 1503, 3) == "aaa… (1,500 more characters)"


@given(st.binary(), st.integers(40, 200), st.integers(0, 10_000_000))
def test_a_quoted_excerpt_fits(data: bytes, columns: int, more: int) -> None:
    assert len(quoted(data, columns, len(data) + more)) <= columns


def test_a_quoted_excerpt_says_how_much_is_left_out() -> None:
    assert quoted(b"hello\n", 9) == '"hello\\n"'
    assert quoted(b"hello world, hello" * 2, 26) == '"hello world, " + 23 bytes'
    assert quoted(b"hello", 80, 1_000_005) == '"hello" + 1.0 MB'
    assert quoted(b"hello", 80, 6) == '"hello" + 1 byte'
    assert quoted(b"hello", 1) == '"" + 5 bytes'


@st.composite
def differences(draw: st.DrawFn) -> Difference:
    start = draw(st.integers(0, 10**7))
    same = draw(st.binary(max_size=100))
    expected, actual = draw(
        st.tuples(st.binary(max_size=100), st.binary(max_size=100)).filter(lambda pair: pair[0][:1] != pair[1][:1])
    )
    return Difference(start + len(same), start, same + expected, same + actual)


@given(differences(), st.integers(40, 120))
def test_a_comparison_fits_and_puts_the_carets_under_the_byte(difference: Difference, width: int) -> None:
    shown = compare(difference, width)
    label = len("expected  ")
    for side in (shown.expected, shown.actual):
        assert cell_len(side.line) + label <= width
    for side in (shown.expected_hex, shown.actual_hex):
        assert len(side.line) + label + len("00000000  ") <= width
    assert shown.expected.before == shown.actual.before
    assert shown.expected_hex.before == shown.actual_hex.before
    assert (shown.expected.at, shown.expected_hex.at) != (shown.actual.at, shown.actual_hex.at)
    same = difference.offset - difference.start
    byte = difference.expected[same : same + 1]
    assert shown.expected.at == escaped(byte)
    assert shown.expected_hex.at == byte.hex()
    assert shown.hex_start + len(bytes.fromhex(shown.expected_hex.before)) == difference.offset


def test_a_comparison_says_what_is_not_shown() -> None:
    shown = compare(Difference(1025, 1000, b"a" * 25 + b"x" + b"b" * 100, b"a" * 25 + b"y"), 60)
    assert shown.what == 'byte 1,025: expected 0x78 "x", got 0x79 "y"'
    assert shown.note == "not shown: 1,010 bytes before, the same in both; at least 70 bytes more that were expected"
    assert shown.actual.line == '…"aaaaaaaaaaaaaaay"'
    shown = compare(Difference(0, 0, b"", b"\xff" * 18), 80)
    assert shown.what == "byte 0: expected nothing more, got 0xff"
    assert shown.note == "not shown: at least 2 bytes more that came"
    assert compare(Difference(0, 0, b"\xff" * 17, b""), 80).note == "not shown: at least 1 byte more that was expected"


def test_a_stream_that_fills_its_window_may_go_on() -> None:
    shown = compare(Difference(0, 0, b"a" * 39, b"b" * 40), 80)
    assert shown.expected.line == '"' + "a" * 39 + '"'
    assert shown.actual.line == '"' + "b" * 40 + '"…'


def test_a_source_line_is_marked_below_its_span() -> None:
    shown = source_line('a: 1\n\t- "世界": x\n', Span("f", 2, 4, 8), 80)
    assert shown is not None
    assert (shown.before, shown.marked, shown.after) == ("  - "[1:], '"世界"', ": x")
    assert shown.caret == "   ^^^^^^"


@pytest.mark.parametrize("line", [0, 3])
def test_no_source_line_where_there_is_none(line: int) -> None:
    assert source_line("a\nb\n", Span("f", line, 1, 2), 80) is None


@given(st.text(max_size=300), st.integers(1, 300), st.integers(0, 300), st.integers(20, 100))
def test_a_long_source_line_is_clipped_around_its_span(text: str, column: int, length: int, width: int) -> None:
    shown = source_line(f"x{text}", Span("f", 1, column, column + length), width)
    assert shown is not None
    assert cell_len(shown.before + shown.marked + shown.after) <= width


def test_output_is_shown_in_lines_and_only_its_end() -> None:
    assert output_lines([b"one\r\ntw", b"o\n"], 100) == (("one", "two"), 0)
    assert output_lines([b"0123456789"], 4) == (("6789",), 6)
    assert output_lines([], 4) == ((), 0)
    assert output_lines([b"\x1b[31m\ta\xffb\xc3\xa9"], 100)[0] == ("\\x1b[31m   a\\xffbé",)
