"""What this machine gives to sockcheck: descriptors, CPU time, a clock, folders, the processes of others."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import trio

from sockcheck.diagnosis import Technique
from sockcheck.observe import processes
from sockcheck.run import files_needed, servers_at_once
from sockcheck.techniques import had, lacking, refused, weaker

# What a server is given if the limit allows it: enough for scenarios with a thousand clients.
_SERVER_FILES = 4096
_NAPS, _NAP = 30, 0.005
# From here on a deadline may be missed by us and not by the server; the canary of a run calls the same late.
_LATE = 0.02


def descriptors(server: int) -> Technique:
    """The limit of open files, for sockcheck and for `server`, a process that it started."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    theirs, _ = resource.prlimit(server, resource.RLIMIT_NOFILE)
    jobs = len(os.sched_getaffinity(0))
    one, wanted = files_needed(1), files_needed(servers_at_once(jobs))
    detail = f"{_limit(hard)} for sockcheck, {_limit(theirs)} for a server"
    remedy = "raise the hard limit: ulimit -Hn, LimitNOFILE=, docker run --ulimit nofile="
    if hard != resource.RLIM_INFINITY and hard < one:
        return lacking("descriptors", f"a run needs {one} at least, and the limit is {hard}", remedy)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        return weaker("descriptors", f"{jobs} servers at a time need {wanted}, the limit is {hard}", remedy=remedy)
    if theirs != resource.RLIM_INFINITY and theirs < _SERVER_FILES:
        why = f"a server may have {theirs:,} only; cases with more clients cannot be run"
        return weaker("descriptors", why, detail=detail, remedy=remedy)
    return had("descriptors", detail)


def processors(root: Path = Path("/")) -> Technique:
    """How many CPUs may be used, and for how much of the time. `root`: where proc and sys are mounted."""
    number = len(os.sched_getaffinity(0))
    quota = cpu_quota(root)
    cpus = f"{number} CPU{'s' if number != 1 else ''}"
    if quota is None:
        return had("processors", cpus)
    if quota >= number:
        return had("processors", f"{cpus}; its cgroup allows {quota:.2g}")
    return weaker(
        "processors",
        f"the cgroup allows {quota:.2g} of {cpus}: whoever has used its share waits up to a tenth of a second",
        remedy="--jobs 1, or more CPU time for the container: docker run --cpus",
    )


def cpu_quota(root: Path) -> float | None:
    """How many CPUs the cgroups of this process allow, the smallest of all above it; None where none says."""
    found = []
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            tops = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"]
        elif "cpu" in controllers.split(","):
            tops = [root / "sys/fs/cgroup" / controllers, root / "sys/fs/cgroup/cpu"]
        else:
            continue
        for top in tops:
            inner = top / path.lstrip("/")
            # In a container the path may be the host's; then the container's own cgroup is the top.
            for folder in (inner, *inner.parents):
                found.append(_quota(folder))
                if folder == top:
                    break
    return min((quota for quota in found if quota is not None), default=None)


def folder() -> Technique:
    """An empty folder of one's own. OSError where none can be made."""
    path = tempfile.mkdtemp(prefix="sockcheck-")
    try:
        Path(path, "it").write_bytes(b"x")
    finally:
        shutil.rmtree(path, ignore_errors=True)
    return had("folder")


async def timer() -> Technique:
    """How late trio wakes us."""
    late = []
    for _ in range(_NAPS):
        due = time.monotonic() + _NAP
        await trio.sleep(_NAP)
        late.append(time.monotonic() - due)
    detail = f"{statistics.median(late) * 1000:.2f} ms late, {max(late) * 1000:.2f} ms at worst"
    if max(late) > _LATE:
        why = "the machine is busy, or the container's share of its CPUs is used up"
        return weaker("timer", f"{detail}: {why}", remedy="a machine with less to do, --jobs 1, or --stretch 3")
    return had("timer", detail)


def others() -> Technique:
    """Whether the sockets of servers can be seen that run under another user's name."""
    own = os.geteuid()
    foreign = [pid for pid in processes.everyone() if _owner(pid) not in (own, None)]
    closed = [pid for pid in foreign if processes.socket_inodes(pid) is None]
    if closed:
        one = refused("others", errno.EACCES, os.strerror(errno.EACCES))
        why = f"of {len(closed)} of {len(foreign)} such processes not: {one.why}"
        return weaker("others", why, remedy=one.remedy)
    if not foreign and _hidden():
        return weaker("others", "/proc is mounted with hidepid=: it shows your own alone", remedy="run it as root")
    return had("others", f"{len(foreign)} such processes" if foreign else "there are none now")


def cpu_clock(pid: int) -> Technique:
    """The CPU time of another process, in nanoseconds. OSError where it is not told."""
    # linux/include/linux/posix-timers_types.h: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)
    seconds = time.clock_gettime((~pid << 3) | 2)
    return had("cpu-clock", f"{seconds * 1000:.1f} ms used by the server of this trial")


def run_delay(pid: int) -> Technique:
    """How long a process was ready and did not run. OSError where it is not told."""
    used, waited, _ = map(int, Path(f"/proc/{pid}/schedstat").read_text().split())
    if used == 0:
        return lacking("run-delay", "it stays 0: the kernel does not count, see kernel.sched_schedstats")
    return had("run-delay", f"{waited / 1e6:.1f} ms waited by the server of this trial")


def _limit(number: int) -> str:
    return "no limit" if number == resource.RLIM_INFINITY else f"{number:,}"


def _quota(folder: Path) -> float | None:
    """Of one cgroup: cgroup-v2.rst has cpu.max, `max 100000` or `50000 100000`; v1 has two files, -1 for no limit."""
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    try:
        micros = int((folder / "cpu.cfs_quota_us").read_text())
        return None if micros < 0 else micros / int((folder / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None


def _owner(pid: int) -> int | None:
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None


def _hidden() -> bool:
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        return any(line.split()[1] == "/proc" and "hidepid=" in line for line in mounts)
