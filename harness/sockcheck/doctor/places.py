"""Where a server can be put: addresses, a window, a network of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import trio

from sockcheck.diagnosis import Technique
from sockcheck.doctor import sockets as probes
from sockcheck.doctor.guard import tried, tried_at_once
from sockcheck.errors import TargetError
from sockcheck.reservation import Reservation
from sockcheck.techniques import had, lacking, refused

_ORDINARY = "127.0.0.1"
_NAMESPACE = Path(__file__).with_name("namespace.py")


def loopback() -> tuple[str, Technique]:
    """The host to try servers on: one of the loopback addresses that servers get, else the ordinary one."""
    try:
        reservation = Reservation()
    except TargetError as error:
        return _ORDINARY, lacking("addresses", error.message, error.hint)
    try:
        technique = tried_at_once("addresses", partial(probes.addresses, reservation.host))
    finally:
        reservation.release()
    return (reservation.host if technique.state == "yes" else _ORDINARY), technique


def sockets(host: str) -> list[Technique]:
    """What sockets can do, tried on this host."""
    return [
        tried_at_once("ipv6", probes.ipv6),
        tried_at_once("small-window", partial(probes.small_window, host)),
        tried_at_once("tcp-info", partial(probes.tcp_info, host)),
        tried_at_once("timestamps", partial(probes.timestamps, host)),
    ]


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
