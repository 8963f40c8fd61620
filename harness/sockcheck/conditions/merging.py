"""`merge.*`: what was sent apart may arrive together."""

from __future__ import annotations

from collections.abc import Iterator

from sockcheck import payloads
from sockcheck.case import (
    Action,
    Actor,
    Close,
    End,
    Expect,
    Mark,
    Not,
    Pause,
    Quiet,
    Reset,
    Resume,
    Send,
    ServerAction,
    Shutdown,
    Wait,
    WaitFor,
)
from sockcheck.conditions.base import Base, NotDerivedError, Variation
from sockcheck.conditions.copying import span, uses_captures
from sockcheck.conditions.cutting import is_plain
from sockcheck.conditions.ending import half_closed
from sockcheck.frozen import replace

# More would have to be read before all of it could be sent.
_MOST_AT_ONCE = 65536


def sends(base: Base) -> Iterator[Variation]:
    """Sends that follow each other, in one."""
    actors = tuple(replace(actor, actions=tuple(_merged(actor.actions))) for actor in base.actors)
    if actors == base.actors:
        raise NotDerivedError("nowhere do two sends follow each other")
    yield Variation(actors)


def _merged(actions: tuple[Action, ...]) -> Iterator[Action]:
    held: Send | None = None
    for action in actions:
        if isinstance(action, Send) and is_plain(action):
            held = action if held is None else replace(held, pieces=held.pieces + action.pieces)
            continue
        if held is not None:
            yield held
            held = None
        yield action
    if held is not None:
        yield held


def pipeline(base: Base) -> Iterator[Variation]:
    """All requests in one send, then all replies; only where that is promised (`needs` in the table)."""
    actor = base.single
    first, last = _requests(actor)
    between = actor.actions[first : last + 1]
    for action in between:
        if isinstance(action, Send) and (not is_plain(action) or uses_captures(action)):
            raise NotDerivedError("a later request is made of an earlier reply, or sent in a way of its own")
        if not isinstance(action, Send | Expect) or (isinstance(action, Expect) and isinstance(action.form, Not)):
            raise NotDerivedError("its requests are not all that stands between the first and the last of them")
    requests = [action for action in between if isinstance(action, Send)]
    if sum(payloads.size(request.pieces) or 0 for request in requests) > _MOST_AT_ONCE:
        raise NotDerivedError("its requests are too large to be sent before a reply is read")
    together = replace(requests[0], pieces=tuple(piece for request in requests for piece in request.pieces))
    replies = [action for action in between if isinstance(action, Expect)]
    actions = (*actor.actions[:first], together, *replies, *actor.actions[last + 1 :])
    yield Variation((replace(actor, actions=actions),))


def _requests(actor: Actor) -> tuple[int, int]:
    """The positions of the first and of the last send, between which a reply is read."""
    found = [step for step, action in enumerate(actor.actions) if isinstance(action, Send)]
    if not found or not any(isinstance(action, Expect) for action in actor.actions[found[0] : found[-1]]):
        raise NotDerivedError("it has no second request behind a reply")
    return found[0], found[-1]


def with_end(base: Base) -> Iterator[Variation]:
    """The last message and the end of stream together."""
    yield Variation(half_closed(base, together=True))


def before_accept(base: Base) -> Iterator[Variation]:
    """What the client says first is there before the server accepts it."""
    actor = base.single
    first: list[Action] = []
    for action in actor.actions:
        if isinstance(action, Expect | End | Quiet | Wait | Close | Reset | Shutdown | WaitFor):
            break
        first.append(action)
    if not any(isinstance(action, Send) for action in first):
        raise NotDerivedError("it waits for the server to speak first")
    if sum(payloads.size(action.pieces) or 0 for action in first if isinstance(action, Send)) > _MOST_AT_ONCE:
        raise NotDerivedError("it first sends more than can wait in a queue")
    where = span(actor)
    rest = actor.actions[len(first) :]
    server: tuple[ServerAction, ...] = (Pause(where), Mark(where, "paused"), WaitFor(where, "sent"), Resume(where))
    actions = (WaitFor(where, "paused"), *first, Mark(where, "sent"), *rest)
    yield Variation((replace(actor, actions=actions),), server=server)
