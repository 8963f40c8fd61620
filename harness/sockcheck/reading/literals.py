"""How a text is written in the file: escapes that do not mean what their author thinks, and places within a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from sockcheck.forms import (
    Reference,
    Span,
)
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.page import Page
from sockcheck.reading.tree import ScalarNode

# How one character of the value is written, by the style of the scalar (YAML 1.1, section 5.6).
_WRITTEN = {
    '"': re.compile(r"\\(?:x..|u.{4}|U.{8}|.)|."),
    "'": re.compile(r"''|."),
    "": re.compile(r"."),
}
# An escape with an odd number of backslashes before it, so that the backslash itself is not escaped.
_HIGH_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(\\x[89a-fA-F][0-9a-fA-F])")
_IDLE_ESCAPE = re.compile(r"\\(?:[nrt0]|x[0-9a-fA-F]{2})")

# `$${` is a literal `${`.
_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^}\n]*)(?P<end>\}?)")


class Places:
    """Where the characters of a scalar's value stand in the file, however they are written."""

    def __init__(self, page: Page, node: ScalarNode) -> None:
        self._whole = page.span(node)
        self._columns: Sequence[int] = ()
        if node.start.line == node.end.line:
            quote = len(node.style)
            first = self._whole.column + quote
            text = page.text[node.start.index + quote : node.end.index - quote]
            if text == node.value:
                self._columns = range(first, first + len(text) + 1)
            else:
                written = _WRITTEN[node.style].findall(text)
                self._columns = list(accumulate(map(len, written), initial=first))

    def span(self, start: int, end: int) -> Span:
        """The place of the value's characters from `start` to `end`; of all, where they stand on several lines."""
        if not self._columns:
            return self._whole
        # A little behind the value: the end of it.
        last = len(self._columns) - 1
        return Span(self._whole.path, self._whole.line, self._columns[min(start, last)], self._columns[min(end, last)])


def _within(page: Page, node: ScalarNode, start: int, end: int) -> Span:
    """From `start` to `end`, as positions in the whole text; the whole node if it has several lines."""
    if node.start.line != node.end.line:
        return page.span(node)
    shift = node.start.column + 1 - node.start.index
    return Span(page.path, node.start.line + 1, start + shift, end + shift)


def check_high_escapes(page: Page, node: ScalarNode, hint: str) -> None:
    """Raises ScenarioError for `\\x80` to `\\xff`: they name characters, of which UTF-8 makes two bytes each."""
    if node.style != '"' or node.value.isascii():
        return
    found = _HIGH_ESCAPE.search(page.text, node.start.index, node.end.index)
    if found:
        message = f"{found[1]} in a text is a character, and becomes two bytes"
        raise page.mistake(_within(page, node, *found.span(1)), message, hint.format(found[1][2:].lower()))


def check_idle_escapes(page: Page, node: ScalarNode) -> None:
    """Raises ScenarioError for a backslash-n and its like where YAML knows no escapes.

    Blocks may hold them: a program that is sent as it stands, say.
    """
    found = _IDLE_ESCAPE.search(node.value) if node.style in ("", "'") else None
    if found:
        where = "in single quotes" if node.style else "without quotes"
        message = f"{found[0]} {where} is a backslash and {quoted(found[0][1:])}"
        hint = f'use double quotes; if the backslash is meant, write "\\{found[0]}" there'
        raise page.mistake(Places(page, node).span(*found.span()), message, hint)


def references(page: Page, node: ScalarNode) -> tuple[str | Reference, ...]:
    """The node's value, taken apart at each `${name}`, whatever the name. Raises ScenarioError for one left open."""
    value = node.value
    if "${" not in value:
        return (value,)
    places = Places(page, node)
    pieces: list[str | Reference] = []
    done = 0
    for found in _REFERENCE.finditer(value):
        pieces.append(value[done : found.start()])
        done = found.end()
        name = found["name"]
        if name is None:
            pieces.append("${")
            continue
        span = places.span(*found.span())
        if not found["end"]:
            raise page.mistake(span, "this '${' is never closed", "write $${ for the two characters")
        pieces.append(Reference(name, span))
    pieces.append(value[done:])
    return tuple(piece for piece in pieces if piece)


def no_references(page: Page, node: ScalarNode, where: str) -> None:
    """Raises ScenarioError for a `${`, which has no meaning there."""
    found = node.value.find("${")
    if found >= 0:
        raise page.mistake(Places(page, node).span(found, found + 2), f"{where} cannot hold ${{…}}")
