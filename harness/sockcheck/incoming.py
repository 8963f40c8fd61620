"""What came, matched against the expectations of a client, in order."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sockcheck.case import Action, Await, Connect, Expect, Send, Shutdown
from sockcheck.events import Data
from sockcheck.matching import Done, ExactMatcher, Matcher, Mismatch, matcher

# Only what an exact expectation took whole is ever elided, so this is a record that somebody has changed.
_NOT_KEPT = Mismatch("", "", "", trouble="the record holds only a digest where the bytes are needed")


@dataclass(frozen=True, slots=True)
class Arrival:
    """When the first byte of an expectation came, and when it was complete."""

    at: float
    done: float


class Incoming:
    """Matches what comes against the expectations, in order, also while an earlier step is still under way.

    A reply may come while we still send. It belongs to the next `expect`, unless a step stands between that asks for
    silence or an ending.
    """

    def __init__(self, actions: tuple[Action, ...]) -> None:
        self._actions = actions
        self._next = 0
        self._matcher: Matcher | None = None
        self._first = 0.0
        self._matched: dict[int, Arrival] = {}
        self.was_exact = False

    @property
    def index(self) -> int:
        """The position of the expectation that is being matched."""
        return self._next

    def feed(self, data: Data, position: int, at: float) -> bytes | Mismatch:
        """Bytes have come while the step at `position` is under way. Returns those that no expectation asks for."""
        whole = True
        while True:
            current = self._current(position)
            if current is None:
                self.was_exact = False
                return data if isinstance(data, bytes) else _NOT_KEPT
            if current.taken == 0:
                self._first = at
            if isinstance(data, bytes):
                self.was_exact = whole and isinstance(current, ExactMatcher)
                answer = current.feed(data)
            elif isinstance(current, ExactMatcher):
                answer = current.feed_elided(data)
            else:
                return _NOT_KEPT
            if not isinstance(answer, Done):
                return answer or b""
            self._matched[self._next] = Arrival(self._first, at)
            self._matcher = None
            self._next += 1
            data, whole = answer.rest, False
            if not data:
                return b""

    def matched(self, position: int) -> bool:
        """Whether the expectation at `position` is complete. One that asks for no bytes always is."""
        if position not in self._matched and position >= self._next:
            current = self._current(position)
            assert current is not None
            if current.taken == 0 and isinstance(current.feed(b""), Done):
                self._matcher = None
                self._next = position + 1
                self._matched[position] = Arrival(math.inf, 0.0)
        return position in self._matched

    def pop(self, position: int) -> Arrival:
        return self._matched.pop(position)

    def has_begun(self, position: int) -> bool:
        """Whether some bytes of the expectation at `position` have come."""
        current = self._current(position)
        return current is not None and current.taken > 0

    def lacking(self, position: int) -> Mismatch:
        current = self._current(position)
        assert current is not None
        return current.lacking()

    def _current(self, position: int) -> Matcher | None:
        """The matcher of the next expectation at or after `position`, or None where something else comes first."""
        if self._matcher is None:
            index = max(self._next, position)
            while index < len(self._actions) and isinstance(self._actions[index], Connect | Send | Shutdown | Await):
                index += 1
            action = self._actions[index] if index < len(self._actions) else None
            if not isinstance(action, Expect):
                return None
            self._next = index
            self._matcher = matcher(action.form)
        return self._matcher
