"""YAML as a tree of nodes with places, and nothing resolved: a scalar is text until its reader says what it is.

Built from the parser's events (libyaml's where PyYAML has it), since a loader would lose the places and read `no` as a
boolean and `12:30` as a number. Tags, anchors and aliases are refused: no scenario needs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from sockcheck.errors import ScenarioError
from sockcheck.forms import (
    Span,
)
from sockcheck.reading.mistakes import LINE_BREAK, quoted
from sockcheck.reading.page import Mark, Page

LARGEST = 1024 * 1024
DEEPEST = 24

# What YAML allows in a stream (YAML 1.1, section 4.1), turned around.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WORD = re.compile(r"\S+")


@dataclass(slots=True)
class ScalarNode:
    """`style` is `"`, `'`, `|`, `>` or, for a plain scalar, empty."""

    value: str
    style: str
    start: Mark
    end: Mark


@dataclass(slots=True)
class SequenceNode:
    items: list[Node]
    start: Mark
    end: Mark


@dataclass(slots=True)
class Entry:
    key: ScalarNode
    value: Node


@dataclass(slots=True)
class MappingNode:
    entries: dict[str, Entry]
    start: Mark
    end: Mark


@dataclass(slots=True)
class AliasNode:
    """Stands where an alias was refused. No reader takes it, and what they say of it is not told again."""

    start: Mark
    end: Mark


Node = ScalarNode | SequenceNode | MappingNode | AliasNode


class EventParser(Protocol):
    """A YAML parser. Its events come from C, so that nothing is known of their types before they are looked at."""

    def get_event(self) -> Any: ...


# libyaml's parser is 15 times faster than the one in Python, which stands in where PyYAML was built without it.
_FASTEST: Callable[[str], EventParser] = getattr(getattr(yaml, "cyaml", None), "CParser", yaml.BaseLoader)


def grow(page: Page, parser: Callable[[str], EventParser] = _FASTEST) -> MappingNode:
    """The mapping that the file consists of. Notes mistakes where the tree can still be used.

    Raises ScenarioError where it cannot: not YAML, not a mapping, empty, too large, too deep, or several documents.
    """
    if len(page.text) > LARGEST:
        raise too_large(page.path)
    try:
        return _Grower(page, parser(page.text)).document()
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # A lone surrogate cannot be encoded for libyaml; the parser in Python lets errors of chr() through.
        unprintable = _UNPRINTABLE.search(page.text)
        raise (_unprintable(page, unprintable.start()) if unprintable else _syntax_mistake(page, error)) from None


def too_large(path: str) -> ScenarioError:
    return ScenarioError(
        Span(path, 1, 1, 1), "the file is larger than 1 MiB", "`payloads:` makes large data of recipes"
    )


class _Grower:
    def __init__(self, page: Page, parser: EventParser) -> None:
        self._page = page
        self._next = parser.get_event

    def document(self) -> MappingNode:
        self._next()
        event = self._next()
        if type(event) is StreamEndEvent:
            raise self._page.mistake(self._page.rest_of_line(0, 0), "the file is empty")
        root = self._node(self._next(), 0)
        self._next()
        event = self._next()
        if type(event) is DocumentStartEvent:
            raise self._page.mistake(self._from(event), "a second document begins here", "one file holds one document")
        if not isinstance(root, MappingNode):
            raise self._page.mistake(root, "the file must hold keys and values", "the first key is `scenario: A title`")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        kind = type(event)
        if kind is AliasEvent:
            alias = AliasNode(event.start_mark, event.end_mark)
            self._page.note(self._page.mistake(alias, "YAML aliases are not allowed here", "write the value out"))
            return alias
        if event.tag is not None or event.anchor is not None:
            what = "tags" if event.tag is not None else "anchors"
            self._page.note(self._page.mistake(self._from(event), f"YAML {what} are not allowed here", "leave it out"))
        if kind is ScalarEvent:
            return ScalarNode(event.value, event.style or "", event.start_mark, event.end_mark)
        if depth == DEEPEST:
            raise self._page.mistake(self._from(event), f"nested more than {DEEPEST} levels deep")
        return self._sequence(event, depth) if kind is SequenceStartEvent else self._mapping(event, depth)

    # Most nodes are scalars with neither tag nor anchor. They are made where they are met: most of the time that a file
    # takes goes into calls.

    def _sequence(self, start: Any, depth: int) -> SequenceNode:
        items: list[Node] = []
        next_event = self._next
        while (kind := type(event := next_event())) is not SequenceEndEvent:
            if kind is ScalarEvent and event.tag is None and event.anchor is None:
                items.append(ScalarNode(event.value, event.style or "", event.start_mark, event.end_mark))
            else:
                items.append(self._node(event, depth + 1))
        return SequenceNode(items, start.start_mark, event.end_mark)

    def _mapping(self, start: Any, depth: int) -> MappingNode:
        entries: dict[str, Entry] = {}
        next_event = self._next
        while (kind := type(event := next_event())) is not MappingEndEvent:
            key: Node
            value: Node
            if kind is ScalarEvent and event.tag is None and event.anchor is None:
                key = ScalarNode(event.value, event.style or "", event.start_mark, event.end_mark)
            else:
                key = self._node(event, depth + 1)
            kind = type(event := next_event())
            if kind is ScalarEvent and event.tag is None and event.anchor is None:
                value = ScalarNode(event.value, event.style or "", event.start_mark, event.end_mark)
            else:
                value = self._node(event, depth + 1)
            if not isinstance(key, ScalarNode):
                self._page.note(self._page.mistake(key, "a key must be a word"))
            elif key.value in entries:
                first = entries[key.value].key
                message = f"{quoted(key.value)} stands here twice; first in line {first.start.line + 1}"
                self._page.note(self._page.mistake(key, message))
            else:
                entries[key.value] = Entry(key, value)
        return MappingNode(entries, start.start_mark, event.end_mark)

    def _from(self, event: Any) -> Span:
        """Where an event begins, to the end of the word there."""
        start = event.start_mark
        word = _WORD.match(self._page.text, start.index)
        return Span(self._page.path, start.line + 1, start.column + 1, start.column + 1 + len(word[0] if word else ""))


def _unprintable(page: Page, index: int) -> ScenarioError:
    before = LINE_BREAK.split(page.text[:index])
    line, column = len(before), len(before[-1]) + 1
    message = f"the character U+{ord(page.text[index]):04X} may not stand in a YAML file"
    return page.mistake(Span(page.path, line, column, column + 1), message, "double quotes take it as an escape")


def _syntax_mistake(page: Page, error: Exception) -> ScenarioError:
    """What the parser says, in words that help whoever wrote the file."""
    at: Mark | None = getattr(error, "problem_mark", None)
    if at is None:
        return page.mistake(page.rest_of_line(0, 0), "this is not YAML", f"the parser says: {error}")
    problem = str(getattr(error, "problem", ""))
    context = str(getattr(error, "context", ""))
    began: Mark = getattr(error, "context_mark", None) or at
    place = page.rest_of_line(at.line, at.column)
    first = page.text[at.index : at.index + 1]
    if first == "\t" or "tab character" in problem:
        return page.mistake(_one(place), "a tab cannot indent YAML", "use spaces")
    if "cannot start any token" in problem:
        return page.mistake(_one(place), f"a text without quotes cannot begin with {quoted(first)}", "put it in quotes")
    if "unknown escape" in problem:
        hint = r"write \\ for a backslash, or use single quotes, which know no escapes"
        return page.mistake(_one(place), "a text in double quotes knows no such escape", hint)
    if "values are not allowed" in problem:
        hint = "a text that holds ': ' needs quotes; keys of one mapping need the same indentation"
        return page.mistake(_one(place), "a ':' stands where no key can end", hint)
    if "quoted scalar" in context and "unexpected" in problem:
        return page.mistake(_one(page.rest_of_line(began.line, began.column)), "this quote is never closed")
    if "flow" in context and began.index < at.index and not page.text[at.index :].strip():
        return page.mistake(_one(page.rest_of_line(began.line, began.column)), "this bracket is never closed")
    if "flow" in context:
        return page.mistake(place, "a ',' or a closing bracket is missing", f"look from line {began.line + 1} on")
    if "block" in context:
        hint = "steps of one list, and keys of one mapping, begin in the same column"
        return page.mistake(place, "this line does not fit those above it", hint)
    return page.mistake(place, f"this is not YAML: {problem}", f"it happened {context}" if context else "")


def _one(span: Span) -> Span:
    return replace(span, end_column=span.column + 1)
