"""`churn.*`: what a connection used is given back, and a server with nothing to do uses no CPU."""

from __future__ import annotations

from collections.abc import Iterator

from sockcheck import payloads
from sockcheck.case import (
    Action,
    Actor,
    Await,
    Connect,
    Mark,
    Reset,
    Rests,
    Send,
    ServerAction,
    Shutdown,
    WaitFor,
)
from sockcheck.conditions.base import Base, NotDerivedError, Variation
from sockcheck.conditions.copying import Copies, closed, leaving, patient, span
from sockcheck.conditions.ending import half_closed
from sockcheck.conditions.neighbours import GARBAGE, deaf
from sockcheck.frozen import replace

CONNECTIONS = 250
"""From the 50th on, in two halves of a hundred, a leak is told from a pool that grows to its size (slopes.py)."""

_LANES = 8


def leak(base: Base) -> Iterator[Variation]:
    """One connection after the other, each ended in the same way; what the server keeps of them is counted.

    A few at a time where that is promised, so that a server that takes its time for a reply is not waited for so often.
    Each has the time that all of them would take one behind the other: this law is not about how fast they are served.
    """
    base.repeatable()
    base.quick()
    lanes = max(1, min(_LANES, base.most_clients))
    for kind, actors in _endings(base):
        passing = CONNECTIONS / lanes * base.expect_within
        yield Variation(tuple(_in_turn(actors, lanes)), kind, (kind,), passing=passing, state=base.case.state)


def _endings(base: Base) -> Iterator[tuple[str, list[Actor]]]:
    """The ways in which a connection may end, and the clients that end theirs so."""
    where = base.where
    rude = base.promises("survives-reset") or not base.has_contract
    base.by_itself()
    whole = [closed(base.copy(number)[0]) for number in range(CONNECTIONS)]
    yield "close", whole
    read = Await(where, "read", base.expect_within)
    leave = leaving(where, base.expect_within)
    ways: tuple[tuple[str, tuple[Action, ...]], ...] = (
        ("reset", (*_begun(base), read, Reset(where))),
        ("mid-message", (*_half(base), *leave)),
        ("garbage", (base.connects[0], Send(where, (GARBAGE,), (), None, base.expect_within), *leave)),
    )
    for kind, steps in ways:
        if kind != "reset" or rude:
            yield kind, [Actor(f"client[{number}]", steps, pushes=True) for number in range(CONNECTIONS)]
    try:
        halved = half_closed(base, together=True)
    except NotDerivedError:
        return
    if base.promises("half-close"):
        copies = Copies(halved)
        yield "half-close", [closed(copies.copy(number)[0]) for number in range(CONNECTIONS)]


def _in_turn(actors: list[Actor], lanes: int) -> Iterator[Actor]:
    """Each begins when the one before it in its lane has ended."""
    for number, actor in enumerate(actors):
        where = span(actor)
        before = (WaitFor(where, f"{number - lanes} has ended"),) if number >= lanes else ()
        yield replace(actor, actions=(*before, *patient(actor, lanes).actions, Mark(where, f"{number} has ended")))


def _begun(base: Base) -> tuple[Action, ...]:
    """Connected, and the first message sent, if the client speaks first."""
    steps = base.steps
    first = next((step for step, action in enumerate(steps) if isinstance(action, Send)), None)
    return steps[: first + 1] if first is not None else steps[:1]


def _half(base: Base) -> tuple[Action, ...]:
    """Connected, and half of the first message sent."""
    *steps, last = _begun(base)
    size = payloads.size(last.pieces) if isinstance(last, Send) else None
    if not isinstance(last, Send) or size is None or not 1 < size <= 1 << 16:
        return (*steps, last)
    return (*steps, replace(last, pieces=(payloads.join(last.pieces)[: size // 2],), cuts=()))


def spin(base: Base) -> Iterator[Variation]:
    """After each kind of ending, and with clients that stay and do nothing, the server comes to rest."""
    base.repeatable()
    base.quick()
    where = base.where
    read = Await(where, "read", base.expect_within)
    leave = leaving(where, base.expect_within)
    over, rested = "there is nothing to do", "it was looked at"
    server: tuple[ServerAction, ...] = (WaitFor(where, over), Rests(where), Mark(where, rested))
    ended: tuple[tuple[str, tuple[Action, ...]], ...] = (
        ("close", (*_begun(base), *leave)),
        ("reset", (*_begun(base), read, Reset(where))),
        ("mid-message", (*_half(base), *leave)),
    )
    for kind, actions in ended:
        if kind != "reset" or base.promises("survives-reset") or not base.has_contract:
            yield Variation((Actor("client", (*actions, Mark(where, over)), pushes=True),), kind, (kind,), server)
    for kind, actions in (
        ("idle", (base.connects[0], Await(where, "accepted", base.expect_within))),
        ("half-closed", (base.connects[0], Shutdown(where, "write"), Await(where, "end-read", base.expect_within))),
    ):
        stays = (*actions, Mark(where, over), WaitFor(where, rested), *leave)
        yield Variation((Actor("client", stays, pushes=True),), kind, (kind,), server)
    try:
        (unread,) = deaf(base)
    except NotDerivedError:
        return
    if base.promises("survives-reset") or not base.has_contract:
        neighbour = unread.actors[0]
        asking = tuple(action for action in neighbour.actions if isinstance(action, Connect | Send))
        stays = (*asking, Mark(where, over), WaitFor(where, rested), Reset(where))
        yield Variation((Actor("client", stays, pushes=True),), "deaf", ("deaf",), server, unread.passing)
