"""The clients of a scenario: one under `client:`, or several by their names, each with its steps."""

from __future__ import annotations

from collections.abc import Mapping

from sockcheck.case import SERVER
from sockcheck.forms import (
    Reference,
)
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.numbers import whole_or_name
from sockcheck.reading.order import check_order
from sockcheck.reading.scope import Scope
from sockcheck.reading.steps import GRAMMAR
from sockcheck.reading.tree import Entry, MappingNode, Node, ScalarNode, SequenceNode
from sockcheck.reading.values import flag, known, place_of
from sockcheck.reading.verbs import WORD, read_step
from sockcheck.scenario import (
    Client,
)

CLIENT_KEYS = ("count", "steps", "pushes")

# More than these would need more descriptors than Linux gives a process by default (4,096 is the usual hard limit).
MOST_CLIENTS = 4096

_ONLY = "client"


def the_client(scope: Scope, entry: Entry, pushes: bool) -> Client | None:
    """The only client, or None where it could not be read as a whole, which is noted."""
    if not isinstance(entry.value, SequenceNode) or not entry.value.items:
        hint = "the first of them is `- connect`; several clients stand under 'clients'"
        scope.page.note(scope.page.mistake(entry.key, "'client' must be a list of steps", hint))
        return None
    return _client(scope, _ONLY, entry.key, entry.value, {}, pushes)


def several_clients(scope: Scope, entry: Entry, pushes: bool) -> tuple[Client | None, ...]:
    """The clients by their names, None for one that could not be read as a whole, which is noted."""
    page = scope.page
    if not isinstance(entry.value, MappingNode) or not entry.value.entries:
        hint = "as in `bob: [connect, send: hi]`"
        page.note(page.mistake(entry.key, "'clients' must be a mapping of names and their steps", hint))
        return (None,)
    return tuple(page.attempt(_named, scope, each, pushes) for each in entry.value.entries.values())


def _named(scope: Scope, entry: Entry, pushes: bool) -> Client | None:
    page = scope.page
    name = entry.key.value
    if name == SERVER:
        hint = "steps of the server's own stand under `server:`, beside `clients:`"
        raise page.mistake(entry.key, f"a client cannot be called {quoted(name)}", hint)
    if not WORD.fullmatch(name):
        raise page.mistake(entry.key, f"{quoted(name)} is no name for a client", "letters, digits, - _ and . make one")
    node = entry.value
    if isinstance(node, SequenceNode) and node.items:
        return _client(scope, name, entry.key, node, {}, pushes)
    if not isinstance(node, MappingNode) or not node.entries:
        hint = "or `{count: 5, steps: […]}`"
        raise page.mistake(entry.key, f"the client {quoted(name)} must be a list of steps", hint)
    inner = known(page, node.entries, CLIENT_KEYS, of=name)
    if "steps" not in inner:
        raise page.mistake(place_of(node), f"the client {quoted(name)} needs 'steps'")
    steps = inner["steps"].value
    if not isinstance(steps, SequenceNode) or not steps.items:
        raise page.mistake(inner["steps"].key, "'steps' must be a list of steps")
    return _client(scope, name, entry.key, steps, inner, pushes)


def _client(
    scope: Scope, name: str, key: ScalarNode, node: SequenceNode, options: Mapping[str, Entry], pushes: bool
) -> Client | None:
    page, place = scope.page, scope.place
    place.actor, place.number, place.counted = name, -1, False
    count = page.attempt(_count, scope, options["count"].value) if "count" in options else None
    if "pushes" in options:
        found = page.attempt(flag, page, options["pushes"].value)
        pushes = pushes if found is None else found
    place.counted = "count" in options
    verbs = [read_step(scope, item, GRAMMAR) for item in node.items]
    place.counted = False
    read = [verb for verb in verbs if verb is not None]
    # What stands behind a step that cannot even be told is not known to be wrong.
    if verbs[0] is not None:
        check_order(page, read)
    steps = tuple(verb.step for verb in read if verb.step is not None)
    return Client(name, steps, page.span(key), count, pushes) if len(steps) == len(verbs) else None


def _count(scope: Scope, node: Node) -> int | Reference:
    return whole_or_name(scope, node, 1, MOST_CLIENTS, "the number of clients")
