"""`matrix`: names and their values, with a case for each combination."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from sockcheck.reading.literals import no_references
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.names import NAME, RESERVED
from sockcheck.reading.page import Page
from sockcheck.reading.tree import Node, SequenceNode
from sockcheck.reading.values import mapping, scalar

MOST_COMBINATIONS = 1000
# Values are a part of the case's id, which people read and select by.
_LONGEST = 100


def matrix(page: Page, node: Node, parameters: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The values by their names, as they are written; what is wrong is noted, and its name stays known."""
    entries = mapping(page, node, "a mapping of names and lists of values").entries
    found: dict[str, tuple[str, ...]] = {}
    for name, entry in entries.items():
        if name in parameters:
            page.note(page.mistake(entry.key, f"{quoted(name)} is a parameter of the contract already", "rename it"))
        elif name in RESERVED:
            page.note(page.mistake(entry.key, f"{quoted(name)} is taken: it is {RESERVED[name]}", "rename it"))
        elif not NAME.fullmatch(name):
            page.note(page.mistake(entry.key, f"{quoted(name)} is not a name", "letters, digits, - and _"))
        found[name] = page.attempt(_values, page, entry.value) or ()
    if prod(len(values) for values in found.values()) > MOST_COMBINATIONS:
        message = f"the matrix has more than {MOST_COMBINATIONS:,} combinations"
        page.note(page.mistake(next(iter(entries.values())).key, message, "a case is run for each"))
        # What is said of names and values further down is said of a few.
        return {name: values[:1] for name, values in found.items()}
    return found


def label(value: str) -> str:
    """A value as it stands in the id of a case: on one line, whatever it holds."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in value)


def _values(page: Page, node: Node) -> tuple[str, ...]:
    if not isinstance(node, SequenceNode) or not node.items:
        raise page.mistake(node, "expected a list of values", "as in `size: [1, 1023, 1024]`")
    values: dict[str, str] = {}
    for item in node.items:
        found = page.attempt(scalar, page, item, "a value")
        if found is None:
            continue
        no_references(page, found, "a value of the matrix")
        if len(found.value) > _LONGEST:
            raise page.mistake(item, f"a value of the matrix has at most {_LONGEST} characters")
        if label(found.value) in values:
            raise page.mistake(item, f"{quoted(found.value)} stands here twice")
        values[label(found.value)] = found.value
    return tuple(values.values())
