"""A network of a target's own (`--isolate net`): what sockcheck has of a network namespace that it does not enter.

Everything in it is made by the target's keeper and handed over. A socket belongs to the namespace that it was made in,
whoever holds it: clients in this process connect in there, and the kernel is asked about the server's sockets there.
"""

from __future__ import annotations

import os
import socket

import trio

from sockcheck.errors import TargetError
from sockcheck.keeper.client import Keeper
from sockcheck.observe.sockdiag import Diag, Listener

# So many sockets are asked for at a time: most connects then cost no question.
_BATCH = 8


class Isolation:
    """A network namespace, from the `enter` of its first keeper until `close`; a server started again comes back to it.

    It is a `ListenSource`. It ends when nothing is left of the target and all that was handed over is closed.
    """

    tells_backlog = True

    def __init__(self) -> None:
        self.namespaces: tuple[int, ...] = ()
        """Descriptors for the keepers behind the first one to inherit."""
        self.ports = (0, 0)
        """The lowest and the highest port that the kernel chooses there."""
        self._diag: Diag | None = None
        self._keeper: Keeper | None = None
        self._entered = trio.Event()
        self._stock: dict[socket.AddressFamily, list[int]] = {}

    @property
    def diag(self) -> Diag:
        """What asks about the sockets there. It is there once a keeper has entered."""
        assert self._diag is not None, "no keeper has entered"
        return self._diag

    async def enter(self, keeper: Keeper) -> None:
        """Have this keeper, which inherited `namespaces`, leave for the namespace, and make it if it is the first one.

        Raises KeeperError.
        """
        given = await keeper.isolate()
        if self._diag is None:
            self._diag = Diag(given.diag)
        else:
            os.close(given.diag)
        self.namespaces = self.namespaces or given.namespaces
        self.ports = given.ports
        self._keeper = keeper
        self._entered.set()

    def leave(self) -> None:
        """The keeper is about to end; until another one has entered only the sockets in stock are left."""
        self._keeper = None
        self._entered = trio.Event()

    def listeners(self) -> list[Listener]:
        """All sockets in state LISTEN there. OSError where it cannot be asked."""
        return self.diag.listeners()

    async def socket(self, family: socket.AddressFamily) -> socket.socket:
        """A TCP socket of that network, unconnected and non-blocking. OSError where there is none to be had.

        Between two keepers it waits for the next one.
        """
        stock = self._stock.setdefault(family, [])
        while not stock:
            await self._entered.wait()
            if self._keeper is not None:
                try:
                    made = await self._keeper.sockets(family, _BATCH)
                except TargetError as error:
                    raise OSError(error.message) from error
                stock += made
        taken = socket.socket(family, socket.SOCK_STREAM, 0, stock.pop())
        taken.setblocking(False)
        return taken

    def close(self) -> None:
        """Give back everything; it may never have been entered."""
        if self._diag is not None:
            self._diag.close()
        for descriptor in (*self.namespaces, *(each for stock in self._stock.values() for each in stock)):
            os.close(descriptor)
        self.namespaces = ()
        self._stock.clear()
