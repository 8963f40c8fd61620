"""The forms that are made of others: all in any order, one of several, and not at all.

Several forms are fed from the same byte on. The one that is complete with the fewest bytes is taken, and the first that
is written where several are with the same byte; so the answer is the same however the bytes are segmented, and none is
waited for that may never come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sockcheck.matching.answers import Done, Matcher, Mismatch, got
from sockcheck.matching.forms import LONGEST, Ends
from sockcheck.matching.patterns import Regex
from sockcheck.show import count, quoted

# What came is shown up to here; beyond it only its number of bytes is kept.
_SHOWN = 60
# So many of the forms that did not come are named.
_NAMED = 4


class _Race:
    """Forms that are fed the same bytes, by their numbers: which one is complete first?"""

    def __init__(self, forms: Mapping[int, Callable[[], Matcher]]) -> None:
        self._running = {number: make() for number, make in forms.items()}
        self._out: dict[int, Mismatch] = {}
        self._head = b""
        self.taken = 0

    def feed(self, data: bytes) -> tuple[int, Done] | None:
        first: tuple[int, Done] | None = None
        for number, matcher in tuple(self._running.items()):
            answer = matcher.feed(data)
            if isinstance(answer, Mismatch):
                self._out[number] = answer
                del self._running[number]
            elif answer is not None and (first is None or len(answer.rest) > len(first[1].rest)):
                first = number, answer
        self._head += data[: _SHOWN - len(self._head)]
        self.taken += len(data) - (0 if first is None else len(first[1].rest))
        return first

    @property
    def lost(self) -> bool:
        """None of them can be complete any more."""
        return not self._running

    def mismatch(self, message: str, which: str) -> Mismatch:
        """What one says of all of them: `which` (of the forms) was expected. A lone form's own words are the better."""
        answers = {**self._out, **{number: matcher.lacking() for number, matcher in self._running.items()}}
        each = [answers[number] for number in sorted(answers)]
        if len(each) == 1:
            return replace(each[0], message=f"{message}: {each[0].message}")
        named = "; ".join(answer.expected for answer in each[:_NAMED])
        more = f"; and {len(each) - _NAMED:,} more" if len(each) > _NAMED else ""
        shown = got(self._head) if self.taken <= len(self._head) else f"{quoted(self._head)} … ({count(self.taken)})"
        trouble = next((answer.trouble for answer in each if answer.trouble), "")
        return Mismatch(message, f"{which}: {named}{more}", shown, trouble=trouble)


class UnorderedMatcher:
    """All of the forms, one behind the other, in any order. Each is begun anew at the end of the one before.

    Each of `forms` makes a matcher that was fed nothing yet.
    """

    def __init__(self, forms: Sequence[Callable[[], Matcher]]) -> None:
        self._all = len(forms)
        self._missing = dict(enumerate(forms))
        self._race = _Race(self._missing)
        self._before = 0
        self._captures: dict[str, bytes] = {}

    @property
    def taken(self) -> int:
        return self._before + self._race.taken

    def feed(self, data: bytes) -> Done | Mismatch | None:
        while self._missing:
            first = self._race.feed(data)
            if first is None:
                return self._mismatch("none of those that are missing is what came") if self._race.lost else None
            number, done = first
            data = done.rest
            self._captures |= done.captures
            self._before += self._race.taken
            del self._missing[number]
            self._race = _Race(self._missing)
        return Done(data, self._captures)

    def lacking(self) -> Mismatch:
        return self._mismatch(f"{len(self._missing):,} of {self._all:,} did not come")

    def _mismatch(self, message: str) -> Mismatch:
        mismatch = self._race.mismatch(message, "in any order")
        difference = mismatch.difference
        if difference is None:
            return mismatch
        # Its positions count from the first byte of all of them.
        offset, start = difference.offset + self._before, difference.start + self._before
        return replace(mismatch, difference=replace(difference, offset=offset, start=start))


class AnyMatcher:
    """One of the forms, each of which makes a matcher that was fed nothing yet."""

    def __init__(self, forms: Sequence[Callable[[], Matcher]]) -> None:
        self._race = _Race(dict(enumerate(forms)))

    @property
    def taken(self) -> int:
        return self._race.taken

    def feed(self, data: bytes) -> Done | Mismatch | None:
        first = self._race.feed(data)
        if first is not None:
            return first[1]
        return self._race.mismatch("it is none of them", "one of") if self._race.lost else None

    def lacking(self) -> Mismatch:
        return self._race.mismatch("none of them is complete", "one of")


class NotMatcher:
    """Bytes that must not come, wherever they begin, or a line that must not. It is never done: time decides.

    What comes meanwhile is `held`, to be given to the expectations behind it. None of it is ever `taken`.
    """

    taken = 0

    def __init__(self, unwanted: bytes | tuple[Regex, Ends]) -> None:
        self._unwanted = unwanted
        self._held = bytearray()
        self._line = 0
        self._searched = 0

    @property
    def held(self) -> bytes:
        """All that came."""
        return bytes(self._held)

    def feed(self, data: bytes) -> Mismatch | None:
        self._held += data
        unwanted = self._unwanted
        return self._feed_bytes(unwanted) if isinstance(unwanted, bytes) else self._feed_lines(*unwanted)

    def lacking(self) -> Mismatch:
        """Nothing ever is: what is there to say when it did not come."""
        return Mismatch("it did not come", self._expected(), got(self.held))

    def _feed_bytes(self, unwanted: bytes) -> Mismatch | None:
        # It may have begun in what came before.
        found = self._held.find(unwanted, max(0, self._searched - len(unwanted) + 1))
        self._searched = len(self._held)
        return None if found < 0 else self._came(found, found + len(unwanted))

    def _feed_lines(self, pattern: Regex, ends: Ends) -> Mismatch | None:
        while (end := self._held.find(b"\n", self._searched) + 1) > 0:
            begin, self._line, self._searched = self._line, end, end
            crlf = self._held.endswith(b"\r\n", begin, end)
            if end - begin > LONGEST or ends == ("lf" if crlf else "crlf"):
                continue
            found = pattern.match(bytes(self._held[begin : end - (2 if crlf else 1)]), whole=True)
            if found is not None:
                return found if isinstance(found, Mismatch) else self._came(begin, end)
        self._searched = len(self._held)
        return None

    def _came(self, begin: int, end: int) -> Mismatch:
        behind = f", behind {count(begin)}" if begin else ""
        return Mismatch(f"it came{behind}", self._expected(), quoted(bytes(self._held[begin:end])))

    def _expected(self) -> str:
        if isinstance(self._unwanted, bytes):
            return f"no {quoted(self._unwanted)}"
        return f"no line that matches {self._unwanted[0]}"
