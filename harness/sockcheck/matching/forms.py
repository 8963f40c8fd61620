"""The simple forms: exact bytes, lines, everything up to a delimiter, so many bytes, frames."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

from sockcheck.client_events import (
    Elided,
)
from sockcheck.matching.answers import Done, Mismatch, got
from sockcheck.matching.patterns import Regex, find_all
from sockcheck.payloads import INTEGERS
from sockcheck.show import count, quoted
from sockcheck.verdict import Difference

# A line or an `until` longer than this is no match: a server that never sends the delimiter must not fill our memory.
LONGEST = 64 * 1024
# A frame is held whole where patterns are looked for in it. A longer one is more likely a length read wrongly.
LONGEST_FRAME = 64 * 1024 * 1024
# How much of both streams is kept around the first difference.
_BEFORE, _AFTER = 24, 40

Ends = Literal["any", "crlf", "lf"]


class ExactMatcher:
    """Exactly these bytes; the first that differs is a mismatch at once.

    The first `prefix` of them are the length of a frame, which is said of a difference there.
    """

    def __init__(self, data: bytes, prefix: int = 0) -> None:
        self._data = data
        self._prefix = prefix
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
            self._expected(),
            got(self._data[: self.taken]),
            self._difference(b""),
        )

    def _differs(self, data: bytes) -> Mismatch:
        same = _common_prefix(data, self._data[self.taken : self.taken + len(data)])
        offset = self.taken + same
        return Mismatch(
            f"byte {offset:,} differs" + (", in the length of the frame" if offset < self._prefix else ""),
            self._expected(),
            quoted(self._data[: self.taken] + data),
            self._difference(data[same : same + _AFTER], same),
        )

    def _expected(self) -> str:
        if not self._prefix:
            return quoted(self._data)
        length, content = self._data[: self._prefix], self._data[self._prefix :]
        return f"a frame of {count(len(content))}: {quoted(length)} {quoted(content)}"

    def _difference(self, actual: bytes, same: int = 0) -> Difference:
        offset = self.taken + same
        start = max(0, offset - _BEFORE)
        return Difference(offset, start, self._data[start : offset + _AFTER], self._data[start:offset] + actual)


class LineMatcher:
    """One line, matched whole and without its ending."""

    def __init__(self, pattern: Regex, ends: Ends) -> None:
        self._pattern = pattern
        self._line = _Line(ends, f"a line that matches {pattern}")

    @property
    def taken(self) -> int:
        return len(self._line.got)

    def feed(self, data: bytes) -> Done | Mismatch | None:
        rest = self._line.feed(data)
        if not isinstance(rest, bytes):
            return rest
        found = self._pattern.match(self._line.content, whole=True)
        if isinstance(found, Mismatch):
            return found
        return self._line.mismatch("the line does not match") if found is None else Done(rest, found)

    def lacking(self) -> Mismatch:
        return self._line.mismatch("the line has no end" if self.taken else "no line came")


class LinesMatcher:
    """Lines that match, up to and with one that matches `last`, which is tried first."""

    def __init__(self, pattern: Regex, last: Regex, ends: Ends) -> None:
        self._patterns = (last, pattern)
        self._ends: Ends = ends
        self._captures: dict[str, bytes] = {}
        self._lines = 0
        self._before = 0
        self._line = self._next_line()

    @property
    def taken(self) -> int:
        return self._before + len(self._line.got)

    def feed(self, data: bytes) -> Done | Mismatch | None:
        while True:
            rest = self._line.feed(data)
            if not isinstance(rest, bytes):
                return rest
            self._lines += 1
            for pattern in self._patterns:
                found = pattern.match(self._line.content, whole=True)
                if found is not None:
                    break
            if isinstance(found, Mismatch):
                return found
            if found is None:
                return self._line.mismatch(f"line {self._lines:,} does not match")
            self._captures |= found
            self._before += len(self._line.got)
            self._line = self._next_line()
            if pattern is self._patterns[0]:
                return Done(rest, self._captures)
            data = rest

    def lacking(self) -> Mismatch:
        if self._line.got:
            return self._line.mismatch(f"line {self._lines + 1:,} has no end")
        if self._lines:
            return self._line.mismatch(f"the last line did not come, only {self._lines:,} before it")
        return self._line.mismatch("no line came")

    def _next_line(self) -> _Line:
        last, pattern = self._patterns
        return _Line(self._ends, f"lines that match {pattern}, and a last one that matches {last}")


class _Line:
    """One line in progress, of at most LONGEST bytes."""

    def __init__(self, ends: Ends, expected: str) -> None:
        self._ends = ends
        self._expected = expected
        self.got = bytearray()
        self.content = b""

    def feed(self, data: bytes) -> bytes | Mismatch | None:
        """The bytes behind the line when it is complete; its `content` is known then."""
        end = data.find(b"\n") + 1
        self.got += data[:end] if end else data
        if len(self.got) > LONGEST:
            return self.mismatch(f"no end of line within {count(LONGEST)}")
        if not end:
            return None
        crlf = self.got.endswith(b"\r\n")
        if self._ends == "crlf" and not crlf:
            return self.mismatch("the line does not end in \\r\\n", "a line that ends in \\r\\n")
        if self._ends == "lf" and crlf:
            return self.mismatch("the line ends in \\r\\n", "a line that ends in \\n alone")
        self.content = bytes(self.got[: -2 if crlf else -1])
        return data[end:]

    def mismatch(self, message: str, expected: str = "") -> Mismatch:
        return Mismatch(message, expected or self._expected, got(bytes(self.got[:LONGEST])))


class UntilMatcher:
    """Everything up to and with the delimiter; every pattern is found in it."""

    def __init__(self, delimiter: bytes, patterns: Sequence[Regex]) -> None:
        self._delimiter = delimiter
        self._patterns = patterns
        self._got = bytearray()

    @property
    def taken(self) -> int:
        return len(self._got)

    def feed(self, data: bytes) -> Done | Mismatch | None:
        # The delimiter may have begun in what came before.
        look_from = max(0, len(self._got) - len(self._delimiter) + 1)
        self._got += data
        found = self._got.find(self._delimiter, look_from)
        end = found + len(self._delimiter)
        if found < 0 or end > LONGEST:
            return self._too_long() if len(self._got) > LONGEST else None
        captures = find_all(self._patterns, bytes(self._got[:end]), self._expected())
        if isinstance(captures, Mismatch):
            return captures
        rest = bytes(self._got[end:])
        del self._got[end:]
        return Done(rest, captures)

    def _too_long(self) -> Mismatch:
        return Mismatch(
            f"no {quoted(self._delimiter)} within {count(LONGEST)}",
            self._expected(),
            quoted(bytes(self._got[:LONGEST])),
        )

    def lacking(self) -> Mismatch:
        return Mismatch(f"{quoted(self._delimiter)} did not come", self._expected(), got(bytes(self._got)))

    def _expected(self) -> str:
        return f"everything up to {quoted(self._delimiter)}{_with(self._patterns)}"


class CountMatcher:
    """So many bytes, whatever they are, or those with the digest (lower-case hex)."""

    def __init__(self, size: int, sha256: str | None) -> None:
        self._count = size
        self._sha256 = sha256
        self._digest = hashlib.sha256()
        self._head = b""
        self.taken = 0

    def feed(self, data: bytes) -> Done | Mismatch | None:
        mine = data[: self._count - self.taken]
        self.taken += len(mine)
        self._digest.update(mine)
        self._head += mine[: _AFTER - len(self._head)]
        if self.taken < self._count:
            return None
        digest = self._digest.hexdigest()
        if self._sha256 is not None and digest != self._sha256:
            message = f"the digest of {count(self.taken)} differs"
            return Mismatch(message, f"sha256 {self._sha256}", f"sha256 {digest}")
        return Done(data[len(mine) :])

    def lacking(self) -> Mismatch:
        return Mismatch(
            f"{self.taken:,} of {count(self._count)} came",
            count(self._count),
            got(self._head) if self.taken <= len(self._head) else f"{count(self.taken)}: {quoted(self._head)} …",
        )


class FrameMatcher:
    """A length and as many bytes; every pattern is found in them. One whose content is known is an ExactMatcher."""

    def __init__(self, kind: str, patterns: Sequence[Regex]) -> None:
        self._kind = kind
        self._width, self._order = INTEGERS[kind]
        self._patterns = patterns
        self._length = bytearray()
        self._size: int | None = None
        self._content = bytearray()

    @property
    def taken(self) -> int:
        return len(self._length) + len(self._content)

    def feed(self, data: bytes) -> Done | Mismatch | None:
        if self._size is None:
            missing = self._width - len(self._length)
            self._length += data[:missing]
            data = data[missing:]
            if len(self._length) < self._width:
                return None
            self._size = int.from_bytes(self._length, self._order)
            if self._size > LONGEST_FRAME:
                message = (
                    f"the length of the frame is {count(self._size)}, but no more than {LONGEST_FRAME:,} are taken"
                )
                return Mismatch(message, self._expected(), quoted(bytes(self._length)))
        missing = self._size - len(self._content)
        self._content += data[:missing]
        if len(self._content) < self._size:
            return None
        captures = find_all(self._patterns, bytes(self._content), self._expected())
        return captures if isinstance(captures, Mismatch) else Done(data[missing:], captures)

    def lacking(self) -> Mismatch:
        if self._size is None:
            what = "the length of the frame is not whole" if self._length else "no frame came"
            return Mismatch(what, self._expected(), got(bytes(self._length)))
        return Mismatch(
            f"{self._size - len(self._content):,} of the {count(self._size)} of the frame did not come",
            self._expected(),
            got(bytes(self._content)),
        )

    def _expected(self) -> str:
        return f"a frame: its length as {self._kind}, and as many bytes{_with(self._patterns)}"


def _with(patterns: Sequence[Regex]) -> str:
    return f", with {' and '.join(map(str, patterns))}" if patterns else ""


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
