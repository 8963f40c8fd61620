"""One life of a server that sockcheck starts: from the start of its command until no process of it is left."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import trio

from sockcheck import target_errors
from sockcheck.addresses import Address, reached_at, serves
from sockcheck.errors import TargetError
from sockcheck.isolation import Isolation
from sockcheck.keeper.client import ExecError, Gone, Keeper, Output
from sockcheck.observe import processes
from sockcheck.observe.proctcp import ListenSource
from sockcheck.observe.settling import until
from sockcheck.observe.sockdiag import Listener

_OPEN_FILES = 4096
_POLL = 0.001
# A server that opens several ports does so without sleeping in between; this is how long one that never sleeps is
# watched for another port.
_SETTLE = 0.2
_OUTPUT_KEPT = 65536
# How long it may take until all threads are stopped, in seconds: one that waits for a disk is not at once.
_STOP_LIMIT = 5.0
# How long one signal is given for that, before it is sent to what has been made meanwhile.
_STOP_WAIT = 0.02


@dataclass(frozen=True, slots=True)
class Meant:
    """Which of the sockets that a server listens on is meant.

    `again`: the address that it had in an earlier life. Else `port`, where it is known; the socket that is reached at
    `host` is preferred. `chosen` is the address that sockcheck chose, if it did; `placeholder`: the command takes a
    port.
    """

    port: int | None
    host: str | None
    chosen: Address | None
    placeholder: bool
    again: Address | None = None


class Life:
    """A command under a keeper of its own. `hear` is told at once what it writes, and that it is gone.

    `source` tells who listens; an `Isolation` is the network that the server is to be in.
    Raises KeeperError where no keeper can be started. `run` has to run beside, until `close` has come back.
    `output` is the last that it wrote, `gone` its end. `ended` is set when no process is left.
    """

    def __init__(self, command: tuple[str, ...], source: ListenSource, hear: Callable[[Output | Gone], None]) -> None:
        self._command = command
        self._source = source
        self._hear = hear
        self._isolation = source if isinstance(source, Isolation) else None
        self._before: Sequence[Listener] = ()
        self._inodes: frozenset[int] = frozenset()
        self.output = bytearray()
        self.gone: Gone | None = None
        self.ended = trio.Event()
        self.keeper = Keeper(self._heard, () if self._isolation is None else self._isolation.namespaces)

    async def run(self) -> None:
        await self.keeper.read()

    async def start(self) -> int:
        """Start the command; the first process. Raises TargetError."""
        if self._isolation is not None:
            await self._isolation.enter(self.keeper)
        self._before = self._source.listeners()
        self._inodes = frozenset(row.inode for row in self._before)
        try:
            return await self.keeper.start(self._command, files=_OPEN_FILES)
        except ExecError as error:
            raise target_errors.not_executable(error.number, self._command) from error

    async def close(self) -> None:
        """Kill what is left of it. It takes some seconds at most; shield it."""
        if self._isolation is not None:
            self._isolation.leave()
        await self.keeper.close()

    def listeners(self, pids: Sequence[int]) -> list[Listener]:
        """The sockets on which these processes of it listen. OSError where that cannot be asked."""
        return processes.listeners(self._source, pids, self._inodes)

    async def listening(self, meant: Meant, ready: float) -> Address:
        """Wait up to `ready` seconds for the row of its tree in the kernel's table of listening sockets."""
        deadline = time.monotonic() + ready
        watched_until = None
        slept = 0
        while True:
            if self.keeper.ended:
                await self.keeper.ping()
            looked = time.monotonic()
            rows = self._rows()
            # Asked after the look: what was seen may have gone meanwhile, and nothing gone is ready.
            if self.gone is not None:
                raise self._ended_early(self.gone, meant)
            if meant.again is not None:
                if any(serves(row, meant.again) for row in rows):
                    return meant.again
            elif meant.port is not None:
                matching = [row for row in rows if row.port == meant.port]
                if matching:
                    return _reached(matching, meant.host)
            elif rows:
                slept = slept + 1 if processes.asleep(self.keeper.pids()) else 0
                watched_until = watched_until or looked + _SETTLE
                if slept == 2 or looked > watched_until:
                    if len({row.port for row in rows}) > 1:
                        await self.keeper.ping()  # All that was written by now has been told then.
                        raise target_errors.several_ports(rows, bytes(self.output))
                    return _reached(rows, meant.host)
            now = time.monotonic()
            if now > deadline:
                await self.keeper.ping()
                raise self._late(meant, rows, ready)
            # Where looking is expensive (/proc/net/tcp), half of the time is enough for it.
            await trio.sleep(max(_POLL, now - looked))

    async def pause(self) -> int:
        """Stop all threads of all its processes. How many processes there are. Raises SignalError.

        A process whose parent ended during a walk through the tree may not have been on the way, but is on the next:
        so two walks in turn have to find nothing that is not stopped.
        """
        limit = time.monotonic() + _STOP_LIMIT
        stopped = 0

        def all_stopped() -> bool:
            nonlocal stopped
            stopped = stopped + 1 if processes.all_stopped(self.keeper.pids()) else 0
            return stopped == 2

        while True:
            count = await self.keeper.signal(signal.SIGSTOP, everyone=True)
            if await until(all_stopped, _STOP_WAIT):
                return count
            if time.monotonic() > limit:
                pids = [pid for pid in self.keeper.pids() if not processes.all_stopped([pid])]
                raise target_errors.not_stopped(pids)

    def _rows(self) -> list[Listener]:
        try:
            return processes.listeners(self._source, processes.descendants(self.keeper.pid), self._inodes)
        except OSError:
            return []

    def _ended_early(self, gone: Gone, meant: Meant) -> TargetError:
        output = bytes(self.output)
        if meant.again is not None and target_errors.says_in_use(output):
            return target_errors.in_use_again(meant.again, self._before, output)
        return target_errors.ended_early(gone.status, gone.why, output, self._command, self._before, meant.chosen)

    def _late(self, meant: Meant, rows: Sequence[Listener], ready: float) -> TargetError:
        output = bytes(self.output)
        if meant.again is not None:
            if rows:
                return target_errors.elsewhere(meant.again, rows, output)
            if target_errors.says_in_use(output):
                return target_errors.in_use_again(meant.again, self._before, output)
        elif rows and meant.port is not None:
            return target_errors.other_port(meant.port, rows, output, placeholder=meant.placeholder)
        elif target_errors.says_in_use(output):
            return target_errors.in_use(output, self._command, self._before, meant.chosen)
        return target_errors.never_listened(ready, output)

    def _heard(self, message: Output | Gone) -> None:
        if isinstance(message, Gone):
            self.gone = message
            self.ended.set()
        else:
            self.output += message.data
            if len(self.output) > 2 * _OUTPUT_KEPT:
                del self.output[:-_OUTPUT_KEPT]
        self._hear(message)


def _reached(rows: Sequence[Listener], host: str | None) -> Address:
    """Of several sockets with the same port: on the host that it was given, else the IPv4 one."""
    addresses = [reached_at(row, host) for row in rows]
    return min(addresses, key=lambda address: (address.host != host, ":" in address.host, address.host))
