"""`sockcheck doctor`: every technique that verdicts rest on is tried, here and now, by the means of a run.

Nothing is guessed from versions. They are tried on a server of our own under a keeper, on sockets of our own, and by
programs that end by themselves; nothing is left of them.
"""

from __future__ import annotations

import os
import platform
import time

from sockcheck import __version__
from sockcheck.diagnosis import Diagnosis
from sockcheck.doctor import given, kernel, machine, own, places
from sockcheck.doctor.guard import tried, tried_at_once
from sockcheck.doctor.isolation import isolation
from sockcheck.doctor.trial import Opener
from sockcheck.place import Server
from sockcheck.poller import open_poller
from sockcheck.techniques import CATALOGUE


async def examine(server: Server | None) -> Diagnosis:
    """Try everything, and look at a server where one is given. Whatever goes wrong is a part of what is found."""
    began = time.monotonic()
    diag, sock_diag = kernel.sock_diag()
    try:
        place = places.place()
        found = [sock_diag, kernel.listening(), *place.found]
        found += [
            tried_at_once("folder", machine.folder),
            tried_at_once("processors", machine.processors),
            tried_at_once("others", machine.others),
        ]
        async with open_poller() as poller:
            opener = Opener(poller, diag, "" if diag is not None else "the kernel does not tell of sockets here")
            found += [await tried("timer", machine.timer), await isolation()]
            found += await own.examine(opener, place)
            if server is not None:
                found += await given.examine(opener, server)
    finally:
        if diag is not None:
            diag.close()
    order = list(CATALOGUE)
    return Diagnosis(
        __version__,
        f"{platform.system()} {platform.release()} {platform.machine()}",
        f"{platform.python_implementation()} {platform.python_version()}",
        "root" if os.geteuid() == 0 else "not root",
        time.monotonic() - began,
        tuple(sorted(found, key=lambda technique: order.index(technique.id))),
    )
