"""`leave.*`: a peer may leave at any point, in order or by a reset, and that costs nobody else anything.

Behind the one who leaves comes another client, for whom the whole exchange must work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sockcheck import payloads
from sockcheck.case import (
    Action,
    Actor,
    Await,
    Close,
    Connect,
    Count,
    End,
    Expect,
    Mark,
    Pause,
    Reset,
    Resume,
    Send,
    ServerAction,
    Shutdown,
    WaitFor,
)
from sockcheck.conditions.base import Base, Variation
from sockcheck.conditions.copying import gone, leaving, waiting
from sockcheck.conditions.sizing import through_a_small_window
from sockcheck.forms import (
    Span,
)
from sockcheck.frozen import replace

_GONE, _LEFT = "who leaves has gone", "who leaves has left"
_PAUSED, _RESUMED = "the server is paused", "the server goes on"
# Of an exchange of many steps, so many points are enough.
_MOST_STEPS = 8


def by_close(base: Base) -> Iterator[Variation]:
    """In order: at once, behind each step, in the middle of each message."""
    for label, trait, actions in _points(base):
        yield _leave(base, label, trait, actions, *leaving(_span(base), base.expect_within))


def by_reset(base: Base) -> Iterator[Variation]:
    """The same by a reset; and in the middle of a reply, with the reply unread, and while still in the accept queue."""
    where = _span(base)
    reset = Reset(where)
    for label, trait, actions in _points(base):
        yield _leave(base, label, trait, actions, reset)
    steps = _steps(base)
    for step, given in enumerate(steps):
        if isinstance(given, Send) and step + 1 < len(steps) and isinstance(steps[step + 1], Expect):
            # close() with bytes that nobody has read is a reset (RFC 9293, section 3.10.4; RFC 1122, 4.2.2.13).
            unread = (*steps[: step + 1], Await(where, "rest", base.expect_within))
            yield _leave(base, f"reply to {step + 1} unread", "unread", unread, Close(where, unread=True))
            reply = steps[step + 1]
            assert isinstance(reply, Expect)
            begun = Expect(where, Count(1, None), reply.within, None)
            small = [through_a_small_window(each) if isinstance(each, Connect) else each for each in steps[: step + 1]]
            yield _leave(base, f"in reply to {step + 1}", "mid-reply", (*small, begun), reset)
            break
    yield _queued(base)


def _queued(base: Base) -> Variation:
    """It resets while the paused server has not accepted it yet."""
    where = _span(base)
    steps = _steps(base)
    # Nothing can be awaited of a server that is paused: what the client says first goes with it into the queue.
    first = next((step for step, given in enumerate(steps) if not isinstance(given, Connect | Send)), len(steps))
    left = (Reset(where), Mark(where, _LEFT), WaitFor(where, _RESUMED), *gone(where, base.expect_within, _GONE))
    leaver = Actor("leaver", (WaitFor(where, _PAUSED), *steps[:first], *left), pushes=True)
    server: tuple[ServerAction, ...] = (
        Pause(where),
        Mark(where, _PAUSED),
        WaitFor(where, _LEFT),
        Resume(where),
        Mark(where, _RESUMED),
    )
    return Variation((leaver, *waiting(base.actors, _GONE)), "queued", ("queued",), server)


def _points(base: Base) -> Iterator[tuple[str, str, Sequence[Action]]]:
    """Where to leave: a label, a trait, and what was done before."""
    steps = _steps(base)
    connected = next(step for step, given in enumerate(steps) if isinstance(given, Connect)) + 1
    yield "connected", "at-once", steps[:connected]
    chosen = range(connected, len(steps))
    for step in chosen[: None if base.thorough else _MOST_STEPS]:
        given = steps[step]
        if isinstance(given, Send):
            size = payloads.size(given.pieces)
            if size is not None and 1 < size <= 1 << 20:
                data = payloads.join(given.pieces)
                for at in sorted({1, size // 2, size - 1}) if base.thorough else (size // 2,):
                    part = replace(given, pieces=(data[:at],), cuts=())
                    read = Await(given.span, "read", base.expect_within)
                    yield f"{step + 1}:{at}", "mid-message", (*steps[:step], part, read)
            yield f"after {step + 1}", "after-step", (*steps[: step + 1], Await(given.span, "read", base.expect_within))
        elif isinstance(given, Expect):
            yield f"after {step + 1}", "after-step", steps[: step + 1]


def _steps(base: Base) -> tuple[Action, ...]:
    """What the first client does until it ends the connection, or waits for another, by itself."""
    base.repeatable()
    steps = base.steps
    end = next(
        (step for step, given in enumerate(steps) if isinstance(given, Shutdown | Close | Reset | End)), len(steps)
    )
    return steps[:end]


def _leave(base: Base, label: str, trait: str, actions: Sequence[Action], *end: Action) -> Variation:
    where = _span(base)
    leaver = Actor("leaver", (*actions, *end, *gone(where, base.expect_within, _GONE)), pushes=True)
    return Variation((leaver, *waiting(base.actors, _GONE)), label, (trait,))


def _span(base: Base) -> Span:
    return base.where
