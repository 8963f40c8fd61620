"""Many connections at once, and many cases: what they take of memory, and how late the stamps are."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from echoing import EXCHANGE, crowd, scenario, server
from measuring import Figure, Scale, alternate, sockcheck

from sockcheck.client_events import (
    DeadlinePassed,
    Received,
)
from sockcheck.recording import read

_QUIET = 0.2
_MB = 1e6


def measure_connections(scale: Scale, folder: Path) -> Iterator[Figure]:
    """One scenario with 10,000 clients that are connected at once."""
    number = scale.of(10_000)
    program = server(folder)
    waiting = "  - quiet: 200ms\n"
    paths = {count: scenario(folder, crowd(count, waiting), f"crowd-{count}") for count in (1, number)}
    record = folder / "crowd.jsonl"
    lateness: list[list[float]] = []

    def run(count: int) -> tuple[float, float]:
        # The server takes them in one at a time: it may take longer than the deadlines say.
        words = ["run", paths[count], "--stretch", "10", "--record", str(record), "--", program, "{host}", "{port}"]
        cost = sockcheck(*words)
        if count == number:
            lateness.append(_lateness(record))
        return cost.peak / _MB, cost.wall

    many, one = alternate(scale.rounds, lambda: run(number), lambda: run(1))
    lateness = lateness[1:]
    for index, unit, goal in ((0, "MB", 60.0), (1, "s", None)):
        what = f"{('largest resident set', 'wall')[index]} with {number:,} connections"
        ours, base = [each[index] for each in many], [each[index] for each in one]
        yield Figure(what, unit, ours, "one connection", base, "difference", goal)
    for name, part in (("median", 0.5), ("99th percentile", 0.99)):
        ours = [late[min(len(late) - 1, int(part * len(late)))] * 1000 for late in lateness]
        what = f"how late the end of 200 ms was stamped, {number:,} at once, {name}"
        yield Figure(what, "ms", ours, "none", [0.0] * len(ours), "difference")


def _lateness(record: Path) -> list[float]:
    """By how much each client's quiet time was longer than it should be, in order."""
    received: dict[str, float] = {}
    late = []
    for event in read(record):
        if isinstance(event, Received):
            received[event.client] = event.at
        elif isinstance(event, DeadlinePassed):
            late.append(event.at - received[event.client] - _QUIET)
    return sorted(late)


def measure_memory(scale: Scale, folder: Path) -> Iterator[Figure]:
    """The same case again and again: memory should not grow, and the record in proportion."""
    path, program, record = scenario(folder, EXCHANGE), server(folder), folder / "many.jsonl"
    numbers = [scale.of(number) for number in (1_000, 5_000, 10_000)]
    peaks: dict[int, list[float]] = {number: [] for number in numbers}
    sizes: dict[int, list[float]] = {number: [] for number in numbers}
    # Bytes do not vary as times do, and this is the longest of all: once is enough.
    for number in numbers:
        words = ["run", path, "--jobs", "1", "--repeat", str(number), "--record", str(record)]
        peaks[number].append(sockcheck(*words, "--", program, "{host}", "{port}").peak / _MB)
        sizes[number].append(record.stat().st_size / number)
    fewest = numbers[0]
    for number in numbers[1:]:
        what = f"largest resident set, {number:,} cases"
        yield Figure(what, "MB", peaks[number], f"{fewest:,} cases", peaks[fewest], "difference")
    for number in numbers[1:]:
        what = f"bytes of record a case, {number:,} cases"
        yield Figure(what, "B", sizes[number], f"{fewest:,} cases", sizes[fewest], "ratio")
    grown = statistics.median(peaks[numbers[-1]]) - statistics.median(peaks[fewest])
    more = numbers[-1] - fewest
    yield Figure("memory that each more case keeps", "kB", [grown * 1000 / more], "none", [0.0], "difference")
