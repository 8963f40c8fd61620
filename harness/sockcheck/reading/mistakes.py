"""How a mistake in a file is told: the place, the line with a caret under it, and a way out."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from sockcheck.errors import ScenarioError

# YAML 1.1, section 4.2: what ends a line. str.splitlines() knows more endings, and would count other lines.
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

_WIDTH = 80
_TAB = "    "
# No character farther than this from the caret is looked at: a line may be a megabyte long.
_REACH = 4 * _WIDTH
# Longer words are not looked up: nobody mistypes a key at that length, and the comparison is quadratic.
_LONGEST_WORD = 40


def render(error: ScenarioError, source: str) -> str:
    """`path:line:column: message`, the line of `source` with a caret under the span, and the hint.

    The line is cut around the caret where it is wider than 80 columns. Tabs and wide characters keep the caret in its
    place; control characters are replaced, since the text may go to a terminal. No newline at the end.
    """
    span = error.span
    told = [_visible(f"{span}: {error.message}")]
    lines = _lines(source)
    if span.line <= len(lines):
        line = lines[span.line - 1]
        gutter = f" {span.line} | "
        column = min(span.column, len(line) + 1)
        before, marked, after = _clip(
            _visible(line[max(0, column - 1 - _REACH) : column - 1]),
            _visible(line[column - 1 : min(span.end_column - 1, column + _REACH)]),
            _visible(line[max(column, span.end_column) - 1 :][:_REACH]),
            _WIDTH - len(gutter),
        )
        told.append(f"{gutter}{before}{marked}{after}".rstrip())
        told.append(f"{' ' * (len(gutter) - 2)}| {' ' * _width(before)}{'^' * max(1, _width(marked))}")
    if error.hint:
        told.append(f"hint: {_visible(error.hint)}")
    return "\n".join(told)


def quoted(text: str) -> str:
    """`text` in quotes, on one line and not too long, to stand within a message."""
    short = text if len(text) <= _LONGEST_WORD else text[: _LONGEST_WORD - 1] + "…"
    return "'" + "".join(char if char.isprintable() else repr(char)[1:-1] for char in short) + "'"


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a, b and c`."""
    *head, tail = words
    return f"{', '.join(head)} {last} {tail}" if head else tail


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The one of `choices` that `word` is most likely a misspelling of, or None where none is near."""
    # Only needed once a file is wrong, so a right one does not pay for the import.
    import difflib

    if len(word) > _LONGEST_WORD:
        return None
    found = difflib.get_close_matches(word.lower().replace("_", "-"), list(choices), n=1)
    return found[0] if found else None


@lru_cache(maxsize=1)
def _lines(source: str) -> list[str]:
    # Many mistakes of one file are told one after the other.
    return LINE_BREAK.split(source)


def _visible(text: str) -> str:
    # Not printable are, beside the control characters, those that turn the direction of writing around.
    if text.isprintable():
        return text
    return "".join(_TAB if char == "\t" else char if char.isprintable() else "\ufffd" for char in text)


def _width(text: str) -> int:
    """How many columns of a terminal `text` takes (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _clip(before: str, marked: str, after: str, room: int) -> tuple[str, str, str]:
    """Cut the three so that they fit into `room` columns together, an ellipsis in place of what is left out.

    Most of `marked` is kept, then what leads to it, then what follows.
    """
    if _width(before) + _width(marked) + _width(after) <= room:
        return before, marked, after
    marked = _head(marked, room * 2 // 3)
    before = _tail(before, room - _width(marked) - min(_width(after), room // 4))
    return before, marked, _head(after, room - _width(before) - _width(marked))


def _head(text: str, room: int) -> str:
    if _width(text) <= room:
        return text
    widths = itertools.accumulate(map(_width, text), initial=1)
    return text[: sum(width <= room for width in widths) - 1] + "…"


def _tail(text: str, room: int) -> str:
    return text if _width(text) <= room else _head(text[::-1], room)[::-1]
