"""What sockets can do here, tried with sockets of our own on the loopback interface. Nothing is started."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from sockcheck.diagnosis import Technique
from sockcheck.observe.sockdiag import State
from sockcheck.techniques import had, lacking, weaker

# How long a loopback connection may take, in seconds. It is a backstop.
_LIMIT = 2.0
# linux/asm-generic/socket.h; the socket module does not name it before Python 3.14.
_SO_TIMESTAMPNS = 35
# struct tcp_info up to tcpi_bytes_received, since Linux 4.1.
_TCP_INFO_ENOUGH = 136
# Asked for by scenarios that fill a window quickly. Linux doubles SO_RCVBUF (socket(7)).
_SEGMENT_SIZE, _RECEIVE_BUFFER = 536, 4096
# What a server can send into such a window: the largest is many times what Linux takes, whatever congestion control.
_SMALL = 1 << 20


def loopback(host: str) -> Technique:
    """A connection to a server at this address. OSError where that cannot be."""
    with _connection(host):
        return had("loopback")


def addresses(host: str) -> Technique:
    """A server on this loopback address, and a client that comes from another one. OSError where that cannot be."""
    with (
        socket.create_server((host, 0)) as server,
        socket.create_connection(server.getsockname(), _LIMIT, source_address=("127.0.0.2", 0)) as client,
    ):
        return had("addresses", f"{client.getsockname()[0]} reached {host}")


def ipv6(_: str) -> Technique:
    """OSError where there is no ::1."""
    with _connection("::1", socket.AF_INET6):
        return had("ipv6")


def small_window(host: str) -> Technique:
    """Segment size and receive buffer as scenarios set them, before the handshake."""
    with socket.create_server((host, 0)) as server, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(_LIMIT)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT_SIZE)
        client.connect(server.getsockname())
        served, _ = server.accept()
        with served:
            served.setblocking(False)
            taken = 0
            try:
                # An unread connection takes a bounded amount; 64 MiB is far above what any system buffers.
                while taken < 1 << 26:
                    taken += served.send(bytes(65536))
            except BlockingIOError:
                pass
    if taken > _SMALL:
        why = f"with a segment size of 536 and a receive buffer of 4 KiB it takes {taken:,} bytes unread"
        return weaker("small-window", why, instead="larger replies are needed to fill it")
    return had("small-window", f"it takes {taken:,} bytes unread")


def tcp_info(host: str) -> Technique:
    """The state, and how many bytes came, as getsockopt() tells them."""
    with _connection(host) as (client, served):
        served.sendall(b"x")
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
    if not info or info[0] != State.ESTABLISHED:
        return lacking("tcp-info", "a connection that is established is said to be in another state")
    if len(info) < _TCP_INFO_ENOUGH:
        why = f"it has {len(info)} bytes and {_TCP_INFO_ENOUGH} are wanted: it does not count what came"
        return weaker("tcp-info", why, remedy="a kernel from Linux 4.1 on, and no sandbox between")
    return had("tcp-info", f"{len(info)} bytes")


def timestamps(host: str) -> Technique:
    """Whether data comes with the time of its arrival."""
    with _connection(host) as (client, served):
        client.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        served.sendall(b"x")
        _, ancillary, _, _ = client.recvmsg(1, 256)
    if any(level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS for level, kind, _ in ancillary):
        return had("timestamps")
    return lacking("timestamps", "data came without a stamp")


def refusal(host: str) -> str:
    """What a client is told where nobody listens: the name of the errno, "" where it is connected."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as nobody:
        # Bound and not listening: nobody else gets this address meanwhile.
        nobody.bind((host, 0))
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.settimeout(_LIMIT)
            number = client.connect_ex(nobody.getsockname())
    return errno.errorcode.get(number, os.strerror(number)) if number else ""


@contextmanager
def _connection(
    host: str, family: socket.AddressFamily = socket.AF_INET
) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection on the loopback interface."""
    with (
        socket.create_server((host, 0), family=family) as server,
        socket.create_connection(server.getsockname()[:2], _LIMIT) as client,
    ):
        served, _ = server.accept()
        with served:
            served.settimeout(_LIMIT)
            yield client, served
