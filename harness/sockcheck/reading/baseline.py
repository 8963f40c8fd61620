"""`--baseline`: a file of failures that are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sockcheck.baseline import KNOWN_TO_FAIL, Entry
from sockcheck.errors import MistakesError
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.page import Page
from sockcheck.reading.tree import Node, SequenceNode, grow
from sockcheck.reading.values import flag, known, line, mapping, place_of, unknown, words

KEYS = ("failures",)
ENTRY_KEYS = ("case", "fresh-client", "kinds", "flaky", "why")

_T = TypeVar("_T")


def read_baseline(path: str, text: str) -> tuple[Entry, ...]:
    """The entries that `text` holds, in its order. Raises MistakesError with all the mistakes of the file."""
    page = Page(path, text)
    found = page.attempt(_entries, page)
    if found is None or page.mistakes:
        raise MistakesError(page.mistakes, {path: text}, "the baseline")
    return found


def _entries(page: Page) -> tuple[Entry, ...]:
    root = grow(page)
    entries = known(page, root.entries, KEYS)
    if "failures" not in entries:
        raise page.mistake(page.rest_of_line(0, 0), "'failures', a list, is missing", "`failures: []` where none is")
    node = entries["failures"].value
    if not isinstance(node, SequenceNode):
        raise page.mistake(node, "expected a list of failures", "as in `- case: echo/hello::cut.at-k`")
    first: dict[str, Entry] = {}
    for item in node.items:
        entry = page.attempt(_entry, page, item)
        if entry is None:
            continue
        name = entry.case or entry.fresh_client
        if name in first:
            page.note(
                page.mistake(entry.span, f"{quoted(name)} stands here twice; first in line {first[name].span.line}")
            )
        first.setdefault(name, entry)
    return tuple(first.values())


def _entry(page: Page, node: Node) -> Entry:
    fields = mapping(page, node, "a failure, such as `case: echo/hello::cut.at-k`")
    entries = known(page, fields.entries, ENTRY_KEYS)

    def read(key: str, reader: Callable[[Page, Node], _T], default: _T) -> _T:
        value = page.attempt(reader, page, entries[key].value) if key in entries else None
        return default if value is None else value

    if ("case" in entries) == ("fresh-client" in entries):
        raise page.mistake(place_of(fields), "expected either 'case' or 'fresh-client'")
    if "kinds" not in entries:
        hint = "as in `kinds: [silence]`: what is found first when it fails"
        raise page.mistake(place_of(fields), "'kinds' is missing", hint)
    name = entries["case" if "case" in entries else "fresh-client"].value
    return Entry(
        case=read("case", _case, ""),
        fresh_client=read("fresh-client", _text, ""),
        kinds=read("kinds", _kinds, ()),
        flaky=read("flaky", flag, False),
        why=read("why", _text, ""),
        span=page.span(name),
    )


def _text(page: Page, node: Node) -> str:
    return line(page, node, "a text")


def _case(page: Page, node: Node) -> str:
    name = line(page, node, "the id of a case")
    if "::" not in name:
        raise page.mistake(node, f"{quoted(name)} is not the id of a case", "`sockcheck list --cases` shows them all")
    return name


def _kinds(page: Page, node: Node) -> tuple[str, ...]:
    kinds = words(page, node, "the kind of a finding")
    for name, item in kinds:
        if name not in KNOWN_TO_FAIL:
            page.note(unknown(page, item, "kind", name, KNOWN_TO_FAIL))
    return tuple(name for name, _ in kinds)
