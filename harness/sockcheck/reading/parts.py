"""Parts: what is sent and what is expected, from a text to a frame."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Literal, assert_never

from sockcheck.forms import (
    Fixed,
    Framed,
    Number,
    Part,
    PayloadSlice,
    Reference,
    Span,
    Text,
)
from sockcheck.payloads import INTEGERS
from sockcheck.reading.literals import check_high_escapes, check_idle_escapes, references
from sockcheck.reading.mistakes import listed, quoted
from sockcheck.reading.numbers import least, size_or_name, together, whole_or_name
from sockcheck.reading.page import Page
from sockcheck.reading.scope import Scope
from sockcheck.reading.tree import Entry, MappingNode, Node, ScalarNode, SequenceNode
from sockcheck.reading.values import choice, flag, known, scalar, unknown
from sockcheck.show import count

# What a part can be, and the keys that may stand beside it.
KINDS: Mapping[str, tuple[str, ...]] = {
    "text": ("newline", "dot-block"),
    "hex": (),
    "base64": (),
    "payload": ("first",),
    "file": (),
    "frame": ("of",),
    **dict.fromkeys(INTEGERS, ()),
}
NEWLINES: tuple[Literal["crlf", "lf"], ...] = ("crlf", "lf")
_LONE_NEWLINE = re.compile(rb"(?<!\r)\n")


def parts(scope: Scope, node: Node) -> tuple[Part, ...]:
    """A part, or a list of parts that stand for one run of bytes."""
    if not isinstance(node, SequenceNode):
        return (part(scope, node),)
    if not node.items:
        raise scope.page.mistake(node, "this list is empty", 'write "" for no bytes')
    found = [scope.page.attempt(part, scope, item) for item in node.items]
    return tuple(each for each in found if each is not None)


def part(scope: Scope, node: Node) -> Part:
    """One part."""
    if not isinstance(node, MappingNode):
        return _text(scope, node)
    page = scope.page
    kinds = [name for name in node.entries if name in KINDS]
    if not kinds:
        entry = next(iter(node.entries.values()), None)
        if entry is None:
            raise page.mistake(node, "expected a part, found an empty mapping", f"parts are {listed(KINDS, 'or')}")
        raise unknown(page, entry.key, "part", entry.key.value, tuple(KINDS))
    kind = kinds[0]
    if len(kinds) > 1:
        second = node.entries[kinds[1]].key
        raise page.mistake(second, f"a part is one thing: {quoted(kind)} or {quoted(kinds[1])}", "make a list of two")
    entries = known(page, node.entries, (kind, *KINDS[kind]), of=kind)
    value = entries[kind].value
    span = page.span(value)
    match kind:
        case "text":
            return _formatted(scope, entries)
        case "hex":
            return Fixed(_hex(page, value), span)
        case "base64":
            return Fixed(_base64(page, value), span)
        case "payload":
            return _payload_slice(scope, entries)
        case "file":
            return Fixed(_file(scope, value), span)
        case "frame":
            return _frame(scope, entries)
        case _:
            return _integer(scope, kind, value)


def fixed(scope: Scope, node: Node, where: str) -> bytes:
    """The bytes of parts that are known now: no `${…}` and no payload among them. `where`: what they are for."""
    found = parts(scope, node)
    data = _known(found)
    if data is None:
        raise scope.page.mistake(_first_unknown(found), f"{where} can hold neither ${{…}} nor a payload")
    return data


def least_size(scope: Scope, parts: tuple[Part, ...]) -> tuple[int, bool]:
    """How many bytes the parts have at least, and whether they have no more: a name may stand for any number."""
    total = 0
    sure = True
    for each in parts:
        match each:
            case Text():
                for piece in each.pieces:
                    if isinstance(piece, Reference):
                        size, certain = least(scope, piece, lambda value: len(value.encode()))
                        total += size
                        sure = sure and certain
                    else:
                        total += len(piece)
            case Fixed():
                total += len(each.data)
            case Number():
                total += INTEGERS[each.kind][0]
            case Framed():
                size, certain = least_size(scope, each.parts)
                total += INTEGERS[each.kind][0] + size
                sure = sure and certain
            case PayloadSlice():
                payload = scope.payloads[each.name]
                whole = payload.size if payload is not None else 0
                size, certain = least(scope, whole if each.first is None else each.first)
                total += size
                sure = sure and certain and payload is not None
            case _:
                assert_never(each)
    return total, sure


def _known(parts: tuple[Part, ...]) -> bytes | None:
    """The bytes of parts that are all known, or None."""
    data = b""
    for each in parts:
        if isinstance(each, Fixed):
            data += each.data
        elif isinstance(each, Text) and not any(isinstance(piece, Reference) for piece in each.pieces):
            data += b"".join(piece for piece in each.pieces if isinstance(piece, bytes))
        elif isinstance(each, Framed) and (content := _known(each.parts)) is not None:
            width, order = INTEGERS[each.kind]
            data += len(content).to_bytes(width, order) + content
        else:
            return None
    return data


def _first_unknown(parts: tuple[Part, ...]) -> Span:
    """The place of what keeps the bytes of some parts from being known."""
    part = next(each for each in parts if _known((each,)) is None)
    if isinstance(part, Text):
        return next(piece.span for piece in part.pieces if isinstance(piece, Reference))
    return part.span


def _text(scope: Scope, node: Node) -> Text:
    page = scope.page
    found = scalar(page, node, "a text or a part")
    if not found.value.isascii():
        check_high_escapes(page, found, "write the byte as {{hex: {0}}}")
    if "\\" in found.value:
        check_idle_escapes(page, found)
    if "${" not in found.value:
        return Text((found.value.encode(),), page.span(found))
    return Text(named(scope, found), page.span(found))


def named(scope: Scope, node: ScalarNode) -> tuple[bytes | Reference, ...]:
    """A text with its names, of which each may be a capture."""
    pieces = references(scope.page, node)
    errors = [error for piece in pieces if isinstance(piece, Reference) and (error := scope.names.use(piece))]
    for error in errors:
        scope.page.note(error)
    return tuple(piece.encode() if isinstance(piece, str) else piece for piece in pieces)


def _formatted(scope: Scope, entries: dict[str, Entry]) -> Text:
    """A text with its line ends and its end-of-data line (RFC 5321, section 4.5.2) as the protocol wants them."""
    page = scope.page
    text = _text(scope, entries["text"].value)
    newline = page.attempt(choice, page, entries["newline"].value, NEWLINES) if "newline" in entries else "lf"
    end = b"\r\n" if newline == "crlf" else b"\n"
    pieces = text.pieces
    if newline == "crlf":
        pieces = tuple(_LONE_NEWLINE.sub(end, piece) if isinstance(piece, bytes) else piece for piece in pieces)
    if "dot-block" in entries and flag(page, entries["dot-block"].value):
        for piece in pieces:
            if isinstance(piece, Reference):
                raise page.mistake(piece.span, "a dot-block cannot hold ${…}", "its lines must be known to be stuffed")
        data = b"".join(piece for piece in pieces if isinstance(piece, bytes))
        pieces = (_dot_block(data, end),)
    return Text(pieces, text.span)


def _dot_block(data: bytes, end: bytes) -> bytes:
    if data and not data.endswith(b"\n"):
        data += end
    return re.sub(rb"(?m)^\.", b"..", data) + b"." + end


def _hex(page: Page, node: Node) -> bytes:
    text = scalar(page, node, "hexadecimal digits").value
    try:
        return bytes.fromhex(text)
    except ValueError:
        hint = "two digits a byte, with spaces between bytes where you like: 00 ff"
        raise page.mistake(node, f"{quoted(text)} is not hexadecimal", hint) from None


def _base64(page: Page, node: Node) -> bytes:
    text = scalar(page, node, "base64").value
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise page.mistake(node, f"{quoted(text)} is not base64") from None


def _payload_slice(scope: Scope, entries: dict[str, Entry]) -> PayloadSlice:
    page = scope.page
    node = entries["payload"].value
    name = scalar(page, node, "the name of a payload").value
    if name not in scope.payloads:
        raise unknown(page, node, "payload", name, tuple(scope.payloads))
    payload = scope.payloads[name]
    first = None
    if "first" in entries:
        first = size_or_name(scope, entries["first"].value, "the size of a payload")
        if payload is not None:
            for wanted, whole in together(scope, first, payload.size):
                if wanted > whole:
                    raise page.mistake(entries["first"].value, f"the payload has only {whole:,} bytes")
    return PayloadSlice(name, first, page.span(node))


def _file(scope: Scope, node: Node) -> bytes:
    page = scope.page
    path = scalar(page, node, "a path").value
    if path.startswith("/") or "\0" in path or not path:
        raise page.mistake(node, f"{quoted(path)} is not a path that is relative to this file")
    try:
        return scope.load(path)
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "the path is relative to this file's folder"
        raise page.mistake(node, f"{quoted(path)} cannot be read: {reason}", hint) from None


def _integer(scope: Scope, kind: str, node: Node) -> Fixed | Number:
    width, order = INTEGERS[kind]
    value = whole_or_name(scope, node, 0, 256**width - 1, "", captured=True)
    span = scope.page.span(node)
    return Number(kind, value, span) if isinstance(value, Reference) else Fixed(value.to_bytes(width, order), span)


def _frame(scope: Scope, entries: dict[str, Entry]) -> Framed:
    """A length and as many bytes."""
    page = scope.page
    kind_node = entries["frame"].value
    if "of" not in entries:
        raise page.mistake(entries["frame"].key, "a frame needs 'of', its content")
    content = page.attempt(parts, scope, entries["of"].value) or ()
    kind = choice(page, kind_node, tuple(INTEGERS))
    check_length(scope, kind_node, kind, content)
    return Framed(kind, content, page.span(kind_node))


def check_length(scope: Scope, node: Node, kind: str, content: tuple[Part, ...]) -> None:
    """Raises ScenarioError where a length of this kind, which stands at `node`, cannot tell how long the parts are."""
    size, _ = least_size(scope, content)
    if size >= 256 ** INTEGERS[kind][0]:
        raise scope.page.mistake(node, f"{count(size)} are too many for a length of {kind}")
