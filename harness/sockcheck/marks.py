"""The marks of a case: who waits for one goes on when it is set, or learns that it cannot be set any more."""

from __future__ import annotations

from collections.abc import Iterable

import trio

from sockcheck.case import Action, Mark, Meet, ServerAction


class Board:
    """The marks that the actors of a case set. An actor that has ended sets none any more: `left` tells of it."""

    def __init__(self, actors: Iterable[tuple[str, Iterable[Action | ServerAction]]]) -> None:
        # Who has set a mark or come to a meeting, or may do so yet; and the other way round.
        self._possible: dict[str, set[str]] = {}
        self._marks: dict[str, set[str]] = {}
        self._parties: dict[str, int] = {}
        for name, actions in actors:
            for action in actions:
                if isinstance(action, Mark | Meet):
                    self._possible.setdefault(action.name, set()).add(name)
                    self._marks.setdefault(name, set()).add(action.name)
                if isinstance(action, Meet):
                    self._parties[action.name] = action.parties
        self._here: dict[str, set[str]] = {}
        self._set: set[str] = set()
        self._changed: dict[str, trio.Event] = {}

    def mark(self, mark: str, actor: str) -> None:
        """`actor` sets a mark, or comes to the meeting of that name, which is set when all of its parties are there."""
        here = self._here.setdefault(mark, set())
        here.add(actor)
        self._possible.setdefault(mark, set()).add(actor)
        if len(here) >= self._parties.get(mark, 1):
            self._set.add(mark)
            self._wake(mark)

    def left(self, actor: str) -> None:
        """`actor` has ended: a mark that it alone could still set, and a meeting that it did not come to, never are."""
        for mark in self._marks.pop(actor, ()):
            if mark not in self._set and actor not in self._here.get(mark, ()):
                self._possible[mark].discard(actor)
                self._wake(mark)

    async def wait_for(self, mark: str) -> bool:
        """True when the mark is set; False when it can no longer be."""
        while mark not in self._set:
            if not self._can_be_set(mark):
                return False
            await self._changed.setdefault(mark, trio.Event()).wait()
        return True

    def _can_be_set(self, mark: str) -> bool:
        return len(self._possible.get(mark, ())) >= self._parties.get(mark, 1)

    def _wake(self, mark: str) -> None:
        event = self._changed.pop(mark, None)
        if event is not None:
            event.set()
