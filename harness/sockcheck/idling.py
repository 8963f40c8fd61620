"""Which cases mostly wait, so that several of them may share a server, and which is plain enough to try a server by."""

from __future__ import annotations

from collections.abc import Sequence

from sockcheck.case import Action, Case, Expect, Not, Quiet, Send, Wait

# A case that waits for so long in all, in seconds, does hardly anything else.
_LONG = 0.1
# What a connection takes, and what the steps of a server do, in seconds: roughly, with servers in Python.
_CONNECTION, _STARTED = 0.006, 0.1
# So many cases that wait do so at a time.
_TOGETHER = 8


def idle_time(case: Case) -> float:
    """How long, in seconds, a case takes because it says so, and not because something is done."""
    return max((sum(map(idle, actor.actions)) for actor in case.actors), default=0.0)


def mostly_waits(case: Case) -> bool:
    """Whether waiting is what it does for most of its time, so that it takes no CPU from others."""
    return idle_time(case) >= _LONG


def estimate(cases: Sequence[Case], servers: int) -> float:
    """About how long, in seconds, it takes to run all of them with so many servers at a time, if none fails."""
    return sum(map(_active, cases)) / servers + max((idle_time(case) for case in cases), default=0.0)


def effort(case: Case) -> float:
    """About how long, in seconds, a machine is busy with a case, among many others of which some wait."""
    return _active(case) + idle_time(case) / _TOGETHER


def _active(case: Case) -> float:
    return len(case.actors) * _CONNECTION + (_STARTED if case.server else 0.0)


def can_share(case: Case, clients: int) -> bool:
    """Whether it may run beside others on a server that promises to serve so many clients at once."""
    if case.server or case.skip or case.known_failure or case.state == "own":
        return False
    return 1 < clients >= len(case.actors) > 0 and mostly_waits(case)


def is_probe(case: Case) -> bool:
    """Whether it is a plain exchange that any fresh client may have, and that leaves nothing behind."""
    if case.server or case.skip or case.known_failure or case.state == "own" or case.law != "plain":
        return False
    return len(case.actors) == 1 and idle_time(case) == 0


def idle(action: Action) -> float:
    """How long, in seconds, this action takes because it says so."""
    match action:
        case Send(cuts=cuts, gap=gap) if cuts and gap:
            return gap * len(cuts)
        case Quiet(duration=duration) | Wait(duration=duration) | Expect(form=Not(duration=duration)):
            return duration
        case _:
            return getattr(action, "after", None) or 0.0
