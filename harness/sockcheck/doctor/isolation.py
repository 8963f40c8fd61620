"""Whether a server can have a network of its own (`--isolate net`): the whole of it, by the means of a run."""

from __future__ import annotations

import os
import sys
import time

import trio

from sockcheck.diagnosis import Technique
from sockcheck.doctor.guard import tried
from sockcheck.errors import TargetError
from sockcheck.events import Event
from sockcheck.keeper.client import IsolationError
from sockcheck.keeper.namespace import ASKING
from sockcheck.observe.settling import until
from sockcheck.observe.sockdiag import peer_query
from sockcheck.target import Command, StartedTarget, started
from sockcheck.techniques import had, lacking, refused, weaker

# How long the server may take until it listens, from SIGTERM to its end, and to read a byte, in seconds: backstops.
_READY, _GRACE, _LIMIT = 5.0, 0.5, 2.0
# A port that takes a privilege as a rule, and one that takes none.
_LOW, _HIGH = 80, 7777
_SERVER = """\
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    client, _ = server.accept()
    while client.recv(1):
        pass
"""


async def isolation() -> Technique:
    """Start a server on port 80 in a network of its own, connect to it from here, and see that it has read a byte."""
    return await tried("isolation", _tried)


async def _tried() -> Technique:
    began = time.monotonic()
    why = ""
    try:
        found = await _exchange(_LOW)
    except IsolationError as error:
        return _refused(error)
    except TargetError as error:
        why = error.message
        found = await _exchange(_HIGH)
    if found:
        return lacking("isolation", found)
    if why:
        return weaker(
            "isolation",
            f"in it no server can have a port below 1024: {why}",
            instead="servers with such a port run outside, one at a time",
        )
    return had(
        "isolation", f"a server on port 80 in one, connected to, after {(time.monotonic() - began) * 1000:.0f} ms"
    )


def _refused(error: IsolationError) -> Technique:
    said = f"{os.strerror(error.number)}, at {error.step}"
    if error.step == ASKING:
        without = refused("sock-diag", error.number, said)
        return lacking("isolation", without.why, without.remedy)
    return refused("isolation", error.number, said)


async def _exchange(port: int) -> str:
    """What is wrong with a server on this port, in a network of its own, or "". Raises TargetError."""
    argv = (sys.executable, "-I", "-S", "-c", _SERVER, str(port))
    command = Command(argv, {}, None, _READY, _GRACE, isolate=True)
    async with started(command, number=1, emit=_unheard, clock=time.monotonic) as target:
        return await _connection(target)


async def _connection(target: StartedTarget) -> str:
    assert target.isolation is not None
    diag = target.isolation.diag
    with await target.isolation.socket(target.address.family) as client:
        stream = trio.socket.from_stdlib_socket(client)
        await stream.connect(target.address.sockaddr)
        query = peer_query(client.getsockname()[:2], target.address.sockaddr)
        await stream.send(b"x")

        def read() -> bool:
            end = diag.lookup(query)
            return end is not None and end.has_read(1)

        if not await until(read, _LIMIT):
            return "the server's end of a connection in it is not seen by sock_diag"
    return ""


def _unheard(event: Event) -> None:
    """Nobody is told of this server."""
