"""`crowd.*`: many clients at once, and those that wait to be accepted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sockcheck import payloads
from sockcheck.case import (
    Action,
    Actor,
    Await,
    Check,
    Close,
    Comparison,
    Connect,
    Limit,
    Mark,
    Meet,
    Pause,
    Piece,
    Resume,
    Send,
    ServerAction,
    WaitFor,
)
from sockcheck.conditions.base import Base, NotDerivedError, Variation
from sockcheck.conditions.copying import finished, span, waiting
from sockcheck.conditions.cutting import is_plain
from sockcheck.frozen import replace

_MOST, _IN_TURN, _QUEUED = 20, 3, 5
_LARGEST_HALVED = 65536
MANY = 1100
"""More clients than select() has bits (FD_SETSIZE is 1,024)."""


def at_once(base: Base) -> Iterator[Variation]:
    """Exchanges at once: all are connected before the first of them says anything, and none leaves before the last."""
    _for_itself(base)
    number = _copies(base, _MOST)
    actors = [base.copy(copied)[0] for copied in range(number)]
    where = span(actors[0])
    yield Variation(
        tuple(
            replace(
                actor,
                actions=(
                    *_with_meeting(actor, len(actors)),
                    Meet(where, "all are served", len(actors)),
                ),
            )
            for actor in actors
        ),
        passing=base.idle,
    )


def _with_meeting(actor: Actor, parties: int) -> Iterator[Action]:
    """What the actor does, and behind its connect a meeting with all others."""
    for action in actor.actions:
        yield action
        if isinstance(action, Connect):
            yield Meet(action.span, "all are connected", parties)


def interleaved(base: Base) -> Iterator[Variation]:
    """Step by step in turn; and answered in the reverse of the order in which they were accepted."""
    _for_itself(base)
    number = _copies(base, _IN_TURN)
    copies = [base.copy(copied)[0] for copied in range(number)]
    yield Variation(tuple(_in_turns(copies)), "step by step", passing=base.idle * number)
    yield Variation(tuple(_reversed(copies)), "in reverse", passing=base.idle * number)
    halves = [replace(actor, actions=tuple(_by_halves(actor, base))) for actor in copies]
    if halves != copies:
        yield Variation(tuple(_in_turns(halves)), "by halves", ("by-halves",), passing=base.idle * number)


def _by_halves(actor: Actor, base: Base) -> Iterator[Action]:
    """Each message in two: what the others say comes between them. What differs among them is in the first half."""
    for action in actor.actions:
        halves = _halves(action.pieces) if isinstance(action, Send) and is_plain(action) else None
        if not isinstance(action, Send) or halves is None:
            yield action
            continue
        yield replace(action, pieces=halves[0])
        yield Await(action.span, "read", base.expect_within)
        yield replace(action, pieces=halves[1])


def _halves(pieces: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], tuple[Piece, ...]] | None:
    """A message in two parts, None where it is too short or too long for that. The last byte at least is the second."""
    size = payloads.size(pieces)
    if size is None:
        return (pieces[:-1], pieces[-1:]) if len(pieces) > 1 else None
    if not 1 < size <= _LARGEST_HALVED:
        return None
    data = payloads.join(pieces)
    return (data[: size // 2],), (data[size // 2 :],)


def _in_turns(copies: Sequence[Actor]) -> Iterator[Actor]:
    for number, actor in enumerate(copies):
        actions: list[Action] = []
        for step, action in enumerate(actor.actions):
            if number:
                actions.append(WaitFor(action.span, f"{number - 1} did {step}"))
            elif step:
                actions.append(WaitFor(action.span, f"{len(copies) - 1} did {step - 1}"))
            actions += (action, Mark(action.span, f"{number} did {step}"))
        yield replace(actor, actions=(*actions, Meet(actor.actions[0].span, "all are served", len(copies))))


def _reversed(copies: Sequence[Actor]) -> Iterator[Actor]:
    last = len(copies) - 1
    for number, actor in enumerate(copies):
        at = next(step for step, action in enumerate(actor.actions) if isinstance(action, Connect)) + 1
        where = actor.actions[at - 1].span
        before = (WaitFor(where, f"{number - 1} is connected"),) if number else ()
        turn = (WaitFor(where, f"{number + 1} is served"),) if number < last else ()
        connected = Mark(where, f"{number} is connected")
        everyone = WaitFor(where, f"{last} is connected")
        actions = (*before, *actor.actions[:at], connected, everyone, *turn, *actor.actions[at:])
        served = Mark(where, f"{number} is served")
        yield replace(actor, actions=(*actions, served, Meet(where, "all are served", len(copies))))


def queued(base: Base) -> Iterator[Variation]:
    """Some come while the server is paused: the first is in the queue for certain, and all are served."""
    _for_itself(base)
    where = span(base.single)
    first, *others = [base.copy(number)[0] for number in range(_QUEUED)]
    at = next(step for step, action in enumerate(first.actions) if isinstance(action, Connect)) + 1
    first = replace(first, actions=(*first.actions[:at], Mark(where, "the first waits"), *first.actions[at:]))
    server: tuple[ServerAction, ...] = (
        Pause(where),
        Mark(where, "paused"),
        WaitFor(where, "the first waits"),
        Resume(where),
    )
    yield Variation(waiting((first, *others), "paused"), server=server)


def backlog(base: Base) -> Iterator[Variation]:
    """As many as promised may wait, by what the kernel says of the listening socket."""
    promised = base.promised("backlog")
    if not promised.isdecimal():
        raise NotDerivedError(f"the promise {promised!r} is no number")
    where = base.where
    # Linux lets in one more than listen() was told: see tcp_v4_conn_request() and sk_acceptq_is_full().
    check = Check(where, (Comparison("backlog", ">=", float(promised) - 1, where),), base.expect_within)
    yield Variation(base.actors, server=(check,))


def many(base: Base) -> Iterator[Variation]:
    """1,100 connected, and the last of them is served."""
    if base.most_clients < MANY:
        raise NotDerivedError(f"the server promises to serve no more than {base.most_clients:,} at once")
    where = base.where
    marks = "the neighbours are here"
    silent = MANY - len(base.actors)
    neighbours = [
        Actor(
            f"neighbour[{number}]",
            (
                WaitFor(where, "there may be many"),
                base.connects[0],
                Meet(where, marks, silent),
                WaitFor(where, "all others are served"),
                Close(where, unread=True),
            ),
            pushes=True,
        )
        for number in range(silent)
    ]
    server: tuple[ServerAction, ...] = (Limit(where, MANY + 400, least=True), Mark(where, "there may be many"))
    others = waiting(finished(base.actors, "all others are served"), marks)
    yield Variation((*neighbours, *others), server=server, state="own")


def _for_itself(base: Base) -> None:
    """Raises NotDerivedError where one exchange could be heard in another one.

    Where one has several clients, they have something to say to each other, and so would those of another. Who asks for
    silence may be told that another comes or goes.
    """
    base.repeatable()
    base.quick()
    if base.single.pushes:
        raise NotDerivedError("the server speaks to it unasked, perhaps of the others")


def _copies(base: Base, most: int) -> int:
    """How many exchanges there may be at once. Raises NotDerivedError where it is only one."""
    number = min(most, base.most_clients // len(base.actors))
    if number < 2:
        raise NotDerivedError("the clients that the server promises to serve at once are all in it already")
    return number
