"""Performs one case against one target, and reads the target's health behind it."""

from __future__ import annotations

from typing import Protocol

import trio

from sockcheck.addresses import Address
from sockcheck.client import Client, Trouble, World
from sockcheck.events import CaseTimedOut, HealthRead, Troubled
from sockcheck.judging import Judge
from sockcheck.observe.settling import settle

# How long a server may take to settle, in seconds: much longer than it needs, since a busy machine may keep it waiting.
SETTLE_LIMIT = 1.0
# For one that did not settle in time before: it spins, or never sleeps. Its cases should not all wait that long.
_RESTLESS_LIMIT = 0.05


class Target(Protocol):
    """What a case needs of the server: see `sockcheck.target`."""

    @property
    def address(self) -> Address:
        """Where clients connect to."""

    def asleep(self) -> bool | None:
        """Whether all its threads sleep; None where that cannot be seen."""

    async def health(self) -> tuple[bool, bool, str]:
        """Alive, listening, and why that cannot be seen, or ""."""


class Driver:
    """Performs cases. One for each target, since it remembers how that one behaves."""

    def __init__(self, world: World, target: Target) -> None:
        self._world = world
        self._target = target
        self._settle_limit = SETTLE_LIMIT

    async def perform(self, attempt: int, judge: Judge) -> bool:
        """Everything from the first connection to the health behind the case, told as events to `world.emit`.

        Whether the server lives and listens afterwards. Raises TargetError where it was lost altogether.
        """
        world, target, case = self._world, self._target, judge.case
        clients = [
            Client(
                world,
                attempt,
                actor.name,
                judge.exchanges[actor.name],
                target.address.sockaddr,
                target.asleep,
                self._settle_limit,
            )
            for actor in case.actors
        ]
        began = world.clock()
        try:
            with trio.move_on_after(case.deadline) as scope:
                await _run_all(clients)
        except* Trouble as troubles:
            world.emit(Troubled(world.clock(), attempt, str(_first(troubles))))
        finally:
            for client in clients:
                client.abandon()
        if scope.cancelled_caught:
            world.emit(CaseTimedOut(world.clock(), attempt, world.poller.late_since(world.origin + began)))
        await self._settle(clients)
        alive, listening, why = await target.health()
        world.emit(HealthRead(world.clock(), attempt, alive, listening, why))
        return alive and listening

    async def _settle(self, clients: list[Client]) -> None:
        """Wait until the server is done with what the clients did, so that what comes of it is this case's doing."""
        observed = [client for client in clients if client.observed]

        def consumed() -> bool:
            return all(client.consumed() for client in observed)

        if await settle(consumed, self._target.asleep, self._settle_limit) == "late":
            self._settle_limit = _RESTLESS_LIMIT


async def _run_all(clients: list[Client]) -> None:
    if len(clients) == 1:
        await clients[0].run()
        return
    async with trio.open_nursery() as nursery:
        for client in clients:
            nursery.start_soon(client.run)


def _first(group: BaseExceptionGroup[Trouble]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
