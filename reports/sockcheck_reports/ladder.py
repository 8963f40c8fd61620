"""The diagram of a case: a lane for each client and one for the server, time going down. Where things are, not how they
look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sockcheck.case import SERVER, Case
from sockcheck.verdict import Finding

from .excerpt import plain
from .rows import Drawn, Row
from .wording import count, duration

MOST_LANES = 4
"""So many clients have a lane of their own; where there are more, the last lane is that of all the others."""

_EXCERPT = 64
_LONG = 100.0
_TO_SERVER: tuple[Drawn, ...] = ("connect", "refused")
_OF_SERVER: tuple[Drawn, ...] = ("down", "up", "output")

Way = Literal["to", "from", "at", "across"]
State = Literal["up", "paused", "down"]


@dataclass(frozen=True, slots=True)
class Step:
    """A row in the diagram.

    `way`: it goes from the client's lane `to` the server or comes `from` there, is something `at` its lane, or goes
    `across` all of them. `lead` says, from 0 to 4, how long nothing happened before it: less than 1 ms, 10 ms, 100 ms,
    1 s, or more; `later` names a time of 100 ms and more. `server` is the server's state from here on.
    """

    at: str
    lane: int
    way: Way
    drawn: Drawn
    what: str
    excerpt: str
    lead: int
    later: str
    server: State
    decisive: bool


@dataclass(frozen=True, slots=True)
class Ladder:
    """`lanes` are named from left to right; the last is the server's."""

    lanes: tuple[str, ...]
    steps: tuple[Step, ...]


def ladder(case: Case, rows: Sequence[Row], findings: Iterable[Finding] = ()) -> Ladder:
    """The diagram of the rows of a case. Clients that `findings` are about have a lane before others do."""
    names, others = _lanes(case, rows, findings)
    lanes = {name: position for position, name in enumerate(names)}
    shown = [plain(name) for name in names] + ([count(others, "other client")] if others else [])
    server = len(shown)
    state: State = "up"
    before: float | None = None
    steps = []
    for row in rows:
        state = _state(row.drawn, state)
        lane = server if _is_servers(row) else lanes.get(row.client, server - 1 if others else 0)
        # Whose it is must be said where the lane does not.
        astray = row.client not in (*names, "", SERVER) or (row.drawn == "read" and len(case.actors) > 1)
        who = f"{plain(row.client)}: " if astray else ""
        waited = 0.0 if before is None else row.at - before
        steps.append(
            Step(
                at=f"{row.at:.2f}",
                lane=lane,
                way=_way(row, lane == server),
                drawn=row.drawn,
                what=who + row.what,
                excerpt=row.excerpt(_EXCERPT),
                lead=sum(waited >= limit for limit in (1.0, 10.0, 100.0, 1000.0)),
                later=duration(waited / 1000) if waited >= _LONG else "",
                server=state,
                decisive=row.decisive,
            )
        )
        before = row.at
    return Ladder((*shown, "server"), tuple(steps))


def _lanes(case: Case, rows: Sequence[Row], findings: Iterable[Finding]) -> tuple[list[str], int]:
    """The clients that have a lane of their own, in the order of the case, and how many others there are."""
    active = {row.client for row in rows}
    clients = [actor.name for actor in case.actors if actor.name in active] or [actor.name for actor in case.actors[:1]]
    if len(clients) <= MOST_LANES:
        return clients, 0
    concerned = {finding.client for finding in findings}
    chosen = sorted(clients, key=lambda name: name not in concerned)[: MOST_LANES - 1]
    return [name for name in clients if name in chosen], len(clients) - len(chosen)


def _is_servers(row: Row) -> bool:
    return row.client == SERVER or row.drawn == "read" or (not row.client and row.drawn in _OF_SERVER)


def _way(row: Row, at_server: bool) -> Way:
    if at_server:
        return "at"
    if not row.client:
        return "across"
    if row.mark == "<-":
        return "from"
    # A step of ours that sends nothing stays where it is.
    return "to" if row.drawn in _TO_SERVER or (row.mark == "->" and row.drawn != "note") else "at"


def _state(drawn: Drawn, before: State) -> State:
    match drawn:
        case "pause":
            return "paused"
        case "down":
            return "down"
        case "up":
            return "up"
        case "resume":
            return "up" if before == "paused" else before
        case _:
            return before
