"""Payloads, segments, selection and how bytes are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockcheck import payloads, segments, show
from sockcheck.case import Generated, Integer, Piece, Prefixed, Value
from sockcheck.errors import TargetError
from sockcheck.exit_codes import BUSY, FAILED, INTERNAL, PASSED, UNAVAILABLE, code_of
from sockcheck.selection import nearest, nothing_selected, selected
from sockcheck.verdict import Outcome


def test_random_payloads_follow_from_their_seed_alone() -> None:
    one = payloads.make(Generated("random", 1000, 7, b""))
    assert one == payloads.make(Generated("random", 2000, 7, b""))[:1000]
    assert one != payloads.make(Generated("random", 1000, 8, b""))
    # These bytes are what records and reports name by digest: they must be the same on every machine, for ever.
    assert one[:8].hex() == "f99079a8eac6f051"


def test_repeated_payloads_are_cut_at_their_size() -> None:
    assert payloads.make(Generated("repeat", 8, 0, b"abc")) == b"abcabcab"
    assert payloads.join((b"x", Generated("repeat", 2, 0, b"abc"))) == b"xab"
    assert payloads.size((b"x", Generated("repeat", 1 << 40, 0, b"abc"))) == (1 << 40) + 1


VALUES = {"n": b"0258", "zero": b"00", "text": b"-1", "empty": b"", "huge": b"9" * 70, "u64": b"18446744073709551616"}


@pytest.mark.parametrize(
    ("piece", "data", "size"),
    [
        (Value("text"), b"-1", None),
        (Integer("u16be", Value("n")), b"\1\2", 2),
        (Integer("u16le", Value("n")), b"\2\1", 2),
        (Integer("u8", Value("zero")), b"\0", 1),
        (Integer("u64le", Value("n")), b"\2\1\0\0\0\0\0\0", 8),
        (Prefixed("u32be", ()), b"\0\0\0\0", 4),
        (Prefixed("u8", (b"ab", Integer("u8", Value("zero")))), b"\3ab\0", 4),
        (Prefixed("u16le", (Prefixed("u8", (Value("n"),)),)), b"\5\0\0040258", None),
        (Prefixed("u8", (b"x" * 255,)), b"\xff" + b"x" * 255, 256),
    ],
)
def test_pieces_of_values_and_lengths(piece: Piece, data: bytes, size: int | None) -> None:
    assert payloads.join((b"<", piece, b">"), VALUES) == b"<" + data + b">"
    assert payloads.size((b"<", piece, b">")) == (None if size is None else size + 2)


@pytest.mark.parametrize("piece", [Value("x"), Integer("u8", Value("x")), Prefixed("u8", (Value("x"),))])
def test_a_value_that_is_missing_is_named(piece: Piece) -> None:
    with pytest.raises(payloads.MissingValueError) as caught:
        payloads.join((piece,))
    assert caught.value.name == "x"


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (Integer("u8", Value("n")), "${n} is 258, which is too large for u8"),
        (Integer("u8", Value("text")), '${text} is "-1", which is no whole number'),
        (Integer("u8", Value("empty")), '${empty} is "", which is no whole number'),
        (Integer("u64be", Value("huge")), f'${{huge}} is "{"9" * 60}" … (70 bytes), which is too large a number'),
        (Integer("u64be", Value("u64")), "${u64} is 18,446,744,073,709,551,616, which is too large for u64be"),
        (Prefixed("u8", (b"x" * 256,)), "256 bytes are too many for a length of u8"),
        (
            Prefixed("u16be", (Generated("repeat", 1 << 16, 0, b"x"),)),
            "65,536 bytes are too many for a length of u16be",
        ),
    ],
)
def test_a_number_that_does_not_fit_is_told(piece: Piece, message: str) -> None:
    with pytest.raises(payloads.BadValueError) as caught:
        payloads.join((piece,), VALUES)
    assert str(caught.value) == message


@given(st.integers(0, 50), st.integers(0, 60), st.integers())
def test_random_cuts_lie_strictly_inside(size: int, count: int, seed: int) -> None:
    cuts = segments.random_cuts(size, count, seed)
    assert cuts == segments.random_cuts(size, count, seed)
    assert list(cuts) == sorted(set(cuts))
    assert all(0 < cut < size for cut in cuts)
    assert len(cuts) == min(count, max(0, size - 1))


def test_segments_cover_the_data() -> None:
    assert segments.bounds(12, (5, 6)) == ((0, 5), (5, 6), (6, 12))
    assert segments.bounds(3, ()) == ((0, 3),)
    assert segments.bounds(0, ()) == ((0, 0),)


def test_segments_of_what_was_not_known_before() -> None:
    assert segments.bounds(4, None) == ((0, 1), (1, 2), (2, 3), (3, 4))
    assert segments.bounds(1, None) == ((0, 1),)
    assert segments.bounds(0, None) == ((0, 0),)
    assert segments.bounds(4, (2, 4, 9)) == ((0, 2), (2, 4))
    assert segments.bounds(0, (2,)) == ((0, 0),)


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        ([], True),
        (["echo/"], True),
        (["echo/*::plain"], True),
        (["greets[size=1]"], True),
        (["kv/", "plain"], True),
        (["kv/"], False),
    ],
)
def test_selection(patterns: list[str], chosen: bool) -> None:
    assert selected("echo/greets[size=1]::plain", patterns) is chosen


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        ("greets::cut.at-7", True),
        ("cut.at-7", True),
        ("echo/greets::cut.at-7", True),
        ("cut.at-17", False),
        ("cut.at-7-", False),
        ("other::cut.at-7", False),
        ("leave.reset-at-7", False),
    ],
)
def test_a_byte_stands_for_all_cases_that_are_cut_before_it(pattern: str, chosen: bool) -> None:
    assert selected("echo/greets::cut.at-k(client.2:7)", [pattern]) is chosen


def test_a_byte_stands_for_what_leaves_there_too() -> None:
    assert selected("echo/greets::leave.reset-at-k(client.2:7)", ["leave.reset-at-7"])
    assert not selected("echo/greets::leave.close-at-k(client.2:7)", ["leave.reset-at-7"])


def test_a_target_error_keeps_the_last_words_of_the_server() -> None:
    error = TargetError("it ended", "look at its output", b"no module named x\n")
    assert (str(error), error.hint, error.output) == ("it ended", "look at its output", b"no module named x\n")


def test_the_nearest_id() -> None:
    assert nearest("grets", ["echo/greets", "kv/other"]) == "echo/greets"
    assert nearest("zzzzzz", ["echo/greets"]) is None
    assert nothing_selected(["zzzzzz", "grets"], ["echo/greets"]).hint.startswith("did you mean 'echo/greets'?")
    assert nothing_selected(["zzzzzz"], ["echo/greets"]).hint == "`sockcheck list` shows them all"


def test_bytes_are_shown_so_that_nothing_is_acted_on() -> None:
    assert show.escaped(b'a\n\r\t\\"\x1b[31m\0\xff\x7f') == 'a\\n\\r\\t\\\\\\"\\x1b[31m\\x00\\xff\\x7f'
    assert show.quoted(b"hi") == '"hi"'
    assert show.quoted(b"a" * 61) == f'"{"a" * 60}" … (61 bytes)'
    assert show.count(1) == "1 byte"
    assert [show.seconds(t) for t in (0.00003, 0.0125, 2.0)] == ["0.03 ms", "12.5 ms", "2.00 s"]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "exited with status 0"),
        (3, "exited with status 3"),
        (-13, "was killed by SIGPIPE"),
        (-99, "was killed by signal 99"),
    ],
)
def test_statuses_in_words(status: int, text: str) -> None:
    assert show.status_text(status) == text


@pytest.mark.parametrize(
    ("outcomes", "flaky", "lost", "code"),
    [
        (("pass", "skip", "advice"), "fail", False, PASSED),
        (("pass", "flaky"), "fail", False, FAILED),
        (("pass", "flaky"), "pass", False, PASSED),
        (("busy", "fail"), "fail", True, FAILED),
        (("busy",), "fail", True, UNAVAILABLE),
        (("busy",), "fail", False, BUSY),
        (("fail", "error"), "fail", False, INTERNAL),
    ],
)
def test_what_a_run_says_in_the_end(outcomes: tuple[Outcome, ...], flaky: str, lost: bool, code: int) -> None:
    assert code_of(outcomes, flaky=flaky, lost=lost) == code
