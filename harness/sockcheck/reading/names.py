"""The names that `${…}` stands for, and whether each has a value where it is used.

Parameters and the names of the matrix are known with the file; `index` and `turn` where clients are counted and steps
repeated; captures only while a case runs: a client may use its own later, another's where marks put it behind them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sockcheck.errors import ScenarioError
from sockcheck.forms import (
    Reference,
    Span,
)
from sockcheck.reading.marks import Marks
from sockcheck.reading.mistakes import nearest, quoted
from sockcheck.reading.page import Page
from sockcheck.reading.values import unknown

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

INDEX, TURN, UNIQUE = "index", "turn", "unique"
RESERVED: Mapping[str, str] = {
    INDEX: "the number of a client under 'count'",
    TURN: "the number of a turn under 'repeat'",
    UNIQUE: "what differs in each run of an exchange",
}
"""The names that sockcheck gives values to, and what they are."""

# For each it may have to be found out what happens behind it.
MOST_CAPTURES = 256

_GROUP = re.compile(r"\(\?P?<([A-Za-z_]\w*)>")


@dataclass(slots=True)
class Place:
    """Which step is being read: the actor's name, and the step's number among all that are written for it.

    `counted`: it stands under `count`. `turns`: under so many `repeat`s.
    """

    actor: str = ""
    number: int = -1
    counted: bool = False
    turns: int = 0


@dataclass(frozen=True, slots=True)
class _Named:
    """A capture, or the use of a name that may be one. `counted`: by each of a `count`."""

    name: str
    span: Span
    actor: str
    number: int
    counted: bool


class Names:
    """All the names of one file. `place` says which step is being read, and is kept up to date by who reads it."""

    def __init__(
        self, page: Page, place: Place, parameters: Mapping[str, str], matrix: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._page = page
        self._place = place
        self.parameters = parameters
        self.matrix = matrix
        self._captures: dict[str, _Named] = {}
        self._uses: list[_Named] = []
        self._deaf = False

    def meaning(self, name: str) -> str:
        """What a name stands for before any pattern is matched, or "" where it is free."""
        if name in RESERVED:
            return RESERVED[name]
        if name in self.matrix:
            return "a name of the matrix"
        return "a parameter of the contract" if name in self.parameters else ""

    def values(self, name: str) -> tuple[str, ...]:
        """All the values that a name may have that is known before a case runs; the first ones of numbers that count.

        None at all where it is no such name here.
        """
        if name in self.matrix:
            return self.matrix[name]
        if name in self.parameters:
            return (self.parameters[name],)
        return ("0",) if self._counts(name) else ()

    def told(self, name: str) -> str:
        """A known name, as a message begins with it."""
        if name in self.matrix:
            return f"{quoted(name)} of the matrix"
        return f"the parameter {quoted(name)}" if name in self.parameters else quoted(name)

    def known(self, reference: Reference, what: str) -> tuple[str, ...]:
        """All the values of a name that must be known before a case runs, since `what` must be.

        Raises ScenarioError where it is not.
        """
        values = self.values(reference.name)
        if values or reference.name in self.matrix:
            return values
        misplaced = self._misplaced(reference)
        if misplaced is not None:
            raise misplaced
        if reference.name == UNIQUE or reference.name in self._groups():
            message = f"'${{{reference.name}}}' is known only while the case runs"
            raise self._page.mistake(reference.span, message, f"{what} must be known before")
        raise unknown(self._page, reference.span, "name", reference.name, (*self.matrix, *self.parameters))

    def use(self, reference: Reference) -> ScenarioError | None:
        """A name that may be a capture: whether it is one is told by `check`. What is wrong with it for certain."""
        misplaced = self._misplaced(reference)
        if misplaced is None and not self.meaning(reference.name):
            place = self._place
            self._uses.append(_Named(reference.name, reference.span, place.actor, place.number, place.counted))
        return misplaced

    def capture(self, name: str, span: Span) -> None:
        """A named group of a pattern in the step that is being read. Notes where the name means something else.

        Raises ScenarioError where there are too many of them.
        """
        if self._deaf:
            return
        meaning = self.meaning(name)
        if meaning:
            message = f"the group {quoted(name)} cannot be captured: it is {meaning}"
            self._page.note(self._page.mistake(span, message, "call the group otherwise"))
            return
        if name not in self._captures and len(self._captures) == MOST_CAPTURES:
            raise self._page.mistake(span, f"a scenario captures at most {MOST_CAPTURES} names")
        place = self._place
        first = self._captures.setdefault(name, _Named(name, span, place.actor, place.number, place.counted))
        if first.actor != place.actor:
            message = f"{quoted(name)} is captured by {quoted(first.actor)} as well, in line {first.span.line}"
            hint = "all clients share the names: call one of them otherwise"
            self._page.note(self._page.mistake(span, message, hint))

    @contextmanager
    def nothing_captured(self) -> Iterator[None]:
        """While a form is read that must not match."""
        before, self._deaf = self._deaf, True
        try:
            yield
        finally:
            self._deaf = before

    def check(self, marks: Marks | None) -> None:
        """Notes the uses that have no value. `marks`: None where steps are missing, since they could not be read."""
        for use in self._uses:
            error = self._objection(use, marks)
            if error is not None:
                self._page.note(error)

    def _objection(self, use: _Named, marks: Marks | None) -> ScenarioError | None:
        page = self._page
        capture = self._captures.get(use.name)
        if capture is None:
            if marks is None and use.name in self._groups():
                return None
            return self._never(use)
        where = f"line {capture.span.line}"
        if capture.actor == use.actor:
            if capture.number < use.number:
                return None
            when = "in this very step" if capture.number == use.number else f"only later, in {where}"
            return page.mistake(use.span, f"'${{{use.name}}}' is captured {when}", "a step before this one must do it")
        if capture.counted:
            message = f"'${{{use.name}}}' is captured by each of the {quoted(capture.actor)}, in {where}"
            return page.mistake(use.span, message, "another client cannot say whose it means")
        if marks is None or marks.ordered((capture.actor, capture.number), (use.actor, use.number)):
            return None
        message = f"'${{{use.name}}}' may not be captured yet: {quoted(capture.actor)} does it in {where}"
        mark = marks.next_mark(capture.actor, capture.number)
        if mark is None:
            return page.mistake(use.span, message, f"put a `mark` behind {where}, and a `wait-for` of it before this")
        hint = f"put `wait-for: {mark.name}` before this: {quoted(capture.actor)} sets that mark in line"
        return page.mistake(use.span, message, f"{hint} {mark.span.line}")

    def _never(self, use: _Named) -> ScenarioError:
        near = nearest(use.name, (*self._captures, *self.matrix, *self.parameters, *RESERVED))
        example = use.name if NAME.fullmatch(use.name) and "-" not in use.name else "name"
        names = ", ".join((*self.matrix, *self.parameters))
        otherwise = f"a pattern with (?P<{example}>…) captures it{names and '; known already: '}{names}"
        hint = f"did you mean {quoted(near)}?" if near else otherwise
        return self._page.mistake(use.span, f"nothing gives '${{{use.name}}}' a value", hint)

    def _counts(self, name: str) -> bool:
        return (name == INDEX and self._place.counted) or (name == TURN and self._place.turns > 0)

    def _misplaced(self, reference: Reference) -> ScenarioError | None:
        """`index` and `turn` where nothing counts."""
        if reference.name not in (INDEX, TURN) or self._counts(reference.name):
            return None
        where = "a client with 'count'" if reference.name == INDEX else "'repeat'"
        message = f"'${{{reference.name}}}' has a value only under {where}"
        return self._page.mistake(reference.span, message, f"it is {RESERVED[reference.name]}, from 0")

    def _groups(self) -> frozenset[str]:
        """What looks like a named group anywhere in the file. Only who explains a mistake needs it."""
        return frozenset(_GROUP.findall(self._page.text))
