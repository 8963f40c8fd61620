"""What an exchange costs: in this process, by sockcheck's own driver, against a hand-written loop."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import trio
from echoing import EXCHANGE, MESSAGE, crowd, scenario, server, serving
from measuring import Figure, Scale, alternate

from sockcheck.addresses import Address
from sockcheck.case import SERVER, Case
from sockcheck.client import Client
from sockcheck.connected import connected
from sockcheck.driver import Driver
from sockcheck.events import CaseFinished, CaseStarted
from sockcheck.facts import Facts
from sockcheck.judging import Judge
from sockcheck.marks import Board
from sockcheck.observe.sockdiag import Diag
from sockcheck.planning import plan
from sockcheck.poller import open_poller
from sockcheck.suite import load
from sockcheck.target import Target
from sockcheck.world import World

_CROWD = 50


class Bench:
    """A driver for a server that runs already, and what it needs."""

    def __init__(self, world: World, facts: Facts, target: Target) -> None:
        self.world = world
        self._facts = facts
        self._target = target
        self._driver = Driver(world, target)
        self._attempts = 0

    @contextmanager
    def attempt(self, case: Case) -> Iterator[Judge]:
        """One attempt at a case, which has to pass."""
        self._attempts += 1
        clock = self.world.clock
        self._facts.emit(CaseStarted(clock(), self._attempts, 1, case))
        judge = self._facts.bench.judge(self._attempts)
        yield judge
        verdict = judge.verdict()
        self._facts.emit(CaseFinished(clock(), self._attempts, verdict))
        assert verdict.outcome == "pass", verdict

    async def whole(self, case: Case) -> None:
        """All that is done for a case: its clients, then settling, then the look at the server's health."""
        with self.attempt(case) as judge:
            await self._driver.perform(self._attempts, judge)

    async def client_alone(self, case: Case) -> None:
        """The exchange of a case with one client, and nothing else of it."""
        with self.attempt(case) as judge:
            [actor] = case.actors
            board = Board([(actor.name, actor.actions), (SERVER, ())])
            exchange, address = judge.exchanges[actor.name], self._target.address.sockaddr
            asleep, limit = self._target.asleep, 1.0
            client = Client(
                self.world,
                self._attempts,
                actor.name,
                exchange,
                address,
                asleep,
                lambda: limit,
                board,
                lambda: 0.0,
            )
            await client.run()


def planned(path: str) -> Case:
    [read] = load([path]).scenarios
    [case] = plan(read, seed=0)
    return case


def measure(scale: Scale, folder: Path) -> Iterator[Figure]:
    one = planned(scenario(folder, EXCHANGE))
    many = planned(scenario(folder, crowd(_CROWD), "crowd"))
    alone, crowds = scale.of(400), scale.of(20)

    async def one_by_one(bench: Bench) -> None:
        for _ in range(alone):
            await bench.client_alone(one)

    async def whole_cases(bench: Bench) -> None:
        for _ in range(alone):
            await bench.whole(one)

    async def whole_crowds(bench: Bench) -> None:
        for _ in range(crowds):
            await bench.whole(many)

    with serving(server(folder)) as port:
        single, client, case, fifty, crowded = alternate(
            scale.rounds,
            lambda: _by_hand(port, alone, 1),
            lambda: _by_sockcheck(port, alone, one_by_one),
            lambda: _by_sockcheck(port, alone, whole_cases),
            lambda: _by_hand(port, crowds * _CROWD, _CROWD),
            lambda: _by_sockcheck(port, crowds * _CROWD, whole_crowds),
        )
    loop = "a trio.socket loop by hand"
    yield Figure("CPU of an exchange, 1 at a time", "µs", client, loop, single, "ratio", 1.0)
    yield Figure("CPU of an exchange, 50 at a time, in whole cases", "µs", crowded, loop, fifty, "ratio", 1.0)
    yield Figure("CPU of a case of one exchange, its health too", "µs", case, loop, single, "ratio")


def _by_hand(port: int, exchanges: int, at_once: int) -> float:
    async def one() -> None:
        for _ in range(exchanges // at_once):
            with trio.socket.socket() as sock:
                await sock.connect(("127.0.0.1", port))
                await sock.send(MESSAGE)
                received = b""
                while len(received) < len(MESSAGE):
                    received += await sock.recv(65536)
                sock.shutdown(trio.socket.SHUT_WR)
                assert received == MESSAGE
                assert await sock.recv(65536) == b""

    async def all_of_them() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(at_once):
                nursery.start_soon(one)

    return _timed(all_of_them, exchanges)


def _by_sockcheck(port: int, exchanges: int, perform: Callable[[Bench], Awaitable[None]]) -> float:
    diag = Diag()

    async def main() -> float:
        origin = time.monotonic()
        facts = Facts([])
        async with open_poller() as poller:
            world = World(poller, facts.emit, origin, diag, "")
            async with connected(Address("127.0.0.1", port), number=1, emit=facts.emit, clock=world.clock) as target:
                bench = Bench(world, facts, target)
                began = time.process_time()
                await perform(bench)
                return time.process_time() - began

    try:
        return trio.run(main) / exchanges * 1e6
    finally:
        diag.close()


def _timed(perform: Callable[[], Awaitable[None]], exchanges: int) -> float:
    async def main() -> float:
        began = time.process_time()
        await perform()
        return time.process_time() - began

    return trio.run(main) / exchanges * 1e6
