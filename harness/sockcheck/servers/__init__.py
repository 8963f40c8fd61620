"""The reference servers: one for each bundled contract, each written to be read.

Every one is also a program: `python -m sockcheck.servers.echo HOST PORT`. They use the standard library alone and share
only `sockcheck.servers.program`, so that each shows one way to write a server whole: `echo` is an event loop, `reply`
has a thread for each client, `echo_once` serves one client at a time, `hello` reads text, `frames` is written with
asyncio, `kv` shares state between threads and measures time, `chat` delivers to many what one has sent.
"""

from __future__ import annotations

NAMES: tuple[str, ...] = ("echo", "echo-once", "reply", "hello", "frames", "kv", "chat")
"""The contracts that have a reference server."""


def serve(name: str, host: str, port: int) -> None:
    """Serve the contract `name` on `host` and `port` (0: the kernel chooses) until the process ends.

    Say where on standard output. SIGTERM ends the process with status 0, SIGINT with 130. Call it before any thread is
    started. Raise ValueError where there is no such server, OSError where the address cannot be had.
    """
    from importlib import import_module

    from sockcheck.servers.program import announce, end_on_signals, listen

    if name not in NAMES:
        raise ValueError(f"there is no reference server named {name!r}; there are {', '.join(NAMES)}")
    end_on_signals()
    with listen(host, port) as listener:
        announce(name, listener)
        import_module(f"sockcheck.servers.{name.replace('-', '_')}").serve(listener)
