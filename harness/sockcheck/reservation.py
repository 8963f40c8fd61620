"""A port and a loopback address that no other target of any sockcheck on this machine is given."""

from __future__ import annotations

import random
import socket
from pathlib import Path

from sockcheck.errors import TargetError

_LOWEST = 10240
_HIGHEST = 65535
# Fewer ports than these between the lowest and the ephemeral ones are too few to choose from.
_ENOUGH = 1000
_TRIES = 200


class Reservation:
    """`host` and `port`, ours alone among sockchecks until `release`; nobody else used the port when it was chosen.

    The lock is a Unix socket with an abstract name (unix(7)): it belongs to the network namespace, as ports do, and
    goes with the process that holds it. The port is one that the kernel gives to no client. The host is a 127.0.x.y of
    its own for each port, so that not even a server that lingers can take the address away. Raises TargetError where
    no port is free.
    """

    def __init__(self) -> None:
        first, last = _range()
        for port in random.SystemRandom().sample(range(first, last + 1), min(_TRIES, last + 1 - first)):
            lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                lock.bind(f"\0sockcheck-port-{port}")
                _bind_anywhere(port)
            except OSError:
                lock.close()
                continue
            self._lock = lock
            self.port = port
            self.host = f"127.0.{1 + port // 254 % 254}.{1 + port % 254}"
            return
        raise TargetError(
            f"no free port was found between {first} and {last}",
            "`ss -tan` shows what holds them; those in TIME_WAIT are free again after a minute",
        )

    def release(self) -> None:
        self._lock.close()


def _range() -> tuple[int, int]:
    """Ports that no client gets by connect(): below the ephemeral ones, else above, else any."""
    try:
        low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split())
    except (OSError, ValueError):
        low, high = 32768, 60999
    if low - _LOWEST >= _ENOUGH:
        return _LOWEST, low - 1
    if _HIGHEST - high >= _ENOUGH:
        return high + 1, _HIGHEST
    return _LOWEST, _HIGHEST


def _bind_anywhere(port: int) -> None:
    """OSError where any socket, on any address, has this port: without SO_REUSEADDR not even TIME_WAIT is allowed."""
    if socket.has_dualstack_ipv6():
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            probe.bind(("::", port))
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("", port))
