"""`conditions`: under which laws an exchange is tried."""

from __future__ import annotations

from fnmatch import fnmatchcase

from sockcheck.laws import LAWS
from sockcheck.reading.page import Page
from sockcheck.reading.tree import Node, SequenceNode
from sockcheck.reading.values import choice, unknown, words

SETS = ("none", "standard", "thorough")
"""The conditions that go by one name."""


def conditions(page: Page, node: Node) -> tuple[str, ...]:
    """One of the sets, or a list of them and of the ids of laws, also with `*` and `?` as in a shell."""
    if not isinstance(node, SequenceNode):
        return (choice(page, node, SETS),)
    found = words(page, node, "the name of a condition")
    for name, item in found:
        if name not in SETS and not any(fnmatchcase(law, name) for law in LAWS):
            page.note(unknown(page, item, "condition", name, (*SETS, *LAWS)))
    return tuple(name for name, _ in found)
