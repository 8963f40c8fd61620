"""What is tried on a server, by the very means of a run: target, keeper, driver, kernel, judge."""

from __future__ import annotations

import signal
import socket
import time
from typing import Literal

from sockcheck.client_events import (
    Connected,
    Sent,
    Settled,
)
from sockcheck.diagnosis import Technique
from sockcheck.doctor import sockets
from sockcheck.doctor.subject import BACKLOG
from sockcheck.doctor.trial import Trial
from sockcheck.events import (
    HealthRead,
)
from sockcheck.observe import processes
from sockcheck.observe.settling import until
from sockcheck.techniques import had, lacking, weaker
from sockcheck.verdict import Verdict

_QUEUED = 3
# How long what takes milliseconds may take, in seconds.
_LIMIT = 2.0
_FIGURES: tuple[Literal["open-files", "threads", "children", "cpu", "alive"], ...] = (
    "open-files",
    "threads",
    "children",
    "cpu",
    "alive",
)

_PIECES = """\
scenario: A message arrives in three pieces
client:
  - connect
  - send: "abcdefgh"
    cut: [1, 3]
  - expect: "125"
  - shutdown: write
  - end: eof
"""
_MERGED = """\
scenario: Two sends arrive as one
client:
  - connect
  - send: ["ab", "cde"]
  - expect: "5"
  - shutdown: write
  - end: eof
"""
_ENDINGS = """\
scenario: Endings are told apart
clients:
  orderly:
    - connect
    - send: "ab"
    - expect: "2"
    - quiet: 5ms
    - shutdown: write
    - end: eof
    - mark: ended
  reset:
    - wait-for: ended
    - connect
    - send: "R"
    - end: reset
"""
_QUIET = """\
scenario: Nothing more comes
client:
  - connect
  - send: "abc"
  - expect: "3"
  - close
"""
_VISIT = """\
scenario: A client comes and goes
client:
  - connect
  - close
"""


async def read_barrier(trial: Trial) -> Technique:
    """A message in three segments, each parted from the next by what the kernel says that the server has read."""
    verdict, events = await trial.perform(_PIECES)
    parted = [event for event in events if isinstance(event, Sent) and event.barrier != "none"]
    if verdict.outcome != "pass":
        return lacking("read-barrier", f"three segments did not arrive apart: {_reason(verdict)}")
    if any(event.barrier != "read" for event in parted):
        return weaker(
            "read-barrier", trial.unobserved(events) or "a server that does nothing else did not read in time"
        )
    slowest = max(event.waited for event in parted)
    return had("read-barrier", f"each was read before the next was sent, {slowest * 1000:.2f} ms at most")


async def merge(trial: Trial) -> Technique:
    """Two sends in one call."""
    verdict, _ = await trial.perform(_MERGED)
    if verdict.outcome != "pass":
        return lacking("merge", f"two sends did not arrive as one: {_reason(verdict)}")
    return had("merge")


async def endings(trial: Trial) -> Technique:
    """Data, silence, the end of stream, a reset, and an address that refuses."""
    verdict, _ = await trial.perform(_ENDINGS)
    if verdict.outcome != "pass":
        return lacking("endings", _reason(verdict))
    refusal = sockets.refusal(trial.target.address.host)
    if refusal != "ECONNREFUSED":
        return weaker("endings", f"where nobody listens connect() gives {refusal or 'a connection'}, not ECONNREFUSED")
    return had("endings")


async def settling(trial: Trial) -> Technique:
    """Whether it is seen that the server has read all and sleeps."""
    verdict, events = await trial.perform(_QUIET)
    if verdict.outcome != "pass":
        return lacking("settling", _reason(verdict))
    outcomes = {event.outcome for event in events if isinstance(event, Settled)}
    if outcomes == {"settled"}:
        return had("settling")
    if "late" in outcomes:
        return weaker("settling", "a server that does nothing was not seen asleep within a second")
    return weaker("settling", trial.unobserved(events) or "the threads of the server cannot be seen in /proc")


async def health(trial: Trial) -> Technique:
    """Every figure of processes, of a server that has one process besides its first."""
    figures = {what: trial.target.measure(what) for what in _FIGURES}
    unseen = [what for what, value in figures.items() if value is None]
    if unseen:
        return weaker("health", f"not to be seen: {', '.join(unseen)}", remedy="mount /proc without hidepid=")
    if figures["children"] != 1 or figures["alive"] != 1 or not figures["open-files"]:
        said = ", ".join(f"{what} {value:g}" for what, value in figures.items() if value is not None)
        return lacking("health", f"of a server with one child is said: {said}")
    return had("health", f"{figures['open-files']:.0f} descriptors, {figures['threads']:.0f} threads, in 2 processes")


async def queue(trial: Trial) -> Technique:
    """Clients that connect while the server is paused wait in its queue."""
    address = trial.target.address
    clients = []
    try:
        await trial.target.signal_all(signal.SIGSTOP)
        for _ in range(_QUEUED):
            clients.append(socket.create_connection(address.sockaddr, _LIMIT))
        queue, backlog = trial.target.measure("queue"), trial.target.measure("backlog")
    finally:
        for client in clients:
            client.close()
        await trial.target.resume()
    if queue != _QUEUED:
        return lacking("queue", f"of {_QUEUED} clients that waited {queue or 0:g} were seen")
    if backlog is None:
        return weaker(
            "queue", "/proc/net/tcp does not tell how long a queue may be", instead="the queue alone is checked"
        )
    if backlog != BACKLOG:
        return weaker("queue", f"listen({BACKLOG}) was called, and {backlog:g} is told: see net.core.somaxconn")
    return had("queue", f"{queue:g} of {backlog:g}, as it is")


async def pause(trial: Trial) -> Technique:
    """Stop all threads of the server, see them stopped, and see it alive afterwards."""
    began = time.monotonic()
    try:
        await trial.target.signal_all(signal.SIGSTOP)
        took = time.monotonic() - began
        stopped = processes.all_stopped(trial.target.pids())
    finally:
        await trial.target.resume()
    if not stopped:
        return lacking("pause", "a process that was sent SIGSTOP went on")
    if not await trial.driver.survives_pause():
        return lacking("pause", "a server that only accepts and reads ended when it was paused and resumed")
    return had("pause", f"stopped after {took * 1000:.2f} ms")


async def reap(trial: Trial) -> Technique:
    """End the server: its daemon, in a session of its own and deaf to SIGTERM, has to end too."""
    pids = trial.target.pids()
    began = time.monotonic()
    await trial.target.stop()
    took = time.monotonic() - began
    if len(pids) < 2:
        return lacking("reap", "a daemon that the server left was not found among its processes")

    def gone() -> bool:
        return all(processes.start_time(pid) is None or processes.exiting(pid) for pid in pids)

    if not await until(gone, _LIMIT):
        return lacking("reap", "a daemon that the server left outlived it")
    return had("reap", f"a daemon in its own session too, {took * 1000:.0f} ms with its grace")


async def connection(trial: Trial) -> Technique:
    """Connect and leave without a word; is the server's end of that seen, does the server live on?"""
    _, events = await trial.perform(_VISIT)
    health = next(event for event in reversed(events) if isinstance(event, HealthRead))
    if not health.alive or not health.listening:
        return lacking("given-connection", "the server is gone after a client that connected and left without a word")
    if not any(isinstance(event, Connected) for event in events):
        return lacking("given-connection", f"no connection to {trial.target.address} came about")
    why = trial.unobserved(events)
    if why:
        return weaker("given-connection", why)
    return had("given-connection", f"of a connection to {trial.target.address}")


def _reason(verdict: Verdict) -> str:
    """Why the case did not pass, in one sentence."""
    finding = next(iter(verdict.findings), None)
    return verdict.reason if finding is None else f"expected {finding.expected}, but {finding.actual}"
