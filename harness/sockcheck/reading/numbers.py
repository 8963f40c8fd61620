"""Numbers and sizes, or a `${name}` in their place."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from sockcheck.forms import (
    Reference,
)
from sockcheck.reading.literals import references
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.scope import Scope
from sockcheck.reading.tree import Node
from sockcheck.reading.values import LARGEST_SIZE, scalar, size, size_of, whole, whole_of


def whole_or_name(
    scope: Scope, node: Node, lowest: int, highest: int, what: str, *, captured: bool = False
) -> int | Reference:
    """A whole number within bounds, or a name that stands for one. `captured`: also for one that the server sends."""
    reference = only_name(scope, node, "a whole number")
    if reference is None:
        return whole(scope.page, node, lowest, highest)
    return _checked(scope, reference, whole_of, (lowest, highest), what, "a whole number", captured)


def size_or_name(
    scope: Scope,
    node: Node,
    what: str,
    lowest: int = 0,
    highest: int = LARGEST_SIZE,
    *,
    captured: bool = False,
) -> int | Reference:
    """A number of bytes within bounds, or a name that stands for one."""
    reference = only_name(scope, node, "a size")
    if reference is None:
        return size(scope.page, node, lowest, highest)
    return _checked(scope, reference, size_of, (lowest, highest), what, "a size", captured)


def least(scope: Scope, number: int | Reference, read: Callable[[str], int | None] = size_of) -> tuple[int, bool]:
    """The smallest that a number can be, and whether it can be nothing else.

    A parameter may be given another value for a run, so that of it nothing is certain.
    """
    if not isinstance(number, Reference):
        return number, True
    values = [read(value) or 0 for value in scope.names.matrix.get(number.name, ())]
    return min(values, default=0), len(values) == 1


def together(scope: Scope, *sizes: int | Reference) -> Iterator[tuple[int, ...]]:
    """All the values that some sizes, which could be read, may have at once."""
    mentioned = sorted({each.name for each in sizes if isinstance(each, Reference)})
    for values in itertools.product(*map(scope.names.values, mentioned)):
        named = {name: size_of(value) or 0 for name, value in zip(mentioned, values, strict=True)}
        yield tuple(named[each.name] if isinstance(each, Reference) else each for each in sizes)


def only_name(scope: Scope, node: Node, wanted: str) -> Reference | None:
    """The name that stands in place of what is wanted there; None where no name stands there."""
    found = scalar(scope.page, node, wanted)
    if "${" not in found.value:
        return None
    pieces = references(scope.page, found)
    if len(pieces) != 1 or not isinstance(pieces[0], Reference):
        raise scope.page.mistake(found, f"expected {wanted} or one ${{…}} that stands for it")
    return pieces[0]


def _checked(
    scope: Scope,
    reference: Reference,
    read: Callable[[str], int | None],
    bounds: tuple[int, int],
    what: str,
    wanted: str,
    captured: bool,
) -> Reference:
    names, page = scope.names, scope.page
    if captured:
        error = names.use(reference)
        if error is not None:
            raise error
    for value in names.values(reference.name) if captured else names.known(reference, what):
        number = read(value)
        if number is None:
            message = f"{names.told(reference.name)} is {quoted(value)}, which is not {wanted}"
            raise page.mistake(reference.span, message)
        if not bounds[0] <= number <= bounds[1]:
            message = f"{names.told(reference.name)} is {number:,}, which is not between {bounds[0]:,} and"
            raise page.mistake(reference.span, f"{message} {bounds[1]:,}")
    return reference
