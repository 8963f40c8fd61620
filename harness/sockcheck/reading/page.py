"""A file that is being read: its text, its places, and the mistakes that were found in it so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from sockcheck.errors import MistakesError, ScenarioError
from sockcheck.forms import (
    Span,
)
from sockcheck.reading.mistakes import LINE_BREAK

# Whoever has this many mistakes in one file is better served by the first of them; and a hostile file stays cheap.
MOST_MISTAKES = 100

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Mark(Protocol):
    """A position in the text. All three count characters or lines from 0."""

    index: int
    line: int
    column: int


class Placed(Protocol):
    """Something that stands between two marks."""

    @property
    def start(self) -> Mark: ...

    @property
    def end(self) -> Mark: ...


class Page:
    """`path` is what spans name; `text` is the whole file."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._mistakes: dict[tuple[int, int], ScenarioError] = {}

    def span(self, placed: Placed) -> Span:
        """Where `placed` stands; the rest of its first line, where it goes on in the next."""
        start, end = placed.start, placed.end
        line = start.line
        if line == end.line:
            return Span(self.path, line + 1, start.column + 1, end.column + 1)
        return self.between(start, end)

    def between(self, start: Mark, end: Mark) -> Span:
        """From `start` to `end`, or to the end of the line of `start`, whichever comes first."""
        if start.line == end.line:
            return Span(self.path, start.line + 1, start.column + 1, end.column + 1)
        end_of_line = LINE_BREAK.search(self.text, start.index)
        rest = self.text[start.index : end_of_line.start() if end_of_line else None].rstrip()
        return Span(self.path, start.line + 1, start.column + 1, start.column + len(rest) + 1)

    def rest_of_line(self, line: int, column: int) -> Span:
        """From `column` to the end of `line`, both from 0. Behind the last line that says something: its end."""
        lines = LINE_BREAK.split(self.text.rstrip())
        if line >= len(lines):
            line, column = len(lines) - 1, len(lines[-1])
        return Span(self.path, line + 1, column + 1, max(column, len(lines[line].rstrip())) + 1)

    def end(self) -> Span:
        """The end of the last line that says something."""
        return self.rest_of_line(len(self.text), 0)

    def mistake(self, place: Placed | Span, message: str, hint: str = "") -> ScenarioError:
        """A mistake at `place`, to be raised or noted."""
        return ScenarioError(place if isinstance(place, Span) else self.span(place), message, hint)

    def note(self, error: ScenarioError) -> None:
        """Keep a mistake and go on. The first at a place counts: what is wrong behind it follows from it, mostly."""
        self._mistakes.setdefault((error.span.line, error.span.column), error)
        if len(self._mistakes) > MOST_MISTAKES:
            self._mistakes.popitem()
            last = ScenarioError(error.span, f"there are more than {MOST_MISTAKES} mistakes; the rest is not shown")
            self._mistakes[error.span.line, error.span.column] = last
            raise self.failure()

    def attempt(self, read: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        """What `read` returns, or None where it raised a mistake, which is noted."""
        try:
            return read(*args, **kwargs)
        except ScenarioError as error:
            self.note(error)
            return None

    @property
    def mistakes(self) -> tuple[ScenarioError, ...]:
        """All that were noted, in the order of the lines."""
        return tuple(error for _, error in sorted(self._mistakes.items()))

    def failure(self) -> MistakesError:
        return MistakesError(self.mistakes, {self.path: self.text})
