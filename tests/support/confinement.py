"""Places where techniques are lacking: `python confinement.py PLACE… -- COMMAND…` runs a command in one.

    no-netlink     a seccomp filter answers socket(AF_NETLINK, …) with EPERM
    no-namespaces  one answers unshare() with EPERM
    no-ipv6        one answers socket(AF_INET6, …) with EAFNOSUPPORT
    few-files      the hard limit of open files is 256
    new-network    a network namespace of its own, as it is when it was just made: its loopback interface is down
    own-network    the same, and it is up
    no-proc        an empty folder lies over /proc
    unprivileged   without root's capabilities; whoever is not root has none anyway
    ordinary       as an ordinary user: root becomes one, of a user namespace, to whom root's files belong

The filters need no privilege (seccomp(2)), and bind all that the command starts. Namespaces need root, or that anybody
may make user namespaces: else the exit status is `NOT_HERE`.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import resource
import socket
import struct
import sys
from pathlib import Path

NOT_HERE = 77
"""The exit status that says that there can be no such place."""

# linux/seccomp.h, linux/filter.h, linux/prctl.h
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER_AT, _FIRST_ARGUMENT_AT = 0, 16
_PR_CAPBSET_DROP = 24
_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
_SIOCSIFFLAGS = 0x8914
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
# asm/unistd.h: socket and unshare.
_CALLS = {"x86_64": (41, 272), "aarch64": (198, 97)}
_AF_INET6, _AF_NETLINK = 10, 16


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def confined(*words: str) -> list[str]:
    """The beginning of a command line that runs the rest of it in these places."""
    return [sys.executable, str(Path(__file__)), *words, "--"]


def main(words: list[str]) -> None:
    split = words.index("--")
    for place in words[:split]:
        _PLACES[place]()
    os.execvp(words[split + 1], words[split + 1 :])


def _forbid(call: int, error: int, argument: int | None = None) -> None:
    """Answer a system call with an error; with `argument`, only where its first argument is this."""
    if argument is None:
        code = [(_LOAD, 0, 0, _NUMBER_AT), (_JUMP_IF_EQUAL, 0, 1, call)]
    else:
        code = [
            (_LOAD, 0, 0, _NUMBER_AT),
            (_JUMP_IF_EQUAL, 0, 3, call),
            (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
            (_JUMP_IF_EQUAL, 0, 1, argument),
        ]
    code += [(_RETURN, 0, 0, _ERRNO | error), (_RETURN, 0, 0, _ALLOW)]
    program = _Program(len(code), b"".join(struct.pack("HBBI", *each) for each in code))
    _called("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _called("prctl", _PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0)


def _called(name: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


def _unshare(kind: int) -> None:
    """A namespace of this kind: root makes it as it is, anybody else within a user namespace."""
    user, group = os.getuid(), os.getgid()
    try:
        _called("unshare", kind if user == 0 else kind | _CLONE_NEWUSER)
        if user != 0:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError:
        sys.exit(NOT_HERE)


def _own_network() -> None:
    _unshare(_CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # netdevice(7): the name, and the flags IFF_UP and IFF_RUNNING.
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", 0x41))


def _hide_proc() -> None:
    _unshare(_CLONE_NEWNS)
    _called("mount", b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    _called("mount", b"none", b"/proc", b"tmpfs", 0, None)


def _drop_capabilities() -> None:
    """What is not in the bounding set is lost by execve(2), by root too: capabilities(7)."""
    if os.getuid() == 0:
        for capability in range(64):
            try:
                _called("prctl", _PR_CAPBSET_DROP, capability, 0, 0, 0)
            except OSError:
                break  # this kernel has no more


def _become_ordinary() -> None:
    """A user who is not root has no privilege left behind execve(2), in a user namespace neither."""
    if os.getuid() == 0:
        try:
            _called("unshare", _CLONE_NEWUSER)
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text("1000 0 1")
            Path("/proc/self/gid_map").write_text("1000 0 1")
        except OSError:
            sys.exit(NOT_HERE)


_SOCKET, _UNSHARE = _CALLS[platform.machine()]
_PLACES = {
    "no-netlink": lambda: _forbid(_SOCKET, errno.EPERM, _AF_NETLINK),
    "no-namespaces": lambda: _forbid(_UNSHARE, errno.EPERM),
    "no-ipv6": lambda: _forbid(_SOCKET, errno.EAFNOSUPPORT, _AF_INET6),
    "few-files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)),
    "new-network": lambda: _unshare(_CLONE_NEWNET),
    "own-network": _own_network,
    "no-proc": _hide_proc,
    "unprivileged": _drop_capabilities,
    "ordinary": _become_ordinary,
}

if __name__ == "__main__":
    main(sys.argv[1:])
