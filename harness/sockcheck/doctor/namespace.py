"""Makes a network namespace and connects in it: `python -I -S namespace.py net|user`. A process of its own does that.

sockcheck itself never leaves its namespaces: a thread that did would see another network than the rest. With exit
status 0 it worked; else standard output holds the errno and the step at which it failed.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys

# linux/sched.h, linux/sockios.h, linux/if.h
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_REQUEST = struct.Struct("16sh22x")


def main(kind: str) -> int:
    """Try it; the exit status."""
    step = "unshare"
    try:
        user, group = os.getuid(), os.getgid()
        _unshare(_CLONE_NEWNET | (_CLONE_NEWUSER if kind == "user" else 0))
        if kind == "user":
            step = "uid_map"
            _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"0 {user} 1")
            _write("/proc/self/gid_map", f"0 {group} 1")
        step = "ip link set lo up"
        _loopback_up()
        step = "connect"
        with socket.create_server(("127.0.0.1", 80)) as server, socket.create_connection(server.getsockname(), 1):
            pass
    except OSError as error:
        sys.stdout.write(f"{error.errno or 0} {step}")
        return 1
    return 0


def _unshare(flags: int) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        flags = _REQUEST.unpack(fcntl.ioctl(control, _SIOCGIFFLAGS, _REQUEST.pack(b"lo", 0)))[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, _REQUEST.pack(b"lo", flags | _IFF_UP))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
