"""Regular expressions on bytes that cannot hang a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import regex

from sockcheck import payloads
from sockcheck.case import Pattern, Value
from sockcheck.matching.answers import Mismatch
from sockcheck.show import count, quoted

# A regular expression gets this long, in seconds of CPU, however it was written.
PATTERN_LIMIT = 0.5
# So many characters of one are shown; the values in it may be of any length.
_SHOWN = 200

# How each byte stands for itself wherever in a pattern. It is printable too, since a pattern is shown in messages, and
# a value may come from the server.
_LITERALS = [regex.escape(bytes((byte,))) if 0x20 < byte < 0x7F else b"\\x%02x" % byte for byte in range(256)]


class Regex:
    """A pattern with its values filled in. As a text it is as messages show it: `/220 .*/`.

    Raises payloads.MissingValueError, and payloads.BadValueError where it is no regular expression with these values.
    """

    def __init__(self, pattern: Pattern, values: Mapping[str, bytes]) -> None:
        source = b"".join(
            _literal(payloads.value(piece, values)) if isinstance(piece, Value) else piece for piece in pattern
        )
        text = source.decode("utf-8", "backslashreplace")
        self._text = f"/{text}/" if len(text) <= _SHOWN else f"/{text[:_SHOWN]}…/"
        try:
            self._compiled = regex.compile(source)
        except (regex.error, ValueError, RecursionError, MemoryError, OverflowError) as error:
            raise payloads.BadValueError(f"with its values, {self} is no regular expression: {error}") from None

    def __str__(self) -> str:
        return self._text

    def match(self, data: bytes, *, whole: bool) -> dict[str, bytes] | Mismatch | None:
        """The named groups that took part when it matches all of `data`, or, where not `whole`, is found in it.

        None where it does not match; a Mismatch with `trouble` where that takes too long to say.
        """
        try:
            found = (self._compiled.fullmatch if whole else self._compiled.search)(data, timeout=PATTERN_LIMIT)
        except TimeoutError:
            trouble = f"the pattern {self} took longer than {PATTERN_LIMIT} s on {count(len(data))}"
            return Mismatch(trouble, str(self), quoted(data), trouble=trouble)
        if found is None:
            return None
        return {name: group for name, group in found.groupdict().items() if group is not None}


def find_all(patterns: Iterable[Regex], data: bytes, expected: str) -> dict[str, bytes] | Mismatch:
    """The named groups of all the patterns, each of which must be found in `data`; of the same name, the last."""
    captures: dict[str, bytes] = {}
    for pattern in patterns:
        found = pattern.match(data, whole=False)
        if isinstance(found, Mismatch):
            return found
        if found is None:
            return Mismatch(f"{pattern} is not found in it", expected, quoted(data))
        captures |= found
    return captures


def _literal(data: bytes) -> bytes:
    return b"".join([_LITERALS[byte] for byte in data])
