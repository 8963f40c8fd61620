"""Bytes and foreign texts made fit to be shown: whatever came, what is printed is harmless and says what was left out.

Bytes become printable ASCII, with every other byte as an escape, so that no control sequence, no bidirectional override
and no invalid character can reach a terminal, an XML parser or a browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from sockcheck.forms import (
    Span,
)
from sockcheck.verdict import Difference, Finding

from .wording import plain as plain
from .wording import size as size_text

_NAMED = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0x22: '\\"', 0x5C: "\\\\"}
_ESCAPES = tuple(
    _NAMED.get(value) or (chr(value) if 0x20 <= value < 0x7F else f"\\x{value:02x}") for value in range(256)
)
_LABEL = 10
_OFFSET = 10
_HEX_ROW = 16
_ELLIPSIS = "…"
# A difference holds no more than this many bytes from where the streams part, so a stream that fills it may go on.
_WINDOW = 40


def escaped(data: bytes) -> str:
    """`data` as printable ASCII, without quotes: `\\n`, `\\xff`; a quote and a backslash are escaped too."""
    return "".join(_ESCAPES[value] for value in data)


def clipped(text: str, limit: int = 2000) -> str:
    """As `plain`, at most `limit` characters of it; what is left out is counted."""
    shown = plain(text[:limit])
    return shown if len(text) <= limit else f"{shown}{_ELLIPSIS} ({len(text) - limit:,} more characters)"


def quoted(data: bytes, columns: int, total: int | None = None) -> str:
    """`data` in quotes within `columns`. What does not fit, of `total` bytes in all, is counted: `"abc" + 7 bytes`.

    `total` is the length of `data` unless `data` is only the beginning. A result may be longer than `columns` only
    where not even the count fits.
    """
    total = len(data) if total is None else total
    whole = f'"{escaped(data)}"'
    if total == len(data) and len(whole) <= columns:
        return whole
    # Exact counts are the longest: what is left of 100.0 kB may be 99,990 bytes.
    kept = _fit(data, columns - 2 - len(_more(min(total, 99_999))))
    return f'"{escaped(data[:kept])}"{_more(total - kept)}'


def named(data: bytes, columns: int, *, whole: bool) -> str:
    """`data` in quotes within `columns`, where names in it stand for bytes, so that nothing can be counted.

    An ellipsis follows where more than `data` was there (`whole` is False), or not all of it fits.
    """
    kept = _fit(data, columns - 2 - len(_ELLIPSIS))
    if whole and len(escaped(data)) <= columns - 2:
        return f'"{escaped(data)}"'
    return f'"{escaped(data[:kept])}"{_ELLIPSIS}'


def _more(octets: int) -> str:
    return f" + {size_text(octets)}"


def _fit(data: bytes, columns: int) -> int:
    """How many bytes from the front of `data` fit into `columns` when escaped."""
    used = 0
    for kept, value in enumerate(data):
        used += len(_ESCAPES[value])
        if used > columns:
            return kept
    return len(data)


@dataclass(frozen=True, slots=True)
class Side:
    """One stream around the first byte that differs, as text or hex: `at` is that byte, "" where the stream ended."""

    before: str
    at: str
    after: str

    @property
    def line(self) -> str:
        return self.before + self.at + self.after


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first difference of two streams, ready to be set side by side.

    `what` names the byte and both values. `hex_start` is the offset of the first byte in hex. `note` says what was left
    out, or is "".
    """

    what: str
    expected: Side
    actual: Side
    expected_hex: Side
    actual_hex: Side
    hex_start: int
    note: str

    def tails(self, finding: Finding) -> tuple[str, str] | None:
        """What a finding says of expected and actual beyond the texts here, where it begins with just these texts."""
        if finding.expected.startswith(self.expected.line) and finding.actual.startswith(self.actual.line):
            return finding.expected[len(self.expected.line) :], finding.actual[len(self.actual.line) :]
        return None


def compare(difference: Difference, width: int = 80) -> Comparison:
    """`difference` as text and hex around its first differing byte, each row with its label within `width` columns."""
    at = difference.offset - difference.start
    same = max(difference.expected[:at], difference.actual[:at], key=len)
    columns = width - _LABEL - 2 - 2 * len(_ELLIPSIS)
    before = len(same) - (len(same) if len(escaped(same)) <= columns // 2 else _fit(same[::-1], columns // 3))
    expected, expected_left = _text_side(difference.expected, same, before, difference.start, columns)
    actual, actual_left = _text_side(difference.actual, same, before, difference.start, columns)
    row = max(4, min(_HEX_ROW, (width - _LABEL - _OFFSET + 1) // 3))
    hex_before = max(0, len(same) - row // 2)
    return Comparison(
        what=f"byte {difference.offset:,}: expected {_value(difference.expected, at)}, "
        f"got {_value(difference.actual, at)}",
        expected=expected,
        actual=actual,
        expected_hex=_hex_side(difference.expected, same, hex_before, row),
        actual_hex=_hex_side(difference.actual, same, hex_before, row),
        hex_start=difference.start + hex_before,
        note=_left_out(difference.start + before, expected_left, actual_left),
    )


def _value(window: bytes, at: int) -> str:
    if at >= len(window):
        return "nothing more"
    value = window[at]
    return f"0x{value:02x}" + (f' "{_ESCAPES[value]}"' if value < 0x7F and len(_ESCAPES[value]) < 4 else "")


def _text_side(window: bytes, same: bytes, before: int, start: int, columns: int) -> tuple[Side, int]:
    """The text of one stream, and how many bytes of its window did not fit after it."""
    shown = escaped(same[before:])
    rest = window[len(same) :]
    kept = _fit(rest, columns - len(shown))
    left = len(rest) - kept
    lead = f'{_ELLIPSIS}"' if start + before else '"'
    end = f'"{_ELLIPSIS}' if left or len(rest) >= _WINDOW else '"'
    return Side(lead + shown, escaped(rest[:1]), escaped(rest[1:kept]) + end), left


def _hex_side(window: bytes, same: bytes, before: int, row: int) -> Side:
    shown = same[before:]
    rest = window[len(same) : before + row]
    return Side(
        "".join(f"{value:02x} " for value in shown),
        rest[:1].hex(),
        "".join(f" {value:02x}" for value in rest[1:]),
    )


def _left_out(before: int, expected: int, actual: int) -> str:
    parts = []
    if before:
        parts.append(f"{size_text(before)} before, the same in both")
    if expected:
        parts.append(f"at least {size_text(expected)} more that {'was' if expected == 1 else 'were'} expected")
    if actual:
        parts.append(f"at least {size_text(actual)} more that came")
    return f"not shown: {'; '.join(parts)}" if parts else ""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of a scenario file: what stands before the span, the span itself and the rest, clipped to a width."""

    before: str
    marked: str
    after: str

    @property
    def caret(self) -> str:
        return " " * cell_len(self.before) + "^" * max(1, cell_len(self.marked))


def source_line(source: str, span: Span, width: int) -> SourceLine | None:
    """The line of `source` where `span` stands, at most `width` columns of it; None where there is no such line."""
    lines = source.splitlines()
    if not 0 < span.line <= len(lines):
        return None
    line = lines[span.line - 1].replace("\t", " ")
    before = plain(line[: span.column - 1])
    marked = plain(line[span.column - 1 : span.end_column - 1])
    after = plain(line[span.end_column - 1 :])
    if cell_len(before + marked + after) > width:
        if cell_len(before) > width // 3:
            before = _ELLIPSIS + before[-(width // 3) :]
        marked = _shorten(marked, width - cell_len(before) - 1)
        after = _shorten(after, width - cell_len(before + marked))
    return SourceLine(before, marked, after)


def _shorten(text: str, columns: int) -> str:
    if cell_len(text) <= columns:
        return text
    while text and cell_len(text) > columns - 1:
        text = text[: min(len(text) - 1, columns)]
    return text + _ELLIPSIS if columns > 0 else ""


def output_lines(pieces: Sequence[bytes], limit: int) -> tuple[tuple[str, ...], int]:
    """The last `limit` bytes that a server wrote, as lines without their endings; and how many bytes were left out.

    What is not printable in UTF-8 is shown as an escape; quotes and backslashes stay as they are.
    """
    data = b"".join(pieces)
    left = max(0, len(data) - limit)
    lines = data[left:].split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return tuple(_output_text(line.removesuffix(b"\r")) for line in lines), left


def _output_text(line: bytes) -> str:
    return plain(line.decode("utf-8", "backslashreplace").expandtabs(8))
