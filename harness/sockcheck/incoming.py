"""What came, matched against the expectations of a client, in order."""

from __future__ import annotations

import math
from collections import ChainMap
from dataclasses import dataclass

from sockcheck.case import Action, Await, Connect, Expect, Mark, Meet, Not, Send, Shutdown, Wait, WaitFor
from sockcheck.client_events import (
    Data,
)
from sockcheck.matching import Done, ExactMatcher, Matcher, Mismatch, NotMatcher, matcher
from sockcheck.payloads import MissingValueError

# While these are under way, what comes is for the expectation behind them.
_PASSED_OVER = (Connect, Send, Shutdown, Await, Mark, WaitFor, Meet, Wait)

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

    def __init__(self, actions: tuple[Action, ...], values: ChainMap[str, bytes]) -> None:
        self._actions = actions
        self._values = values
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
            for captured in self._values.maps:
                captured.update(answer.captures)
            self._matched[self._next] = Arrival(self._first, at)
            self._matcher = None
            self._next += 1
            data, whole = answer.rest, False
            if not data:
                return b""

    def wants(self, position: int) -> bool:
        """Whether there is an expectation that would take bytes now, at the step at `position`."""
        return self._current(position) is not None

    def release(self, position: int) -> bytes:
        """The expectation at `position`, that something does not come, is met: what came meanwhile is given back."""
        current = self._current(position)
        assert isinstance(current, NotMatcher)
        self._matcher = None
        self._next = position + 1
        return current.held

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
        """The matcher of the next expectation at or after `position`, or None where something else comes first.

        It may need a value that another client has yet to capture: then it can only be made when its turn has come.
        """
        if self._matcher is None:
            index = max(self._next, position)
            while index < len(self._actions) and isinstance(self._actions[index], _PASSED_OVER):
                index += 1
            action = self._actions[index] if index < len(self._actions) else None
            if not isinstance(action, Expect):
                return None
            if index != position and isinstance(action.form, Not):
                return None
            try:
                self._matcher = matcher(action.form, self._values)
            except MissingValueError:
                if index == position:
                    raise
                return None
            self._next = index
        return self._matcher
