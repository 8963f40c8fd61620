"""`payloads`: large data by their recipes."""

from __future__ import annotations

from collections.abc import Mapping

from sockcheck.forms import (
    Payload,
)
from sockcheck.reading.cuts import LARGEST_SEED
from sockcheck.reading.numbers import size_or_name
from sockcheck.reading.parts import fixed
from sockcheck.reading.scope import Scope
from sockcheck.reading.tree import Entry, Node
from sockcheck.reading.values import known, mapping, place_of, whole

RECIPES: Mapping[str, tuple[str, ...]] = {"random": ("seed",), "repeat": ("size",)}
"""What a payload can be made of, and the keys that may stand beside it."""

_SIZE = "the size of a payload"


def payloads(scope: Scope, node: Node) -> dict[str, Payload | None]:
    """The recipes by their names; None for one that is wrong, so that its name stays known."""
    page = scope.page
    entries = mapping(page, node, "a mapping of names and recipes").entries
    return {name: page.attempt(_payload, scope, entry) for name, entry in entries.items()}


def _payload(scope: Scope, entry: Entry) -> Payload:
    page = scope.page
    node = mapping(page, entry.value, "{random: 1MiB} or {repeat: text, size: 1MiB}")
    recipe = node.entries
    span = page.span(entry.key)
    if "repeat" in recipe:
        known(page, recipe, ("repeat", *RECIPES["repeat"]))
        of = page.attempt(_repeated, scope, recipe["repeat"].value)
        if "size" not in recipe:
            raise page.mistake(recipe["repeat"].key, "a payload that repeats needs a 'size'", "as in `size: 1MiB`")
        return Payload("repeat", size_or_name(scope, recipe["size"].value, _SIZE), 0, of or b"", span)
    known(page, recipe, ("random", *RECIPES["random"]))
    if "random" not in recipe:
        raise page.mistake(place_of(node), "a payload is {random: 1MiB} or {repeat: text, size: 1MiB}")
    seed = page.attempt(whole, page, recipe["seed"].value, 0, LARGEST_SEED) if "seed" in recipe else None
    return Payload("random", size_or_name(scope, recipe["random"].value, _SIZE), seed or 0, b"", span)


def _repeated(scope: Scope, node: Node) -> bytes:
    data = fixed(scope, node, "a payload")
    if not data:
        raise scope.page.mistake(node, "a payload cannot repeat nothing")
    return data
