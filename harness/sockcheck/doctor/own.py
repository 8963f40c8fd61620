"""Everything that is tried on a server of our own."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from sockcheck.diagnosis import Technique
from sockcheck.doctor import machine, probes
from sockcheck.doctor.guard import tried
from sockcheck.doctor.places import Place
from sockcheck.doctor.trial import Opener, Trial
from sockcheck.errors import TargetError
from sockcheck.observe import processes
from sockcheck.target import Command
from sockcheck.techniques import had, lacking, untried

_SUBJECT = Path(__file__).with_name("subject.py")
# How long the server may take until it listens, and from SIGTERM to its end, in seconds. The first is a backstop.
_READY, _GRACE = 5.0, 0.05


async def examine(opener: Opener, place: Place) -> list[Technique]:
    """Start the server at this place and try all of `PROBES`. What cannot be tried without another is told as that."""
    found: list[Technique] = []
    try:
        _see_processes()
        argv = (sys.executable, "-I", "-S", str(_SUBJECT), place.host, "{port}")
        async with opener.open(Command(argv, {}, None, _READY, _GRACE)) as trial:
            found.append(had("start", f"it was seen to listen {trial.ready_after * 1000:.0f} ms after its start"))
            for id, probe in PROBES.items():
                if place.connects or id not in _WITH_CLIENTS:
                    found.append(await tried(id, partial(probe, trial)))
                else:
                    found.append(untried(id, "loopback"))
    except TargetError as error:
        if not found:
            found.append(lacking("start", error.message, error.hint))
    tried_already = {technique.id for technique in found}
    return found + [untried(id, "start") for id in PROBES if id not in tried_already]


def _see_processes() -> None:
    if processes.start_time(os.getpid()) is None:
        raise TargetError(
            "the processes of a server cannot be found: /proc is not mounted, or is that of another place",
            "mount -t proc proc /proc",
        )


async def _descriptors(trial: Trial) -> Technique:
    return machine.descriptors(trial.target.pid)


async def _run_delay(trial: Trial) -> Technique:
    return machine.run_delay(trial.target.pid)


async def _cpu_clock(trial: Trial) -> Technique:
    return machine.cpu_clock(trial.target.pid)


PROBES: Mapping[str, Callable[[Trial], Awaitable[Technique]]] = {
    "read-barrier": probes.read_barrier,
    "merge": probes.merge,
    "endings": probes.endings,
    "settling": probes.settling,
    "health": probes.health,
    "queue": probes.queue,
    "pause": probes.pause,
    "descriptors": _descriptors,
    "run-delay": _run_delay,
    "cpu-clock": _cpu_clock,
    "reap": probes.reap,
}
"""What is tried on it, by the id of the technique, in this order. The last one ends it."""

_WITH_CLIENTS = ("read-barrier", "merge", "endings", "settling", "queue")
