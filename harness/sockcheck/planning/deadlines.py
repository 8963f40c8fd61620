"""How long a case may take: the way through it that takes longest, from mark to mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sockcheck import case
from sockcheck.case import SERVER
from sockcheck.planning.actions import Timed
from sockcheck.reading.cuts import MOST_CUTS
from sockcheck.segments import FALLBACK_GAP, REST_LIMIT

# Two lengths of the way to an action, in seconds: what must pass, and what its author gave explicitly.
_Length = tuple[float, float]
_NOTHING: _Length = (0.0, 0.0)


def longest(actors: Mapping[str, Sequence[Timed]]) -> _Length:
    """The seconds that must pass however fast the server is, and all the explicit deadlines, stretched.

    Each along the way that is longest by it, so that their sum is never less than a case can take. Who waits for a mark
    is on its way together with who sets it; a mark that several set comes no later than by the way of any one of them.
    """
    server = list(actors.get(SERVER, ()))
    first_wait = next(
        (number for number, timed in enumerate(server) if isinstance(timed.action, case.WaitFor | case.Wait)),
        len(server),
    )
    # The server's steps up to their first wait are done before any client starts.
    start = _NOTHING
    for timed in server[:first_wait]:
        start = _behind(start, timed)
    return _Ways({**actors, SERVER: server}, start).longest()


class _Ways:
    def __init__(self, actors: Mapping[str, Sequence[Timed]], start: _Length) -> None:
        self._actors = actors
        self._lengths = dict.fromkeys(actors, start)
        self._lengths[SERVER] = _NOTHING
        self._positions = dict.fromkeys(actors, 0)
        self._marks: dict[str, _Length] = {}
        self._meetings: dict[str, list[str]] = {}
        self._waiting: dict[str, list[str]] = {}

    def longest(self) -> _Length:
        ready = list(self._actors)
        while ready:
            ready += self._advance(ready.pop())
        return _farthest(self._lengths.values())

    def _advance(self, name: str) -> list[str]:
        """Go on with an actor up to its next wait that has no end yet; who can go on by that."""
        released: list[str] = []
        actions = self._actors[name]
        while self._positions[name] < len(actions):
            timed = actions[self._positions[name]]
            match timed.action:
                case case.WaitFor(name=mark) if mark not in self._marks:
                    self._waiting.setdefault(mark, []).append(name)
                    break
                case case.Meet(name=mark) if mark not in self._marks:
                    here = self._meetings.setdefault(mark, [])
                    here.append(name)
                    if len(here) < timed.action.parties:
                        break
                    self._marks[mark] = _farthest(self._lengths[each] for each in here)
                    released += [*here[:-1], *self._waiting.pop(mark, [])]
                case case.Mark(name=mark) if mark not in self._marks:
                    self._marks[mark] = self._lengths[name]
                    released += self._waiting.pop(mark, [])
            if isinstance(timed.action, case.WaitFor | case.Meet):
                self._lengths[name] = _farthest((self._lengths[name], self._marks[timed.action.name]))
            else:
                self._lengths[name] = _behind(self._lengths[name], timed)
            self._positions[name] += 1
        return released


def _behind(length: _Length, timed: Timed) -> _Length:
    return length[0] + _passing(timed), length[1] + timed.explicit


def _farthest(lengths: Iterable[_Length]) -> _Length:
    passing, explicit = zip(*lengths, strict=True)
    return max(passing), max(explicit)


def _passing(timed: Timed) -> float:
    """The seconds that must pass in an action, however fast the server is."""
    action = timed.action
    match action:
        case case.Quiet() | case.Wait():
            return action.duration
        case case.Expect(form=case.Not(duration=duration)):
            return duration
        case case.Expect() | case.End():
            return action.after or 0.0
        case case.Send():
            # Data of a size that is not known yet are taken to be as many as can be cut everywhere.
            return (FALLBACK_GAP if action.gap is None else action.gap) * (
                MOST_CUTS if action.cuts is None else len(action.cuts)
            )
        case case.Rests():
            return REST_LIMIT
        case _:
            return 0.0
