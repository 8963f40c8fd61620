"""Where a server can be put and reached: loopback addresses, a network of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio

from sockcheck.diagnosis import Technique
from sockcheck.doctor import sockets
from sockcheck.doctor.guard import tried, tried_at_once
from sockcheck.errors import TargetError
from sockcheck.reservation import Reservation
from sockcheck.techniques import had, lacking, refused, untried

_ORDINARY = "127.0.0.1"
_NAMESPACE = Path(__file__).with_name("namespace.py")


@dataclass(frozen=True, slots=True)
class Place:
    """`host`: where servers are tried, one of the loopback addresses that a run gives them if that can be.

    `connects`: whether any connection can be made there; otherwise there is no use in trying what takes one.
    """

    host: str
    connects: bool
    found: tuple[Technique, ...]


def place() -> Place:
    """Where servers can be reached, and what sockets can do there."""
    loopback = tried_at_once("loopback", partial(sockets.loopback, _ORDINARY))
    if loopback.state == "no":
        return Place(_ORDINARY, False, (loopback, *(untried(id, "loopback") for id in ("addresses", *_PROBES))))
    host, addresses = _own_address()
    found = [tried_at_once(id, partial(probe, host)) for id, probe in _PROBES.items()]
    return Place(host, True, (loopback, addresses, *found))


def _own_address() -> tuple[str, Technique]:
    try:
        reservation = Reservation()
    except TargetError as error:
        return _ORDINARY, lacking("addresses", error.message, error.hint)
    try:
        technique = tried_at_once("addresses", partial(sockets.addresses, reservation.host))
    finally:
        reservation.release()
    return (reservation.host if technique.state == "yes" else _ORDINARY), technique


_PROBES = {
    "ipv6": sockets.ipv6,
    "small-window": sockets.small_window,
    "tcp-info": sockets.tcp_info,
    "timestamps": sockets.timestamps,
}


async def namespaces() -> list[Technique]:
    """Network namespaces, with privilege and without. They are made by processes that end at once."""
    return [
        await tried(id, partial(_namespace, id, kind))
        for id, kind in (("namespaces", "net"), ("user-namespaces", "user"))
    ]


async def _namespace(id: str, kind: str) -> Technique:
    words = [sys.executable, "-I", "-S", str(_NAMESPACE), kind]
    done = await trio.run_process(words, capture_stdout=True, stderr=subprocess.DEVNULL, check=False)
    if done.returncode == 0:
        return had(id, "with a connection in it")
    number, _, step = done.stdout.decode(errors="replace").partition(" ")
    if not number.isdigit():
        return lacking(id, f"the process that makes it ended with status {done.returncode}")
    return refused(id, int(number), f"{os.strerror(int(number))}, at {step}")
