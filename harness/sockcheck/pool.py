"""Servers for cases: which instance performs which case, how often, and what becomes of the instance.

An instance serves one case at a time, so that blame is never shared, and serves as long as it is healthy and nothing is
left behind in it. Cases that mostly wait share one, if it promises so many clients: a pass of theirs counts, and
anything else is tried again alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace

import trio

from sockcheck.attempts import Attempts, Instance
from sockcheck.case import Case
from sockcheck.driver import Driver
from sockcheck.errors import TargetError
from sockcheck.events import Role, TargetFailed
from sockcheck.evidence import Alone, Attempt, Judged, Move, Replay, Weighing, is_hard, weigh
from sockcheck.facts import Facts
from sockcheck.place import NOT_PAUSABLE, Place, pauses
from sockcheck.queues import Feed, Item, Queues, Room, Trial
from sockcheck.starting import Starter
from sockcheck.verdict import Verdict
from sockcheck.world import World

# So many servers more for cases that mostly wait.
IDLERS = 8
_TRIED_TOGETHER = 2
# A first accept() that takes longer, in seconds, is one of a server that listens before it is ready.
_SLOW_ACCEPT = 0.05
# More predecessors than that are no suspects: it is their number.
_FEW = 2
_LOST = "the server was lost in an earlier case"


@dataclass(eq=False)
class _Open:
    """A trial that needs another attempt. `served` begins with the cases before its first one, on that instance."""

    trial: Trial
    weighing: Weighing
    move: Move
    served: Sequence[Case]
    isolated: bool
    """Whether the first attempt was in a network of the server's own."""
    outside: int = 0
    """The last instance that was tried without one."""


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
        self._queues = Queues(items, exhaustive=exhaustive, feed=feed)
        self._attempts = Attempts(self._queues, facts, origin, fail_fast=fail_fast)
        self._fail_fast = fail_fast
        self._fed = feed is not None
        self._targets = 0
        self._open: deque[_Open] = deque()
        self._exclusive: deque[_Open] = deque()
        self._soft: deque[_Open] = deque()
        self._spare: Callable[[], None] | None = None
        self._starter = Starter()

    @property
    def places(self) -> Sequence[Place]:
        """The servers that there are items for, so far."""
        return self._queues.places

    @property
    def size(self) -> int:
        """How many servers that are busy can be of use at a time."""
        return self._queues.size

    @property
    def stop(self) -> str:
        return self._attempts.stop

    @stop.setter
    def stop(self, why: str) -> None:
        self._attempts.stop = why

    async def work(self, world: World, jobs: int) -> None:
        """Perform everything with so many servers at a time; in the end, alone, what the machine was too busy for.

        With more than one at a time there are some more for cases that mostly wait, and for those that are repeated
        because they waited in vain: they take no CPU from the others.
        Cancelled, it stops all servers, and what is begun is judged by what there is.
        """
        if jobs == 1:
            self._queues.in_one_row()
        try:
            async with trio.open_nursery() as workers:
                if jobs > 1 and not self._fail_fast:
                    room = trio.CapacityLimiter(IDLERS)
                    self._spare = lambda: workers.start_soon(self._repeat, world, room)
                for _ in range(jobs):
                    workers.start_soon(self._work, world, self._queues.waiting)
                for _ in range(min(IDLERS, len(self._queues.idle))):
                    workers.start_soon(self._work, world, self._queues.idle)
            self._spare = None
            self._open.extend(self._exclusive)
            self._exclusive.clear()
            while (self._queues.idle or self._open or self._exclusive) and not self.stop:
                await self._work(world, self._queues.idle)
                self._open.extend(self._exclusive)
                self._exclusive.clear()
        finally:
            for pending in (*self._open, *self._exclusive, *self._soft):
                self._attempts.cut_short(pending.trial)
            for trial in tuple(self._queues.left()):
                self._attempts.leave_out(trial, ("stopped", self.stop))

    async def _repeat(self, world: World, room: trio.CapacityLimiter) -> None:
        """One more attempt at a case that waited in vain, which takes its time and hardly any CPU."""
        async with room:
            if self._soft and not self.stop:
                await self._go_on(self._soft.popleft(), world)

    async def _work(self, world: World, queue: deque[Trial]) -> None:
        while not self.stop:
            if self._open:
                await self._go_on(self._open.popleft(), world)
            elif (place := self._queues.may_share(queue)) is not None and self._is_free(place):
                await self._serve_together(self._queues.ready_to_share(queue), world)
            elif not queue:
                if (shared := self._queues.shared) is not None:
                    await (self._queues.news() if shared.known.is_set() else shared.known.wait())
                elif not await self._queues.fed():
                    return
            elif (trial := self._queues.next(queue)) is None:
                # Whoever works on what the rest depends on tells when it is known.
                await self._queues.news()
            elif trial.place.lost or trial.case.skip:
                queue.remove(trial)
                self._attempts.leave_out(trial, trial.skipped() or ("no-server", trial.place.lost))
            elif not trial.place.can_be_many and self._starter.single.locked():
                async with self._starter.single:
                    pass  # Who had it has gone on with what waits.
            elif self._is_free(trial.place):
                await self._serve(trial.place, world, queue)
            else:
                await trial.place.known.wait()

    def _is_free(self, place: Place) -> bool:
        """Whether it may be started now, and not another worker is about to find out whether it can be at all."""
        first, place.tried = not place.tried, True
        return first or place.known.is_set()

    @asynccontextmanager
    async def _instance(self, place: Place, world: World, *, outside: bool = False) -> AsyncIterator[Instance]:
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
                yield Instance(place, target, number)
        except TargetError as error:
            if not place.lost and not outside:
                world.emit(TargetFailed(world.clock(), number, error.message, error.hint, error.output, error.fault))
                place.lost = error.message
                place.known.set()
                self._queues.tell_news()
            raise

    async def _serve(self, place: Place, world: World, queue: deque[Trial]) -> None:
        """One instance of a server, for as many of its cases as it stays fit for."""
        with suppress(TargetError):
            async with self._instance(place, world) as instance:
                driver = Driver(world, instance.target, restless=place.spins)
                while (trial := await self._take(place, queue)) is not None:
                    if pauses(trial.case) and not await self._can_pause(place, driver):
                        self._attempts.leave_out(trial, ("such", NOT_PAUSABLE))
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
                decided = not self._fed or not self._open
                if place.probe is not None and instance.served and not self.stop and decided:
                    probe = self._queues.trial(place.probe, place, probe=True)
                    await self._begin(probe, instance, driver, "probe", world)

    async def _serve_together(self, trials: list[Trial], world: World) -> None:
        """One instance for cases that mostly wait, all at once as far as it promises to serve so many clients."""
        place = trials[0].place
        for trial, why in [(trial, why) for trial in trials if (why := trial.useless())]:
            trials.remove(trial)
            self._attempts.leave_out(trial, why)
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
            self._queues.over(trial)
            self._queues.idle.appendleft(trial)

    async def _share(self, trials: Sequence[Trial], instance: Instance, world: World) -> None:
        """First attempts at all of these, with as many at once as the server has room for."""
        room = Room(instance.place.clients)

        async def perform(trial: Trial) -> None:
            try:
                await self._begin(trial, instance, Driver(world, instance.target), "shared", world)
            finally:
                room.give_back(len(trial.case.actors))

        async with trio.open_nursery() as nursery:
            for trial in trials:
                await room.take(len(trial.case.actors))
                nursery.start_soon(perform, trial)

    async def _begin(self, trial: Trial, instance: Instance, driver: Driver, role: Role, world: World) -> bool:
        """The first attempt at a case; whether the instance is fit for another one."""
        place, served, before = trial.place, instance.served, len(instance.served)
        self._queues.begun(trial)
        try:
            fit = await self._attempts.perform(trial, trial.case, instance, driver, role, world)
        except BaseException:
            self._attempts.cut_short(trial)
            raise
        verdict = trial.verdicts[-1]
        if not fit and not place.replaceable:
            place.lost = place.lost or _LOST
        attempt = Attempt(verdict, before, shared=role == "shared")
        suspects = place.suspects(served[:before]) if place.culprits else ()
        isolated = instance.target.isolation is not None
        if verdict.outcome == "fail":
            self._queues.suspect(trial)
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
                    for case in (pending.served[position] for position in move.predecessors):
                        await self._attempts.perform(trial, case, instance, driver, "predecessor", world)
                await self._attempts.perform(trial, trial.case, instance, driver, role, world)
        except TargetError as error:
            if outside:
                self._advance(pending, Attempt(Verdict("error", reason=error.message)))
            else:
                self._attempts.cut_short(trial, error.message)
        except BaseException:
            self._attempts.cut_short(trial)
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
                self._attempts.not_isolated(pending.trial, pending.outside)
            elif pending.isolated and not pending.trial.place.isolated and judged.verdict.outcome in ("fail", "flaky"):
                # It has become known meanwhile that this network is no fair place for this server.
                self._again(pending.trial)
                return
            self._attempts.judged(pending.trial, judged.verdict, after)
        else:
            if isinstance(pending.move, Alone) and pending.move.exclusive:
                self._queues.passed_over(pending.trial)
                # Of those that are fed there is never another beside it.
                (self._open if self._fed else self._exclusive).append(pending)
            elif self._spare is not None and not is_hard(pending.trial.verdicts[0].findings):
                self._soft.append(pending)
                self._spare()
            else:
                self._open.append(pending)
        self._queues.tell_news()

    def _again(self, trial: Trial) -> None:
        """Begin a case anew: what it was judged by does not count."""
        self._queues.over(trial)
        if not trial.probe:
            self._queues.idle.append(replace(trial, verdicts=[]))

    async def _take(self, place: Place, queue: deque[Trial]) -> Trial | None:
        """The next case that is to be run on this server, if any is left, or comes, and the run goes on."""
        while not self.stop:
            trial = self._queues.next(queue, place)
            if trial is None:
                if queue or self._open or not await self._queues.fed():
                    return None
                continue
            queue.remove(trial)
            why = trial.skipped() or trial.obstacle() or trial.useless()
            if why is None:
                return trial
            self._attempts.leave_out(trial, why)
        return None

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
