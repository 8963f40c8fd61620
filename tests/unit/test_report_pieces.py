"""What is known of the bytes of a send."""

import pytest

from sockcheck.case import Generated, Integer, Piece, Prefixed, Value
from sockcheck_reports.pieces import Shown, known_size, sent_bytes

RANDOM = Generated("random", 1000, 7, b"")
REPEAT = Generated("repeat", 8, 0, b"abc")


@pytest.mark.parametrize(
    ("pieces", "offset", "limit", "data"),
    [
        ((b"hello", b" world"), 3, 4, b"lo w"),
        ((b"hello", b" world"), 5, 100, b" world"),
        ((REPEAT,), 0, 100, b"abcabcab"),
        ((REPEAT, b"!"), 4, 100, b"bcab!"),
        ((b"x", REPEAT), 3, 3, b"cab"),
        ((b"x", RANDOM, b"y"), 0, 100, b"x"),
        ((b"x", RANDOM, b"y"), 1001, 100, b"y"),
        ((Generated("repeat", 0, 0, b""), b"y"), 0, 100, b"y"),
        ((), 0, 100, b""),
    ],
)
def test_sent_bytes_are_known_up_to_a_random_payload(
    pieces: tuple[Piece, ...], offset: int, limit: int, data: bytes
) -> None:
    assert sent_bytes(pieces, {}, offset, limit, last=True) == Shown(data, "exact")


NAME, PORT = Value("name"), Value("port")
LOGIN: tuple[Piece, ...] = (b"USER ", NAME, b"\n")
FRAME: tuple[Piece, ...] = (Prefixed("u32be", (b"hello ", NAME)),)
NUMBER: tuple[Piece, ...] = (b"#", Integer("u16le", PORT), b"!")


@pytest.mark.parametrize(
    ("pieces", "offset", "last", "shown"),
    [
        (LOGIN, 0, True, Shown(b"USER ${name}\n", "named")),
        (LOGIN, 0, False, Shown(b"USER ${name}", "named-beginning")),
        (LOGIN, 7, True, Shown(b"", "exact")),
        ((NAME, RANDOM), 0, True, Shown(b"${name}", "named-beginning")),
        (FRAME, 0, True, Shown(b"hello ${name}", "named")),
        (NUMBER, 0, False, Shown(b"#${port}!", "named")),
        (NUMBER, 3, True, Shown(b"!", "exact")),
        ((NAME, b"x" * 100), 0, True, Shown(b"${name}" + b"x" * 13, "named-beginning")),
    ],
)
def test_names_stand_for_what_is_not_known(pieces: tuple[Piece, ...], offset: int, last: bool, shown: Shown) -> None:
    assert sent_bytes(pieces, {}, offset, 20, last=last) == shown


def test_values_that_are_known() -> None:
    values = {"name": b"ada", "port": b"258"}
    assert sent_bytes(LOGIN, values, 0, 100, last=True) == Shown(b"USER ada\n", "exact")
    assert sent_bytes(FRAME, values, 0, 100, last=True) == Shown(b"\0\0\0\x09hello ada", "exact")
    assert sent_bytes(NUMBER, values, 0, 100, last=True) == Shown(b"#\x02\x01!", "exact")
    assert sent_bytes(NUMBER, {"port": b"65536"}, 0, 100, last=True) == Shown(b"#${port}!", "named")
    assert sent_bytes((Prefixed("u8", (b"x" * 256,)),), {}, 0, 2, last=True) == Shown(b"xx", "named-beginning")


def test_size() -> None:
    assert known_size((*NUMBER, RANDOM), {}) == 1004
    assert known_size(FRAME, {"name": b"ada"}) == 13
    assert known_size(FRAME, {}) is None
