"""How values are written in messages. Of bytes, printable ASCII as it is and everything else escaped."""

from __future__ import annotations

import signal

_ESCAPES = {b: f"\\x{b:02x}" for b in range(256)}
_ESCAPES.update({b: chr(b) for b in range(0x20, 0x7F)})
_ESCAPES.update({0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x5C: "\\\\", 0x22: '\\"'})


def escaped(data: bytes) -> str:
    """`data` on one line, without quotes."""
    return "".join([_ESCAPES[byte] for byte in data])


def quoted(data: bytes, limit: int = 60) -> str:
    """`data` in double quotes; beyond `limit` bytes only its beginning, and how many there are in all."""
    if len(data) <= limit:
        return f'"{escaped(data)}"'
    return f'"{escaped(data[:limit])}" … ({count(len(data))})'


def count(size: int) -> str:
    """`1 byte`, `7 bytes`, `8,388,608 bytes`."""
    return f"{size:,} byte{'s' if size != 1 else ''}"


def seconds(duration: float) -> str:
    """`0.03 ms`, `12.5 ms`, `2.00 s`."""
    if duration < 0.01:
        return f"{duration * 1000:.2f} ms"
    if duration < 1:
        return f"{duration * 1000:.1f} ms"
    return f"{duration:.2f} s"


def status_text(status: int) -> str:
    """A process status in words: `exited with status 1`, `was killed by SIGPIPE`. Negative numbers are signals."""
    return f"exited with status {status}" if status >= 0 else f"was killed by {signal_name(-status)}"


def signal_name(number: int) -> str:
    """`SIGTERM`; `signal 40` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
