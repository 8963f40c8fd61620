"""A step: a verb, what it takes, and options beside it. And the steps that clients and the server have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from sockcheck.errors import ScenarioError
from sockcheck.forms import (
    Duration,
    Span,
)
from sockcheck.reading.durations import duration
from sockcheck.reading.literals import no_references
from sockcheck.reading.marks import Sign
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.page import Page
from sockcheck.reading.scope import Scope
from sockcheck.reading.tree import Entry, MappingNode, Node, ScalarNode
from sockcheck.reading.values import known, scalar, unknown
from sockcheck.steps import (
    MarkStep,
    ServerStep,
    Step,
    WaitForStep,
    WaitStep,
)

_S = TypeVar("_S", Step, ServerStep)

# What a mark or a client can be called: a word, which stands in messages and in ids as it is.
WORD = re.compile(r"\w[\w.-]{0,62}")


@dataclass(frozen=True, slots=True)
class Grammar(Generic[_S]):
    """The steps of one kind of actor: the keys that may stand beside each verb, and who reads it.

    A reader returns None where the mistakes in it have been noted already. `elsewhere`: verbs that only the other kind
    of actor has, and what to do with them.
    """

    verbs: Mapping[str, tuple[str, ...]]
    readers: Mapping[str, Callable[[Scope, dict[str, Entry], Entry, Span], _S | None]]
    elsewhere: tuple[frozenset[str], str]


@dataclass(slots=True)
class Verb(Generic[_S]):
    """A step as far as it could be read: `step` is None where its verb is known but what it takes is wrong."""

    name: str
    span: Span
    step: _S | None


def read_step(scope: Scope, node: Node, grammar: Grammar[_S]) -> Verb[_S] | None:
    """One step, its mistakes noted. None where not even its verb can be told."""
    page = scope.page
    scope.place.number += 1
    try:
        name: str
        name, entries = _entries(page, node, grammar)
    except ScenarioError as error:
        page.note(error)
        return None
    entry = entries[name]
    span = page.between(entry.key.start, entry.value.end)
    if len(entries) > 1:
        entries = known(page, entries, (name, *grammar.verbs[name]), of=name)
    try:
        return Verb(name, span, grammar.readers[name](scope, entries, entry, span))
    except ScenarioError as error:
        page.note(error)
        return Verb(name, span, None)


def _entries(page: Page, node: Node, grammar: Grammar[_S]) -> tuple[str, dict[str, Entry]]:
    """The verb of a step, and what stands there by its keys, that of the verb among them."""
    if isinstance(node, MappingNode):
        entries = node.entries
        first = next(iter(entries), "")
        return first if len(entries) == 1 and first in grammar.verbs else _verb(page, node, grammar), entries
    if isinstance(node, ScalarNode) and node.value:
        if node.value not in grammar.verbs:
            raise _unknown(page, node, grammar)
        return node.value, {node.value: Entry(node, ScalarNode("", "", node.end, node.end))}
    raise page.mistake(node, "expected a step", f"the steps are {', '.join(grammar.verbs)}")


def _verb(page: Page, node: MappingNode, grammar: Grammar[_S]) -> str:
    verbs = [name for name in node.entries if name in grammar.verbs]
    if len(verbs) == 1:
        return verbs[0]
    if verbs:
        message = f"{quoted(verbs[0])} and {quoted(verbs[1])} are two steps"
        raise page.mistake(node.entries[verbs[1]].key, message, "each step begins with a dash of its own")
    options = {option for keys in grammar.verbs.values() for option in keys}
    for entry in node.entries.values():
        if entry.key.value not in options:
            raise _unknown(page, entry.key, grammar)
    raise page.mistake(node, "this step has no verb", f"the steps are {', '.join(grammar.verbs)}")


def _unknown(page: Page, node: ScalarNode, grammar: Grammar[_S]) -> ScenarioError:
    others, hint = grammar.elsewhere
    if node.value in others:
        return page.mistake(node, f"{quoted(node.value)} is not a step of this list", hint)
    return unknown(page, node, "step", node.value, tuple(grammar.verbs))


def is_bare(node: Node) -> bool:
    """Whether nothing stands behind a verb, however YAML writes nothing."""
    return isinstance(node, ScalarNode) and not node.style and node.value in ("", "~", "null")


def check_bare(page: Page, entry: Entry) -> None:
    """Raises ScenarioError where something stands behind a verb that takes nothing."""
    if not is_bare(entry.value):
        verb = entry.key.value
        raise page.mistake(entry.value, f"{quoted(verb)} takes nothing", f"write only `- {verb}`")


def optional_duration(scope: Scope, options: Mapping[str, Entry], name: str) -> Duration | None:
    """The duration that an option gives; None where it is not there, or wrong, which is noted."""
    if name not in options:
        return None
    return scope.page.attempt(duration, scope.page, options[name].value, scope.names)


def inner_duration(
    scope: Scope, options: Mapping[str, Entry], inner: Mapping[str, Entry], name: str
) -> Duration | None:
    """A duration that may stand beside a verb or in its braces, but not in both."""
    if name in inner and name in options:
        scope.page.note(scope.page.mistake(inner[name].key, f"{quoted(name)} is given twice for this step"))
    return optional_duration(scope, inner, name) or optional_duration(scope, options, name)


def word(page: Page, node: Node, wanted: str) -> str:
    """A name for something of this file: letters, digits, and `-`, `_` and `.` behind the first of them."""
    found = scalar(page, node, wanted)
    no_references(page, found, wanted)
    if not WORD.fullmatch(found.value):
        raise page.mistake(node, f"{quoted(found.value)} is not {wanted}", "letters, digits, - _ and . make one")
    return found.value


def read_mark(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> MarkStep:
    return MarkStep(span, sign(scope, "mark", entry.value))


def read_wait_for(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> WaitForStep:
    return WaitForStep(span, sign(scope, "wait-for", entry.value))


def read_wait(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> WaitStep:
    return WaitStep(span, duration(scope.page, entry.value, scope.names))


def sign(scope: Scope, kind: Literal["mark", "wait-for", "meet"], node: Node) -> str:
    """The name of a mark, which is kept for the checks of all of them."""
    page, place = scope.page, scope.place
    name = word(page, node, "the name of a mark")
    scope.marks.add(Sign(kind, name, page.span(node), place.actor, place.number, place.turns > 0))
    return name


SHARED_VERBS: Mapping[str, tuple[str, ...]] = {"mark": (), "wait-for": (), "wait": ()}
"""The verbs that clients and the server have in common."""
