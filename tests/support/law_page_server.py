"""A server made of the Python on the page of a law: law_page_server.py HOST PORT LAW broken|mended CONTRACT

What the page leaves to its reader, such as `answer` or `start`, is filled in by the names of the parameters.
"""

from __future__ import annotations

import inspect
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parents[2] / "docs" / "laws"
GREETING = b"Welcome to the server. Type something and hit enter\n"
IDLE = 1.0
# In the order in which they are looked for: what serves all clients, then what serves one.
FOR_ALL = ("serve_all", "loop", "serve_two")
FOR_ONE = ("serve", "converse")


def block(law: str, which: str) -> str:
    """The first block of Python of a section."""
    title = {"broken": "## The server that breaks it", "mended": "## How to mend it"}[which]
    section = (PAGES / f"{law}.md").read_text(encoding="utf-8").split(f"{title}\n")[1].split("\n## ")[0]
    found = re.search(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def read_exactly(connection: socket.socket, size: int) -> bytes:
    return connection.recv(size, socket.MSG_WAITALL)


def lines(connection: socket.socket) -> Iterator[bytes]:
    with connection.makefile("rb") as file:
        yield from file


def echo(connection: socket.socket) -> None:
    with connection:
        connection.setblocking(True)
        try:
            while data := connection.recv(4096):
                connection.sendall(data)
        except OSError:
            pass


def echo_in_thread(connection: socket.socket) -> None:
    threading.Thread(target=echo, args=[connection], daemon=True).start()


def echo_some(connection: socket.socket) -> bool:
    """One turn; False at the end."""
    try:
        data = connection.recv(4096)
        connection.sendall(data)
    except OSError:
        return False
    return bool(data)


class Answers:
    """What the contract says to a line, with or without its newline. The first answer of all takes its time."""

    def __init__(self, contract: str) -> None:
        self._contract = contract
        self._values: dict[bytes, bytes] = {}
        self._slow = True

    def __call__(self, line: bytes) -> bytes:
        if self._contract == "reply":
            return b"OK..." + line.removesuffix(b"\n") + b"\n"
        if self._slow:
            self._slow = False
            time.sleep(0.2)
        words = line.removesuffix(b"\n").split(b" ", 2)
        match words:
            case [b"SET", key, value]:
                self._values[key] = value
                return b"OK\n"
            case [b"GET", key]:
                return b"VALUE " + self._values[key] + b"\n" if key in self._values else b"NONE\n"
            case [b"DEL", key]:
                return b"OK\n" if self._values.pop(key, None) is not None else b"NONE\n"
        return b"ERR what is that?\n"


def call(function: Callable[..., Any], **known: Any) -> Any:
    """Call it with those of `known` that are among its parameters, by position."""
    wanted = inspect.signature(function).parameters.values()
    return function(*(known[each.name] for each in wanted if each.default is each.empty))


def main() -> None:
    host, port, law, which, contract = sys.argv[1:]
    server = socket.create_server((host, int(port)), backlog=128)
    names: dict[str, Any] = {}
    exec(compile(block(law, which), f"{law} {which}", "exec"), names)
    known = {
        "server": server,
        "answer": Answers(contract),
        "requests": lines,
        "read_exactly": read_exactly,
        "start": echo_in_thread,
        "accept": lambda server: server.accept()[0],
        "serve": echo if law == "life.stop" else echo_some,
        "converse": echo,
        "log": print,
        "store": {},
        "idle": IDLE,
    }
    for name in FOR_ALL:
        if name in names:
            call(names[name], **known)
            return
    serve = next(names[name] for name in FOR_ONE if name in names)
    if "server" in inspect.signature(serve).parameters:
        call(serve, **known)

    def one(connection: socket.socket) -> None:
        if contract == "reply":
            connection.sendall(GREETING)
        call(serve, **known, connection=connection, peer=connection.fileno())
        connection.close()

    while True:
        connection, _ = server.accept()
        threading.Thread(target=one, args=[connection], daemon=True).start()


if __name__ == "__main__":
    main()
