"""`life.*`, `host.*`, `plain.*`: the server as a whole: that it goes on, ends, and comes back."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from sockcheck import payloads
from sockcheck.case import (
    Action,
    Actor,
    Await,
    Close,
    Connect,
    End,
    Exits,
    Expect,
    Kill,
    Mark,
    Rests,
    Send,
    ServerAction,
    Shutdown,
    Signal,
    Start,
    Taken,
    WaitFor,
)
from sockcheck.conditions.base import Base, NotDerivedError, Variation
from sockcheck.conditions.copying import finished, span, waiting
from sockcheck.conditions.cutting import is_plain
from sockcheck.frozen import replace

_TIMES = 3
# By convention a shell says so of a program that SIGTERM ended, and a JVM of itself.
_TERMINATED = (0, -signal.SIGTERM, 128 + signal.SIGTERM)


def again(base: Base) -> Iterator[Variation]:
    """Three times in turn, on new connections."""
    base.repeatable()
    actors: list[Actor] = []
    for number in range(_TIMES):
        run = finished(base.copy(number), f"run {number} is over", base.expect_within)
        actors += waiting(run, f"run {number - 1} is over") if number else run
    yield Variation(tuple(actors), passing=base.idle * _TIMES)


def restart(base: Base) -> Iterator[Variation]:
    """Killed with a client connected, so that TIME_WAIT is on its port, and started again at once."""
    base.repeatable()
    where = base.where
    begun = _served(base)
    ends = (
        WaitFor(where, "it is dead"),
        End(where, "any", base.expect_within, None),
        Shutdown(where, "write"),
        Close(where, unread=True),
        Mark(where, "the client has gone"),
    )
    client = Actor("client before", (*begun, Mark(where, "it serves"), *ends), pushes=True)
    server: tuple[ServerAction, ...] = (
        WaitFor(where, "it serves"),
        Kill(where),
        Mark(where, "it is dead"),
        WaitFor(where, "the client has gone"),
        Start(where),
        Mark(where, "it is back"),
    )
    yield Variation((client, *waiting(base.actors, "it is back")), server=server, passing=base.ready_within)


def stop(base: Base) -> Iterator[Variation]:
    """SIGTERM to an idle server that has served: it ends in time, and nothing of it is left."""
    base.repeatable()
    where = base.where
    limit = base.time_of("stops-on-sigterm")
    if limit is None:
        raise NotDerivedError(f"the promise {base.promised('stops-on-sigterm')!r} is no length of time")
    server: tuple[ServerAction, ...] = (
        WaitFor(where, "all are gone"),
        # It may still have something to do for those that have gone; only then it is idle.
        Rests(where),
        Signal(where, signal.SIGTERM, everyone=True),
        Exits(where, _TERMINATED, limit),
        Mark(where, "it has ended"),
    )
    late = Actor("late", (WaitFor(where, "it has ended"), replace(base.connects[0], outcome="refused")))
    yield Variation((*finished(base.actors, "all are gone"), late), server=server, passing=limit)


def drain(base: Base) -> Iterator[Variation]:
    """SIGTERM in the middle of a message: it is answered, and only then the server ends."""
    actor = base.single
    where = span(actor)
    limit = base.time_of("stops-on-sigterm") or base.ready_within
    first = next((step for step, action in enumerate(actor.actions) if isinstance(action, Send)), None)
    send = actor.actions[first] if first is not None else None
    size = payloads.size(send.pieces) if isinstance(send, Send) and is_plain(send) else None
    if first is None or not isinstance(send, Send) or size is None or size < 2:
        raise NotDerivedError("its first message cannot be sent by halves")
    last = next((step for step in range(first + 1, len(actor.actions)) if isinstance(actor.actions[step], Send)), None)
    rest = actor.actions[first + 1 : last]
    data = payloads.join(send.pieces)
    actions = (
        *actor.actions[:first],
        replace(send, pieces=(data[: size // 2],)),
        Await(where, "read", base.expect_within),
        Mark(where, "half is sent"),
        WaitFor(where, "it was told"),
        replace(send, pieces=(data[size // 2 :],)),
        *(action for action in rest if isinstance(action, Expect)),
        Close(where, unread=True),
    )
    server: tuple[ServerAction, ...] = (
        WaitFor(where, "half is sent"),
        Signal(where, signal.SIGTERM, everyone=True),
        Mark(where, "it was told"),
        Exits(where, _TERMINATED, limit),
    )
    yield Variation((replace(actor, actions=actions),), server=server, passing=limit)


def taken(base: Base) -> Iterator[Variation]:
    """The same command while the first still serves: it ends, not well, and says why; the first serves on."""
    where = base.where
    server: tuple[ServerAction, ...] = (Taken(where, base.ready_within), Mark(where, "it was tried"))
    yield Variation(waiting(base.actors, "it was tried"), server=server, passing=base.ready_within)


def anywhere(base: Base) -> Iterator[Variation]:
    """By other addresses of this machine that it promises to listen at."""
    for promise, host in (("all-interfaces", "127.0.0.2"), ("ipv6", "::1")):
        if base.promises(promise):
            actors = tuple(
                replace(
                    actor,
                    actions=tuple(
                        replace(action, host=host) if isinstance(action, Connect) else action
                        for action in actor.actions
                    ),
                )
                for actor in base.actors
            )
            yield Variation(actors, host)


def _served(base: Base) -> tuple[Action, ...]:
    """What the first client does up to its second message: connected, and answered if it is."""
    steps = base.steps
    sends = [step for step, action in enumerate(steps) if isinstance(action, Send)]
    begun = steps[: sends[1]] if len(sends) > 1 else steps
    end = next((step for step, action in enumerate(begun) if not isinstance(action, Connect | Send | Expect)), None)
    return begun[:end]
