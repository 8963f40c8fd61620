"""What makes the claims of a run weaker than usual: what it could not see, or did less well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sockcheck.case import Case, Send
from sockcheck.client_events import (
    Awaited,
    Connected,
    Sent,
    Settled,
)
from sockcheck.events import (
    Event,
    HealthRead,
    RunStarted,
)
from sockcheck.server_events import (
    ServerChecked,
)

from .excerpt import plain
from .wording import count

_NOT_OBSERVED = (
    "The server was not observed (--no-observe): segments were parted by gaps, not by what it had read, "
    "and that nothing more came is less certain."
)
_NOT_ISOLATED = (
    "The server was not isolated (--isolate net): it does less in a network of its own, so it needs another one, or a "
    "service of this machine. There, {}."
)
_NO_END = "the server's end of a connection could not be observed"
_GAP = "segments were parted by a gap, not by what the server had read"
_SHORT_WAIT = "a short wait had to do: that nothing more came is less certain"
_NO_AWAIT = "an await could not be observed"
_UNOBSERVED = (_NO_END, _GAP, _SHORT_WAIT, _NO_AWAIT)


def weakness(event: Event, case: Case) -> tuple[str, str] | None:
    """What makes the claim of a case weaker than usual, if this does: a clause, and why."""
    match event:
        case Connected(unobserved=why) if why:
            return _NO_END, why
        case Sent(barrier="not-read"):
            return "the server did not read a segment in time, and the rest was sent all the same", ""
        case Sent(barrier="gap") if not _asked_for_gap(event, case):
            return _GAP, ""
        case Settled(outcome="late"):
            return "the server did not settle: that nothing more came is less certain", ""
        case Settled(outcome="gap"):
            return _SHORT_WAIT, ""
        case Awaited(outcome="unobservable"):
            return _NO_AWAIT, event.state
        case ServerChecked(why=why) if why:
            return "a figure of the server could not be seen", why
        case HealthRead(alive=True, listening=True, why=why) if why:
            return "the server's health could not be seen", why
        case _:
            return None


def _asked_for_gap(event: Sent, case: Case) -> bool:
    actions = next((actor.actions for actor in case.actors if actor.name == event.client), ())
    action = actions[event.step] if 0 <= event.step < len(actions) else None
    return isinstance(action, Send) and action.gap is not None


def sentences(run: RunStarted | None, not_isolated: Iterable[str], weak: Counter[tuple[str, str]]) -> tuple[str, ...]:
    """All of it, a sentence each. `not_isolated`: why of each server; `weak`: how many cases had each weakness."""
    observe = run is None or run.observe
    said = [] if observe else [_NOT_OBSERVED]
    if run and run.stretch != 1:
        said.append(f"All deadlines were stretched by a factor of {run.stretch:g}.")
    said += [_NOT_ISOLATED.format(plain(why)) for why in dict.fromkeys(not_isolated)]
    for (what, why), times in sorted(weak.items()):
        if observe or what not in _UNOBSERVED:
            said.append(f"In {count(times, 'case')} {what}{f' ({plain(why)})' if why else ''}.")
    return tuple(said)
