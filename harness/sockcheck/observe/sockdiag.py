"""sock_diag(7): the server's end of a connection, and who listens where, asked of the kernel over netlink.

No privilege is needed. An exact lookup costs about 10 us, a dump of the listening sockets some tens, where
/proc/net/tcp costs tens of milliseconds. Struct layouts: linux/inet_diag.h, linux/tcp.h (struct tcp_info).
"""

from __future__ import annotations

import enum
import errno
import os
import socket
import struct
from dataclasses import dataclass

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_NLM_F_DUMP = 0x300
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_INET_DIAG_INFO = 2
_INET_DIAG_SKV6ONLY = 11

# struct nlmsghdr; struct inet_diag_req_v2 without its sockid; sockid's ports, addresses, interface, cookie.
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI")
_SOCKID = struct.Struct(">HH16s16s4x")
_NO_COOKIE = b"\xff" * 8
# struct inet_diag_msg: family, state, timer, retrans; sockid (48 bytes); expires, rqueue, wqueue, uid, inode.
_MESSAGE = struct.Struct("=BBBBHH16s16sI8sIIIII")
_ATTRIBUTE = struct.Struct("=HH")
# struct tcp_info: offset of tcpi_bytes_received (u64), since Linux 4.1.
_BYTES_RECEIVED = struct.Struct("=Q")
_BYTES_RECEIVED_AT = 128

_LISTEN_ONLY = 1 << 10
_ALL_STATES = 0xFFFFFFFF
_IPPROTO_TCP = socket.IPPROTO_TCP


class State(enum.IntEnum):
    """TCP states as the kernel numbers them (net/tcp_states.h)."""

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11
    NEW_SYN_RECV = 12


# With no inode these are connections that wait to be accepted; all others were closed by the server.
_NOT_CLOSED = (State.ESTABLISHED, State.CLOSE_WAIT, State.SYN_RECV, State.NEW_SYN_RECV)


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket. `queue` connections wait to be accepted, `backlog` may. `host` is an IP address."""

    family: int
    host: str
    port: int
    inode: int
    uid: int
    queue: int
    backlog: int
    v6only: bool


@dataclass(frozen=True, slots=True)
class PeerEnd:
    """The server's end of a connection.

    `unread`: bytes that wait to be read there; an end of stream that was not read yet counts as one. `unacked`: bytes
    that were written there and that our kernel has not acknowledged: they are on their way, or are held back by Nagle's
    algorithm, by TCP_CORK or by pacing. `received`: bytes that arrived since the handshake, our end of stream too, None
    in states without it. `inode` is 0 before accept() and after close(). One recv() that returns the last data may take
    the end of stream with it, where both came as one.
    """

    state: State
    unread: int
    unacked: int
    received: int | None
    inode: int

    @property
    def gone(self) -> bool:
        """The server closed it: what is left, if anything, is the kernel's alone. A half-closed end keeps its inode."""
        return self.state is State.LISTEN or (self.inode == 0 and self.state not in _NOT_CLOSED)

    @property
    def accepted(self) -> bool:
        return self.inode != 0

    def has_read(self, sent: int) -> bool:
        """Whether all of `sent` bytes (an end of stream is one) arrived and were read."""
        return self.received is not None and self.received >= sent and self.unread == 0


class Diag:
    """A netlink socket for sock_diag. Raises OSError where the kernel or the sandbox does not have it.

    It tells of the network namespace that it was made in. `descriptor`: one that was made elsewhere; it is taken over.
    """

    tells_backlog = True

    def __init__(self, descriptor: int | None = None) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_NETLINK, kind, _NETLINK_SOCK_DIAG, descriptor)
        # The kernel answers within the send() call; the limit only keeps a broken sandbox from hanging us.
        self._socket.settimeout(2)

    def close(self) -> None:
        self._socket.close()

    def listeners(self) -> list[Listener]:
        """All sockets in state LISTEN of this network namespace, IPv4 and IPv6. OSError where it cannot be asked."""
        return self._dump(socket.AF_INET) + self._dump(socket.AF_INET6)

    def lookup(self, query: bytes) -> PeerEnd | None:
        """The socket that `peer_query` names, or None where this network namespace knows nothing of it.

        When the connection is gone the kernel's lookup falls back to the listener: `state` is LISTEN then.
        """
        self._socket.send(query)
        answer = self._socket.recv(65536)
        length, kind = struct.unpack_from("=IH", answer)
        if kind == _NLMSG_ERROR:
            number = -struct.unpack_from("=i", answer, 16)[0]
            if number == errno.ENOENT:
                return None
            raise OSError(number, os.strerror(number))
        fields = _MESSAGE.unpack_from(answer, 16)
        state = State(fields[1])
        info = _attributes(answer, 16 + _MESSAGE.size, length).get(_INET_DIAG_INFO, b"")
        received = None
        if len(info) >= _BYTES_RECEIVED_AT + 8 and state is not State.NEW_SYN_RECV and state is not State.LISTEN:
            received = _BYTES_RECEIVED.unpack_from(info, _BYTES_RECEIVED_AT)[0]
        # Of a listening socket these are the accept queue and the backlog.
        unread, unacked = (0, 0) if state is State.LISTEN else fields[11:13]
        return PeerEnd(state, unread=unread, unacked=unacked, received=received, inode=fields[14])

    def _dump(self, family: int) -> list[Listener]:
        self._socket.send(_request(family, _LISTEN_ONLY, 0, bytes(16), 0, bytes(16), 0, _NLM_F_DUMP))
        found: list[Listener] = []
        while True:
            answer = self._socket.recv(1 << 18)
            offset = 0
            while offset + _HEADER.size <= len(answer):
                length, kind = struct.unpack_from("=IH", answer, offset)
                if kind == _NLMSG_DONE:
                    return found
                if kind == _NLMSG_ERROR:
                    number = -struct.unpack_from("=i", answer, offset + 16)[0]
                    raise OSError(number, os.strerror(number))
                found.append(_listener(answer, offset + 16, offset + length))
                offset += (length + 3) & ~3


def peer_query(local: tuple[str, int], peer: tuple[str, int]) -> bytes:
    """The request that looks up the other end of a TCP connection, from our end's two addresses (IP, port).

    A server on a dual-stack socket is found by the IPv4 addresses as well.
    """
    family = socket.AF_INET6 if ":" in local[0] else socket.AF_INET
    source, destination = (
        socket.inet_pton(family, host.partition("%")[0]).ljust(16, b"\0") for host in (peer[0], local[0])
    )
    extensions = 1 << (_INET_DIAG_INFO - 1)
    return _request(family, _ALL_STATES, extensions, source, peer[1], destination, local[1], 0)


def _request(
    family: int, states: int, extensions: int, source: bytes, sport: int, destination: bytes, dport: int, flags: int
) -> bytes:
    body = (
        _REQUEST.pack(family, _IPPROTO_TCP, extensions, 0, states)
        + _SOCKID.pack(sport, dport, source, destination)
        + _NO_COOKIE
    )
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST | flags, 1, 0) + body


def _listener(answer: bytes, begin: int, end: int) -> Listener:
    fields = _MESSAGE.unpack_from(answer, begin)
    family = fields[0]
    host = socket.inet_ntop(family, fields[6][: 4 if family == socket.AF_INET else 16])
    v6only = _attributes(answer, begin + _MESSAGE.size, end).get(_INET_DIAG_SKV6ONLY, b"\0")[0] != 0
    return Listener(
        family=family,
        host=host,
        port=socket.ntohs(fields[4]),
        inode=fields[14],
        uid=fields[13],
        queue=fields[11],
        backlog=fields[12],
        v6only=v6only,
    )


def _attributes(answer: bytes, offset: int, end: int) -> dict[int, bytes]:
    found = {}
    while offset + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(answer, offset)
        if length < _ATTRIBUTE.size:
            break
        found[kind] = answer[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return found
