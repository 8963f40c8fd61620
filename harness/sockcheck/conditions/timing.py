"""`time.*`: an idle connection lives as long as promised, and small replies are not held back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from sockcheck import payloads
from sockcheck.case import Action, Actor, Close, Connect, End, Expect, Mark, Prefixed, Send, Wait
from sockcheck.conditions.base import Base, NotDerivedError, Variation
from sockcheck.conditions.copying import span, waiting
from sockcheck.conditions.cutting import is_plain
from sockcheck.conditions.sizing import unit
from sockcheck.frozen import replace

# A longer idle time is not waited for, unless all that is of any use is asked for.
_LONGEST = 5.0
_TURNS = 30
_LARGEST_HALVED = 65536
# An unfinished request comes in pieces, this part of the idle time apart.
_DRIP, _SOON = 0.4, 0.3


def idle(base: Base) -> Iterator[Variation]:
    """Silence that is shorter than the promised idle time, and silence that is longer."""
    time = base.shortest_idle
    if time == float("inf"):
        raise NotDerivedError(f"the promise {base.promised('idle-close')!r} is no length of time")
    if time > _LONGEST and not base.thorough:
        raise NotDerivedError(f"it would take {time:g} s; --conditions thorough waits for it")
    actor = base.single
    base.quick()
    where = span(actor)
    wait = Wait(where, time * 0.6)
    sends = [step for step, action in enumerate(actor.actions) if isinstance(action, Send)]
    if not sends:
        raise NotDerivedError("it sends nothing")
    yield _with(actor, (*actor.actions[: sends[0]], wait, *actor.actions[sends[0] :]), "below", wait.duration)
    if len(sends) > 1 and all(isinstance(actor.actions[step - 1], Expect | Connect) for step in sends):
        actions: list[Action] = []
        for action in actor.actions[: sends[1] + 1]:
            actions += (wait, action) if isinstance(action, Send) else (action,)
        actions += actor.actions[sends[1] + 1 :]
        yield _with(actor, tuple(actions), "renewed", wait.duration * 2)
    first = actor.actions[: sends[0]]
    how: Literal["eof", "any"] = "eof" if base.promises("orderly-close") else "any"
    late = base.expect_within
    yield _with(actor, (*first, End(where, how, time + late, time)), "beyond", time)
    send = actor.actions[sends[0]]
    half = _begun(send) if isinstance(send, Send) and is_plain(send) else b""
    if isinstance(send, Send) and half:
        # Bytes of a request that is not finished are no request: they do not begin the time anew.
        cuts = tuple(sorted({len(half) * number // 4 for number in range(1, 4)} - {0}))
        drip = replace(send, pieces=(half,), cuts=cuts, gap=time * _DRIP)
        end = End(where, "any", max(time * _DRIP, _SOON), None)
        # Nothing of it is left for the next, who may well get its descriptor.
        gone = "the unfinished one is gone"
        idler = Actor("idler", (*first, drip, end, Close(where, unread=True), Mark(where, gone)), actor.pushes)
        yield Variation((idler, *waiting(base.actors, gone)), "unfinished", ("unfinished",), passing=2 * time)


def _is_one_message(send: Send) -> bool:
    """Whether it is one line, or what stands behind one length."""
    if len(send.pieces) == 1 and isinstance(send.pieces[0], Prefixed):
        return True
    return b"\n" not in payloads.join(send.pieces)[:-1]


def _begun(send: Send) -> bytes:
    """Half of a message, or what stands before the first value in it; b"" where that is nothing."""
    size = payloads.size(send.pieces)
    if size is None:
        return send.pieces[0] if isinstance(send.pieces[0], bytes) else b""
    return payloads.join(send.pieces)[: size // 2] if size <= _LARGEST_HALVED else b""


def _with(actor: Actor, actions: tuple[Action, ...], kind: str, passing: float) -> Variation:
    return Variation((replace(actor, actions=actions),), kind, (kind,), passing=passing)


def prompt(base: Base) -> Iterator[Variation]:
    """Thirty requests, each when the reply to the one before has come."""
    base.repeatable()
    if not base.may_pipeline:
        raise NotDerivedError("nothing says that its requests may be repeated on one connection (pipelining)")
    actor = base.single
    first, last, request, _ = unit(base)
    if len(request) > 1000:
        raise NotDerivedError("its requests are not small")
    turn = actor.actions[first : last + 1]
    if not all(_is_one_message(action) for action in turn if isinstance(action, Send)):
        # Each of several replies may be written by itself, and all but the first then wait for an ACK (RFC 896).
        raise NotDerivedError("what it sends at once may be several requests")
    actions = (*actor.actions[:first], *(turn * _TURNS), *actor.actions[last + 1 :])
    yield Variation((replace(actor, actions=actions),))
