"""`end.*`: how a connection ends in order."""

from __future__ import annotations

from collections.abc import Iterator

from sockcheck.case import Action, Actor, Await, Close, End, Expect, Not, Quiet, Reset, Send, Shutdown, Wait
from sockcheck.conditions.base import Base, NotDerivedError, Variation
from sockcheck.conditions.copying import span
from sockcheck.frozen import replace


def orderly(base: Base) -> Iterator[Variation]:
    """All was read; then our end of stream: the server ends in order, not by a reset."""
    actor = base.single
    ends_by_itself(actor)
    where = span(actor)
    actions = (*actor.actions, Shutdown(where, "write"), End(where, "eof", base.expect_within, None))
    yield Variation((replace(actor, actions=actions),))


def half_closed(base: Base, *, together: bool) -> tuple[Actor, ...]:
    """The exchange with the client's end of stream behind its last message, `together` with it or not.

    An exchange that the server ends, or in which others still speak to a client that has said all it had to say, is not
    half-closed: it would be another one.
    """
    actor = base.single
    ends_by_itself(actor)
    last = max((step for step, action in enumerate(actor.actions) if isinstance(action, Send)), default=None)
    if last is None:
        raise NotDerivedError("it sends nothing")
    rest = actor.actions[last + 1 :]
    if any(isinstance(action, Quiet | Wait) or _is_not(action) for action in rest):
        raise NotDerivedError("it waits for something behind its last message")
    if not any(isinstance(action, Expect) for action in rest):
        raise NotDerivedError("nothing is expected behind its last message")
    where = actor.actions[last].span
    between: tuple[Action, ...] = () if together else (Await(where, "read", base.expect_within),)
    end = End(where, "eof" if base.promises("orderly-close") else "any", base.expect_within, None)
    actions = (*actor.actions[: last + 1], *between, Shutdown(where, "write"), *rest, end)
    return (replace(actor, actions=actions),)


def ends_by_itself(actor: Actor) -> None:
    """Raises NotDerivedError where the exchange says already how it ends."""
    if any(isinstance(action, End) for action in actor.actions):
        raise NotDerivedError("the server ends it by itself")
    if any(isinstance(action, Shutdown | Close | Reset) for action in actor.actions):
        raise NotDerivedError("its author has said how the client ends it")


def _is_not(action: Action) -> bool:
    return isinstance(action, Expect) and isinstance(action.form, Not)
