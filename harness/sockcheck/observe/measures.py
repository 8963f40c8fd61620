"""Figures of a server, as the kernel has them now: of all its processes, and of its listening sockets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, TypeVar

from sockcheck.events import Figures
from sockcheck.observe import processes
from sockcheck.observe.sockdiag import Listener

_Number = TypeVar("_Number", int, float)

_TICKS = os.sysconf("SC_CLK_TCK")


def of_processes(
    what: Literal["open-files", "threads", "children", "cpu", "memory", "alive"], pids: Sequence[int]
) -> float | None:
    """A figure of these processes together. None where it cannot be seen, as another user's descriptors.

    `open-files`: a descriptor that several processes share counts for each. `threads`: a process has one at least.
    `children`: all processes but one, also those that are dead and not waited for. `cpu`: seconds, user and system,
    with those of children that were waited for. `memory`: MiB that are theirs alone or, of what they share, their part.
    `alive`: 1 where a process is not dead, else 0.
    """
    if what == "children":
        return float(max(0, len(pids) - 1))
    if what == "cpu":
        return sum(map(processes.cpu_ticks, pids)) / _TICKS
    if what == "memory":
        return processes.memory(pids)
    if what == "alive":
        return float(not all(map(processes.exiting, pids)))
    return _entries(pids, "fd" if what == "open-files" else "task")


def figures(pids: Sequence[int]) -> Figures:
    """All that is cheap to see of these processes together, in some tens of microseconds for one with one thread.

    Dead processes count among the children, and nowhere else.
    """
    cpu = threads = 0
    files: int | None = 0
    delay: float | None = 0.0
    for pid in pids:
        usage = processes.usage(pid)
        if usage is None:
            continue
        cpu += usage[0]
        threads += usage[1]
        files = _plus(files, processes.open_files(pid))
        delay = _plus(delay, processes.run_delay(pid, usage[1]))
    return Figures(files, threads, max(0, len(pids) - 1), cpu / _TICKS, delay)


def _plus(total: _Number | None, more: _Number | None) -> _Number | None:
    return None if total is None or more is None else total + more


def of_listeners(
    what: Literal["listening", "queue", "backlog"], rows: Sequence[Listener], *, tells_backlog: bool
) -> float | None:
    """A figure of the sockets that listen at one address: more than one only with SO_REUSEPORT.

    `listening`: 1 or 0. `queue`: connections that wait to be accepted. `backlog`: how many may, None where the table
    does not tell. 0 where nothing listens.
    """
    if what == "listening":
        return float(bool(rows))
    if what == "queue":
        return float(sum(row.queue for row in rows))
    return float(sum(row.backlog for row in rows)) if tells_backlog or not rows else None


def _entries(pids: Sequence[int], folder: str) -> float | None:
    """The entries of that folder in /proc of each process that is not dead."""
    total = 0
    for pid in pids:
        try:
            entries = os.listdir(f"/proc/{pid}/{folder}")
        except (FileNotFoundError, ProcessLookupError):
            continue
        except OSError:
            if processes.exiting(pid):
                continue
            return None
        if not processes.exiting(pid):
            total += len(entries)
    return float(total)
