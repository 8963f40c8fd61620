"""Numbers, sizes, times and statuses in words: the same in every report."""

from __future__ import annotations

import signal

_EXACT_BELOW = 100_000


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 case`, `1,024 cases`; `plural` where an s does not make it."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(octets: int) -> str:
    """A number of bytes: exact below 100,000, then in kB, MB or GB (powers of 1,000)."""
    if octets < _EXACT_BELOW:
        return count(octets, "byte")
    value = octets / 1000
    for unit in ("kB", "MB"):
        if value < 1000:
            return f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def duration(seconds: float) -> str:
    """A length of time that is given in seconds: `0.03 ms`, `20 ms`, `2.00 s`, `3 min 05 s`."""
    if seconds < 0.00995:
        return f"{seconds * 1000:.2f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s"


def status(number: int) -> str:
    """How a process ended, of its wait status as subprocess gives it: negative for a signal."""
    if number >= 0:
        return f"exited with status {number}"
    return f"was killed by {signal_name(-number)}"


def signal_name(number: int) -> str:
    """`SIGTERM`; `signal 200` where that number has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def plain(text: str) -> str:
    """A text that others wrote, on one line: what is not printable (controls, bidirectional marks) as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if named:
        return named
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
