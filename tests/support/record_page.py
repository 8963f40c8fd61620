"""The tables of docs/record.md, made from the frozen data, so that the page cannot differ from the code.

    python tests/support/record_page.py

rewrites them in place, below the line `BELOW`; what stands above it is written by hand.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tools import CHECKOUT

from sockcheck.events import Event

PAGE = CHECKOUT / "docs" / "record.md"
BELOW = "<!-- Made by tests/support/record_page.py from the code; do not edit below this line. -->\n"

_NAMES = {str: "text", int: "integer", float: "number", bool: "true or false", bytes: "[bytes](#bytes)"}


def page(old: str) -> str:
    """The page `old` with its tables made anew."""
    by_hand, _, _ = old.partition(BELOW)
    events = get_args(Event)
    parts = ["## The events\n", *map(_section, events), "## What stands in them\n"]
    parts += [_section(cls) for cls in _inside(events)]
    return by_hand + BELOW + "\n" + "\n".join(parts)


def _inside(classes: tuple[type, ...]) -> list[type]:
    """All classes that are reached from `classes`, in the order in which a reader meets them."""
    found: list[type] = []
    queue = list(classes)
    while queue:
        for hint in get_type_hints(queue.pop(0)).values():
            for cls in _classes(hint):
                if cls not in found:
                    found.append(cls)
                    queue.append(cls)
    return found


def _classes(hint: Any) -> Iterator[type]:
    if is_dataclass(hint):
        assert isinstance(hint, type)
        yield hint
    elif get_origin(hint) is not Literal:
        for argument in get_args(hint):
            yield from _classes(argument)


def _section(cls: type) -> str:
    hints = get_type_hints(cls)
    about = inspect.getdoc(cls) or ""
    if about.startswith(f"{cls.__name__}("):  # what dataclass() writes where nobody did
        about = ""
    rows = [f"| `{field.name}` | {_described(hints[field.name])} |" for field in fields(cls)]
    lines = [f"### {cls.__name__}", "", *([about, ""] if about else []), "| key | value |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _described(hint: Any) -> str:
    if hint in _NAMES:
        return _NAMES[hint]
    if is_dataclass(hint):
        assert isinstance(hint, type)
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    if get_origin(hint) is Literal:
        return " or ".join(f'`"{value}"`' for value in get_args(hint))
    if get_origin(hint) is tuple:
        return f"list of {_described(get_args(hint)[0])}"
    assert get_origin(hint) in (Union, UnionType), hint
    return " or ".join("null" if member is NoneType else _described(member) for member in get_args(hint))


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
