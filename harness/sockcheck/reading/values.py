"""What a scalar says, by the place where it stands."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar, assert_never

from sockcheck.errors import ScenarioError
from sockcheck.forms import (
    Span,
)
from sockcheck.reading.mistakes import listed, nearest, quoted
from sockcheck.reading.page import Page, Placed
from sockcheck.reading.tree import AliasNode, Entry, MappingNode, Node, ScalarNode, SequenceNode

_W = TypeVar("_W", bound=str)

# Bytes that one scenario may name: what is sent is made in memory.
LARGEST_SIZE = 1024**3

# How many words a hint names. More of them help nobody.
_MOST_NAMED = 16

_SIZE = re.compile(r"([0-9]{1,12})\s*(|KiB|MiB|GiB)")
_UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_WHOLE = re.compile(r"[0-9]{1,20}|0x[0-9a-fA-F]{1,16}")


def scalar(page: Page, node: Node, wanted: str) -> ScalarNode:
    """The node, which must be a scalar and say something. `wanted` is what belongs there: `a duration`."""
    if not isinstance(node, ScalarNode) or (not node.value and not node.style):
        raise page.mistake(node, f"expected {wanted}, found {_kind(node)}")
    return node


def mapping(page: Page, node: Node, wanted: str) -> MappingNode:
    """The node, which must be a mapping."""
    if not isinstance(node, MappingNode):
        raise page.mistake(node, f"expected {wanted}, found {_kind(node)}")
    return node


def known(
    page: Page, entries: dict[str, Entry], keys: Collection[str], kind: str = "key", of: str = ""
) -> dict[str, Entry]:
    """The entries whose keys are known; the others are noted as mistakes. `of`: what they are keys of."""
    strange = [name for name in entries if name not in keys]
    if not strange:
        return entries
    for name in strange:
        page.note(unknown(page, entries[name].key, kind, name, keys, of))
    return {name: entry for name, entry in entries.items() if name in keys}


def place_of(node: MappingNode) -> Placed:
    """Where to say that a mapping lacks a key: at its first key, which is the one, most likely, but misspelt."""
    return next((entry.key for entry in node.entries.values()), node)


def lacks(entries: Mapping[str, Entry], key: str, keys: Collection[str]) -> bool:
    """Whether a mapping has neither `key`, one of `keys`, nor a misspelling of it."""
    return key not in entries and all(name in keys or nearest(name, keys) != key for name in entries)


def unknown(
    page: Page, place: Placed | Span, kind: str, word: str, choices: Collection[str], of: str = ""
) -> ScenarioError:
    """`word` is no `kind`: a mistake that suggests the nearest of `choices`, or names them all."""
    near = nearest(word, choices)
    if near:
        hint = f"did you mean {quoted(near)}?"
    elif choices:
        more = ", …" if len(choices) > _MOST_NAMED else ""
        hint = f"the {kind}s known here: {', '.join(list(choices)[:_MOST_NAMED])}{more}"
    else:
        hint = f"no {kind} is known here"
    return page.mistake(place, f"unknown {kind} {quoted(word)}{of and f' of {quoted(of)}'}", hint)


def choice(page: Page, node: Node, choices: Sequence[_W]) -> _W:
    """One of a few words."""
    if isinstance(node, ScalarNode):
        for option in choices:
            if option == node.value:
                return option
    wanted = listed(map(quoted, choices), "or")
    word = scalar(page, node, wanted).value
    near = nearest(word, choices)
    hint = f"did you mean {quoted(near)}?" if near else ""
    raise page.mistake(node, f"expected {wanted}, found {quoted(word)}", hint)


def line(page: Page, node: Node, wanted: str) -> str:
    """A text for people, without the spaces around it, and not empty."""
    text = scalar(page, node, wanted).value.strip()
    if not text:
        raise page.mistake(node, f"expected {wanted}, found an empty text")
    return text


def words(page: Page, node: Node, wanted: str) -> tuple[tuple[str, Node], ...]:
    """A list of words, or only one, each with its place."""
    items = node.items if isinstance(node, SequenceNode) else [node]
    found = ((page.attempt(scalar, page, item, wanted), item) for item in items)
    return tuple((word.value, item) for word, item in found if word is not None)


def flag(page: Page, node: Node) -> bool:
    return choice(page, node, ("yes", "no", "true", "false")) in ("yes", "true")


def whole_of(text: str) -> int | None:
    """The whole number that `text` is, decimal or hexadecimal (`0x1f`), or None."""
    if not _WHOLE.fullmatch(text):
        return None
    return int(text, 16 if text.startswith("0x") else 10)


def size_of(text: str) -> int | None:
    """The number of bytes that `text` is, as in `512`, `4KiB` and `1MiB`, or None."""
    found = _SIZE.fullmatch(text)
    return None if found is None else int(found[1]) * _UNITS[found[2]]


def whole(page: Page, node: Node, lowest: int, highest: int) -> int:
    """A whole number within bounds."""
    text = scalar(page, node, "a whole number").value
    number = whole_of(text)
    if number is None:
        raise page.mistake(node, f"expected a whole number, found {quoted(text)}")
    return _within(page, node, number, lowest, highest)


def size(page: Page, node: Node, lowest: int = 0, highest: int = LARGEST_SIZE) -> int:
    """A number of bytes within bounds."""
    text = scalar(page, node, "a size").value
    number = size_of(text)
    if number is None:
        raise page.mistake(node, f"{quoted(text)} is not a size", "a size is a number of bytes, 4KiB, 1MiB or 1GiB")
    return _within(page, node, number, lowest, highest)


def _within(page: Page, node: Node, number: int, lowest: int, highest: int) -> int:
    if not lowest <= number <= highest:
        raise page.mistake(node, f"{number:,} is not between {lowest:,} and {highest:,}")
    return number


def _kind(node: Node) -> str:
    match node:
        case ScalarNode():
            return quoted(node.value) if node.value else "nothing"
        case SequenceNode():
            return "a list"
        case MappingNode():
            return "a mapping"
        case AliasNode():
            return "an alias"
        case _:
            assert_never(node)
