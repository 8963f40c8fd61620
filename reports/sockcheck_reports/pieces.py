"""The bytes of a send, as far as a report knows them: what a server said earlier in the case is not among its facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from sockcheck.case import Generated, Integer, Piece, Prefixed, Value

Values = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a segment. `known`: `exact` where `data` are its first bytes.

    `named` and `named-beginning` where `${name}` stands for a value that is not known: then `data` is to be read, not
    counted, and is all of the segment, or only its beginning.
    """

    data: bytes
    known: Literal["exact", "named", "named-beginning"]


@dataclass(frozen=True, slots=True)
class _Unknown:
    shown: bytes
    size: int | None


_Token = bytes | Generated | _Unknown


def known_size(pieces: Sequence[Piece], values: Values) -> int | None:
    """How many bytes the pieces are together, or None where that hangs on a value that is not among `values`."""
    return _total(_tokens(pieces, values))


def sent_bytes(pieces: Sequence[Piece], values: Values, offset: int, limit: int, *, last: bool) -> Shown:
    """The first bytes, at most `limit`, of a segment that begins at `offset` of a send.

    They end where random bytes begin, since none are made for a report. `last`: it goes to the end of the send.
    """
    data = b""
    named = False
    for token in _tokens(pieces, values):
        size = _size(token)
        if size is None and offset:
            return Shown(b"", "exact")
        if size is not None and offset >= size:
            offset -= size
            continue
        match token:
            case bytes():
                data += token[offset : offset + limit - len(data)]
            case Generated():
                if token.kind == "random" or not token.of:
                    return Shown(data, "named-beginning" if named else "exact")
                data += _repeated(token, offset, limit - len(data))
            case _Unknown():
                data += token.shown
                named = True
                if size is None and not last:
                    return Shown(data, "named-beginning")
            case _:
                assert_never(token)
        offset = 0
        if len(data) >= limit:
            return Shown(data[:limit], "named-beginning" if named else "exact")
    return Shown(data, "named" if named else "exact")


def _tokens(pieces: Sequence[Piece], values: Values) -> Iterator[_Token]:
    for piece in pieces:
        match piece:
            case bytes() | Generated():
                yield piece
            case Value():
                known = values.get(piece.name)
                yield _Unknown(_placeholder(piece), None) if known is None else known
            case Integer():
                digits = values.get(piece.value.name, b"")
                number = _integer(piece.kind, int(digits)) if digits.isdigit() else None
                yield _Unknown(_placeholder(piece.value), _width(piece.kind)) if number is None else number
            case Prefixed():
                inner = tuple(_tokens(piece.pieces, values))
                length = _total(inner)
                number = None if length is None else _integer(piece.kind, length)
                yield _Unknown(b"", _width(piece.kind)) if number is None else number
                yield from inner
            case _:
                assert_never(piece)


def _size(token: _Token) -> int | None:
    return len(token) if isinstance(token, bytes) else token.size


def _total(tokens: Iterator[_Token] | Sequence[_Token]) -> int | None:
    total = 0
    for token in tokens:
        size = _size(token)
        if size is None:
            return None
        total += size
    return total


def _repeated(generated: Generated, offset: int, limit: int) -> bytes:
    phase = offset % len(generated.of)
    wanted = min(limit, generated.size - offset)
    return (generated.of * (wanted // len(generated.of) + 2))[phase : phase + wanted]


def _placeholder(value: Value) -> bytes:
    return f"${{{value.name}}}".encode()


def _width(kind: str) -> int:
    """The bytes of an integer: 4 for `u32be`."""
    return int(kind[1:].rstrip("bel")) // 8


def _integer(kind: str, number: int) -> bytes | None:
    """`number` as such an integer, or None where it does not fit."""
    width = _width(kind)
    return None if number >> 8 * width else number.to_bytes(width, "little" if kind.endswith("le") else "big")
