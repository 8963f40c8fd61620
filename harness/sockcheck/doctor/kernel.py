"""Whether the kernel tells of sockets, and by which of its ways."""

from __future__ import annotations

import os
import time

from sockcheck.diagnosis import Technique
from sockcheck.doctor.guard import tried_at_once
from sockcheck.observe.proctcp import listen_source
from sockcheck.observe.sockdiag import Diag
from sockcheck.techniques import had, refused, weaker


def sock_diag() -> tuple[Diag | None, Technique]:
    """A netlink socket, None where a run would do without."""
    try:
        diag = Diag()
    except OSError as error:
        return None, refused("sock-diag", error.errno or 0, os.strerror(error.errno or 0))

    def listed() -> Technique:
        began = time.monotonic()
        number = len(diag.listeners())
        return had("sock-diag", f"{number} listening sockets told in {(time.monotonic() - began) * 1000:.2f} ms")

    return diag, tried_at_once("sock-diag", listed)


def listening() -> Technique:
    """The listening sockets, by sock_diag or by /proc/net/tcp."""
    return tried_at_once("listening", _listening)


def _listening() -> Technique:
    source = listen_source()
    try:
        began = time.monotonic()
        source.listeners()
        took = f"a look takes {(time.monotonic() - began) * 1000:.2f} ms"
    finally:
        source.close()
    if source.tells_backlog:
        return had("listening", took)
    return weaker("listening", f"only in /proc/net/tcp, where {took}", instead="it is looked less often")
