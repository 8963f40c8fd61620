"""The techniques that verdicts rest on: what each is good for, what stands for it, and what usually is in its way.

`sockcheck.doctor` tries them; this says what the outcome means. An errno alone says little to a user: that EPERM more
often means a seccomp profile than a missing privilege is known here.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass

from sockcheck.diagnosis import Group, Technique

_GAPS = "a gap of 20 ms between two segments: on a busy machine some of them are merged"
_WAITS = "a wait of 50 ms; what comes later is missed"
_NONE = "nothing: what needs it cannot be tested here"


@dataclass(frozen=True, slots=True)
class Entry:
    """`title`: the claim. `instead`: what sockcheck does where it cannot be made, or ""."""

    group: Group
    title: str
    instead: str


CATALOGUE: Mapping[str, Entry] = {
    "read-barrier": Entry("cut", "segments are cut for certain", _GAPS),
    "merge": Entry("cut", "sends are merged for certain", "sends go out as one; how they arrive is left to chance"),
    "endings": Entry("cut", "data, end of stream, reset, silence, refusal are told apart", _NONE),
    "small-window": Entry("cut", "a client's window can be made small", "the system's buffers, which hold much more"),
    "sock-diag": Entry("see", "the kernel tells of sockets (sock_diag)", "/proc/net/tcp, gaps and waits; see there"),
    "listening": Entry("see", "it is seen when and where a server listens", "servers that run already: --connect"),
    "queue": Entry("see", "queue and backlog of a server are seen", "a `check` of them is an error, not a failure"),
    "settling": Entry("see", "it is seen when a server has no more to do", _WAITS),
    "health": Entry(
        "see", "descriptors, threads, children, CPU time are seen", "a `check` of what is not seen is an error"
    ),
    "tcp-info": Entry("see", "the state of a connection is seen (TCP_INFO)", "endings are told without the state"),
    "others": Entry(
        "see", "servers of other users are seen (--connect)", "it is seen that they listen, not who they are"
    ),
    "start": Entry("keep", "servers are started, watched and stopped", "servers that run already: --connect"),
    "pause": Entry("keep", "servers are paused (SIGSTOP)", "cases that pause the server are not run"),
    "reap": Entry("keep", "nothing of a server is left, daemons neither", "what is known of it is killed"),
    "folder": Entry("keep", "servers get an empty folder ({dir})", "commands with {dir} cannot be started"),
    "loopback": Entry("place", "connections are made on this machine (127.0.0.1)", _NONE),
    "addresses": Entry("place", "each server has an address of its own (127.0.x.y)", "127.0.0.1 and a free {port}"),
    "ipv6": Entry("place", "IPv6 is there (::1)", _NONE),
    "descriptors": Entry(
        "place", "there are descriptors enough", "fewer servers at a time (--jobs 1), and cases with fewer clients"
    ),
    "processors": Entry("place", "there is CPU time enough", "deadlines that sockcheck was late for accuse nobody"),
    "timer": Entry("place", "sockcheck wakes when it should", "deadlines that sockcheck was late for accuse nobody"),
    "isolation": Entry(
        "option",
        "servers get a network of their own (--isolate net)",
        "servers with an address of their own run one at a time",
    ),
    "run-delay": Entry("extra", "waiting for a CPU is measured (schedstat)", ""),
    "cpu-clock": Entry("extra", "the CPU clock of a server is read", ""),
    "timestamps": Entry("extra", "the kernel stamps arrivals (SO_TIMESTAMPNS)", ""),
    "given-start": Entry("server", "the server runs and listens", ""),
    "given-seen": Entry(
        "server", "its processes and sockets are seen", "the health of it is judged by its listening alone"
    ),
    "given-pause": Entry("server", "it survives a pause", "cases that pause the server are not run"),
    "given-connection": Entry("server", "its end of a connection is seen", f"{_GAPS}; {_WAITS}"),
}
"""All techniques by id, in the order in which they are told."""

_SECCOMP = "usually the seccomp profile of a container, or of systemd, forbids it"
_DIAG_REMEDY = "allow netlink sockets in the sandbox; in Docker, to try: --security-opt seccomp=unconfined"
_USERNS_REMEDY = (
    "as root: sysctl kernel.unprivileged_userns_clone=1 (Debian), sysctl "
    "kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu); in a container: --security-opt seccomp=unconfined"
)
_IPV6_REMEDY = "sysctl net.ipv6.conf.all.disable_ipv6=0; in Docker: --sysctl net.ipv6.conf.all.disable_ipv6=0"
_LOOPBACK = "the loopback interface is down, as in a network namespace that was just made"
_LOOPBACK_REMEDY = "ip link set lo up"

_PROC, _PROC_REMEDY = "/proc is not mounted", "mount -t proc proc /proc"

# What an errno usually means for a technique, and the way out.
MEANINGS: Mapping[tuple[str, int], tuple[str, str]] = {
    ("sock-diag", errno.EPERM): (_SECCOMP, _DIAG_REMEDY),
    ("sock-diag", errno.EACCES): (_SECCOMP, _DIAG_REMEDY),
    ("sock-diag", errno.EAFNOSUPPORT): (
        "there are no netlink sockets here: a sandbox, or RestrictAddressFamilies= of systemd",
        "add AF_NETLINK to RestrictAddressFamilies=, or run outside the sandbox",
    ),
    ("sock-diag", errno.EPROTONOSUPPORT): (
        "this kernel has no sock_diag, as gVisor's",
        "run on a Linux kernel itself; modprobe inet_diag where it is a module",
    ),
    ("sock-diag", errno.ENOENT): ("the kernel's part for TCP is not loaded", "modprobe tcp_diag"),
    ("isolation", errno.EPERM): (
        "user namespaces are closed to this user, or a container's seccomp profile forbids unshare()",
        _USERNS_REMEDY,
    ),
    ("isolation", errno.EACCES): ("AppArmor or SELinux forbids what is done in a user namespace", _USERNS_REMEDY),
    ("isolation", errno.ENOSPC): (
        "the system's limit of namespaces is reached",
        "raise it: sysctl user.max_net_namespaces, user.max_user_namespaces",
    ),
    ("isolation", errno.EINVAL): ("this kernel is built without network or user namespaces", ""),
    ("ipv6", errno.EADDRNOTAVAIL): ("IPv6 is switched off", _IPV6_REMEDY),
    ("ipv6", errno.EAFNOSUPPORT): ("the kernel has no IPv6", "boot without ipv6.disable=1"),
    ("loopback", errno.EADDRNOTAVAIL): (_LOOPBACK, _LOOPBACK_REMEDY),
    ("loopback", errno.ENETUNREACH): (_LOOPBACK, _LOOPBACK_REMEDY),
    ("addresses", errno.EADDRNOTAVAIL): (
        "the loopback interface has 127.0.0.1 alone, as on systems other than Linux",
        "",
    ),
    ("small-window", errno.ENOPROTOOPT): ("this network stack has no TCP_MAXSEG, as that of a sandbox", ""),
    ("tcp-info", errno.ENOPROTOOPT): ("this network stack has no TCP_INFO, as that of a sandbox", ""),
    ("others", errno.EACCES): (
        "the descriptors of their processes may not be read",
        "run sockcheck as the user of the server, or as root",
    ),
    ("others", errno.ENOENT): (_PROC, _PROC_REMEDY),
    ("isolation", errno.ENOENT): (_PROC, _PROC_REMEDY),
    ("run-delay", errno.ENOENT): ("the kernel is built without CONFIG_SCHED_INFO", ""),
}


def had(id: str, detail: str = "") -> Technique:
    """It works."""
    entry = CATALOGUE[id]
    return Technique(id, entry.group, entry.title, "yes", detail)


def weaker(id: str, why: str, *, detail: str = "", instead: str = "", remedy: str = "") -> Technique:
    """It works in part; `instead` takes the place of what the catalogue says."""
    entry = CATALOGUE[id]
    return Technique(id, entry.group, entry.title, "weaker", detail, why, instead or entry.instead, remedy)


def lacking(id: str, why: str, remedy: str = "") -> Technique:
    """It does not work."""
    entry = CATALOGUE[id]
    return Technique(id, entry.group, entry.title, "no", "", why, entry.instead, remedy)


def refused(id: str, number: int, message: str) -> Technique:
    """The system refused it with this errno; `message` is the system's text for it."""
    meaning, remedy = MEANINGS.get((id, number), ("", ""))
    said = f"{errno.errorcode.get(number, f'errno {number}')} ({message})"
    return lacking(id, f"{said}: {meaning}" if meaning else said, remedy)


def untried(id: str, because: str) -> Technique:
    """It could not be tried, since `because`, another technique, is lacking."""
    entry = CATALOGUE[id]
    return Technique(
        id, entry.group, entry.title, "untried", why=f"it needs what is lacking: {CATALOGUE[because].title}"
    )
