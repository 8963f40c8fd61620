"""How an instance of a server is had: with a network of its own or without, and how many at a time."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from dataclasses import replace

import trio

from sockcheck.addresses import Address
from sockcheck.connected import connected
from sockcheck.errors import TargetError
from sockcheck.events import NotIsolated
from sockcheck.place import Place
from sockcheck.target import Command, Target, started
from sockcheck.target_errors import not_even_outside
from sockcheck.world import World


class Starter:
    """Starts servers. `single` is held as long as one runs whose address is not ours to choose."""

    def __init__(self) -> None:
        self.single = trio.Lock()
        self._starting = trio.CapacityLimiter(len(os.sched_getaffinity(0)))

    async def have(
        self, place: Place, number: int, world: World, stack: AsyncExitStack, *, outside: bool = False
    ) -> Target:
        """Start it, or look at the one that runs; `stack` ends that. Raises TargetError.

        One that cannot be started in a network of its own is tried without, before it is judged. If that works it is
        not isolated any more. `outside`: it is started without to begin with, this time.
        """
        inside: TargetError | None = None
        server = place.server
        if isinstance(server, Command) and server.isolate:
            if not outside:
                try:
                    return await self._have(place, server, number, world, stack)
                except TargetError as error:
                    inside = error
            server = replace(server, isolate=False)
        try:
            target = await self._have(place, server, number, world, stack)
        except TargetError as error:
            if inside is None:
                raise
            raise not_even_outside(inside, error) from error
        if inside is not None and place.give_up_isolation():
            world.emit(NotIsolated(world.clock(), number, inside.message))
        return target

    async def _have(
        self, place: Place, server: Command | Address, number: int, world: World, stack: AsyncExitStack
    ) -> Target:
        if not place.address_is_ours and not (isinstance(server, Command) and server.isolate):
            await stack.enter_async_context(self.single)
        # Servers that start all at once would take the CPUs from those that serve.
        async with self._starting:
            return await stack.enter_async_context(
                started(server, number=number, emit=world.emit, clock=world.clock)
                if isinstance(server, Command)
                else connected(server, number=number, emit=world.emit, clock=world.clock)
            )
