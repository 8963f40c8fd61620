"""Bytes from recipes, from values that are known only while a case runs, and from lengths."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal, assert_never

from sockcheck.case import Generated, Integer, Piece, Prefixed, Value
from sockcheck.show import count, quoted

INTEGERS: Mapping[str, tuple[int, Literal["big", "little"]]] = {
    "u8": (1, "big"),
    "u16be": (2, "big"),
    "u16le": (2, "little"),
    "u32be": (4, "big"),
    "u32le": (4, "little"),
    "u64be": (8, "big"),
    "u64le": (8, "little"),
}
"""The kinds of unsigned integers: how many bytes they have, and in which order."""

# 2**64 has 20 digits. More are refused before they are computed with, since a server may have sent any number of them.
_MOST_DIGITS = 20


class MissingValueError(KeyError):
    """There is no value of that `name` yet: what should have captured it has not been matched."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class BadValueError(ValueError):
    """A value cannot be used where it stands; the message is a clause that says why."""


@lru_cache(maxsize=8)
def make(recipe: Generated) -> bytes:
    """The bytes of a recipe.

    `random` is SHAKE-128 of the seed's decimal digits: the same on every machine and in every language, and so are the
    digests that a report names. `repeat` is `of` over and over, cut at `size`.
    """
    if recipe.kind == "random":
        return hashlib.shake_128(str(recipe.seed).encode()).digest(recipe.size)
    times = -(-recipe.size // len(recipe.of))
    return (recipe.of * times)[: recipe.size]


def join(pieces: Iterable[Piece], values: Mapping[str, bytes] = {}) -> bytes:
    """The bytes of the pieces, one after the other.

    Raises MissingValueError for a value that is not among `values`, BadValueError where an integer's value is no number
    or a number does not fit its kind.
    """
    return b"".join([_bytes(piece, values) for piece in pieces])


def size(pieces: Iterable[Piece]) -> int | None:
    """How many bytes the pieces make, without making them; None where that depends on a value."""
    total = 0
    for piece in pieces:
        match piece:
            case bytes():
                total += len(piece)
            case Generated():
                total += piece.size
            case Integer():
                total += INTEGERS[piece.kind][0]
            case Prefixed():
                inside = size(piece.pieces)
                if inside is None:
                    return None
                total += INTEGERS[piece.kind][0] + inside
            case Value():
                return None
            case _:
                assert_never(piece)
    return total


def value(wanted: Value, values: Mapping[str, bytes]) -> bytes:
    """Raises MissingValueError where it is not among `values`."""
    try:
        return values[wanted.name]
    except KeyError:
        raise MissingValueError(wanted.name) from None


def number(wanted: Value, values: Mapping[str, bytes]) -> int:
    """A value that is written in digits. Raises MissingValueError, and BadValueError where it is no such number."""
    digits = value(wanted, values)
    if not digits.isdigit():
        raise BadValueError(f"${{{wanted.name}}} is {quoted(digits)}, which is no whole number")
    if len(digits.lstrip(b"0")) > _MOST_DIGITS:
        raise BadValueError(f"${{{wanted.name}}} is {quoted(digits)}, which is too large a number")
    return int(digits.lstrip(b"0") or b"0")


def _bytes(piece: Piece, values: Mapping[str, bytes]) -> bytes:
    match piece:
        case bytes():
            return piece
        case Generated():
            return make(piece)
        case Value():
            return value(piece, values)
        case Integer():
            return _integer(piece, number(piece.value, values))
        case Prefixed():
            content = join(piece.pieces, values)
            return _length(piece.kind, len(content)) + content
        case _:
            assert_never(piece)


def _integer(piece: Integer, number: int) -> bytes:
    width, order = INTEGERS[piece.kind]
    if number >= 256**width:
        raise BadValueError(f"${{{piece.value.name}}} is {number:,}, which is too large for {piece.kind}")
    return number.to_bytes(width, order)


def _length(kind: str, length: int) -> bytes:
    width, order = INTEGERS[kind]
    if length >= 256**width:
        raise BadValueError(f"{count(length)} are too many for a length of {kind}")
    return length.to_bytes(width, order)
