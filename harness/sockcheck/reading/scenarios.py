"""`*.sock.yaml`: one exchange."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sockcheck.laws import LAWS
from sockcheck.reading.contracts import PROMISES
from sockcheck.reading.order import check_order
from sockcheck.reading.page import Page
from sockcheck.reading.parts import Scope, fixed
from sockcheck.reading.steps import step
from sockcheck.reading.tree import Entry, Node, SequenceNode, grow
from sockcheck.reading.values import known, lacks, line, mapping, place_of, size, unknown, whole, words
from sockcheck.scenario import Client, Contract, Payload, Scenario

_KEYS = ("scenario", "about", "client", "payloads", "needs", "tags", "hint", "skip", "law")
_SUFFIX = ".sock.yaml"

_T = TypeVar("_T")


def scenario(page: Page, contract: Contract, load: Callable[[str], bytes]) -> Scenario:
    """The scenario, as far as it could be read; mistakes are noted.

    Raises ScenarioError where the file is not even YAML with keys and values.
    """
    root = grow(page)
    entries = known(page, root.entries, _KEYS)

    def read(key: str, reader: Callable[[Page, Node], _T], default: _T) -> _T:
        value = page.attempt(reader, page, entries[key].value) if key in entries else None
        return default if value is None else value

    if lacks(root.entries, "scenario", _KEYS):
        page.note(page.mistake(page.rest_of_line(0, 0), "'scenario', the title, is missing", "`scenario: A title`"))
    if lacks(root.entries, "client", _KEYS):
        hint = "`client:` and a list of steps, the first of them `- connect`"
        page.note(page.mistake(page.end(), "'client' is missing", hint))
    payloads = _payloads(page, contract, load, entries["payloads"].value) if "payloads" in entries else {}
    return Scenario(
        name=page.path.rpartition("/")[2].removesuffix(_SUFFIX),
        title=read("scenario", _text, ""),
        about=read("about", _text, ""),
        law=read("law", _law, "plain"),
        hint=read("hint", _text, ""),
        needs=read("needs", _needs, ()),
        tags=read("tags", _tags, ()),
        skip=read("skip", _text, ""),
        payloads={name: payload for name, payload in payloads.items() if payload is not None},
        clients=_clients(Scope(page, contract.parameters, payloads, load), entries.get("client")),
        contract=contract,
        span=page.span(entries["scenario"].value) if "scenario" in entries else page.rest_of_line(0, 0),
        source=page.text,
    )


def _text(page: Page, node: Node) -> str:
    return line(page, node, "a text")


def _law(page: Page, node: Node) -> str:
    law = line(page, node, "the id of a law")
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
    return tuple(tag for tag, _ in words(page, node, "a tag"))


def _payloads(page: Page, contract: Contract, load: Callable[[str], bytes], node: Node) -> dict[str, Payload | None]:
    """The recipes by their names; None for one that is wrong, so that its name stays known."""
    payloads = page.attempt(mapping, page, node, "a mapping of names and recipes")
    scope = Scope(page, contract.parameters, {}, load)
    entries = payloads.entries if payloads is not None else {}
    return {name: page.attempt(_payload, scope, entry) for name, entry in entries.items()}


def _payload(scope: Scope, entry: Entry) -> Payload:
    page = scope.page
    node = mapping(page, entry.value, "{random: 1MiB} or {repeat: text, size: 1MiB}")
    recipe = node.entries
    span = page.span(entry.key)
    if "repeat" in recipe:
        known(page, recipe, ("repeat", "size"))
        of = page.attempt(_repeated, scope, recipe["repeat"].value)
        if "size" not in recipe:
            raise page.mistake(recipe["repeat"].key, "a payload that repeats needs a 'size'", "as in `size: 1MiB`")
        return Payload("repeat", size(page, recipe["size"].value), 0, of or b"", span)
    known(page, recipe, ("random", "seed"))
    if "random" not in recipe:
        raise page.mistake(place_of(node), "a payload is {random: 1MiB} or {repeat: text, size: 1MiB}")
    seed = page.attempt(whole, page, recipe["seed"].value, 0, 2**63) if "seed" in recipe else None
    return Payload("random", size(page, recipe["random"].value), seed or 0, b"", span)


def _repeated(scope: Scope, node: Node) -> bytes:
    data = fixed(scope, node, "a payload")
    if not data:
        raise scope.page.mistake(node, "a payload cannot repeat nothing")
    return data


def _clients(scope: Scope, entry: Entry | None) -> tuple[Client, ...]:
    page = scope.page
    if entry is None:
        return ()
    if not isinstance(entry.value, SequenceNode) or not entry.value.items:
        page.note(page.mistake(entry.key, "'client' must be a list of steps", "the first of them is `- connect`"))
        return ()
    verbs = [page.attempt(step, scope, item) for item in entry.value.items]
    if verbs[0] is not None:
        check_order(page, [verb for verb in verbs if verb is not None])
    steps = tuple(verb.step for verb in verbs if verb is not None and verb.step is not None)
    return (Client("client", steps, page.span(entry.key)),)
