"""`limit.*`: input without an end, too few descriptors, bytes that are no message."""

from __future__ import annotations

from collections.abc import Iterator

from sockcheck.case import (
    Action,
    Actor,
    Await,
    Check,
    Comparison,
    End,
    Expect,
    Generated,
    Limit,
    Mark,
    Rests,
    Send,
    ServerAction,
    WaitFor,
)
from sockcheck.conditions.base import Base, NotDerivedError, Variation
from sockcheck.conditions.copying import finished, gone, leaving, waiting
from sockcheck.conditions.sizing import unit
from sockcheck.frozen import replace
from sockcheck.payloads import make

# A message that never ends; by how many clients, where so many may be there at once; and how much of each message a
# server may keep. A runtime collects garbage late: Node.js comes to 39 MiB, however much is sent to it and thrown away,
# and one message alone is no more than that.
_ENDLESS, _SENDERS, _KEPT_MIB = 24 * 1024 * 1024, 3, 16
# A server that searches all that it has for each piece that comes may never be done with it.
_LONGEST = 15.0
# What it has taken it still has to answer: a server of one thread that is flooded comes to others when it can.
_PATIENCE = 10
# So many descriptors are left to the server, and so many more clients come than it has descriptors for.
_FILES_LEFT, _TOO_MANY = 6, 4
_GONE = "the sender has gone"

_GARBAGE: dict[str, bytes] = {
    "all byte values": bytes(range(256)) + b"\n",
    "broken UTF-8": b"\xc3\x28\xe2\x82\xff\xfe\n" * 4,
    "NUL": b"\x00" * 64 + b"\n",
    "random": make(Generated("random", 2048, 17, b"")) + b"\n",
}


def endless(base: Base) -> Iterator[Variation]:
    """Messages without an end, as long as the server takes any of them; its memory stays within bounds."""
    where = base.where
    number = max(1, min(_SENDERS, base.most_clients - len(base.actors)))
    within = base.expect_within * _PATIENCE
    part = _ENDLESS * _SENDERS // number
    send = Send(where, (Generated("repeat", part, 0, b"x" * 1024),), (), None, within, until_blocked=True)
    bound = Comparison("memory", "<", _KEPT_MIB * _SENDERS, where)
    check = Check(where, (bound,), base.expect_within, lenient=True)
    server: tuple[ServerAction, ...] = (WaitFor(where, _sent(number - 1)), check, Mark(where, "looked"))
    others = _patient(waiting(base.actors, "looked"))
    longest = _LONGEST * base.stretch
    yield Variation((*_senders(base, send, number), *others), server=server, most=longest, state="own")
    if base.thorough and base.may_pipeline:
        try:
            request = unit(base)[2]
        except NotDerivedError:
            return
        flood = replace(send, pieces=(Generated("repeat", part, 0, request),), read=False)
        deaf = _senders(base, flood, number)
        yield Variation((*deaf, *others), "replies unread", (), server, most=longest, state="own")


def _senders(base: Base, send: Send, number: int) -> Iterator[Actor]:
    """One after the other, and all of them stay: what a server keeps for each is there until it was looked at."""
    where = base.where
    rest = Await(where, "rest", base.expect_within)
    for sender in range(number):
        before = (WaitFor(where, _sent(sender - 1)),) if sender else ()
        after = (rest, Mark(where, _sent(sender)), WaitFor(where, "looked"), *_left(base))
        name = f"sender[{sender}]" if number > 1 else "sender"
        yield Actor(name, (*before, *_greeted(base), send, *after), pushes=True)


def _patient(actors: tuple[Actor, ...]) -> tuple[Actor, ...]:
    """It is not asked how quick the server is."""

    def each(action: Action) -> Action:
        return replace(action, within=action.within * _PATIENCE) if isinstance(action, Send | Expect | End) else action

    return tuple(replace(actor, actions=tuple(map(each, actor.actions))) for actor in actors)


def _sent(sender: int) -> str:
    return f"message {sender} is sent"


def files(base: Base) -> Iterator[Variation]:
    """Out of descriptors, with more clients than there are any for; it does not spin, and serves again afterwards."""
    base.repeatable()
    where = base.where
    waits = base.promised("backlog")
    too_many = min(_TOO_MANY, int(waits)) if waits.isdecimal() else 1
    marks = [f"neighbour {number} is here" for number in range(_FILES_LEFT + too_many)]
    neighbours = []
    for number, mark in enumerate(marks):
        before = WaitFor(where, marks[number - 1] if number else "few are left")
        left = (Mark(where, _GONE),) if number == len(marks) - 1 else ()
        actions = (before, base.connects[0], Mark(where, mark), WaitFor(where, "looked"), *_left(base), *left)
        neighbours.append(Actor(f"neighbour[{number}]", actions, pushes=True))
    server: tuple[ServerAction, ...] = (
        WaitFor(where, "it serves"),
        Limit(where, _FILES_LEFT, least=False),
        Mark(where, "few are left"),
        WaitFor(where, marks[-1]),
        Rests(where),
        Mark(where, "looked"),
    )
    first = finished(base.copy(1), "it serves")
    yield Variation((*first, *neighbours, *waiting(base.actors, _GONE)), server=server, state="own")


def garbage(base: Base) -> Iterator[Variation]:
    """Bytes that are no message, and then a client whose messages are."""
    where = base.where
    begun = _greeted(base)
    read = Await(where, "read", base.expect_within)
    for label, data in _GARBAGE.items():
        send = Send(where, (data,), (), None, base.expect_within)
        actions = (*begun, send, read, *_left(base), *gone(where, base.expect_within, _GONE))
        yield Variation((Actor("sender", actions, pushes=True), *waiting(base.actors, _GONE)), label)


def _greeted(base: Base) -> tuple[Action, ...]:
    """Connected, and what comes before the client's first words was read."""
    steps = base.steps
    first = next((step for step, action in enumerate(steps) if step and not isinstance(action, Expect)), len(steps))
    return steps[:first] if any(isinstance(action, Send) for action in steps) else steps[:1]


def _left(base: Base) -> tuple[Action, ...]:
    return leaving(base.where, base.expect_within)
