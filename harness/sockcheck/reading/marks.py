"""Marks: can every wait end, and what is certain to have happened behind it?

What is asked here has exact answers, for two reasons: a mark stays set, so that it does not matter in which order the
actors of a case are advanced; and what one client of a `count` does, all of them do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sockcheck.errors import ScenarioError
from sockcheck.forms import (
    Span,
)
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.page import Page
from sockcheck.reading.values import unknown

# Of a circle that is longer only the beginning is told.
_MOST_TOLD = 6

_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Sign:
    """A step that has to do with a mark. `number` counts the actor's steps as they are written.

    `repeated`: it stands under `repeat`, where a meeting is held anew in each turn: nobody else can wait for it.
    """

    kind: Literal["mark", "wait-for", "meet"]
    name: str
    span: Span
    actor: str
    number: int
    repeated: bool

    @property
    def sets(self) -> bool:
        return self.kind == "mark" or (self.kind == "meet" and not self.repeated)


class Marks:
    """All the marks of one file, in the order in which they are written for each actor."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._signs: dict[str, list[Sign]] = {}
        self._named: dict[str, list[Sign]] = {}
        self._certain: dict[tuple[str, int], dict[str, float]] = {}

    def add(self, sign: Sign) -> None:
        """Notes a meeting that goes by the name of something else: it would be over before it began."""
        self._signs.setdefault(sign.actor, []).append(sign)
        if sign.kind == "wait-for":
            return
        named = self._named.setdefault(sign.name, [])
        named.append(sign)
        first = named[0]
        if first is not sign and "meet" in (first.kind, sign.kind):
            what = "a meeting" if first.kind == "meet" else "a mark"
            message = f"{quoted(sign.name)} is {what} already, in line {first.span.line}"
            self._page.note(self._page.mistake(sign.span, message, "a meeting needs a name of its own"))

    def check(self) -> None:
        """Notes the waits that can never end: each by its cause, and none that only follows from another."""
        if not self._signs:
            return
        stuck = self._stuck()
        followed: set[Sign] = set()
        for wait in stuck.values():
            path: list[tuple[Sign, Sign]] = []
            while wait not in followed:
                followed.add(wait)
                setter = next((sign for sign in self._setters(wait.name) if sign.actor != wait.actor), None)
                if setter is None:
                    self._page.note(self._hopeless(wait))
                    break
                path.append((wait, setter))
                # It would be set if its actor were not stuck too.
                wait = stuck[setter.actor]
            begin = next((number for number, (each, _) in enumerate(path) if each is wait), None)
            if begin is not None:
                self._page.note(self._circle(path[begin:]))

    def ordered(self, first: tuple[str, int], then: tuple[str, int]) -> bool:
        """Whether the step `first` has been done for certain when `then` is begun, both of them by actor and number.

        The actors differ. It has an answer only where no wait is stuck.
        """
        if first not in self._certain:
            self._certain[first] = self._behind(*first)
        return then[1] > self._certain[first].get(then[0], _NEVER)

    def next_mark(self, actor: str, number: int) -> Sign | None:
        """The first mark that an actor sets behind a step, or None."""
        signs = self._signs.get(actor, ())
        return next((sign for sign in signs if sign.kind == "mark" and sign.number > number), None)

    def _setters(self, name: str) -> list[Sign]:
        return [sign for sign in self._named.get(name, ()) if sign.sets]

    def _stuck(self) -> dict[str, Sign]:
        """The waits at which actors stay for ever, by the actor, in the order of the lines."""
        done: set[str] = set()
        waiting: dict[str, list[str]] = {}
        stuck: dict[str, Sign] = {}
        left = {actor: iter(signs) for actor, signs in self._signs.items()}
        ready = list(left)
        while ready:
            actor = ready.pop()
            stuck.pop(actor, None)
            for sign in left[actor]:
                if sign.kind == "wait-for" and sign.name not in done:
                    stuck[actor] = sign
                    waiting.setdefault(sign.name, []).append(actor)
                    break
                if sign.sets:
                    done.add(sign.name)
                    ready += waiting.pop(sign.name, [])
        return dict(sorted(stuck.items(), key=lambda item: item[1].span.line))

    def _behind(self, actor: str, number: int) -> dict[str, float]:
        """For each other actor, the number of the step behind which `actor` has done its step of that `number`.

        Everything is taken to be behind it, and taken back from where it need not be: up to the first wait whose mark
        is set by nothing else. That way round, marks that are set again behind their own wait cost no certainty.
        """
        signs = {other: signs for other, signs in self._signs.items() if other != actor}
        positions = dict.fromkeys(signs, -1)
        early = [sign.name for sign in self._signs.get(actor, ()) if sign.number <= number]
        uncertain: set[str] = set()
        waiting: dict[str, set[str]] = {}
        for other, theirs in signs.items():
            for sign in theirs:
                if sign.kind == "wait-for":
                    waiting.setdefault(sign.name, set()).add(other)

        def advance(other: str) -> None:
            """Take back what `other` does up to its next wait for a mark that is certain."""
            theirs = signs[other]
            position = positions[other] + 1
            while position < len(theirs):
                sign = theirs[position]
                if sign.kind != "wait-for":
                    early.append(sign.name)
                elif sign.name not in uncertain:
                    break
                position += 1
            positions[other] = position

        for other in signs:
            advance(other)
        while early:
            name = early.pop()
            if name not in uncertain:
                uncertain.add(name)
                for other in waiting.get(name, ()):
                    if positions[other] < len(signs[other]) and signs[other][positions[other]].name == name:
                        advance(other)
        return {
            other: theirs[positions[other]].number if positions[other] < len(theirs) else _NEVER
            for other, theirs in signs.items()
        }

    def _hopeless(self, wait: Sign) -> ScenarioError:
        """Why nobody sets the mark that is waited for."""
        page, name = self._page, quoted(wait.name)
        named = self._named.get(wait.name)
        if named is None:
            known = [each for each in self._named if self._setters(each)]
            error = unknown(page, wait.span, "mark", wait.name, known)
            return page.mistake(wait.span, f"nothing sets the mark {name}, so this waits for ever", error.hint)
        setters = self._setters(wait.name)
        if not setters:
            message = f"{name} is a meeting under 'repeat', in line {named[0].span.line}: in which turn is not said"
            return page.mistake(wait.span, message, "wait for a `mark` behind it")
        message = f"this waits for ever: the mark {name} is set only behind it, in line {setters[0].span.line}"
        return page.mistake(wait.span, message, "another client must set it, or the server's steps")

    def _circle(self, circle: Sequence[tuple[Sign, Sign]]) -> ScenarioError:
        first, _ = circle[0]
        told = [f"{quoted(first.name)}, awaited in line {first.span.line},"]
        for (_, setter), (wait, _) in zip(circle, [*circle[1:], circle[0]], strict=True):
            if len(told) == _MOST_TOLD:
                told.append(f"goes on so, {len(circle) - _MOST_TOLD + 1} times more, back to the first")
                break
            told.append(
                f"is set in line {setter.span.line} behind the wait for {quoted(wait.name)} in line {wait.span.line}"
                + (", which" if wait is not first else "")
            )
        message = f"these marks wait for each other: {' '.join(told)}"
        return self._page.mistake(first.span, message, "one of them must be set before its client waits")
