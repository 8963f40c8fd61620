"""Does what came match what was expected? Matchers are fed as it comes, in pieces of any size, and never wait.

The same bytes give the same answer however they are segmented.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import assert_never

from sockcheck import payloads
from sockcheck.case import (
    AnyOf,
    Count,
    Exact,
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
from sockcheck.matching.answers import Done, Matcher, Mismatch
from sockcheck.matching.composite import AnyMatcher, NotMatcher, UnorderedMatcher
from sockcheck.matching.forms import (
    LONGEST,
    LONGEST_FRAME,
    CountMatcher,
    ExactMatcher,
    FrameMatcher,
    LineMatcher,
    LinesMatcher,
    UntilMatcher,
)
from sockcheck.matching.patterns import Regex

__all__ = ["LONGEST", "LONGEST_FRAME", "Done", "ExactMatcher", "Matcher", "Mismatch", "NotMatcher", "matcher"]


def matcher(form: Form, values: Mapping[str, bytes] = {}) -> Matcher:
    """The matcher for a form, fed nothing yet. What is captured later changes nothing in it.

    Raises payloads.MissingValueError for a value that is not among `values`, payloads.BadValueError where one cannot be
    used as it is.
    """
    return _maker(form, values)()


def _maker(form: Form, values: Mapping[str, bytes]) -> Callable[[], Matcher]:
    """What makes matchers for a form, its values filled in once and for all: some forms are begun several times."""
    match form:
        case Exact():
            return partial(ExactMatcher, payloads.join(form.pieces, values))
        case Line():
            return partial(LineMatcher, Regex(form.pattern, values), form.ends)
        case Lines():
            return partial(LinesMatcher, Regex(form.pattern, values), Regex(form.last, values), form.ends)
        case Until():
            return partial(UntilMatcher, form.delimiter, _patterns(form.patterns, values))
        case Count():
            size = payloads.number(form.count, values) if isinstance(form.count, Value) else form.count
            return partial(CountMatcher, size, form.sha256)
        case Frame():
            if form.equals is None:
                return partial(FrameMatcher, form.kind, _patterns(form.patterns, values))
            frame = payloads.join((Prefixed(form.kind, form.equals),), values)
            return partial(ExactMatcher, frame, payloads.INTEGERS[form.kind][0])
        case Unordered():
            return partial(UnorderedMatcher, [_maker(one, values) for one in form.forms])
        case AnyOf():
            return partial(AnyMatcher, [_maker(one, values) for one in form.forms])
        case Not():
            unwanted = form.form
            if isinstance(unwanted, Exact):
                return partial(NotMatcher, payloads.join(unwanted.pieces, values))
            return partial(NotMatcher, (Regex(unwanted.pattern, values), unwanted.ends))
        case _:
            assert_never(form)


def _patterns(patterns: tuple[Pattern, ...], values: Mapping[str, bytes]) -> list[Regex]:
    return [Regex(pattern, values) for pattern in patterns]
