"""Lengths of time: `300ms`, `2s`, `1m`, and sums of them and of the contract's parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sockcheck.errors import UsageError
from sockcheck.reading.literals import references
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.page import Page
from sockcheck.reading.tree import Node
from sockcheck.reading.values import scalar
from sockcheck.scenario import Duration, Reference

# Longer than a day is a slip of the finger.
_LONGEST = 24 * 3600.0

_AMOUNT = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(ms|s|m)\s*")
_NUMBER = re.compile(r"\s*[0-9]+(?:\.[0-9]+)?\s*")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def seconds(text: str) -> float | None:
    """The sum that `text` names, in seconds, or None where it is not one."""
    total = 0.0
    for term in text.split("+"):
        amount = _AMOUNT.fullmatch(term)
        if amount is None:
            return None
        total += float(amount[1]) * _UNITS[amount[2]]
    return total


def duration(page: Page, node: Node, parameters: Mapping[str, str]) -> Duration:
    """A duration that is longer than nothing and at most a day, with the parameters' values as they are now."""
    found = scalar(page, node, "a duration")
    text = found.value
    mentioned: tuple[Reference, ...] = ()
    if "${" in text:
        pieces = references(page, found, parameters)
        mentioned = tuple(piece for piece in pieces if isinstance(piece, Reference))
        # A reference stands for a term of its own, never for a part of one: `1${x}` must not pass.
        text = "".join(" 0s " if isinstance(piece, Reference) else piece for piece in pieces)
    fixed = seconds(text)
    if fixed is None:
        if _NUMBER.fullmatch(found.value):
            number = found.value.strip()
            hint = f"write {number}s for seconds or {number}ms for milliseconds"
            raise page.mistake(node, "a duration needs a unit", hint)
        hint = "durations are 300ms, 2s, 1m, and sums of them"
        raise page.mistake(node, f"{quoted(found.value)} is not a duration", hint)
    total = fixed + sum(_value(page, reference, parameters) for reference in mentioned)
    if not 0 < total <= _LONGEST:
        raise page.mistake(node, "a duration must be longer than nothing and at most a day")
    return Duration(fixed, mentioned, page.span(node))


def fixed_duration(page: Page, node: Node) -> float:
    """A duration without parameters, in seconds."""
    return duration(page, node, {}).seconds


def resolve(duration: Duration, parameters: Mapping[str, str]) -> float:
    """The duration in seconds, with these values of the parameters. Raises UsageError for one that is no duration."""
    total = duration.seconds
    for reference in duration.references:
        amount = seconds(parameters[reference.name])
        if amount is None:
            message = f"the parameter {quoted(reference.name)} is {quoted(parameters[reference.name])}, not a duration"
            raise UsageError(message, "durations are 300ms, 2s or 1m")
        total += amount
    return total


def _value(page: Page, reference: Reference, parameters: Mapping[str, str]) -> float:
    value = parameters[reference.name]
    amount = seconds(value)
    if amount is None:
        message = f"the parameter {quoted(reference.name)} is {quoted(value)}, which is not a duration"
        raise page.mistake(reference.span, message, "give it one in contract.yaml, as in 300ms, 2s or 1m")
    return amount
