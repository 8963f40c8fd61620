"""Performs one case against one target, and reads the target's health behind it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import trio

from sockcheck import server_steps
from sockcheck.case import SERVER, Action, Await, Case, Pause
from sockcheck.client import Client
from sockcheck.client_events import (
    Awaited,
    Connected,
    DeadlinePassed,
    Settled,
)
from sockcheck.events import (
    CaseTimedOut,
    Event,
    Figures,
    Growth,
    HealthRead,
    Troubled,
)
from sockcheck.judging import Judge
from sockcheck.marks import Board
from sockcheck.observe import measures, resting
from sockcheck.observe.settling import settle
from sockcheck.segments import REST_LIMIT
from sockcheck.server_events import (
    ServerDeadlinePassed,
    ServerStarted,
)
from sockcheck.serving import SPIN
from sockcheck.slopes import growths
from sockcheck.target import Target
from sockcheck.world import Trouble, World

# How long a server may take to settle, in seconds: much longer than it needs, since a busy machine may keep it waiting.
SETTLE_LIMIT = 1.0
# For one that did not settle in time before: it spins, or never sleeps. Its cases should not all wait that long.
_RESTLESS_LIMIT = 0.05
# How long a server that seems to keep something of each connection is given to give it back, and how often it is looked
# at, in seconds: some keep a connection for seconds after its end, as ngIRCd does.
_GIVE_BACK_LIMIT, _RELOOK = 10.0, 0.1
# How long a server may go on reading what clients have left behind before nothing is made of it, in seconds.
_READ_ON_LIMIT = 10.0
# More readings than that tell no more: of a long run every second one is kept.
_MOST_READINGS = 1000
# Of a case of many connections, the figures are read in between as well.
_READ_EACH = 25
# A server that uses this share of all CPUs waits for a CPU because of its own threads.
_OWN_DOING = 0.8
# What a client awaits of the server as a whole.
_REST = ("settled", "rest")
# Clients that start together would falsify each other's times: so many, then a turn for those that run.
_STARTED_AT_ONCE = 16


Patience = Literal["none", "case", "server"]


class Driver:
    """Performs cases. One for each target, since it remembers how that one behaves.

    `restless`: others of this server did not come to rest, so that it is not waited for as long.
    `spins`: it was seen to use a CPU when there was nothing to do. `accept_took`: the seconds from its first client's
    connect() until it was accepted, 0.0 before there was one.
    """

    def __init__(self, world: World, target: Target, *, restless: bool = False) -> None:
        self._world = replace(_there(world, target), emit=self._emit)
        self._told = world.emit
        self._target = target
        # Some never sleep while a client is connected, and others do not when it has left: each is remembered apart.
        self._settle_limit = self._client_limit = _RESTLESS_LIMIT if restless else SETTLE_LIMIT
        self.spins = False
        self._before: Figures | None = None
        self._connections = 0
        self._accepted = False
        self.accept_took = 0.0
        self._readings: list[tuple[int, Figures]] = []
        self._actions: Mapping[str, Sequence[Action]] = {}
        self._began = 0.0

    async def perform(self, attempt: int, judge: Judge, *, patience: Patience = "none") -> bool:
        """Everything from the first connection to the health behind the case, told as events to `world.emit`.

        `patience`: give a server that does not come to rest the time to do so, and look what it does with it, and
        what it keeps of the connections of this `case`, or of all that the `server` has had. Whether the server lives
        and listens afterwards. Raises TargetError where it was lost altogether.
        """
        world, case, patient = self._world, judge.case, patience != "none"
        if patience == "case":
            self._readings.clear()
            self._connections = 0
        self._actions = {actor.name: actor.actions for actor in case.actors}
        board = Board([*((actor.name, actor.actions) for actor in case.actors), (SERVER, case.server)])
        clients = [self._client(attempt, actor.name, judge, board) for actor in case.actors]
        began = self._began = world.clock()
        if self._before is None:
            self._before = self._figures()
        try:
            with trio.move_on_after(case.deadline) as scope:
                await self._run_all(clients, attempt, judge, board)
        except* Trouble as troubles:
            world.emit(Troubled(world.clock(), attempt, str(_first(troubles))))
        finally:
            for client in clients:
                client.abandon()
            if case.server:
                with trio.CancelScope(shield=True):
                    await self._target.resume()
        if scope.cancelled_caught:
            world.emit(CaseTimedOut(world.clock(), attempt, world.poller.late_since(world.origin + began)))
        if patient:
            self._settle_limit = SETTLE_LIMIT
        late, starved = world.poller.late_since(world.origin + began), self._starved()
        rests = await self._settle(clients)
        share = None if rests or not patient else await self._share(clients)
        health = await self._target.health()
        self._before = health.figures
        self._note(health.figures)
        grown = await self._growths() if patient and rests else ()
        world.emit(HealthRead(world.clock(), attempt, *health, share=share, growths=grown, late=late, starved=starved))
        return health.alive and health.listening

    async def survives_pause(self) -> bool:
        """Whether the server lives and listens after a pause that nothing else happened in."""
        await self._target.signal_all(signal.SIGSTOP)
        await self._target.signal_all(signal.SIGCONT)
        await self._settle([])
        health = await self._target.health()
        return health.alive and health.listening

    def _emit(self, event: Event) -> None:
        """Tell `event`. With a deadline goes how long the server was kept from running."""
        if isinstance(event, Connected):
            self.accept_took = self.accept_took or event.at - event.began
            self._connections += 1
            if self._connections % _READ_EACH == 0:
                self._note(self._figures())
        elif isinstance(event, ServerStarted):
            self._accepted = False
        elif isinstance(event, Settled):
            self._client_limit = _RESTLESS_LIMIT if event.outcome == "late" else SETTLE_LIMIT
        elif isinstance(event, Awaited) and event.state in _REST:
            self._client_limit = SETTLE_LIMIT
        elif isinstance(event, DeadlinePassed | CaseTimedOut):
            if isinstance(event, DeadlinePassed) and self._awaits_rest(event):
                self._client_limit = _RESTLESS_LIMIT
            event = replace(event, starved=self._starved())
        elif isinstance(event, ServerDeadlinePassed):
            late = self._world.poller.late_since(self._world.origin + self._began)
            event = replace(event, late=late, starved=self._starved())
        self._told(event)

    def _awaits_rest(self, event: DeadlinePassed) -> bool:
        action = self._actions[event.client][event.step]
        return isinstance(action, Await) and action.state in _REST

    def _note(self, figures: Figures | None) -> None:
        """These are the figures after so many connections."""
        if figures is not None:
            self._readings.append((self._connections, figures))
            if len(self._readings) > _MOST_READINGS:
                del self._readings[::2]

    def _figures(self) -> Figures | None:
        pids = self._target.pids()
        return measures.figures(pids) if pids else None

    def _starved(self) -> float:
        """How long, in seconds, threads of the server waited for a CPU since the case began.

        One that ran for longer than it waited had half of a CPU at the least: whatever it did, it was not starved. Nor
        was one that kept all CPUs busy by itself.
        """
        before, now = self._before, self._figures()
        if before is None or now is None or before.delay is None or now.delay is None:
            return 0.0
        used = (now.cpu or 0.0) - (before.cpu or 0.0)
        waited, passed = max(0.0, now.delay - before.delay), self._world.clock() - self._began
        if used >= waited or used > _OWN_DOING * len(os.sched_getaffinity(0)) * passed:
            return 0.0
        return waited

    async def _growths(self) -> tuple[Growth, ...]:
        """What has grown with the connections, and is not given back for a while either."""
        found = growths(self._readings)
        limit = time.monotonic() + _GIVE_BACK_LIMIT
        while found and time.monotonic() < limit:
            await trio.sleep(_RELOOK)
            figures = self._figures()
            if figures is not None:
                self._readings[-1] = (self._connections, figures)
            found = growths(self._readings)
        return found

    async def _share(self, clients: list[Client]) -> float | None:
        """What the server uses of a CPU, or waits for, until it comes to rest; None where it does in good time.

        One that still reads what it was sent has something to do: it is given more time, as long as it goes on.
        """
        limit = time.monotonic() + _READ_ON_LIMIT
        while True:
            before = sum(client.far_end.unread() for client in clients)
            share = await resting.share(self._figures, self._target.asleep, REST_LIMIT)
            if share is None or before <= sum(client.far_end.unread() for client in clients):
                return share
            if time.monotonic() > limit:
                return None

    def _client(self, attempt: int, name: str, judge: Judge, board: Board) -> Client:
        return Client(
            self._world,
            attempt,
            name,
            judge.exchanges[name],
            self._target.address.sockaddr,
            self._target.asleep,
            lambda: self._client_limit,
            board,
            lambda: self._first_accept(judge.case),
        )

    def _first_accept(self, case: Case) -> float:
        """How long to wait, in seconds, for a new server's first accept(): it may listen before it is ready to serve.

        A server that is paused does not accept: where a case asks for that, nobody is waited for.
        """
        first, self._accepted = not self._accepted, True
        paused = any(isinstance(action, Pause) for action in case.server)
        return self._target.ready_limit if first and not paused else 0.0

    async def _run_all(self, clients: list[Client], attempt: int, judge: Judge, board: Board) -> None:
        if len(clients) == 1 and not judge.case.server:
            await clients[0].run()
            return
        async with trio.open_nursery() as nursery:
            if judge.case.server:
                # Its steps up to their first wait come before any client's.
                await nursery.start(self._run_server, attempt, judge, board)
            for number, client in enumerate(clients, 1):
                nursery.start_soon(client.run)
                if number % _STARTED_AT_ONCE == 0:
                    await trio.lowlevel.checkpoint()

    async def _run_server(
        self, attempt: int, judge: Judge, board: Board, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        try:
            await server_steps.perform(
                judge.serving, self._world, attempt, self._target, _ServerMarks(board), task_status
            )
        finally:
            board.left(SERVER)

    async def _settle(self, clients: list[Client]) -> bool:
        """Wait until the server is done with what the clients did, so that what comes of it is this case's doing.

        Whether it was, in time.
        """
        observed = [client for client in clients if client.far_end.observed]

        def consumed() -> bool:
            return all(client.far_end.consumed() for client in observed)

        before, began = self._figures(), self._world.clock()
        late = await settle(consumed, self._target.asleep, self._settle_limit) == "late"
        if late:
            used = resting.used(before, self._figures(), self._world.clock() - began)
            self.spins = self.spins or (used is not None and used >= SPIN)
        self._settle_limit = _RESTLESS_LIMIT if late else SETTLE_LIMIT
        return not late


class _ServerMarks:
    """The board as the server's own steps see it."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def mark(self, name: str) -> None:
        self._board.mark(name, SERVER)

    async def wait_for(self, name: str) -> bool:
        return await self._board.wait_for(name)


def _there(world: World, target: Target) -> World:
    """The world as the clients of this target see it: some have a network of their own."""
    isolation = target.isolation
    if isolation is None:
        return world
    return replace(world, new_socket=isolation.socket, diag=None if world.diag is None else isolation.diag)


def _first(group: BaseExceptionGroup[Trouble]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
