"""Parts: what is sent and what is expected, from a text to a frame."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

from sockcheck.reading.literals import check_high_escapes, check_idle_escapes, references
from sockcheck.reading.mistakes import listed, quoted
from sockcheck.reading.page import Page
from sockcheck.reading.tree import Entry, MappingNode, Node, ScalarNode, SequenceNode
from sockcheck.reading.values import choice, flag, known, scalar, size, unknown, whole
from sockcheck.scenario import Fixed, Part, Payload, PayloadSlice, Reference, Text

_INTEGERS = ("u8", "u16be", "u16le", "u32be", "u32le", "u64be", "u64le")
# What a part can be, and the keys that may stand beside it.
KINDS: Mapping[str, tuple[str, ...]] = {
    "text": ("newline", "dot-block"),
    "hex": (),
    "base64": (),
    "payload": ("first",),
    "file": (),
    "frame": ("of",),
    **dict.fromkeys(_INTEGERS, ()),
}
_LONE_NEWLINE = re.compile(rb"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Scope:
    """What the reader of a step must know beside the step: the names that it may use.

    `payloads` holds None for one that is named but was written wrong. `load` reads a file, relative to the scenario's.
    """

    page: Page
    parameters: Mapping[str, str]
    payloads: Mapping[str, Payload | None]
    load: Callable[[str], bytes]


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
            return Fixed(_frame(scope, entries, entries[kind].key), span)
        case _:
            return Fixed(_integer(page, kind, value), span)


def fixed(scope: Scope, node: Node, where: str) -> bytes:
    """The bytes of parts that are known now: no `${…}` and no payload among them. `where`: what they are for."""
    data = b""
    for each in parts(scope, node):
        match each:
            case Fixed():
                data += each.data
            case PayloadSlice():
                raise scope.page.mistake(each.span, f"{where} cannot hold a payload")
            case Text():
                for piece in each.pieces:
                    if isinstance(piece, Reference):
                        raise scope.page.mistake(piece.span, f"{where} cannot hold ${{…}}")
                    data += piece
            case _:
                assert_never(each)
    return data


def least_size(scope: Scope, parts: tuple[Part, ...]) -> tuple[int, bool]:
    """How many bytes the parts have at least, and whether they have no more: a reference may stand for any number."""
    total = 0
    sure = True
    for each in parts:
        match each:
            case Fixed():
                total += len(each.data)
            case PayloadSlice():
                payload = scope.payloads[each.name]
                sure = sure and payload is not None
                total += each.first if each.first is not None else payload.size if payload is not None else 0
            case Text():
                total += sum(len(piece) for piece in each.pieces if isinstance(piece, bytes))
                sure = sure and all(isinstance(piece, bytes) for piece in each.pieces)
            case _:
                assert_never(each)
    return total, sure


def _text(scope: Scope, node: Node) -> Text:
    page = scope.page
    found = scalar(page, node, "a text or a part")
    check_high_escapes(page, found, "write the byte as {{hex: {0}}}")
    check_idle_escapes(page, found)
    if "${" not in found.value:
        return Text((found.value.encode(),), page.span(found))
    pieces = references(page, found, scope.parameters)
    return Text(tuple(piece.encode() if isinstance(piece, str) else piece for piece in pieces), page.span(found))


def _formatted(scope: Scope, entries: dict[str, Entry]) -> Text:
    """A text with its line ends and its end-of-data line (RFC 5321, section 4.5.2) as the protocol wants them."""
    page = scope.page
    text = _text(scope, entries["text"].value)
    newline = page.attempt(choice, page, entries["newline"].value, ("crlf", "lf")) if "newline" in entries else "lf"
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
        first = size(page, entries["first"].value)
        if payload is not None and first > payload.size:
            raise page.mistake(entries["first"].value, f"the payload has only {payload.size:,} bytes")
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


def _integer(page: Page, kind: str, node: Node) -> bytes:
    width, order = _width(kind)
    return whole(page, node, 0, 256**width - 1).to_bytes(width, order)


def _frame(scope: Scope, entries: dict[str, Entry], key: ScalarNode) -> bytes:
    """A length and as many bytes."""
    page = scope.page
    if "of" not in entries:
        raise page.mistake(key, "a frame needs 'of', its content")
    content = page.attempt(fixed, scope, entries["of"].value, "a frame") or b""
    kind = choice(page, entries["frame"].value, _INTEGERS)
    width, order = _width(kind)
    if len(content) >= 256**width:
        raise page.mistake(entries["frame"].value, f"{len(content):,} bytes are too many for a length of {kind}")
    return len(content).to_bytes(width, order) + content


def _width(kind: str) -> tuple[int, Literal["big", "little"]]:
    return int(kind.strip("ubel")) // 8, "little" if kind.endswith("le") else "big"
