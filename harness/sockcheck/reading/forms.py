"""What `expect` takes: parts, a line, everything up to a delimiter, so many bytes."""

from __future__ import annotations

import re
from typing import Literal

from sockcheck.reading.literals import Places, check_high_escapes, no_references
from sockcheck.reading.page import Page
from sockcheck.reading.parts import KINDS, Scope, fixed, least_size, parts
from sockcheck.reading.tree import Entry, MappingNode, Node, SequenceNode
from sockcheck.reading.values import choice, known, scalar, size, unknown
from sockcheck.scenario import BytesForm, ExactForm, Fixed, Form, LineForm, Pattern, UntilForm

# A line or an `until` is never longer than this (`sockcheck.matching`), so a pattern that asks for more never matches.
# It would cost gigabytes, too: the regex library writes counted repeats out.
_LONGEST_MATCH = 64 * 1024

# The forms that are no parts, and the keys that may stand beside them.
_KEYS = {"line": ("ends",), "until": ("matches",), "bytes": ("sha256",)}
_ENDS: tuple[Literal["any", "crlf", "lf"], ...] = ("any", "crlf", "lf")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_PATTERN_TOKEN = re.compile(rb"(?s)\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?P<count>[0-9]+)(?:,[0-9]*)?\}|.")


def form(scope: Scope, node: Node) -> Form:
    """What must come next."""
    if isinstance(node, MappingNode) and node.entries:
        kind = next((key for key in node.entries if key in _KEYS), None)
        if kind is not None:
            return _special(scope, kind, known(scope.page, node.entries, (kind, *_KEYS[kind]), of=kind))
        if not any(key in KINDS for key in node.entries):
            first = next(iter(node.entries.values())).key
            raise unknown(scope.page, first, "form", first.value, (*_KEYS, *KINDS))
    found = parts(scope, node)
    if found and least_size(scope, found) == (0, True):
        raise scope.page.mistake(node, "no bytes are expected here", "`end: eof` expects the end of the connection")
    return ExactForm(found)


def _special(scope: Scope, kind: str, entries: dict[str, Entry]) -> Form:
    page = scope.page
    value = entries[kind].value
    match kind:
        case "line":
            ends = page.attempt(choice, page, entries["ends"].value, _ENDS) if "ends" in entries else None
            return LineForm(pattern(page, value), ends or "any")
        case "until":
            patterns = _patterns(page, entries["matches"].value) if "matches" in entries else ()
            delimiter = fixed(scope, value, "a delimiter")
            if not delimiter:
                raise page.mistake(value, "a delimiter must have a byte at least")
            return UntilForm(Fixed(delimiter, page.span(value)), patterns)
        case _:
            digest = page.attempt(_digest, page, entries["sha256"].value) if "sha256" in entries else None
            return BytesForm(size(page, value, lowest=1), digest)


def pattern(page: Page, node: Node) -> Pattern:
    """A regular expression on bytes that compiles."""
    # Only scenarios with patterns pay for the import.
    import regex

    found = scalar(page, node, "a regular expression")
    check_high_escapes(page, found, 'write it as "\\\\x{0}": then the regular expression means the byte')
    no_references(page, found, "a regular expression")
    source = found.value.encode()
    if _written_out(source) > _LONGEST_MATCH:
        raise page.mistake(found, "this pattern asks for more than 64 KiB, which no line may have", "use {bytes: …}")
    try:
        regex.compile(source)
    except regex.error as error:
        # `pos` counts bytes, and is None where the whole expression is meant.
        at = len(source[: getattr(error, "pos", None) or 0].decode(errors="ignore"))
        message = f"this is not a regular expression: {getattr(error, 'msg', error)}"
        raise page.mistake(Places(page, found).span(at, at + 1), message) from None
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise page.mistake(found, f"this is not a regular expression that can be used: {error}") from None
    return Pattern(source, page.span(found))


def _patterns(page: Page, node: Node) -> tuple[Pattern, ...]:
    items = node.items if isinstance(node, SequenceNode) else [node]
    found = [page.attempt(pattern, page, item) for item in items]
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
