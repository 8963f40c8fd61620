"""The cases that are to be run, and who of them waits for what becomes of another.

A law is tried with an exchange when it is known that the exchange works at all, and no more variations of it are tried
when a few have failed: so some cases wait for others, as long as anybody works on those.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import trio

from sockcheck.case import Case
from sockcheck.events import NotRun
from sockcheck.idling import can_share, is_probe, mostly_waits
from sockcheck.place import Place, Server
from sockcheck.usefulness import Usefulness, why_useless
from sockcheck.verdict import Outcome, Verdict

Why = tuple[NotRun, str]
"""Why a case is not run: of what sort that is, and in a sentence."""


@dataclass(frozen=True, slots=True)
class Item:
    """One case and the server that it is for: a command to start, or the address of one that runs already.

    `clients`: how many clients at once the server promises to serve.
    """

    case: Case
    server: Server
    clients: int = 1


class Feed(Protocol):
    """Where items come from that are not all known beforehand."""

    async def next(self) -> Item | None:
        """The next one; None when there are no more. It is asked when nothing is left to do for the ones before."""


@dataclass(eq=False, slots=True)
class Trial:
    """A case, and the attempts at it so far."""

    number: int
    case: Case
    place: Place
    probe: bool = False
    suspected: bool = False
    """Whether it failed at first, and it is not known yet what that comes to."""
    attempts: list[int] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def skipped(self) -> Why | None:
        """Why its author does not have it run."""
        return ("skipped", self.case.skip) if self.case.skip else None

    def useless(self) -> Why | None:
        """Why it is not worth running, by what became of others."""
        useless = self.place.usefulness.of(self.case)
        return (useless, why_useless(self.case, useless)) if useless in ("pointless", "broken") else None

    def obstacle(self) -> Why | None:
        """Why it would tell nothing of this server."""
        obstacle = self.place.obstacle(self.case)
        return ("such", obstacle) if obstacle else None


class Queues:
    """What is left to be begun: `waiting` is all that needs a server's time, `idle` what mostly waits itself.

    Cases that may share an instance are a queue of their own, of lists for one server each. `feed` has more items:
    those are begun one by one, in their order.
    """

    def __init__(self, items: Sequence[Item], *, exhaustive: bool, feed: Feed | None) -> None:
        self.places: list[Place] = []
        self.waiting: deque[Trial] = deque()
        self.idle: deque[Trial] = deque()
        self._together: deque[list[Trial]] = deque()
        self._exhaustive = exhaustive
        self._feed = feed
        self._trials = 0
        # The numbers of trials that somebody works on, or soon will: others may wait for what becomes of them.
        self._awaited: set[int] = set()
        self._news = trio.Event()
        self._take_in(items)

    def _take_in(self, items: Sequence[Item]) -> None:
        together: dict[Place, list[Trial]] = {}
        for item in items:
            trial = self.trial(item.case, self._place(item))
            if trial.place.usefulness.planned(item.case):
                self._awaited.add(trial.number)
            if self._feed is not None:
                self.waiting.append(trial)
            elif can_share(item.case, item.clients):
                together.setdefault(trial.place, []).append(trial)
            else:
                (self.idle if mostly_waits(item.case) else self.waiting).append(trial)
        for trials in together.values():
            if len(trials) > 1:
                self._together.append(trials)
            else:
                self.idle.extend(trials)

    def _place(self, item: Item) -> Place:
        place = next((place for place in self.places if place.server == item.server), None)
        if place is None:
            usefulness = Usefulness(exhaustive=self._exhaustive)
            self.places.append(place := Place(item.server, item.clients, usefulness=usefulness))
        place.clients = min(place.clients, item.clients)
        if place.probe is None and is_probe(item.case):
            place.probe = item.case
        return place

    def trial(self, case: Case, place: Place, *, probe: bool = False) -> Trial:
        """A new trial of a case, which is in no queue."""
        self._trials += 1
        return Trial(self._trials, case, place, probe)

    async def fed(self) -> bool:
        """Whether one more item has come."""
        item = None if self._feed is None else await self._feed.next()
        self._take_in([] if item is None else [item])
        return item is not None

    @property
    def size(self) -> int:
        """How many servers that are busy can be of use at a time."""
        return max(1, len(self.waiting) + len(self.idle) + len(self._together))

    def left(self) -> Iterator[Trial]:
        """All that has not been begun."""
        yield from (*self.waiting, *self.idle)
        for trials in self._together:
            yield from trials

    def in_one_row(self) -> None:
        """One behind the other, in the order in which they were given."""
        self.waiting = deque(sorted((*self.waiting, *self.idle), key=lambda trial: trial.number))
        self.idle.clear()

    def next(self, queue: deque[Trial], place: Place | None = None) -> Trial | None:
        """The first that need not wait for what becomes of another, of those for this server if one is named."""
        for trial in queue:
            if place in (None, trial.place) and not self._is_later(trial):
                return trial
        return None

    @property
    def shared(self) -> Place | None:
        """The server that is the next to be shared; None where no cases are left that could share one."""
        return self._together[0][0].place if self._together else None

    def may_share(self, queue: deque[Trial]) -> Place | None:
        """That server, if it is known of some of its cases whether they are of use, or there is nothing else to do."""
        nothing_else = not (queue or self.waiting)
        if self._together and (nothing_else or not all(map(self._is_later, self._together[0]))):
            return self.shared
        return None

    def ready_to_share(self, queue: deque[Trial]) -> list[Trial]:
        """Those of which it is known; all, where there is nothing else to do. They are in no queue any more."""
        trials = self._together.popleft()
        ready = [trial for trial in trials if not (queue or self.waiting) or not self._is_later(trial)]
        if len(ready) < len(trials):
            self._together.append([trial for trial in trials if trial not in ready])
        return ready

    def _is_later(self, trial: Trial) -> bool:
        """Whether it waits for what becomes of another, as long as anybody works on one that could tell."""
        return bool(self._awaited) and trial.place.usefulness.of(trial.case) == "later"

    def begun(self, trial: Trial) -> None:
        """Somebody works on it."""
        if not trial.probe:
            self._awaited.add(trial.number)

    def suspect(self, trial: Trial) -> None:
        """It failed, and it is not known yet what that comes to."""
        if not trial.probe:
            trial.suspected = True
            trial.place.usefulness.suspected(trial.case)

    def judged(self, trial: Trial, outcome: Outcome) -> None:
        """It came to this."""
        trial.place.usefulness.judged(trial.case, outcome)
        self.over(trial)

    def passed_over(self, trial: Trial) -> None:
        """It is not run, or not before all others are done."""
        trial.place.usefulness.passed_over(trial.case)
        self.over(trial)

    def over(self, trial: Trial) -> None:
        """Nobody needs to wait for this one any more."""
        self._awaited.discard(trial.number)
        if trial.suspected:
            trial.suspected = False
            trial.place.usefulness.cleared(trial.case)
        self.tell_news()

    def tell_news(self) -> None:
        """Something has become of a case: others may have waited for that."""
        self._news.set()
        self._news = trio.Event()

    async def news(self) -> None:
        """Wait until something has become of a case."""
        await self._news.wait()


class Room:
    """How many more clients a server has room for."""

    def __init__(self, clients: int) -> None:
        self._free = clients
        self._changed = trio.Event()

    async def take(self, clients: int) -> None:
        while self._free < clients:
            self._changed = trio.Event()
            await self._changed.wait()
        self._free -= clients

    def give_back(self, clients: int) -> None:
        self._free += clients
        self._changed.set()
