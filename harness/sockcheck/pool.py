"""Servers for cases: which instance performs which case, how often, and what becomes of the instance.

An instance serves one case at a time, so that blame is never shared, and serves as long as it is healthy and nothing is
left behind in it. Cases that mostly wait share one, if it promises so many clients: a pass of theirs counts, and
anything else is tried again alone.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

import trio

from sockcheck.addresses import Address
from sockcheck.case import Case
from sockcheck.driver import Driver, Patience
from sockcheck.errors import TargetError
from sockcheck.events import (
    CaseFinished,
    CaseJudged,
    CaseNotRun,
    CaseStarted,
    NotIsolated,
    NotRun,
    Role,
    TargetFailed,
    Troubled,
)
from sockcheck.evidence import Alone, Attempt, Judged, Move, Replay, Trial, cut_short, is_hard, weigh
from sockcheck.facts import Facts
from sockcheck.idling import can_share, is_probe, mostly_waits
from sockcheck.place import NOT_PAUSABLE, Place, pauses
from sockcheck.starting import Starter
from sockcheck.target import Command, Target
from sockcheck.usefulness import Usefulness, why_useless
from sockcheck.verdict import Verdict
from sockcheck.world import World

Server = Command | Address

_Why = tuple[NotRun, str]
"""Why a case is not run: of what sort that is, and in a sentence."""

# So many servers more for cases that mostly wait.
IDLERS = 8
_TRIED_TOGETHER = 2
# A first accept() that takes longer, in seconds, is one of a server that listens before it is ready.
_SLOW_ACCEPT = 0.05
# More predecessors than that are no suspects: it is their number.
_FEW = 2
_LOST = "the server was lost in an earlier case"


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
class _Trial:
    """A case, and the attempts at it so far."""

    number: int
    case: Case
    place: Place
    probe: bool = False
    suspected: bool = False
    """Whether it failed at first, and it is not known yet what that comes to."""
    attempts: list[int] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


@dataclass(eq=False)
class _Open:
    """A trial that needs another attempt. `served` begins with the cases before its first one, on that instance."""

    trial: _Trial
    weighing: Trial
    move: Move
    served: Sequence[Case]
    isolated: bool
    """Whether the first attempt was in a network of the server's own."""
    outside: int = 0
    """The last instance that was tried without one."""


@dataclass(eq=False)
class _Instance:
    """A server that is there, and what it has served so far."""

    place: Place
    target: Target
    number: int
    served: list[Case] = field(default_factory=list)


class Pool:
    """Performs all items. `origin` is time.monotonic() at the start of the run.

    `stop`: why no more cases are begun, or ""; whoever ends the run early sets it before it cancels `work`. `feed`
    has more items, which are performed one by one: servers are kept from one to the next as long as they are fit.
    """

    def __init__(
        self,
        items: Sequence[Item],
        facts: Facts,
        origin: float,
        *,
        fail_fast: bool,
        exhaustive: bool = False,
        feed: Feed | None = None,
    ) -> None:
        self.places: list[Place] = []
        self.stop = ""
        self._facts = facts
        self._origin = origin
        self._fail_fast = fail_fast
        self._exhaustive = exhaustive
        self._feed = feed
        self._prefix = os.urandom(3).hex()
        self._news = trio.Event()
        # The numbers of trials that somebody works on, or soon will: others may wait for what becomes of them.
        self._awaited: set[int] = set()
        self._attempts = 0
        self._targets = 0
        self._trials = 0
        self._waiting: deque[_Trial] = deque()
        self._idle: deque[_Trial] = deque()
        self._together: deque[list[_Trial]] = deque()
        self._open: deque[_Open] = deque()
        self._exclusive: deque[_Open] = deque()
        self._soft: deque[_Open] = deque()
        self._spare: Callable[[], None] | None = None
        self._starter = Starter()
        self._take_in(items)

    def _take_in(self, items: Sequence[Item]) -> None:
        together: dict[Place, list[_Trial]] = {}
        for item in items:
            place = next((place for place in self.places if place.server == item.server), None)
            if place is None:
                usefulness = Usefulness(exhaustive=self._exhaustive)
                self.places.append(place := Place(item.server, item.clients, usefulness=usefulness))
            place.clients = min(place.clients, item.clients)
            if place.probe is None and is_probe(item.case):
                place.probe = item.case
            trial = self._trial(item.case, place)
            if place.usefulness.planned(item.case):
                self._awaited.add(trial.number)
            if self._feed is not None:
                self._waiting.append(trial)
            elif can_share(item.case, item.clients):
                together.setdefault(place, []).append(trial)
            else:
                (self._idle if mostly_waits(item.case) else self._waiting).append(trial)
        for trials in together.values():
            if len(trials) > 1:
                self._together.append(trials)
            else:
                self._idle.extend(trials)

    @property
    def size(self) -> int:
        """How many servers that are busy can be of use at a time."""
        return max(1, len(self._waiting) + len(self._idle) + len(self._together))

    async def work(self, world: World, jobs: int) -> None:
        """Perform everything with so many servers at a time; in the end, alone, what the machine was too busy for.

        With more than one at a time there are some more for cases that mostly wait, and for those that are repeated
        because they waited in vain: they take no CPU from the others.
        Cancelled, it stops all servers, and what is begun is judged by what there is.
        """
        if jobs == 1:
            # One behind the other, in the order in which they were given.
            self._waiting = deque(sorted((*self._waiting, *self._idle), key=lambda trial: trial.number))
            self._idle.clear()
        try:
            async with trio.open_nursery() as workers:
                if jobs > 1 and not self._fail_fast:
                    room = trio.CapacityLimiter(IDLERS)
                    self._spare = lambda: workers.start_soon(self._repeat, world, room)
                for _ in range(jobs):
                    workers.start_soon(self._work, world, self._waiting)
                for _ in range(min(IDLERS, len(self._idle))):
                    workers.start_soon(self._work, world, self._idle)
            self._spare = None
            self._open.extend(self._exclusive)
            self._exclusive.clear()
            while (self._idle or self._open or self._exclusive) and not self.stop:
                await self._work(world, self._idle)
                self._open.extend(self._exclusive)
                self._exclusive.clear()
        finally:
            for pending in (*self._open, *self._exclusive, *self._soft):
                self._cut_short(pending.trial, self.stop)
            for trial in (*self._waiting, *self._idle, *(trial for trials in self._together for trial in trials)):
                self._not_run(trial.case, "stopped", self.stop)

    async def _repeat(self, world: World, room: trio.CapacityLimiter) -> None:
        """One more attempt at a case that waited in vain, which takes its time and hardly any CPU."""
        async with room:
            if self._soft and not self.stop:
                await self._go_on(self._soft.popleft(), world)

    async def _work(self, world: World, queue: deque[_Trial]) -> None:
        while not self.stop:
            if self._open:
                await self._go_on(self._open.popleft(), world)
            elif self._together and self._may_share(queue) and self._is_free(self._together[0][0].place):
                await self._serve_together(self._ready_to_share(queue), world)
            elif not queue:
                if not self._together:
                    if await self._fed():
                        continue
                    return
                known = self._together[0][0].place.known
                await (self._news if known.is_set() else known).wait()
            elif (trial := self._next(queue)) is None:
                # Whoever works on what the rest depends on tells when it is known.
                await self._news.wait()
            elif trial.place.lost or trial.case.skip:
                queue.remove(trial)
                self._leave_out(trial, _skipped(trial) or ("no-server", trial.place.lost))
            elif not trial.place.can_be_many and self._starter.single.locked():
                async with self._starter.single:
                    pass  # Who had it has gone on with what waits.
            elif self._is_free(trial.place):
                await self._serve(trial.place, world, queue)
            else:
                await trial.place.known.wait()

    def _may_share(self, queue: deque[_Trial]) -> bool:
        """Whether it is known of some that may share a server if they are of use; or there is nothing else to do."""
        return not (queue or self._waiting) or not all(map(self._is_later, self._together[0]))

    def _ready_to_share(self, queue: deque[_Trial]) -> list[_Trial]:
        """Those of which it is known; all, where there is nothing else to do."""
        trials = self._together.popleft()
        ready = [trial for trial in trials if not (queue or self._waiting) or not self._is_later(trial)]
        if len(ready) < len(trials):
            self._together.append([trial for trial in trials if trial not in ready])
        return ready

    def _is_free(self, place: Place) -> bool:
        """Whether it may be started now, and not another worker is about to find out whether it can be at all."""
        first, place.tried = not place.tried, True
        return first or place.known.is_set()

    @asynccontextmanager
    async def _instance(self, place: Place, world: World, *, outside: bool = False) -> AsyncIterator[_Instance]:
        """A server, started for this or running already. TargetError, also from the body, has been told behind it.

        `outside`: without a network of its own, to see whether it does better; an error is told to nobody then.
        """
        self._targets += 1
        number = self._targets
        try:
            if place.lost:
                raise TargetError(place.lost)
            async with AsyncExitStack() as stack:
                target = await self._starter.have(place, number, world, stack, outside=outside)
                place.was_had(target)
                yield _Instance(place, target, number)
        except TargetError as error:
            if not place.lost and not outside:
                world.emit(TargetFailed(world.clock(), number, error.message, error.hint, error.output, error.fault))
                place.lost = error.message
                place.known.set()
                self._tell_news()
            raise

    async def _serve(self, place: Place, world: World, queue: deque[_Trial]) -> None:
        """One instance of a server, for as many of its cases as it stays fit for."""
        with suppress(TargetError):
            async with self._instance(place, world) as instance:
                driver = Driver(world, instance.target, restless=place.spins)
                while (trial := await self._take(place, queue)) is not None:
                    if pauses(trial.case) and not await self._can_pause(place, driver):
                        self._leave_out(trial, ("such", NOT_PAUSABLE))
                        return
                    await self._ready_for_pause(trial.case, place, driver)
                    fit = await self._begin(trial, instance, driver, "first", world)
                    known, place.spins = place.spins, place.spins or driver.spins
                    if place.replaceable and fit and driver.spins and not known:
                        break  # The look behind the last case tells of it, once.
                    if place.replaceable and (not fit or driver.spins or trial.case.state == "own"):
                        # Whatever is wrong with this instance now, or left behind in it, is not to be the next case's
                        # burden.
                        return
                    if place.lost:
                        return
                # What was fed last may be undecided yet: a fresh client would then be in its way.
                decided = self._feed is None or not self._open
                if place.probe is not None and instance.served and not self.stop and decided:
                    await self._begin(self._trial(place.probe, place, probe=True), instance, driver, "probe", world)

    async def _serve_together(self, trials: list[_Trial], world: World) -> None:
        """One instance for cases that mostly wait, all at once as far as it promises to serve so many clients."""
        place = trials[0].place
        for trial, why in [(trial, why) for trial in trials if (why := _useless(trial))]:
            trials.remove(trial)
            self._leave_out(trial, why)
        if not trials:
            return
        try:
            async with self._instance(place, world) as instance:
                # Two are enough to see whether clients of different cases meet each other there, as in a chat.
                await self._share(trials[:_TRIED_TOGETHER], instance, world)
                if all(trial.verdicts[-1].outcome == "pass" for trial in trials[:_TRIED_TOGETHER]):
                    await self._share(trials[_TRIED_TOGETHER:], instance, world)
        except* TargetError:
            pass  # it has been told
        for trial in [trial for trial in reversed(trials) if not trial.attempts]:
            # Whether anybody works on those that mostly wait is not known here.
            self._over(trial)
            self._idle.appendleft(trial)

    async def _share(self, trials: Sequence[_Trial], instance: _Instance, world: World) -> None:
        """First attempts at all of these, with as many at once as the server has room for."""
        room = _Room(instance.place.clients)

        async def perform(trial: _Trial) -> None:
            try:
                await self._begin(trial, instance, Driver(world, instance.target), "shared", world)
            finally:
                room.give_back(len(trial.case.actors))

        async with trio.open_nursery() as nursery:
            for trial in trials:
                await room.take(len(trial.case.actors))
                nursery.start_soon(perform, trial)

    async def _begin(self, trial: _Trial, instance: _Instance, driver: Driver, role: Role, world: World) -> bool:
        """The first attempt at a case; whether the instance is fit for another one."""
        place, served, before = trial.place, instance.served, len(instance.served)
        if not trial.probe:
            self._awaited.add(trial.number)
        try:
            fit = await self._perform(trial, trial.case, instance, driver, role, world)
        except BaseException:
            self._cut_short(trial, self.stop)
            raise
        verdict = trial.verdicts[-1]
        if not fit and not place.replaceable:
            place.lost = place.lost or _LOST
        attempt = Attempt(verdict, before, shared=role == "shared")
        suspects = place.suspects(served[:before]) if place.culprits else ()
        isolated = instance.target.isolation is not None
        if verdict.outcome == "fail" and not trial.probe:
            trial.suspected = True
            place.usefulness.suspected(trial.case)
        weighing = weigh(attempt, replaceable=place.replaceable, suspects=suspects, isolated=isolated)
        self._advance(_Open(trial, weighing, Alone(), served, isolated), None)
        return fit and verdict.outcome == "pass"

    async def _go_on(self, pending: _Open, world: World) -> None:
        """One more attempt, on a server of its own."""
        trial, move = pending.trial, pending.move
        role: Role = "alone"
        outside = isinstance(move, Alone) and move.outside
        try:
            async with self._instance(trial.place, world, outside=outside) as instance:
                driver = Driver(world, instance.target, restless=trial.place.spins)
                await self._ready_for_pause(trial.case, trial.place, driver)
                if outside:
                    role, pending.outside = "outside", instance.number
                if isinstance(move, Replay):
                    role = "after"
                    for position in move.predecessors:
                        await self._perform(trial, pending.served[position], instance, driver, "predecessor", world)
                await self._perform(trial, trial.case, instance, driver, role, world)
        except TargetError as error:
            if outside:
                self._advance(pending, Attempt(Verdict("error", reason=error.message)))
            else:
                self._cut_short(trial, error.message)
        except BaseException:
            self._cut_short(trial, self.stop)
            raise
        else:
            self._advance(pending, Attempt(trial.verdicts[-1]))

    def _advance(self, pending: _Open, attempt: Attempt | None) -> None:
        """Ask what this attempt, or the first, leads to."""
        try:
            pending.move = next(pending.weighing) if attempt is None else pending.weighing.send(attempt)
        except StopIteration as stop:
            judged: Judged = stop.value
            after = tuple(pending.served[position].id for position in judged.after)
            if 0 < len(after) <= _FEW:
                pending.trial.place.culprits.add(after)
            if judged.needs_outside:
                why = f"the case {pending.trial.case.id} fails again and again, and passes without"
                if pending.trial.place.give_up_isolation():
                    self._facts.emit(NotIsolated(self._clock(), pending.outside, why))
            elif pending.isolated and not pending.trial.place.isolated and judged.verdict.outcome in ("fail", "flaky"):
                # It has become known meanwhile that this network is no fair place for this server.
                self._again(pending.trial)
                return
            self._judged(pending.trial, judged.verdict, after)
        else:
            if isinstance(pending.move, Alone) and pending.move.exclusive:
                pending.trial.place.usefulness.passed_over(pending.trial.case)
                self._over(pending.trial)
                # Of those that are fed there is never another beside it.
                (self._exclusive if self._feed is None else self._open).append(pending)
            elif self._spare is not None and not is_hard(pending.trial.verdicts[0].findings):
                self._soft.append(pending)
                self._spare()
            else:
                self._open.append(pending)
        self._tell_news()

    def _again(self, trial: _Trial) -> None:
        """Begin a case anew: what it was judged by does not count."""
        self._over(trial)
        if not trial.probe:
            self._idle.append(replace(trial, verdicts=[]))

    async def _perform(
        self, trial: _Trial, case: Case, instance: _Instance, driver: Driver, role: Role, world: World
    ) -> bool:
        """One attempt at a case; whether the server is there and listens behind it."""
        self._attempts += 1
        attempt = self._attempts
        instance.served.append(case)
        unique = self._unique(attempt)
        world.emit(CaseStarted(world.clock(), attempt, instance.number, case, unique, trial.number, role))
        judge = self._facts.bench.judge(attempt)
        try:
            return await driver.perform(attempt, judge, patience=_patience(trial, case, role))
        except BaseException as error:
            # Cut short, by a signal or because the server's keeper was lost: no evidence either way.
            why = self.stop or (error.message if isinstance(error, TargetError) else "the case was cut short")
            world.emit(Troubled(world.clock(), attempt, why))
            raise
        finally:
            instance.place.accept_took = max(instance.place.accept_took, driver.accept_took)
            verdict = judge.verdict()
            world.emit(CaseFinished(world.clock(), attempt, verdict))
            if role != "predecessor":
                trial.attempts.append(attempt)
                trial.verdicts.append(verdict)

    def _judged(self, trial: _Trial, verdict: Verdict, after: tuple[str, ...] = ()) -> None:
        if trial.probe and not self._tells_something(trial.place, verdict, after):
            return
        if trial.case.advice and verdict.outcome in ("fail", "flaky"):
            why = f"the law needs {trial.case.advice!r}, which nobody promised"
            verdict = replace(verdict, outcome="advice", reason=verdict.reason or why)
        if not trial.probe:
            trial.place.usefulness.judged(trial.case, verdict.outcome)
            self._over(trial)
        if trial.case is trial.place.probe:
            trial.place.probe_failed = verdict.outcome != "pass"
        verdict = self._facts.excused(trial.case, verdict, fresh=trial.probe)
        if verdict.outcome == "fail" and self._fail_fast:
            self.stop = self.stop or "an earlier case failed (--fail-fast)"
        self._facts.emit(CaseJudged(self._clock(), trial.number, tuple(trial.attempts), verdict, after))

    def _tells_something(self, place: Place, verdict: Verdict, after: tuple[str, ...]) -> bool:
        """Whether what a fresh client met behind the last case says more than its case by itself does.

        Where the exchange does not work twice on one server it leaves something behind, and is no fair question.
        """
        if verdict.outcome not in ("fail", "flaky") or place.probe_failed:
            return False
        asked_twice = place.probe is not None and place.probe.id in after
        return not asked_twice or all(finding.law.startswith("churn.") for finding in verdict.findings)

    def _cut_short(self, trial: _Trial, why: str) -> None:
        """No more attempts can be made at this case: it is judged by those that there are."""
        if trial.verdicts:
            self._judged(trial, cut_short(trial.verdicts, why))
        self._over(trial)

    async def _fed(self) -> bool:
        """Whether one more item has come."""
        item = None if self._feed is None else await self._feed.next()
        self._take_in([] if item is None else [item])
        return item is not None

    async def _take(self, place: Place, queue: deque[_Trial]) -> _Trial | None:
        """The next case that is to be run on this server, if any is left, or comes, and the run goes on."""
        while not self.stop:
            trial = self._next(queue, place)
            if trial is None:
                if queue or self._open or not await self._fed():
                    return None
                continue
            queue.remove(trial)
            why = _skipped(trial) or _obstacle(trial) or _useless(trial)
            if why is None:
                return trial
            self._leave_out(trial, why)
        return None

    def _next(self, queue: deque[_Trial], place: Place | None = None) -> _Trial | None:
        """The first that need not wait for what becomes of another, of those for this server if one is named."""
        for trial in queue:
            if place in (None, trial.place) and not self._is_later(trial):
                return trial
        return None

    def _is_later(self, trial: _Trial) -> bool:
        """Whether it waits for what becomes of another, as long as anybody works on one that could tell."""
        return bool(self._awaited) and trial.place.usefulness.of(trial.case) == "later"

    def _over(self, trial: _Trial) -> None:
        """Nobody needs to wait for this one any more."""
        self._awaited.discard(trial.number)
        if trial.suspected:
            trial.suspected = False
            trial.place.usefulness.cleared(trial.case)
        self._tell_news()

    def _leave_out(self, trial: _Trial, why: _Why) -> None:
        trial.place.usefulness.passed_over(trial.case)
        self._not_run(trial.case, *why)
        self._over(trial)

    def _tell_news(self) -> None:
        """Something has become of a case: others may have waited for that."""
        self._news.set()
        self._news = trio.Event()

    async def _can_pause(self, place: Place, driver: Driver) -> bool:
        """A control, once for each server: a textbook C program ends when epoll_wait() tells of the pause by EINTR."""
        if place.pausable is None:
            place.pausable = await driver.survives_pause()
        return place.pausable

    async def _ready_for_pause(self, case: Case, place: Place, driver: Driver) -> None:
        """A server that listens before it accepts is given the time that others of it took, before it is paused.

        Who waits in the queue of a paused server cannot be told from who waits for one that is not ready yet.
        """
        if pauses(case) and not driver.accept_took and place.accept_took > _SLOW_ACCEPT:
            await trio.sleep(2 * place.accept_took)

    def _trial(self, case: Case, place: Place, *, probe: bool = False) -> _Trial:
        self._trials += 1
        return _Trial(self._trials, case, place, probe)

    def _unique(self, attempt: int) -> str:
        """What `${unique}` stands for. Runs against one server, also at the same time, must not meet in it."""
        return f"{self._prefix}{attempt:x}"

    def _not_run(self, case: Case, reason: NotRun, why: str) -> None:
        self._facts.emit(CaseNotRun(self._clock(), case, why, reason))

    def _clock(self) -> float:
        return time.monotonic() - self._origin


def _skipped(trial: _Trial) -> _Why | None:
    return ("skipped", trial.case.skip) if trial.case.skip else None


def _obstacle(trial: _Trial) -> _Why | None:
    """Why it would tell nothing of this server."""
    obstacle = trial.place.obstacle(trial.case)
    return ("such", obstacle) if obstacle else None


def _useless(trial: _Trial) -> _Why | None:
    """Why it is not worth running."""
    useless = trial.place.usefulness.of(trial.case)
    return (useless, why_useless(trial.case, useless)) if useless in ("pointless", "broken") else None


def _patience(trial: _Trial, case: Case, role: Role) -> Patience:
    if role == "predecessor":
        return "none"
    if trial.probe:
        return "server"
    return "case" if case.law == "churn.leak" else "none"


class _Room:
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
