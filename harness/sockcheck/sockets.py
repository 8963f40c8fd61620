"""A client's socket before it is connected, and whether there is anything to connect it to."""

from __future__ import annotations

import socket

from sockcheck.addresses import Address, serves
from sockcheck.case import Connect
from sockcheck.observe.settling import until
from sockcheck.world import Trouble, World

# linux/in.h: the port is chosen when the connection is made, so that it need only be free for that destination.
_IP_BIND_ADDRESS_NO_PORT = 24


async def prepared(world: World, address: Address, action: Connect) -> socket.socket:
    """A socket with everything that has to be set before it is connected to this address. Raises Trouble."""
    sock = await _unconnected(world, address)
    try:
        if action.no_delay:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for level, option, value in (
            (socket.SOL_SOCKET, socket.SO_RCVBUF, action.receive_buffer),
            (socket.SOL_SOCKET, socket.SO_SNDBUF, action.send_buffer),
            (socket.IPPROTO_TCP, socket.TCP_MAXSEG, action.segment_size),
        ):
            if value is not None:
                sock.setsockopt(level, option, value)
        if action.source is not None:
            _bind(sock, action.source)
    except BaseException:
        sock.close()
        raise
    return sock


async def until_nobody_listens(world: World, address: Address, limit: float) -> None:
    """A server that was told to stop needs a moment for it, and to try it by connecting would be to disturb it."""
    diag = world.diag
    if diag is None:
        return
    with await _unconnected(world, address) as probe:
        try:
            probe.bind((address.host, 0))
        except OSError:
            return  # It is not an address of the network that the kernel is asked about.
    await until(lambda: not any(serves(row, address) for row in diag.listeners()), limit)


async def _unconnected(world: World, address: Address) -> socket.socket:
    try:
        return await world.new_socket(address.family)
    except OSError as error:
        raise Trouble(f"no socket for a client: {error.strerror or error}") from None


def _bind(sock: socket.socket, source: str) -> None:
    try:
        sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))
    except OSError as error:
        raise Trouble(f"cannot connect from {source}: {error.strerror}") from None
