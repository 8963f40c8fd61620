"""What `expect` takes: parts, lines, everything up to a delimiter, so many bytes, a frame, and forms made of others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from sockcheck.forms import (
    AnyForm,
    BytesForm,
    Duration,
    ExactForm,
    Fixed,
    Form,
    FrameForm,
    LineForm,
    LinesForm,
    NotForm,
    Pattern,
    Reference,
    UnorderedForm,
    UntilForm,
)
from sockcheck.payloads import INTEGERS
from sockcheck.reading.durations import duration
from sockcheck.reading.literals import Places, check_high_escapes
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.numbers import size_or_name
from sockcheck.reading.page import Page
from sockcheck.reading.parts import KINDS, check_length, fixed, least_size, named, parts
from sockcheck.reading.scope import Scope
from sockcheck.reading.tree import Entry, MappingNode, Node, SequenceNode
from sockcheck.reading.values import choice, known, scalar, unknown

# A line or an `until` is never longer than this (`sockcheck.matching`), so a pattern that asks for more never matches.
# It would cost gigabytes, too: the regex library writes counted repeats out.
_LONGEST_MATCH = 64 * 1024

# Each form in `unordered` and `any` is tried against the same bytes.
MOST_FORMS = 256

FORMS: Mapping[str, tuple[str, ...]] = {
    "line": ("ends",),
    "lines": ("last", "ends"),
    "until": ("matches",),
    "bytes": ("sha256",),
    "frame": ("equals", "matches"),
    "unordered": (),
    "any": (),
    "not": ("for",),
}
"""The forms that are no parts, and the keys that may stand beside them."""

ENDS: tuple[Literal["any", "crlf", "lf"], ...] = ("any", "crlf", "lf")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_PATTERN_TOKEN = re.compile(rb"(?s)\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?P<count>[0-9]+)(?:,[0-9]*)?\}|.")


def form(scope: Scope, node: Node) -> Form:
    """What must come next."""
    if isinstance(node, MappingNode) and node.entries:
        kind = next((key for key in node.entries if key in FORMS), None)
        # A frame of known content is a part; one that is looked into is a form.
        if kind is not None and not (kind == "frame" and "of" in node.entries):
            return _special(scope, kind, known(scope.page, node.entries, (kind, *FORMS[kind]), of=kind))
        if not any(key in KINDS for key in node.entries):
            first = next(iter(node.entries.values())).key
            raise unknown(scope.page, first, "form", first.value, (*FORMS, *KINDS))
    found = parts(scope, node)
    if found and least_size(scope, found) == (0, True):
        raise scope.page.mistake(node, "no bytes are expected here", "`end: eof` expects the end of the connection")
    return ExactForm(found)


def _special(scope: Scope, kind: str, entries: dict[str, Entry]) -> Form:
    page = scope.page
    value = entries[kind].value
    match kind:
        case "line":
            return LineForm(pattern(scope, value), _ends(page, entries))
        case "lines":
            return _lines(scope, entries)
        case "until":
            patterns = _patterns(scope, entries["matches"].value) if "matches" in entries else ()
            delimiter = fixed(scope, value, "a delimiter")
            if not delimiter:
                raise page.mistake(value, "a delimiter must have a byte at least")
            return UntilForm(Fixed(delimiter, page.span(value)), patterns)
        case "bytes":
            digest = page.attempt(_digest, page, entries["sha256"].value) if "sha256" in entries else None
            return BytesForm(size_or_name(scope, value, "", lowest=1, captured=True), digest)
        case "frame":
            return _frame(scope, entries)
        case "unordered":
            return UnorderedForm(_several(scope, kind, value))
        case "any":
            return AnyForm(_several(scope, kind, value))
        case _:
            return _not(scope, entries)


def _lines(scope: Scope, entries: dict[str, Entry]) -> LinesForm:
    page = scope.page
    if "last" not in entries:
        hint = "as in `{lines: '250-.*', last: '250 .*'}`"
        raise page.mistake(entries["lines"].key, "'lines' needs 'last', which says what the last one is", hint)
    found = page.attempt(pattern, scope, entries["lines"].value)
    last = pattern(scope, entries["last"].value)
    return LinesForm(found or last, last, _ends(page, entries))


def _frame(scope: Scope, entries: dict[str, Entry]) -> FrameForm:
    """A length and as many bytes, whatever they are where nothing else is said."""
    page = scope.page
    if "equals" in entries and "matches" in entries:
        raise page.mistake(entries["matches"].key, "a frame has one content: 'equals' or 'matches'")
    equals = page.attempt(parts, scope, entries["equals"].value) if "equals" in entries else None
    patterns = _patterns(scope, entries["matches"].value) if "matches" in entries else ()
    node = entries["frame"].value
    kind = choice(page, node, tuple(INTEGERS))
    if equals is not None:
        check_length(scope, node, kind, equals)
    return FrameForm(kind, equals, patterns)


def _several(scope: Scope, kind: str, node: Node) -> tuple[Form, ...]:
    page = scope.page
    if not isinstance(node, SequenceNode) or not 0 < len(node.items) <= MOST_FORMS:
        raise page.mistake(node, f"{quoted(kind)} takes a list of forms, {MOST_FORMS} at most")
    found = [page.attempt(form, scope, item) for item in node.items]
    for each, item in zip(found, node.items, strict=True):
        if isinstance(each, NotForm):
            page.note(page.mistake(item, f"'not' has no meaning within {quoted(kind)}", "make it a step of its own"))
    return tuple(each for each in found if each is not None)


def _not(scope: Scope, entries: dict[str, Entry]) -> NotForm:
    page = scope.page
    node = entries["not"].value
    if "for" not in entries:
        raise page.mistake(entries["not"].key, "'not' needs 'for', a duration", "as in `{not: ERR, for: 300ms}`")
    lasting = page.attempt(duration, page, entries["for"].value, scope.names)
    with scope.names.nothing_captured():
        unwanted = form(scope, node)
    if not isinstance(unwanted, ExactForm | LineForm):
        raise page.mistake(node, "'not' takes a part, a list of parts or a line", "other forms may stand on their own")
    return NotForm(unwanted, lasting or Duration(0.0, (), page.span(node)))


def _ends(page: Page, entries: dict[str, Entry]) -> Literal["any", "crlf", "lf"]:
    ends = page.attempt(choice, page, entries["ends"].value, ENDS) if "ends" in entries else None
    return ends or "any"


def pattern(scope: Scope, node: Node) -> Pattern:
    """A regular expression on bytes that compiles, whatever its names stand for: they stand for it to the letter."""
    # Only scenarios with patterns pay for the import.
    import regex

    page = scope.page
    found = scalar(page, node, "a regular expression")
    check_high_escapes(page, found, 'write it as "\\\\x{0}": then the regular expression means the byte')
    pieces = named(scope, found)
    source = b"".join(b"x" if isinstance(piece, Reference) else piece for piece in pieces)
    if b"{" in source and _written_out(source) > _LONGEST_MATCH:
        raise page.mistake(found, "this pattern asks for more than 64 KiB, which no line may have", "use {bytes: …}")
    try:
        compiled = regex.compile(source)
    except regex.error as error:
        # `pos` counts bytes, and is None where the whole expression is meant.
        at = len(source[: getattr(error, "pos", None) or 0].decode(errors="ignore"))
        message = f"this is not a regular expression: {getattr(error, 'msg', error)}"
        place = Places(page, found).span(at, at + 1) if len(pieces) < 2 else page.span(found)
        raise page.mistake(place, message) from None
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise page.mistake(found, f"this is not a regular expression that can be used: {error}") from None
    span = page.span(found)
    for name in compiled.groupindex:
        scope.names.capture(name, span)
    return Pattern(pieces, span)


def _patterns(scope: Scope, node: Node) -> tuple[Pattern, ...]:
    items = node.items if isinstance(node, SequenceNode) else [node]
    found = [scope.page.attempt(pattern, scope, item) for item in items]
    return tuple(each for each in found if each is not None)


def _written_out(source: bytes) -> int:
    """About how many atoms the pattern has when its counted repeats are written out: `(ab{3}){2}` has 8."""
    totals = [0]
    last = 0
    for token in _PATTERN_TOKEN.finditer(source):
        if token[0] == b"(":
            totals.append(0)
        elif token[0] == b")" and len(totals) > 1:
            last = totals.pop()
            totals[-1] += last
        elif token["count"]:
            # Kept small, so that a long run of digits or of repeats costs nothing.
            times = min(int(token["count"][:12]), _LONGEST_MATCH + 1)
            totals[-1] += last * (times - 1)
            last = min(last * times, _LONGEST_MATCH + 1)
        else:
            last = 1
            totals[-1] += 1
    return max(totals)


def _digest(page: Page, node: Node) -> str:
    text = scalar(page, node, "a SHA-256 digest").value
    if not _SHA256.fullmatch(text):
        raise page.mistake(node, "a SHA-256 digest has 64 hexadecimal digits")
    return text.lower()
