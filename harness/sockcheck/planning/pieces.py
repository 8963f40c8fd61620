"""Bytes: what parts, payloads and patterns are in one case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from sockcheck import case, payloads
from sockcheck.case import Generated, Integer, Piece, Prefixed, Value
from sockcheck.forms import (
    AnyForm,
    BytesForm,
    ExactForm,
    Fixed,
    Form,
    Framed,
    FrameForm,
    LineForm,
    LinesForm,
    NotForm,
    Number,
    Part,
    Pattern,
    PayloadSlice,
    Reference,
    Text,
    UnorderedForm,
    UntilForm,
)
from sockcheck.planning.values import Values, misfit
from sockcheck.reading.values import LARGEST_SIZE, size_of, whole_of
from sockcheck.show import count


def pieces(values: Values, parts: Iterable[Part]) -> tuple[Piece, ...]:
    """Literal bytes that touch are one piece, and pieces of no bytes are none. Raises UsageError."""
    found: list[Piece] = []
    run: list[bytes] = []
    for piece in _each(values, parts):
        if isinstance(piece, bytes):
            run.append(piece)
            continue
        _end_run(found, run)
        found.append(piece)
    _end_run(found, run)
    return tuple(found)


def least(pieces: Iterable[Piece]) -> int:
    """How many bytes the pieces make at least: values may have any number of them."""
    total = 0
    for piece in pieces:
        if isinstance(piece, Prefixed):
            total += payloads.INTEGERS[piece.kind][0] + least(piece.pieces)
        else:
            total += payloads.size((piece,)) or 0
    return total


def form(values: Values, wanted: Form) -> case.Form:
    """What must come next. Raises UsageError."""
    match wanted:
        case ExactForm():
            return case.Exact(pieces(values, wanted.parts))
        case LineForm():
            return case.Line(_pattern(values, wanted.pattern), wanted.ends)
        case LinesForm():
            return case.Lines(_pattern(values, wanted.pattern), _pattern(values, wanted.last), wanted.ends)
        case UntilForm():
            return case.Until(payloads.join(pieces(values, (wanted.delimiter,))), _patterns(values, wanted.patterns))
        case BytesForm():
            return case.Count(values.number(wanted.count, size_of, 1, LARGEST_SIZE), wanted.sha256)
        case FrameForm():
            equals = None
            if wanted.equals is not None:
                equals = pieces(values, wanted.equals)
            return case.Frame(wanted.kind, equals, _patterns(values, wanted.patterns))
        case UnorderedForm():
            return case.Unordered(tuple(form(values, each) for each in wanted.forms))
        case AnyForm():
            return case.AnyOf(tuple(form(values, each) for each in wanted.forms))
        case NotForm():
            unwanted = form(values, wanted.form)
            assert isinstance(unwanted, case.Exact | case.Line)
            return case.Not(unwanted, values.seconds(wanted.duration))
        case _:
            assert_never(wanted)


def _each(values: Values, parts: Iterable[Part]) -> Iterable[Piece]:
    for part in parts:
        match part:
            case Fixed():
                yield part.data
            case Text():
                yield from (_text(values, piece) for piece in part.pieces)
            case PayloadSlice():
                recipe = _recipe(values, part)
                if recipe.size:
                    yield recipe
            case Number():
                yield _integer(values, part)
            case Framed():
                yield _frame(values, part)
            case _:
                assert_never(part)


def _text(values: Values, piece: bytes | Reference) -> bytes | Value:
    if not isinstance(piece, Reference):
        return piece
    return values.texts[piece.name].encode() if piece.name in values.texts else Value(piece.name)


def _recipe(values: Values, part: PayloadSlice) -> Generated:
    payload = values.scenario.payloads[part.name]
    whole = values.known(payload.size, size_of, 0, LARGEST_SIZE)
    size = whole if part.first is None else values.known(part.first, size_of, 0, LARGEST_SIZE)
    if size > whole:
        raise misfit(part.span, f"the payload has only {count(whole)}, and {size:,} are wanted")
    return Generated(payload.kind, size, payload.seed, payload.of)


def _integer(values: Values, part: Number) -> bytes | Integer:
    width, order = payloads.INTEGERS[part.kind]
    number = values.number(part.value, whole_of, 0, 256**width - 1)
    return Integer(part.kind, number) if isinstance(number, Value) else number.to_bytes(width, order)


def _frame(values: Values, part: Framed) -> Prefixed:
    """What is a length stays known as one, so that it can be cut, and be that of another payload."""
    inner = pieces(values, part.parts)
    size = payloads.size(inner)
    if size is not None and size >= 256 ** payloads.INTEGERS[part.kind][0]:
        raise misfit(part.span, f"{count(size)} are too many for a length of {part.kind}")
    return Prefixed(part.kind, inner)


def _end_run(found: list[Piece], run: list[bytes]) -> None:
    data = b"".join(run)
    run.clear()
    if data:
        found.append(data)


def _pattern(values: Values, pattern: Pattern) -> case.Pattern:
    """What is known now stands for itself as what is captured later does: to the letter."""
    run: list[bytes] = []
    found: list[bytes | Value] = []
    for piece in pattern.pieces:
        if isinstance(piece, bytes):
            run.append(piece)
        elif piece.name in values.texts:
            run.append(_literal(values.texts[piece.name].encode()))
        else:
            found += [b"".join(run)] if run else []
            run.clear()
            found.append(Value(piece.name))
    return (*found, b"".join(run)) if run or not found else tuple(found)


def _literal(data: bytes) -> bytes:
    """A regular expression that matches just these bytes, wherever in a pattern it stands, and can be printed."""
    return b"".join(
        byte if byte.isalnum() else b"\\" + byte if 0x20 < byte[0] < 0x7F else b"\\x%02x" % byte[0]
        for byte in (data[position : position + 1] for position in range(len(data)))
    )


def _patterns(values: Values, patterns: Iterable[Pattern]) -> tuple[case.Pattern, ...]:
    return tuple(_pattern(values, pattern) for pattern in patterns)
