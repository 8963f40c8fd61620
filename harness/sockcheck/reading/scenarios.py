"""`*.sock.yaml`: one exchange."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, TypeVar

from sockcheck.case import SERVER
from sockcheck.forms import (
    Payload,
)
from sockcheck.laws import LAWS
from sockcheck.reading.clients import several_clients, the_client
from sockcheck.reading.conditions import conditions
from sockcheck.reading.contracts import PROMISES
from sockcheck.reading.marks import Marks
from sockcheck.reading.matrix import matrix
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.names import Names, Place
from sockcheck.reading.page import Page
from sockcheck.reading.payloads import payloads
from sockcheck.reading.scope import Scope
from sockcheck.reading.server import server_steps
from sockcheck.reading.tree import Entry, Node, grow
from sockcheck.reading.values import choice, flag, known, lacks, line, scalar, unknown, words
from sockcheck.scenario import (
    Client,
    Contract,
    Scenario,
)
from sockcheck.steps import (
    ServerStep,
)

KEYS = (
    "scenario",
    "about",
    "client",
    "clients",
    "server",
    "payloads",
    "matrix",
    "needs",
    "state",
    "pushes",
    "conditions",
    "tags",
    "points",
    "visibility",
    "gate",
    "hint",
    "skip",
    "known-failure",
    "law",
)
"""The keys of a scenario. The first must be there, and one of the three that hold steps."""

# Looked up in one step, and still in order.
_KNOWN = dict.fromkeys(KEYS)

ACTORS = ("client", "clients", "server")
STATES: tuple[Literal["none", "own"], ...] = ("none", "own")
VISIBILITIES = ("visible", "hidden", "after_due_date", "after_published")
"""Who may see the result of a graded case, in the words of Gradescope."""

MOST_POINTS = 1_000_000

_SUFFIX = ".sock.yaml"
_POINTS = re.compile(r"[0-9]{1,7}(\.[0-9]{1,6})?")

_T = TypeVar("_T")


def scenario(page: Page, contract: Contract, load: Callable[[str], bytes]) -> Scenario:
    """The scenario, as far as it could be read; mistakes are noted.

    Raises ScenarioError where the file is not even YAML with keys and values.
    """
    root = grow(page)
    entries = known(page, root.entries, _KNOWN)

    def read(key: str, reader: Callable[[Page, Node], _T], default: _T) -> _T:
        value = page.attempt(reader, page, entries[key].value) if key in entries else None
        return default if value is None else value

    if "scenario" not in entries and lacks(root.entries, "scenario", KEYS):
        page.note(page.mistake(page.rest_of_line(0, 0), "'scenario', the title, is missing", "`scenario: A title`"))
    if not any(key in entries for key in ACTORS) and all(lacks(root.entries, key, KEYS) for key in ACTORS):
        hint = "`client:` and a list of steps, the first of them `- connect`"
        page.note(page.mistake(page.end(), "'client' is missing", hint))
    scope = _scope(page, contract, load, entries)
    clients, server = _actors(scope, entries, read("pushes", flag, contract.pushes))
    return Scenario(
        name=page.path.rpartition("/")[2].removesuffix(_SUFFIX),
        title=read("scenario", _text, ""),
        about=read("about", _text, ""),
        law=read("law", _law, "plain"),
        hint=read("hint", _text, ""),
        needs=read("needs", _needs, ()),
        tags=read("tags", _tags, ()),
        skip=read("skip", _text, ""),
        payloads={name: payload for name, payload in scope.payloads.items() if payload is not None},
        clients=clients,
        contract=contract,
        span=page.span(entries["scenario"].value) if "scenario" in entries else page.rest_of_line(0, 0),
        source=page.text,
        server=server,
        matrix=scope.names.matrix,
        state=read("state", _state, "none"),
        conditions=page.attempt(conditions, page, entries["conditions"].value) if "conditions" in entries else None,
        points=page.attempt(_points, page, entries["points"].value) if "points" in entries else None,
        visibility=read("visibility", _visibility, ""),
        known_failure=read("known-failure", _text, ""),
        gate=read("gate", flag, False),
    )


def _scope(page: Page, contract: Contract, load: Callable[[str], bytes], entries: dict[str, Entry]) -> Scope:
    """The names that steps may use, read before any of them."""
    values = None
    if "matrix" in entries:
        values = page.attempt(matrix, page, entries["matrix"].value, contract.parameters)
    place = Place()
    recipes: dict[str, Payload | None] = {}
    scope = Scope(page, Names(page, place, contract.parameters, values or {}), place, Marks(page), recipes, load)
    if "payloads" in entries:
        recipes.update(page.attempt(payloads, scope, entries["payloads"].value) or {})
    return scope


def _actors(scope: Scope, entries: dict[str, Entry], pushes: bool) -> tuple[tuple[Client, ...], tuple[ServerStep, ...]]:
    """All that act, and whether they can come to an end together."""
    page = scope.page
    clients: tuple[Client | None, ...] = ()
    server: tuple[ServerStep, ...] | None = ()
    if "client" in entries and "clients" in entries:
        message = "'client' is for a scenario with one client, 'clients' for one with several"
        page.note(page.mistake(entries["clients"].key, message, "leave one of them out"))
    if "server" in entries:
        scope.place.actor, scope.place.number = SERVER, -1
        server = server_steps(scope, entries["server"])
    if "client" in entries:
        clients += (the_client(scope, entries["client"], pushes),)
    if "clients" in entries:
        clients += several_clients(scope, entries["clients"], pushes)
    read = tuple(client for client in clients if client is not None)
    # Where a step is missing, a mark or a capture may be missing with it.
    complete = server is not None and len(read) == len(clients)
    if complete:
        scope.marks.check()
    scope.names.check(scope.marks if complete else None)
    return read, server or ()


def _text(page: Page, node: Node) -> str:
    return line(page, node, "a text")


def _law(page: Page, node: Node) -> str:
    law = scalar(page, node, "the id of a law").value
    if law not in LAWS:
        raise unknown(page, node, "law", law, tuple(LAWS))
    return law


def _needs(page: Page, node: Node) -> tuple[str, ...]:
    needs = words(page, node, "the name of a promise")
    for name, item in needs:
        if name not in PROMISES:
            page.note(unknown(page, item, "promise", name, PROMISES))
    return tuple(name for name, _ in needs)


def _tags(page: Page, node: Node) -> tuple[str, ...]:
    tags = (page.attempt(line, page, item, "a tag") for _, item in words(page, node, "a tag"))
    return tuple(tag for tag in tags if tag is not None)


def _state(page: Page, node: Node) -> Literal["none", "own"]:
    return choice(page, node, STATES)


def _visibility(page: Page, node: Node) -> str:
    return choice(page, node, VISIBILITIES)


def _points(page: Page, node: Node) -> float:
    text = scalar(page, node, "a number of points").value
    if not _POINTS.fullmatch(text) or float(text) > MOST_POINTS:
        raise page.mistake(node, f"{quoted(text)} is no number of points", f"as in 2 or 0.5, up to {MOST_POINTS:,}")
    return float(text)
