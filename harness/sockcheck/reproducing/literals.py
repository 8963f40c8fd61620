"""Bytes, numbers and values as Python expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import assert_never

from sockcheck.case import Generated, Integer, Pattern, Piece, Prefixed, Value
from sockcheck.payloads import INTEGERS, MissingValueError, join, make, size
from sockcheck.show import escaped

LITERAL = re.compile(r'b?"(?:[^"\\]|\\x[0-9a-f]{2}|\\[^x])*"')
"""A literal as it is written here."""

# A recipe stands for more bytes than these.
_WRITTEN_OUT = 40


def literal(data: bytes) -> str:
    """`b"hello\\n"`."""
    return f'b"{escaped(data)}"'


def text(value: str) -> str:
    """A string in double quotes, in ASCII."""
    return f'"{"".join(_character(character) for character in value)}"'


def number(value: float) -> str:
    """`2`, `0.5`."""
    return f"{value:.10g}"


def filled(pieces: Sequence[Piece], unique: str) -> tuple[Piece, ...]:
    """The pieces with `unique` filled in."""
    made: list[Piece] = []
    for piece in pieces:
        match piece:
            case Value(name="unique"):
                made.append(unique.encode())
            case Prefixed():
                made.append(Prefixed(piece.kind, filled(piece.pieces, unique)))
            case _:
                made.append(piece)
    return tuple(made)


def joined(pieces: Sequence[Piece], unique: str) -> str:
    """The bytes of the pieces, one after the other. `unique` is what that value stands for."""
    return _sum(_term(piece, unique) for piece in pieces)


def whole(pieces: Sequence[Piece], most: int) -> bytes | None:
    """The bytes of the pieces; None where they are more than `most`, or not known yet."""
    if (size(pieces) or 0) > most:
        return None
    try:
        return join(pieces)
    except MissingValueError:
        return None


def value(wanted: Value, unique: str) -> str:
    """The bytes that were captured by that name, or `unique`."""
    return literal(unique.encode()) if wanted.name == "unique" else f"value(c, {text(wanted.name)})"


def pattern(wanted: Pattern, unique: str) -> str:
    """A regular expression; a value in it stands for itself, to the letter."""
    return _sum(_pattern_term(piece, unique) for piece in wanted)


def _sum(terms: Iterable[bytes | str]) -> str:
    """Their sum, bytes that stand side by side in one literal."""
    merged: list[bytes | str] = []
    for term in terms:
        last = merged[-1] if merged else None
        if isinstance(term, bytes) and isinstance(last, bytes):
            merged[-1] = last + term
        else:
            merged.append(term)
    return " + ".join(literal(term) if isinstance(term, bytes) else term for term in merged) or literal(b"")


def _pattern_term(piece: bytes | Value, unique: str) -> bytes | str:
    if isinstance(piece, bytes):
        return piece
    return re.escape(unique.encode()) if piece.name == "unique" else f"re.escape({value(piece, unique)})"


def kind(name: str) -> str:
    """The first arguments of what makes or reads an integer: `4, "big"`."""
    width, order = INTEGERS[name]
    return f'{width}, "{order}"'


def _term(piece: Piece, unique: str) -> bytes | str:
    match piece:
        case bytes():
            return piece
        case Generated():
            if piece.size <= _WRITTEN_OUT:
                return make(piece)
            if piece.kind == "random":
                return f"random_bytes({piece.size}, seed={piece.seed})"
            return f"repeated({literal(piece.of)}, {piece.size})"
        case Value():
            return unique.encode() if piece.name == "unique" else value(piece, unique)
        case Integer():
            return f"integer({value(piece.value, unique)}, {kind(piece.kind)})"
        case Prefixed():
            return f"framed({kind(piece.kind)}, {joined(piece.pieces, unique)})"
        case _:
            assert_never(piece)


def _character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if " " <= character <= "~" else character.encode("unicode-escape").decode()
