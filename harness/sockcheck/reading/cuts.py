"""Where a send is cut."""

from __future__ import annotations

from sockcheck.errors import ScenarioError
from sockcheck.forms import (
    Part,
)
from sockcheck.reading.page import Page
from sockcheck.reading.parts import least_size
from sockcheck.reading.scope import Scope
from sockcheck.reading.tree import MappingNode, Node, ScalarNode, SequenceNode
from sockcheck.reading.values import LARGEST_SIZE, known, place_of, whole
from sockcheck.show import count
from sockcheck.steps import (
    Cut,
)

# Every byte of more than this would be a thousand round trips to the kernel for nothing that fewer do not show.
MOST_CUTS = 4096

LARGEST_SEED = 2**63

CUTS = ("random", "seed")
"""The keys of a cut that is a mapping."""
EVERY_BYTE = "every-byte"


def cut(scope: Scope, node: Node, data: tuple[Part, ...] | None) -> Cut:
    """Where the data is cut: strictly inside it, whatever the parameters are. None: the data is not known."""
    page = scope.page
    span = page.span(node)
    least, sure = (LARGEST_SIZE, False) if data is None else least_size(scope, data)
    if sure and least < 2:
        raise page.mistake(node, f"{count(least)} cannot be cut")
    match node:
        case ScalarNode(value=word) if word == EVERY_BYTE:
            if data is not None and least > MOST_CUTS:
                message = f"{count(least)} are too many to be sent one by one"
                raise page.mistake(node, message, f"the most is {MOST_CUTS:,}; `{{random: 100}}` cuts in 100 places")
            return Cut("every-byte", (), 0, None, span)
        case MappingNode():
            return _random_cut(page, node, least - 1 if sure else MOST_CUTS)
        case _:
            return Cut("at", _positions(page, node, least, sure), 0, None, span)


def _random_cut(page: Page, node: MappingNode, places: int) -> Cut:
    entries = known(page, node.entries, CUTS, of="cut")
    if "random" not in entries:
        raise page.mistake(place_of(node), "a cut is a list of positions, every-byte, or {random: how many}")
    seed = page.attempt(whole, page, entries["seed"].value, 0, LARGEST_SEED) if "seed" in entries else None
    times = whole(page, entries["random"].value, 1, min(places, MOST_CUTS))
    return Cut("random", (), times, seed, page.span(node))


def _positions(page: Page, node: Node, least: int, sure: bool) -> tuple[int, ...]:
    items = node.items if isinstance(node, SequenceNode) else [node]
    if not 0 < len(items) <= MOST_CUTS:
        raise page.mistake(node, f"a send is cut in at least one place and at most {MOST_CUTS:,}")
    positions: list[int] = []
    for item in items:
        position = page.attempt(whole, page, item, 0, LARGEST_SIZE)
        if position is None:
            continue
        if not 0 < position < least:
            page.note(_outside(page, item, position, least, sure))
        elif positions and position <= positions[-1]:
            page.note(page.mistake(item, f"cuts ascend, and {position:,} does not come after {positions[-1]:,}"))
        positions.append(position)
    return tuple(positions)


def _outside(page: Page, item: Node, position: int, least: int, sure: bool) -> ScenarioError:
    if sure:
        hint = f"a cut lies between two bytes: here 1 to {least - 1:,}"
        return page.mistake(item, f"a cut at {position:,} is not inside {count(least)}", hint)
    hint = f"only {count(least)} are certain before `${{…}}` is filled in"
    return page.mistake(item, f"a cut at {position:,} may lie outside the data", hint)
