"""What is expected, as Python expressions, and what of it the standard library cannot say."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import assert_never

from sockcheck.case import (
    AnyOf,
    Case,
    Count,
    Exact,
    Expect,
    Form,
    Frame,
    Line,
    Lines,
    Not,
    Pattern,
    Prefixed,
    Unordered,
    Until,
    Value,
)
from sockcheck.reproducing.literals import joined, kind, pattern, text, value
from sockcheck.show import escaped


def expression(form: Form, unique: str) -> str:
    """What makes the expectation, or, for a Not, that which must not come."""
    match form:
        case Exact():
            return f"exact({joined(form.pieces, unique)})"
        case Line():
            return f"line({pattern(form.pattern, unique)}{_ends(form.ends)})"
        case Lines():
            return f"lines({pattern(form.pattern, unique)}, {pattern(form.last, unique)}{_ends(form.ends)})"
        case Until():
            return f"until({joined((form.delimiter,), unique)}{_patterns(form.patterns, unique)})"
        case Count():
            size = f"int({value(form.count, unique)})" if isinstance(form.count, Value) else str(form.count)
            return f"count({size}{'' if form.sha256 is None else f', {text(form.sha256)}'})"
        case Frame():
            if form.equals is not None:
                return f"exact({joined((Prefixed(form.kind, form.equals),), unique)})"
            return f"frame({kind(form.kind)}{_patterns(form.patterns, unique)})"
        case Unordered():
            return f"unordered({', '.join(expression(each, unique) for each in form.forms)})"
        case AnyOf():
            return f"any_of({', '.join(expression(each, unique) for each in form.forms)})"
        case Not():
            unwanted = form.form
            if isinstance(unwanted, Exact):
                return f"data_anywhere({joined(unwanted.pieces, unique)})"
            return f"line_anywhere({pattern(unwanted.pattern, unique)}{_ends(unwanted.ends)})"
        case _:
            assert_never(form)


def foreign_pattern(case: Case) -> str:
    """A regular expression of the case that Python's `re` does not take, and why not; "" where it takes all."""
    for actor in case.actors:
        for action in actor.actions:
            for wanted in _all_patterns(action.form) if isinstance(action, Expect) else ():
                source = b"".join(b"0" if isinstance(piece, Value) else piece for piece in wanted)
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        re.compile(source)
                except re.error as error:
                    return f"/{escaped(source)}/ ({error})"
    return ""


def _all_patterns(form: Form) -> Iterator[Pattern]:
    match form:
        case Line():
            yield form.pattern
        case Lines():
            yield from (form.pattern, form.last)
        case Until() | Frame():
            yield from form.patterns
        case Unordered() | AnyOf():
            for each in form.forms:
                yield from _all_patterns(each)
        case Not():
            yield from _all_patterns(form.form)
        case Exact() | Count():
            return
        case _:
            assert_never(form)


def _ends(ends: str) -> str:
    return "" if ends == "any" else f', ends="{ends}"'


def _patterns(patterns: tuple[Pattern, ...], unique: str) -> str:
    return "".join(f", {pattern(each, unique)}" for each in patterns)
