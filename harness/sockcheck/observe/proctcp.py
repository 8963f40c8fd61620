"""/proc/net/tcp and tcp6 (proc(5)): who listens where, for places without sock_diag.

A reading takes tens of milliseconds on a usual kernel, and knows no backlog.
"""

from __future__ import annotations

import socket
import sys
from typing import Protocol

from sockcheck.observe.sockdiag import Diag, Listener

_LISTEN = "0A"


class ListenSource(Protocol):
    """Who tells the listening sockets of this network namespace: `sockdiag.Diag` or `ProcTcp`."""

    tells_backlog: bool

    def listeners(self) -> list[Listener]: ...

    def close(self) -> None: ...


class ProcTcp:
    """The fall-back for `sockdiag.Diag`. `backlog` is 0 and `v6only` the system's default, since neither is told."""

    tells_backlog = False

    def listeners(self) -> list[Listener]:
        """All sockets in state LISTEN of this network namespace. OSError where /proc/net/tcp cannot be read."""
        found = _rows(socket.AF_INET, "/proc/net/tcp", v6only=False)
        try:
            with open("/proc/sys/net/ipv6/bindv6only", "rb") as setting:
                v6only = setting.read().strip() == b"1"
            found += _rows(socket.AF_INET6, "/proc/net/tcp6", v6only=v6only)
        except FileNotFoundError:
            pass
        return found

    def close(self) -> None:
        """Nothing is held open."""


def listen_source() -> ListenSource:
    """The better of the two that works here. OSError where neither does."""
    try:
        diag = Diag()
    except OSError:
        return _proc_tcp()
    try:
        diag.listeners()
    except OSError:
        diag.close()
        return _proc_tcp()
    return diag


def _proc_tcp() -> ProcTcp:
    source = ProcTcp()
    source.listeners()
    return source


def _rows(family: int, path: str, *, v6only: bool) -> list[Listener]:
    found = []
    with open(path, encoding="ascii") as table:
        next(table)
        for line in table:
            fields = line.split()
            if fields[3] != _LISTEN:
                continue
            host, port = fields[1].split(":")
            found.append(
                Listener(
                    family=family,
                    host=_host(family, host),
                    port=int(port, 16),
                    inode=int(fields[9]),
                    uid=int(fields[7]),
                    queue=int(fields[4].split(":")[1], 16),
                    backlog=0,
                    v6only=v6only,
                )
            )
    return found


def _host(family: int, text: str) -> str:
    """Addresses are printed as 32-bit words in the byte order of the machine."""
    raw = bytes.fromhex(text)
    if sys.byteorder == "little":
        raw = b"".join(raw[i : i + 4][::-1] for i in range(0, len(raw), 4))
    return socket.inet_ntop(family, raw)
