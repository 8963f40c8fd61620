"""The accounts of many failures in one file, in full as long as there is room for it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from .excerpt import clipped, output_lines
from .failure import account
from .view import CaseView, View
from .wording import size

WIDTH = 100
OUTPUT_LIMIT = 8 * 1024

_LONGEST = 64 * 1024
_SHORT = 300
_TOO_LONG = "All in full would be too long for the readers of this file; the HTML report and the record have it."


class Accounts:
    """What is known of cases that did not pass: of all together, in full, about `limit` bytes as XML has them.

    `laws` gives each law's sentence by its id.
    """

    def __init__(self, view: View, laws: Mapping[str, str], limit: int) -> None:
        self._view = view
        self._laws = laws
        self._left = limit

    def of(self, case: CaseView) -> str:
        """In full, or in a sentence."""
        if self._left <= 0:
            return f"{clipped(case.said, _SHORT)}\n{_TOO_LONG}"
        text = "\n".join(line.plain.rstrip() for line in account(case, self._view, self._laws, WIDTH))
        if len(text) > _LONGEST:
            text = f"{text[:_LONGEST]}\n… ({len(text) - _LONGEST:,} more characters)"
        self._count(text)
        return text

    def output(self, case: CaseView) -> list[str]:
        """The last that the server wrote, in lines."""
        if self._left <= 0:
            return []
        lines, left = output_lines([event.data for event in case.output], OUTPUT_LIMIT)
        left += case.dropped
        self._count("\n".join(lines))
        note = [f"({size(left)} before this are not shown)"] if left and lines else []
        return [*note, *lines]

    def _count(self, text: str) -> None:
        self._left -= len(escape(text, quote=False).encode())
