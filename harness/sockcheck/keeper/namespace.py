"""A network namespace of the target's own, as the keeper makes it, enters it, and gives out sockets made in it.

Only a process with one thread may enter another's user namespace, and a thread that did would see another network than
the rest of its program: so sockcheck leaves all of this to the keeper. See network_namespaces(7), user_namespaces(7).
"""

from __future__ import annotations

import _socket  # `socket` loads `enum` and `selectors`: a third of the time to start.
import errno
import fcntl
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# linux/sched.h, linux/sockios.h, linux/if.h, linux/netlink.h
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_NETLINK_SOCK_DIAG = 4
_INTERFACE = struct.Struct("16sh22x")

# The step in which asking the kernel about sockets is refused: that is no matter of namespaces.
ASKING = "socket(AF_NETLINK)"

_LOWEST_PORT = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
_PORT_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"


class StepError(Exception):
    """The system refused `step` with the errno `number`."""

    def __init__(self, number: int, step: str) -> None:
        super().__init__(step)
        self.number = number
        self.step = step


def make() -> list[int]:
    """Leave for a new network namespace, whose loopback interface is up. What `enter` takes, open descriptors.

    Where that takes a privilege that is not there it is done in a new user namespace, in which user and group are the
    same as outside and have no privileges either. So that the target may have ports below 1024 all the same, nobody
    needs a privilege for them in the new network, where that can be set. Raises StepError.
    """
    user, group = os.geteuid(), os.getegid()
    kinds = ["net"]
    try:
        with _Step("unshare(CLONE_NEWNET)"):
            _called("unshare", _CLONE_NEWNET)
    except StepError as error:
        if error.number != errno.EPERM:
            raise
        kinds = ["user", "net"]
        with _Step("unshare(CLONE_NEWUSER | CLONE_NEWNET)"):
            _called("unshare", _CLONE_NEWUSER | _CLONE_NEWNET)
        # Nobody without a privilege outside may map a group as long as setgroups(2) could drop one.
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with _Step(f"writing {name}"):
                _write(f"/proc/self/{name}", text)
    with _Step("ip link set lo up"):
        _loopback_up()
    try:
        _write(_LOWEST_PORT, "0")
    except OSError:
        pass  # /proc/sys may not be writable, as in most containers
    with _Step("opening /proc/self/ns"):
        return [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in kinds]


def enter(namespaces: Sequence[int]) -> None:
    """Enter the namespaces with these descriptors, which `make` gave, in this order. Raises StepError."""
    for namespace in namespaces:
        with _Step("setns"):
            _called("setns", namespace, 0)


def port_range() -> tuple[int, int]:
    """The lowest and the highest port that the kernel chooses here. Raises StepError."""
    with _Step("reading ip_local_port_range"):
        low, high = _read(_PORT_RANGE).split()
    return int(low), int(high)


def diag() -> int:
    """The descriptor of a socket that asks about the sockets of this network: sock_diag(7). Raises StepError."""
    with _Step(ASKING):
        kind = _socket.SOCK_RAW | _socket.SOCK_CLOEXEC
        return _socket.socket(_socket.AF_NETLINK, kind, _NETLINK_SOCK_DIAG).detach()


def sockets(family: int, count: int) -> list[int]:
    """The descriptors of so many TCP sockets of this network, unconnected and non-blocking. Raises StepError.

    They are fewer where there are not descriptors enough, one at least.
    """
    kind = _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK
    made: list[int] = []
    while len(made) < count:
        try:
            with _Step("socket"):
                made.append(_socket.socket(family, kind).detach())
        except StepError:
            if not made:
                raise
            break
    return made


def send(control: int, packet: bytes, descriptors: Sequence[int]) -> None:
    """Send a packet with descriptors (unix(7), SCM_RIGHTS). OSError as of sendmsg(2)."""
    rights = struct.pack(f"{len(descriptors)}i", *descriptors)
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET, 0, control)
    try:
        sock.sendmsg([packet], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
    finally:
        sock.detach()


class _Step:
    """A context that raises a StepError in place of an OSError."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError):
            raise StepError(error.errno or 0, self._name) from error


def _called(name: str, *arguments: int) -> None:
    import ctypes

    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def _loopback_up() -> None:
    control = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        descriptor = control.fileno()
        flags = _INTERFACE.unpack(fcntl.ioctl(descriptor, _SIOCGIFFLAGS, _INTERFACE.pack(b"lo", 0)))[1]
        fcntl.ioctl(descriptor, _SIOCSIFFLAGS, _INTERFACE.pack(b"lo", flags | _IFF_UP))
    finally:
        control.close()
