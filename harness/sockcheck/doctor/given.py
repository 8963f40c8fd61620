"""What can be done with a server that the user names: one that is started, or one that listens already."""

from __future__ import annotations

from functools import partial

from sockcheck.diagnosis import Technique
from sockcheck.doctor import probes
from sockcheck.doctor.guard import tried
from sockcheck.doctor.trial import Opener, Trial
from sockcheck.errors import TargetError
from sockcheck.observe import processes
from sockcheck.place import Server
from sockcheck.target import Command
from sockcheck.techniques import had, lacking, untried, weaker

_ALL = ("given-start", "given-seen", "given-pause", "given-connection")
_LAST_WORDS = 200
_EINTR = "system calls such as epoll_wait() end with EINTR then: call them again (signal(7))"


async def examine(opener: Opener, server: Server) -> list[Technique]:
    """Look at it, pause it if it was started for that, then connect once.

    The pause and the connection have each an instance of their own, so that neither is blamed for the other. Where the
    server cannot be had, that is what is found.
    """
    found: dict[str, Technique] = {}
    try:
        await _look(opener, server, found)
    except TargetError as error:
        said = error.output.decode(errors="replace").strip().rpartition("\n")[2]
        why = f"{error.message}; the last that it wrote: {said[-_LAST_WORDS:]}" if said else error.message
        found["given-start"] = lacking("given-start", why, error.hint)
    return [found.get(id) or untried(id, "given-start") for id in _ALL]


async def _look(opener: Opener, server: Server, found: dict[str, Technique]) -> None:
    ours = isinstance(server, Command)
    async with opener.open(server) as trial:
        where = f"at {trial.target.address}"
        took = f", seen {trial.ready_after * 1000:.0f} ms after its start" if ours else ""
        found["given-start"] = had("given-start", where + took)
        found["given-seen"] = await tried("given-seen", partial(_seen, trial))
        if ours:
            found["given-pause"] = await tried("given-pause", partial(_pause, trial))
        else:
            found["given-pause"] = lacking("given-pause", "sockcheck signals no process that it did not start")
            found["given-connection"] = await tried("given-connection", partial(probes.connection, trial))
    if ours:
        async with opener.open(server) as trial:
            found["given-connection"] = await tried("given-connection", partial(probes.connection, trial))


async def _seen(trial: Trial) -> Technique:
    pids = trial.target.pids()
    if not pids:
        return weaker(
            "given-seen",
            "none of its processes is seen to hold its socket: they belong to another user, or to another container",
            remedy="run sockcheck as its user, or as root, and where it runs; or let sockcheck start it: -- COMMAND",
        )
    names = ", ".join(sorted({processes.name(pid) for pid in pids}))
    said = f"{len(pids)} process{'es' if len(pids) > 1 else ''} ({names})"
    closed = [pid for pid in pids if processes.socket_inodes(pid) is None]
    if closed:
        return weaker(
            "given-seen",
            f"{said}, and the descriptors of {len(closed)} may not be read: another user's",
            remedy="run sockcheck as that user, or as root",
        )
    if trial.target.asleep() is None:
        return weaker("given-seen", f"{said}, and their threads are not seen", remedy="mount /proc without hidepid=")
    return had("given-seen", said)


async def _pause(trial: Trial) -> Technique:
    if await trial.driver.survives_pause():
        return had("given-pause")
    return lacking("given-pause", "SIGSTOP and SIGCONT alone, without a client, end it", _EINTR)
