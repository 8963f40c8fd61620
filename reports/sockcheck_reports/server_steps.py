"""What the server's own steps did and saw, in words."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import assert_never

from sockcheck.case import Action, Check, Comparison, Exits, Kill, Pause, Restart, Resume, ServerAction, Start, Wait
from sockcheck.server_events import (
    SecondEnded,
    ServerChecked,
    ServerDeadlinePassed,
    ServerEvent,
    ServerExited,
    ServerLimited,
    ServerNotStarted,
    ServerRested,
    ServerSignalled,
    ServerStarted,
    ServerWaited,
)

from .excerpt import plain
from .rows import Drawn
from .wording import count, duration, signal_name, size, status

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def in_words(event: ServerEvent, action: ServerAction | None) -> str:
    """One fact about the server, told of the step `action`, which is None where the case has no such step."""
    match event:
        case ServerSignalled():
            return _signalled(event, action)
        case ServerExited():
            return f"{status(event.status)}, and no process of it is left"
        case ServerStarted():
            again = "restarted" if isinstance(action, Restart) else "started again"
            return f"{again}; it listens after {duration(event.took)}"
        case ServerNotStarted():
            return f"not started again: {plain(event.message)}"
        case ServerChecked():
            return _checked(event, action)
        case ServerDeadlinePassed():
            return _deadline(action)
        case ServerRested():
            return "came to rest" if event.share is None else f"did not rest: {event.share:.0%} of a CPU"
        case ServerLimited():
            return plain(event.why) if event.why else f"may have {count(event.files, 'descriptor')} open from here on"
        case SecondEnded():
            how = "is still there" if event.status is None else status(event.status)
            if event.listens:
                how = "listens at the same address too"
            return f"the same command once more {how}; it wrote {size(len(event.output))}"
        case ServerWaited():
            waited = f" {duration(action.duration)}" if isinstance(action, Wait) else ""
            return f"waited{waited}, as the scenario says"
        case _:
            assert_never(event)


def drawn(event: ServerSignalled | ServerStarted, action: Action | ServerAction | None) -> Drawn:
    """How a diagram shows what was done to the server."""
    match event, action:
        case ServerStarted(), _:
            return "up"
        case _, Pause():
            return "pause"
        case _, Resume():
            return "resume"
        case _, Kill():
            return "down"
        case _:
            return "note"


def _signalled(event: ServerSignalled, action: ServerAction | None) -> str:
    name = signal_name(event.signal)
    if not event.processes:
        return f"no process is left to send {name} to"
    reached = f"({name}, {count(event.processes, 'process', 'processes')})"
    match action:
        case Pause():
            return f"paused {reached}"
        case Resume():
            return f"resumed {reached}"
        case Kill():
            return f"killed {reached}"
        case _:
            return f"signalled {name}"


def _checked(event: ServerChecked, action: ServerAction | None) -> str:
    comparisons = action.checks if isinstance(action, Check) else ()
    said = [_compared(comparison, value) for comparison, value in zip(comparisons, event.values, strict=False)]
    return f"checked: {', '.join(said) or 'nothing'}" + (f" ({plain(event.why)})" if event.why else "")


def _compared(comparison: Comparison, value: float | None) -> str:
    """`queue is 6 (>= 5)`; `queue is 3, not >= 5`; `alive is yes`; `cpu cannot be seen (< 200 ms)`."""
    asked = _figure(comparison, comparison.value)
    if comparison.operator != "==":
        asked = f"{comparison.operator} {asked}"
    if value is None:
        return f"{comparison.what} cannot be seen ({asked})"
    said = f"{comparison.what} is {_figure(comparison, value)}"
    if not _COMPARE[comparison.operator](value, comparison.value):
        return f"{said}, not {asked}"
    return said if comparison.operator == "==" else f"{said} ({asked})"


def _figure(comparison: Comparison, value: float) -> str:
    if comparison.what in ("alive", "listening"):
        return "yes" if value else "no"
    if comparison.what == "cpu":
        return duration(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


def _deadline(action: ServerAction | None) -> str:
    match action:
        case Check():
            return f"not so within {duration(action.within)}"
        case Exits():
            return f"still running after {duration(action.within)}"
        case Start() | Restart():
            return "not started again in time"
        case _:
            return "the deadline passed"
