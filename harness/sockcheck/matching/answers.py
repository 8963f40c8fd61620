"""What a matcher answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sockcheck.show import quoted
from sockcheck.verdict import Difference


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
    """It matched; `rest` are the bytes behind it, `captures` the named groups of the patterns in it that took part."""

    rest: bytes
    captures: Mapping[str, bytes] = field(default_factory=dict)


class Matcher(Protocol):
    """One expectation in progress."""

    @property
    def taken(self) -> int:
        """How many bytes belong to it so far."""

    def feed(self, data: bytes) -> Done | Mismatch | None:
        """More bytes have come. None: all is well so far, and more must come. Feeding no bytes is allowed.

        After any other answer nothing more may be fed.
        """

    def lacking(self) -> Mismatch:
        """Nothing more comes: what is missing?"""


def got(data: bytes) -> str:
    """What came, in words."""
    return quoted(data) if data else "nothing"
