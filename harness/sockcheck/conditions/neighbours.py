"""`neighbour.*`: what one client does, or does not do, costs the others nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sockcheck import payloads
from sockcheck.case import Action, Actor, Await, Connect, Expect, Generated, Mark, Reset, Send, WaitFor
from sockcheck.conditions.base import Base, NotDerivedError, Variation
from sockcheck.conditions.copying import finished, gone, leaving, waiting
from sockcheck.conditions.cutting import is_plain
from sockcheck.conditions.sizing import size_of, through_a_small_window, unit

_SERVED = "all others are served"
# More neighbours than that tell no more; fewer, where the server promises to serve fewer at once.
_MOST = 20
# What a client may send that no protocol asks for: all byte values, half a character, NUL, and what random bytes are.
GARBAGE = bytes(range(256)) + b"\xc3\x28\xff\xfe\x00\x00" + payloads.make(Generated("random", 512, 9, b"")) + b"\n"
# So much is sent to a server whose replies nobody reads, as long as it takes any of it.
_MUCH = 256 * 1024
_DEAF_BYTES = 8 * 1024 * 1024


def idle(base: Base) -> Iterator[Variation]:
    """Connected and silent: one, and as many as there may be."""
    where = base.where
    for number in sorted({1, _room(base)}):
        neighbours = [(base.connects[0],)] * number
        yield _beside(base, neighbours, f"{number} idle", (), leaving(where, base.expect_within))


def stalled(base: Base) -> Iterator[Variation]:
    """In the middle of a message, and silent from then on."""
    base.repeatable()
    steps = base.steps
    first = next((step for step, given in enumerate(steps) if isinstance(given, Send)), None)
    send = steps[first] if first is not None else None
    size = payloads.size(send.pieces) if isinstance(send, Send) else None
    if first is None or not isinstance(send, Send) or size is None or size < 2 or not is_plain(send):
        raise NotDerivedError("its first message cannot be sent by halves")
    where = base.where
    data = payloads.join(send.pieces)
    for at in sorted({1, size // 2, size - 1}):
        part = Send(send.span, (data[:at],), (), None, send.within)
        half = (*steps[:first], part, Await(where, "read", base.expect_within))
        yield _beside(base, [half], f"{first + 1}:{at}", (), leaving(where, base.expect_within))


def deaf(base: Base) -> Iterator[Variation]:
    """It reads no reply: to a request for a large one, or to many, until the server can send it nothing more."""
    base.repeatable()
    where = base.where
    asked = _asks_for_much(base)
    if asked is not None:
        before, much = asked
        # A large request is answered while it is still being sent: to read meanwhile would make room for all of it.
        unread = replace(much, read=False, until_blocked=True)
        stays = (*map(_through_a_small_window, before), unread, Await(where, "rest", base.expect_within))
        yield _beside(base, [stays], "", (), (Reset(where),), passing=base.expect_within)
        return
    if not base.may_pipeline:
        raise NotDerivedError("its requests may not be pipelined, so that replies cannot back up")
    first, _, request, reply = unit(base)
    if len(reply) * (_DEAF_BYTES // len(request)) < 1 << 20:
        raise NotDerivedError("its replies are small beside its requests")
    steps = base.single.actions[:first]
    asking = Send(
        where,
        (Generated("repeat", _DEAF_BYTES, 0, request),),
        (),
        None,
        base.expect_within * 5,
        read=False,
        until_blocked=True,
    )
    yield _beside(
        base, [(*map(_through_a_small_window, steps), asking)], "", (), (Reset(where),), passing=base.expect_within * 2
    )


def _asks_for_much(base: Base) -> tuple[Sequence[Action], Send] | None:
    """What the first client does before it asks for a reply that fits into no buffer, and that request."""
    for step, request in enumerate(base.steps[:-1]):
        reply = base.steps[step + 1]
        if isinstance(request, Send) and isinstance(reply, Expect) and size_of(reply.form) >= _MUCH:
            return base.steps[:step], request
    return None


def _through_a_small_window(given: Action) -> Action:
    return through_a_small_window(given) if isinstance(given, Connect) else given


def fails(base: Base) -> Iterator[Variation]:
    """It vanishes, or sends what is no message, while the others are served."""
    where = base.where
    garbage = Send(where, (GARBAGE,), (), None, base.expect_within)
    read = Await(where, "read", base.expect_within)
    if base.promises("survives-reset") or not base.has_contract:
        yield _during(base, (base.connects[0],), (), (Reset(where),), "reset")
    yield _during(base, (base.connects[0],), (garbage, read), leaving(where, base.expect_within), "garbage")


def _during(
    base: Base, before: Sequence[Action], then: Sequence[Action], end: tuple[Action, ...], label: str
) -> Variation:
    """A neighbour that is there before the others, and misbehaves when they have begun; they go on when it has."""
    where = base.where
    begun, left = "the others have begun", "the neighbour has gone"
    over = gone(where, base.expect_within, left)
    neighbour = Actor(
        "neighbour",
        (*before, Mark(where, "the neighbour is here"), WaitFor(where, begun), *then, *end, *over),
        pushes=True,
    )
    actors = []
    for actor in waiting(base.actors, "the neighbour is here"):
        # Behind the connect: whatever the exchange is, its first words come after what the neighbour did.
        at = next(step for step, given in enumerate(actor.actions) if isinstance(given, Connect)) + 1
        between = (Await(where, "accepted", base.expect_within), Mark(where, begun), WaitFor(where, left))
        actors.append(Actor(actor.name, (*actor.actions[:at], *between, *actor.actions[at:]), actor.pushes))
    return Variation((neighbour, *actors), label, (label,))


def _beside(
    base: Base,
    neighbours: Sequence[Sequence[Action]],
    label: str,
    traits: tuple[str, ...],
    end: tuple[Action, ...],
    passing: float = 0.0,
) -> Variation:
    """The exchange while these neighbours are as far as they go; they leave when all others are served."""
    where = base.where
    found = []
    marks: list[str] = []
    for number, actions in enumerate(neighbours):
        mark = f"neighbour {number} is here"
        before: tuple[Action, ...] = (WaitFor(where, marks[-1]),) if marks else ()
        marks.append(mark)
        name = f"neighbour[{number}]" if len(neighbours) > 1 else "neighbour"
        found.append(Actor(name, (*before, *actions, Mark(where, mark), WaitFor(where, _SERVED), *end), pushes=True))
    others = waiting(finished(base.actors, _SERVED), marks[-1])
    return Variation((*found, *others), label, traits, passing=passing)


def _room(base: Base) -> int:
    """How many neighbours there may be. Raises NotDerivedError where there is no room for one."""
    room = min(_MOST, base.most_clients - len(base.actors))
    if room < 1:
        raise NotDerivedError("the clients that the server promises to serve at once are all in it already")
    return room
