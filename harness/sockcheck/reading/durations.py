"""Lengths of time: `300ms`, `2s`, `1m`, and sums of them and of names that stand for some."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from sockcheck.errors import UsageError
from sockcheck.forms import (
    Duration,
    Reference,
)
from sockcheck.reading.literals import no_references, references
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.names import Names
from sockcheck.reading.page import Page
from sockcheck.reading.tree import Node
from sockcheck.reading.values import scalar

# Longer than a day is a slip of the finger.
_LONGEST = 24 * 3600.0

_AMOUNT = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(ms|s|m)\s*")
_NUMBER = re.compile(r"\s*[0-9]+(?:\.[0-9]+)?\s*")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_HINT = "durations are 300ms, 2s, 1m, and sums of them"

_TERM = r"[0-9]{1,9}(\.[0-9]{1,9})?\s*(ms|s|m)"
_TERM_OR_NAME = rf"({_TERM}|\$\{{[^}}]*\}})"

PATTERN = rf"^\s*{_TERM_OR_NAME}\s*(\+\s*{_TERM_OR_NAME}\s*)*$"
"""What a duration looks like, as a regular expression of JSON Schema."""

FIXED_PATTERN = rf"^\s*{_TERM}\s*(\+\s*{_TERM}\s*)*$"
"""What it looks like where no names are known."""


@lru_cache(maxsize=1024)
def seconds(text: str) -> float | None:
    """The sum that `text` names, in seconds, or None where it is not one."""
    total = 0.0
    for term in text.split("+"):
        amount = _AMOUNT.fullmatch(term)
        if amount is None:
            return None
        total += float(amount[1]) * _UNITS[amount[2]]
    return total


def duration(page: Page, node: Node, names: Names) -> Duration:
    """A duration: longer than nothing and at most a day, whatever the matrix, and with the parameters as they are."""
    found = scalar(page, node, "a duration")
    if "${" not in found.value:
        return Duration(_within_a_day(page, node, _fixed(page, node, found.value)), (), page.span(node))
    pieces = references(page, found)
    mentioned = tuple(piece for piece in pieces if isinstance(piece, Reference))
    for reference in mentioned:
        _check(page, reference, names)
    # A reference stands for a term of its own, never for a part of one: `1${x}` must not pass.
    text = "".join(" 0s " if isinstance(piece, Reference) else piece for piece in pieces)
    fixed = seconds(text)
    if fixed is None:
        raise page.mistake(node, f"{quoted(found.value)} is not a duration", _HINT)
    written = Duration(fixed, mentioned, page.span(node))
    for values in combinations(names, written):
        _within_a_day(page, node, resolve(written, values))
    return written


def fixed_duration(page: Page, node: Node) -> float:
    """A duration without names, in seconds."""
    found = scalar(page, node, "a duration")
    no_references(page, found, "a deadline of the contract")
    return _within_a_day(page, node, _fixed(page, node, found.value))


def resolve(duration: Duration, values: Mapping[str, str]) -> float:
    """The duration in seconds, with these values of the names. Raises UsageError for one that is no duration."""
    total = duration.seconds
    for reference in duration.references:
        amount = seconds(values[reference.name])
        if amount is None:
            message = f"the parameter {quoted(reference.name)} is {quoted(values[reference.name])}, not a duration"
            raise UsageError(message, "durations are 300ms, 2s or 1m")
        total += amount
    return total


def combinations(names: Names, *durations: Duration) -> Iterator[dict[str, str]]:
    """All the values that the names in some durations may have together."""
    mentioned = sorted({reference.name for duration in durations for reference in duration.references})
    for values in itertools.product(*map(names.values, mentioned)):
        yield dict(zip(mentioned, values, strict=True))


def _fixed(page: Page, node: Node, text: str) -> float:
    total = seconds(text)
    if total is None:
        if _NUMBER.fullmatch(text):
            number = text.strip()
            hint = f"write {number}s for seconds or {number}ms for milliseconds"
            raise page.mistake(node, "a duration needs a unit", hint)
        raise page.mistake(node, f"{quoted(text)} is not a duration", _HINT)
    return total


def _within_a_day(page: Page, node: Node, total: float) -> float:
    if not 0 < total <= _LONGEST:
        raise page.mistake(node, "a duration must be longer than nothing and at most a day")
    return total


def _check(page: Page, reference: Reference, names: Names) -> None:
    for value in names.known(reference, "a duration"):
        if seconds(value) is None:
            message = f"{names.told(reference.name)} is {quoted(value)}, which is not a duration"
            raise page.mistake(reference.span, message, "as a duration it would be 300ms, 2s or 1m")
