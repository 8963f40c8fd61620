"""What all the benchmarks exchange with the same server: 64 bytes there, 64 bytes back, both ends of the stream."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from performing import GOOD, compiled
from tools import CHECKOUT

MESSAGE = b"0123456789abcdef" * 4
ECHO = CHECKOUT / "harness" / "sockcheck" / "servers" / "echo.py"

_STEPS = f"""\
  - connect
  - send: "{MESSAGE.decode()}"
  - expect: "{MESSAGE.decode()}"
"""
_END = """\
  - shutdown: write
  - end: eof
"""
# What `count` may be.
_MOST = 4096

EXCHANGE = f"scenario: One exchange\nclient:\n{_STEPS}{_END}"


def crowd(clients: int, more: str = "") -> str:
    """So many clients at once with an exchange each, and with `more` steps before its end."""
    steps = f"{_STEPS}{more}{_END}".replace("  - ", "      - ")
    lines = ["scenario: A crowd", "clients:"]
    for number, first in enumerate(range(0, clients, _MOST)):
        lines += [f"  crowd-{number}:", f"    count: {min(_MOST, clients - first)}", "    steps:", steps.rstrip("\n")]
    return "\n".join([*lines, ""])


def scenario(folder: Path, text: str, name: str = "exchange") -> str:
    """The path of a file with that text, which is run as it is written."""
    path = folder / f"{name}.sock.yaml"
    path.write_text(f"{text}conditions: none\n")
    return str(path)


def server(folder: Path) -> str:
    """The path of an echo server in C, compiled into `folder`; it takes a host and a port."""
    return compiled(GOOD / "epoll_echo.c", folder)


@contextmanager
def serving(program: str) -> Iterator[int]:
    """The port on which that server runs meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    running = subprocess.Popen([program, "127.0.0.1", str(port)], stdin=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if running.poll() is not None or time.monotonic() > limit:
                    raise
                time.sleep(0.001)
        yield port
    finally:
        running.kill()
        running.wait()
