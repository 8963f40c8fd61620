"""Does what came match what was expected? Matchers are fed as it comes, in pieces of any size, and never wait.

The same bytes give the same answer however they are segmented.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol, assert_never

import regex

from sockcheck import payloads
from sockcheck.case import Count, Exact, Form, Line, Until
from sockcheck.events import Elided
from sockcheck.show import count, quoted
from sockcheck.verdict import Difference

# A line or an `until` longer than this is no match: a server that never sends the delimiter must not fill our memory.
LONGEST = 64 * 1024
# A regular expression gets this long, in seconds of CPU, however it was written.
PATTERN_LIMIT = 0.5
# How much of both streams is kept around the first difference.
_BEFORE, _AFTER = 24, 40


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What came is wrong, or can no longer become right. `trouble` is set where that is not the server's fault."""

    message: str
    expected: str
    actual: str
    difference: Difference | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """It matched; `rest` are the bytes behind it."""

    rest: bytes


class Matcher(Protocol):
    """One expectation in progress."""

    @property
    def taken(self) -> int:
        """How many bytes belong to it so far."""

    def feed(self, data: bytes) -> Done | Mismatch | None:
        """More bytes have come. None: all is well so far, and more must come. Feeding no bytes is allowed."""

    def lacking(self) -> Mismatch:
        """Nothing more comes: what is missing?"""


class ExactMatcher:
    """Exactly these bytes; the first that differs is a mismatch at once."""

    def __init__(self, form: Exact) -> None:
        self._data = payloads.join(form.pieces)
        self.taken = 0

    def feed(self, data: bytes) -> Done | Mismatch | None:
        wanted = self._data[self.taken : self.taken + len(data)]
        if data[: len(wanted)] != wanted:
            return self._differs(data)
        self.taken += len(wanted)
        if self.taken == len(self._data):
            return Done(data[len(wanted) :])
        return None

    def feed_elided(self, data: Elided) -> Done | Mismatch | None:
        """Bytes that a record holds only the digest of, because they were the expected ones."""
        wanted = self._data[self.taken : self.taken + data.size]
        if len(wanted) == data.size and hashlib.sha256(wanted).hexdigest() == data.sha256:
            return self.feed(wanted)
        return self._differs(data.head)

    def lacking(self) -> Mismatch:
        missing = len(self._data) - self.taken
        return Mismatch(
            f"{missing:,} of {count(len(self._data))} did not come" if self.taken else "none of it came",
            quoted(self._data),
            _got(self._data[: self.taken]),
            self._difference(b""),
        )

    def _differs(self, data: bytes) -> Mismatch:
        same = _common_prefix(data, self._data[self.taken : self.taken + len(data)])
        offset = self.taken + same
        return Mismatch(
            f"byte {offset:,} differs",
            quoted(self._data),
            quoted(self._data[: self.taken] + data),
            self._difference(data[same : same + _AFTER], same),
        )

    def _difference(self, actual: bytes, same: int = 0) -> Difference:
        offset = self.taken + same
        start = max(0, offset - _BEFORE)
        return Difference(offset, start, self._data[start : offset + _AFTER], self._data[start:offset] + actual)


class LineMatcher:
    """One line, matched whole and without its ending."""

    def __init__(self, form: Line) -> None:
        self._form = form
        self._got = bytearray()

    @property
    def taken(self) -> int:
        return len(self._got)

    def feed(self, data: bytes) -> Done | Mismatch | None:
        end = data.find(b"\n")
        if end < 0:
            self._got += data
            return self._too_long() if len(self._got) > LONGEST else None
        self._got += data[: end + 1]
        if len(self._got) > LONGEST:
            return self._too_long()
        return self._judge(bytes(self._got), data[end + 1 :])

    def _judge(self, line: bytes, rest: bytes) -> Done | Mismatch:
        crlf = line.endswith(b"\r\n")
        if self._form.ends == "crlf" and not crlf:
            return Mismatch("the line does not end in \\r\\n", "a line that ends in \\r\\n", quoted(line))
        if self._form.ends == "lf" and crlf:
            return Mismatch("the line ends in \\r\\n", "a line that ends in \\n alone", quoted(line))
        found = _matches(self._form.pattern, line[: -2 if crlf else -1], whole=True)
        if isinstance(found, Mismatch):
            return found
        if found:
            return Done(rest)
        return Mismatch("the line does not match", self._expected(), quoted(line))

    def _too_long(self) -> Mismatch:
        return Mismatch(f"no end of line within {count(LONGEST)}", self._expected(), quoted(bytes(self._got[:LONGEST])))

    def lacking(self) -> Mismatch:
        what = "the line has no end" if self._got else "no line came"
        return Mismatch(what, self._expected(), _got(bytes(self._got)))

    def _expected(self) -> str:
        return f"a line that matches {_pattern(self._form.pattern)}"


class UntilMatcher:
    """Everything up to and with the delimiter; every pattern is found in it."""

    def __init__(self, form: Until) -> None:
        self._form = form
        self._got = bytearray()

    @property
    def taken(self) -> int:
        return len(self._got)

    def feed(self, data: bytes) -> Done | Mismatch | None:
        delimiter = self._form.delimiter
        # The delimiter may have begun in what came before.
        look_from = max(0, len(self._got) - len(delimiter) + 1)
        self._got += data
        found = self._got.find(delimiter, look_from)
        if found < 0 or found + len(delimiter) > LONGEST:
            return self._too_long() if len(self._got) > LONGEST else None
        end = found + len(delimiter)
        block = bytes(self._got[:end])
        for pattern in self._form.patterns:
            matches = _matches(pattern, block, whole=False)
            if isinstance(matches, Mismatch):
                return matches
            if not matches:
                return Mismatch(f"{_pattern(pattern)} is not found in it", self._expected(), quoted(block))
        rest = bytes(self._got[end:])
        del self._got[end:]
        return Done(rest)

    def _too_long(self) -> Mismatch:
        return Mismatch(
            f"no {quoted(self._form.delimiter)} within {count(LONGEST)}",
            self._expected(),
            quoted(bytes(self._got[:LONGEST])),
        )

    def lacking(self) -> Mismatch:
        what = f"{quoted(self._form.delimiter)} did not come"
        return Mismatch(what, self._expected(), _got(bytes(self._got)))

    def _expected(self) -> str:
        patterns = " and ".join(_pattern(pattern) for pattern in self._form.patterns)
        return f"everything up to {quoted(self._form.delimiter)}" + (f", with {patterns}" if patterns else "")


class CountMatcher:
    """So many bytes, whatever they are, or those with the digest."""

    def __init__(self, form: Count) -> None:
        self._form = form
        self._digest = hashlib.sha256()
        self._head = b""
        self.taken = 0

    def feed(self, data: bytes) -> Done | Mismatch | None:
        mine = data[: self._form.count - self.taken]
        self.taken += len(mine)
        self._digest.update(mine)
        self._head += mine[: _AFTER - len(self._head)]
        if self.taken < self._form.count:
            return None
        digest = self._digest.hexdigest()
        if self._form.sha256 is not None and digest != self._form.sha256:
            return Mismatch(
                f"the digest of {count(self.taken)} differs", f"sha256 {self._form.sha256}", f"sha256 {digest}"
            )
        return Done(data[len(mine) :])

    def lacking(self) -> Mismatch:
        return Mismatch(
            f"{self.taken:,} of {count(self._form.count)} came",
            count(self._form.count),
            _got(self._head) if self.taken <= len(self._head) else f"{count(self.taken)}: {quoted(self._head)} …",
        )


def matcher(form: Form) -> Matcher:
    """The matcher for a form, fed nothing yet."""
    match form:
        case Exact():
            return ExactMatcher(form)
        case Line():
            return LineMatcher(form)
        case Until():
            return UntilMatcher(form)
        case Count():
            return CountMatcher(form)
        case _:
            assert_never(form)


def _matches(pattern: bytes, data: bytes, *, whole: bool) -> bool | Mismatch:
    compiled = regex.compile(pattern)
    try:
        found = (compiled.fullmatch if whole else compiled.search)(data, timeout=PATTERN_LIMIT)
    except TimeoutError:
        trouble = f"the pattern {_pattern(pattern)} took longer than {PATTERN_LIMIT} s on {count(len(data))}"
        return Mismatch(trouble, _pattern(pattern), quoted(data), trouble=trouble)
    return found is not None


def _common_prefix(one: bytes, other: bytes) -> int:
    """How many first bytes are the same. By halving: slices compare at memory speed, a loop over bytes does not."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _got(data: bytes) -> str:
    return quoted(data) if data else "nothing"


def _pattern(pattern: bytes) -> str:
    return f"/{pattern.decode('utf-8', 'backslashreplace')}/"
