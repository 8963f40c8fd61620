"""Rows of a timeline, and how long runs of them are folded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Literal, assert_never

from .clients import listed
from .excerpt import named, quoted
from .wording import count, size

Mark = Literal["->", "<-", "--", " |", ".."]

Drawn = Literal[
    "note",  # something that was seen
    "connect",
    "refused",  # no connection came about
    "data",
    "fin",  # an orderly end of one direction
    "rst",  # a reset, or another failure of the connection
    "silence",  # a deadline passed
    "read",  # the server read a segment before the next was sent
    "pause",
    "resume",
    "down",  # the server has ended
    "up",  # it was started again
    "output",
    "many",  # a row that stands for many
]
"""How a diagram shows a row; which way it goes is told by its mark."""

KEPT = 256
"""The bytes that are kept of what a row shows."""

_LONGEST_RUN = 14
_RUN_ENDS = 5
_LONGEST_CROWD = 6
_CROWD_ENDS = 2
_MOST_ROWS = 120


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a timeline. `at` is milliseconds since the case began.

    `mark`: `->` done to the server, `<-` received, `--` the kernel or sockcheck, ` |` the server's own output, `..` a
    row that stands for many. `data` is the first of `size` bytes, to be shown as an excerpt; it is empty where they are
    not known. `known` says how exact it is (see `pieces.Shown`). `client` is "" for what concerns no client, and
    `server` for the server's own steps. `decisive` marks what the verdict rests on. `drawn` is for diagrams.
    """

    at: float
    mark: Mark
    client: str
    what: str
    data: bytes = b""
    size: int = 0
    kind: Literal["connected", "sent", "parted", "received", "ended", "released", "output", "other"] = "other"
    decisive: bool = False
    known: Literal["exact", "named", "named-beginning"] = "exact"
    drawn: Drawn = "note"

    def excerpt(self, columns: int) -> str:
        """The first bytes, in quotes and within `columns`, or "" where there are none."""
        if not self.data:
            return ""
        if self.known == "exact":
            return quoted(self.data, columns, self.size)
        return named(self.data, columns, whole=self.known == "named")


def join_rows(rows: Iterable[Row]) -> list[Row]:
    """`rows` with those put together that have nothing in between.

    Output that was written piece by piece, and clients that were not judged for the same reason.
    """
    joined: list[Row] = []
    for _, same in groupby(rows, lambda row: (row.kind, row.what) if row.kind in ("output", "released") else row):
        run = list(same)
        if run[0].kind == "output":
            joined.append(_output(run))
        elif run[0].kind == "released" and len(run) > 1:
            clients = listed(row.client for row in run)
            joined.append(replace(run[0], client="", what=f"{clients}: {run[0].what}"))
        else:
            joined += run
    return joined


def _output(rows: Sequence[Row]) -> Row:
    """One row for all that was written. What is shown ends where a piece was not kept whole."""
    data = b""
    for row in rows:
        data += row.data
        if len(row.data) < row.size:
            break
    return replace(rows[0], data=data[:KEPT], size=sum(row.size for row in rows))


def fold_rows(rows: Sequence[Row], crowd: Collection[str] = ()) -> tuple[Row, ...]:
    """`rows` with the middle of every long run put into one row that counts it.

    A run is of sends, receipts and output, and of whatever the clients in `crowd` did: of many that do the same, a few
    stand for all. What the verdict rests on is in no run.
    """
    folded: list[Row] = []
    for kind, run in groupby(rows, partial(_run_of, crowd)):
        match kind:
            case "crowd":
                folded += _fold(list(run), _LONGEST_CROWD, _CROWD_ENDS)
            case "flow":
                folded += _fold(list(run), _LONGEST_RUN, _RUN_ENDS)
            case "landmarks":
                folded += run
            case _:
                assert_never(kind)
    return tuple(_fold(folded, _MOST_ROWS, _MOST_ROWS // 2))


def _run_of(crowd: Collection[str], row: Row) -> Literal["crowd", "flow", "landmarks"]:
    if row.decisive:
        return "landmarks"
    if row.client in crowd:
        return "crowd"
    return "flow" if row.kind in ("sent", "parted", "received", "output") else "landmarks"


def _fold(run: list[Row], longest: int, ends: int) -> list[Row]:
    if len(run) <= longest:
        return run
    middle = run[ends:-ends]
    return [*run[:ends], Row(middle[0].at, "..", "", _summary(middle), drawn="many"), *run[-ends:]]


def _summary(rows: Sequence[Row]) -> str:
    """What many rows tell, counted: `12 more connections; 12 more segments sent, 60 bytes (crowd[2] to crowd[13])`."""
    parts = []
    for kind, noun, did in (
        ("connected", "more connection", ""),
        ("sent", "more segment", " sent"),
        ("received", "more piece", " received"),
        ("ended", "more ending", ""),
    ):
        those = [row for row in rows if row.kind == kind]
        if those:
            octets = f", {size(sum(row.size for row in those))}" if did else ""
            parts.append(f"{count(len(those), noun)}{did}{octets}")
    others = sum(row.kind in ("released", "output", "other") for row in rows)
    if others:
        parts.append(count(others, "other event"))
    clients = dict.fromkeys(row.client for row in rows if row.client)
    whose = f" ({listed(clients)})" if len(clients) > 1 else ""
    return "; ".join(parts or [count(len(rows), "other event")]) + whose
