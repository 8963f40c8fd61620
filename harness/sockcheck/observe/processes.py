"""Processes, asked of /proc (proc(5)): who descends from whom, who holds which socket, who sleeps.

The keeper, which must start within milliseconds, uses this module too: it imports next to nothing.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

    from sockcheck.observe.proctcp import ListenSource
    from sockcheck.observe.sockdiag import Listener

# linux/sched.h: the process has begun to exit. It is set before the sockets of the process are closed.
_PF_EXITING = 0x4
# Positions in /proc/PID/stat after the name, which may hold blanks and parentheses itself.
_STATE, _PARENT, _GROUP, _SESSION, _FLAGS, _THREADS, _STARTED = 0, 1, 2, 3, 6, 17, 19
# From the user time to that of the children that were waited for, four in all.
_TIMES = slice(11, 15)


def children(pid: int) -> list[int]:
    """The children of a process, zombies too; none where there is no such process.

    They are read per thread, since a child belongs to the thread that made it. A kernel without CONFIG_PROC_CHILDREN
    is asked for the parent of every process instead, which takes milliseconds.
    """
    found: list[int] = []
    for thread in _threads(pid):
        try:
            found += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
        except OSError:
            if not os.path.exists("/proc/thread-self/children"):
                return [other for other in everyone() if _number(other, _PARENT) == pid]
    return found


def descendants(pid: int) -> Iterator[int]:
    """All that descends from a process, without itself.

    A process is given out before its children are read: who stops each one at once misses none that it makes.
    """
    waiting = children(pid)
    seen = set()
    while waiting:
        found = waiting.pop()
        if found not in seen:
            seen.add(found)
            yield found
            waiting += children(found)


def everyone() -> Iterator[int]:
    """All processes that can be seen."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            yield int(name)


def newest() -> int | None:
    """The number that was given to a process or thread last. They are given in ascending order, then from 1 again."""
    try:
        return int(_read("/proc/loadavg").split()[-1])
    except (OSError, ValueError):
        return None


def name(pid: int) -> str:
    """The name of the program, 15 bytes at the most; "?" where there is no such process."""
    try:
        return _read(f"/proc/{pid}/comm").strip().decode(errors="replace")
    except OSError:
        return "?"


def group(pid: int) -> int | None:
    """The process group, None where there is no such process."""
    return _number(pid, _GROUP)


def session(pid: int) -> int | None:
    """The session, None where there is no such process."""
    return _number(pid, _SESSION)


def start_time(pid: int) -> int | None:
    """When the process started, in clock ticks since boot: together with its number, what names it for ever."""
    return _number(pid, _STARTED)


def cpu_ticks(pid: int) -> int:
    """CPU time, user and system, of the process and of the children that it has waited for; 0 if it is no more."""
    fields = _stat(f"/proc/{pid}/stat")
    return 0 if fields is None else sum(map(int, fields[_TIMES]))


def usage(pid: int) -> tuple[int, int] | None:
    """CPU time as `cpu_ticks` and the number of threads; None where there is no such process, or only a dead one."""
    fields = _stat(f"/proc/{pid}/stat")
    if fields is None or fields[_STATE] in (b"Z", b"X"):
        return None
    return sum(map(int, fields[_TIMES])), int(fields[_THREADS])


def run_delay(pid: int, threads: int) -> float | None:
    """How long, in seconds, its threads were ready to run and had no CPU: of those that it has now, since they began.

    `threads` is how many it has. None where schedstat is not there (CONFIG_SCHED_INFO) or may not be read.
    """
    paths = [f"/proc/{pid}/task/{thread}" for thread in _threads(pid)] if threads > 1 else [f"/proc/{pid}"]
    total = 0
    for path in paths:
        try:
            total += int(_read(f"{path}/schedstat").split()[1])
        except (FileNotFoundError, ProcessLookupError):
            if not os.path.exists("/proc/self/schedstat"):
                return None
        except OSError:
            return None
    return total / 1e9


def open_files(pid: int) -> int | None:
    """How many descriptors the process has; None where that may not be seen (another user's)."""
    try:
        # Since Linux 6.2 the size of the folder is their number; before it is 0.
        return os.stat(f"/proc/{pid}/fd").st_size or len(os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except OSError:
        return None


_COLLECTED_LATE = (b"/libjvm.so", b"/libcoreclr.so")


def memory(pids: Iterable[int]) -> float | None:
    """MiB of memory that these processes have: what is one's alone, and its part of what it shares (proc(5): Pss).

    None where that may not be seen, or would say nothing: the machines of Java and .NET take what they may have before
    they collect anything, tens of MiB for a server that keeps nothing (measured: 51 MiB for 16 MiB thrown away).
    """
    total = 0
    for pid in pids:
        try:
            if any(machine in _read(f"/proc/{pid}/maps") for machine in _COLLECTED_LATE):
                return None
            rollup = _read(f"/proc/{pid}/smaps_rollup")
        except (FileNotFoundError, ProcessLookupError):
            continue
        except OSError:
            return None
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(b"Pss:"))
    return total / 1024


def cpu_clock(pid: int) -> int | None:
    """Nanoseconds that the threads of a process have run, those that run now up to this moment.

    None where there is no such process, or no such clock. It is the process's CPU clock, clock_getcpuclockid(3), which
    anybody may read: linux/posix-timers.h, MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED).
    """
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return None


def stopped(pid: int) -> bool:
    """Whether a signal has stopped the process."""
    fields = _stat(f"/proc/{pid}/stat")
    return fields is not None and fields[_STATE] == b"T"


def all_stopped(pids: Iterable[int]) -> bool:
    """Whether every thread of these processes is stopped, or dead: none of them does anything now."""
    for pid in pids:
        for thread in _threads(pid):
            fields = _stat(f"/proc/{pid}/task/{thread}/stat")
            if fields is not None and fields[_STATE] not in (b"T", b"t", b"Z", b"X"):
                return False
    return True


def exiting(pid: int) -> bool:
    """Whether all threads have begun to exit, so that the end of the process is a matter of microseconds.

    Its peers may have seen its sockets close already.
    """
    # That of the process is its first thread's: as a rule there is no need to look at the others.
    if not _begun_to_exit(_stat(f"/proc/{pid}/stat")):
        return False
    threads = _threads(pid)
    return bool(threads) and all(_begun_to_exit(_stat(f"/proc/{pid}/task/{thread}/stat")) for thread in threads)


def asleep(pids: Iterable[int]) -> bool | None:
    """Whether no thread of these processes runs, is ready to run, or waits for a disk.

    None where /proc does not tell. A process that is no more sleeps.
    """
    if not os.path.exists("/proc/self/stat"):
        return None
    for pid in pids:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                fields = _stat(f"/proc/{pid}/task/{thread}/stat")
                if fields is not None and fields[_STATE] in (b"R", b"D"):
                    return False
        except (FileNotFoundError, ProcessLookupError):
            continue
        except OSError:
            return None
    return True


def asleep_at_once(pids: Callable[[], Sequence[int]]) -> bool | None:
    """Whether there was a moment, during this call, in which every thread of these processes slept.

    `asleep` alone does not tell: it sees one thread after the other, and the one that is awake may wake one that was
    seen asleep already, and be asleep itself when it is seen. But a thread that did not run in the meantime was at its
    beginning as it was seen; so it is asked of all whether they have run. Who is told by `pids`, asked once more in the
    meantime for those that had just been made.

    None where /proc does not tell. Where there are no CPU clocks it is no more than `asleep`.
    """
    known = pids()
    before = [cpu_clock(pid) for pid in known]
    now = pids()
    if not set(now) <= set(known):
        return False
    sleeping = asleep(now)
    return before == [cpu_clock(pid) for pid in known] if sleeping else sleeping


def socket_inodes(pid: int) -> set[int] | None:
    """The inodes of the sockets that a process holds. None where its descriptors may not be read (another user's)."""
    found = set()
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            for entry in entries:
                try:
                    link = os.readlink(entry.path)
                except FileNotFoundError:
                    continue
                if link.startswith("socket:["):
                    found.add(int(link[8:-1]))
    except (FileNotFoundError, ProcessLookupError):
        pass
    except OSError:
        return None
    return found


def holders(inode: int) -> list[int]:
    """The processes that are seen to hold a socket, of all on this machine. It takes milliseconds."""
    return [pid for pid in everyone() if inode in (socket_inodes(pid) or ())]


def listeners(source: ListenSource, pids: Iterable[int], before: Container[int] = ()) -> list[Listener]:
    """The listening sockets that these processes hold. `before`: the inodes of those that are known not to be theirs.

    `pids` is walked only if there is a candidate. Where descriptors of a process may not be read (a daemon with a
    user of its own) and the others hold none, all candidates are taken for theirs. OSError as of the source.
    """
    rows = [row for row in source.listeners() if row.inode not in before]
    if not rows:
        return []
    held: set[int] = set()
    unreadable = False
    for pid in pids:
        inodes = socket_inodes(pid)
        if inodes is None:
            unreadable = True
        else:
            held |= inodes
    theirs = [row for row in rows if row.inode in held]
    return rows if unreadable and not theirs else theirs


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(descriptor, 65536)
        if len(data) < 2048:  # The kernel fills a page of 4096 before it gives out a part.
            return data
        parts = [data]
        while part := os.read(descriptor, 65536):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _stat(path: str) -> list[bytes] | None:
    try:
        return _read(path).rpartition(b")")[2].split()
    except OSError:
        return None


def _begun_to_exit(fields: list[bytes] | None) -> bool:
    return fields is None or fields[_STATE] in (b"Z", b"X") or bool(int(fields[_FLAGS]) & _PF_EXITING)


def _number(pid: int, position: int) -> int | None:
    fields = _stat(f"/proc/{pid}/stat")
    return None if fields is None else int(fields[position])
