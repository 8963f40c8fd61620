"""Where a server is reached: addresses as people write them, and which listening socket serves which address."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from sockcheck.errors import UsageError
from sockcheck.observe.proctcp import listen_source
from sockcheck.observe.sockdiag import Listener

_EXAMPLES = "write HOST:PORT, for example 127.0.0.1:7000 or [::1]:7000"
_MAPPED = "::ffff:"
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP address: `host` is a numeric IP address."""

    host: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @property
    def sockaddr(self) -> tuple[str, int]:
        """What `socket.connect` takes, of either family."""
        return self.host, self.port

    @property
    def destination(self) -> Address:
        """Where a client connects to: the loopback address in place of a wildcard."""
        return Address(_WILDCARDS.get(self.host, self.host), self.port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse(text: str, *, lowest_port: int = 1) -> Address:
    """The address that `HOST:PORT` or `[IPV6]:PORT` names. Who wants to listen there allows a lowest port of 0.

    A host name is looked up; `localhost` is 127.0.0.1, or ::1 where only that is listened on, whatever the resolver
    says. Raises UsageError.
    """
    host, port = _split(text, lowest_port)
    if host == "localhost":
        return Address(_localhost(port), port)
    if _is_ip(socket.AF_INET, host) or _is_ip(socket.AF_INET6, host):
        return Address(host, port)
    return Address(_resolve(host, port), port)


def reached_at(listener: Listener, host: str | None = None) -> Address:
    """The address at which a client reaches a listening socket. A wildcard is reached at `host`, else on loopback."""
    address = listener.host.removeprefix(_MAPPED)
    if address == "0.0.0.0" or (address == "::" and not listener.v6only):
        address = host or "127.0.0.1"
    elif address == "::":
        address = "::1"
    return Address(address, listener.port)


def serves(listener: Listener, address: Address) -> bool:
    """Whether a connection to this address comes to this listening socket, as far as addresses go."""
    if listener.port != address.port:
        return False
    if listener.host == "::":
        return ":" in address.host or not listener.v6only
    bound = listener.host.removeprefix(_MAPPED)
    return bound == address.host or (bound == "0.0.0.0" and ":" not in address.host)


def is_local(address: Address) -> bool:
    """Whether the address is one of this machine's own. Nothing is sent."""
    with socket.socket(address.family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address.host, 0))
        except OSError:
            return False
    return True


def _split(text: str, lowest: int) -> tuple[str, int]:
    if "://" in text:
        raise UsageError(f"{text!r} is a URL, not an address", _EXAMPLES)
    if text.startswith(("/", "./", "../")):
        raise UsageError(f"{text!r} is a path, not an address", _EXAMPLES)
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not rest.startswith(":"):
            raise UsageError(f"{text!r} is no address: after the bracket comes a colon and the port", _EXAMPLES)
        if not _is_ip(socket.AF_INET6, host):
            raise UsageError(f"{text!r} is no address: {host!r} is no IPv6 address", _EXAMPLES)
        return host, _port(text, rest[1:], lowest)
    if text.count(":") > 1:
        raise UsageError(f"{text!r} could mean several addresses", _brackets(text))
    host, colon, port = text.partition(":")
    if not colon:
        if text.isdigit():
            raise UsageError(f"{text!r} names no host", f"write 127.0.0.1:{text} for a server on this machine")
        raise UsageError(f"{text!r} names no port", f"write {text or 'HOST'}:PORT")
    if not host:
        raise UsageError(f"{text!r} names no host", f"write 127.0.0.1{text} for a server on this machine")
    return host, _port(text, port, lowest)


def _brackets(text: str) -> str:
    host, _, port = text.rpartition(":")
    if port.isdigit() and _is_ip(socket.AF_INET6, host):
        return f"write an IPv6 address in brackets: [{host}]:{port}"
    if _is_ip(socket.AF_INET6, text):
        return f"write an IPv6 address in brackets and name the port: [{text}]:PORT"
    return _EXAMPLES


def _is_ip(family: socket.AddressFamily, host: str) -> bool:
    try:
        socket.inet_pton(family, host.partition("%")[0])
    except (OSError, ValueError):
        return False
    return True


def _port(text: str, port: str, lowest: int) -> int:
    if not port:
        raise UsageError(f"{text!r} names no port", "write the port after the colon")
    if not re.fullmatch("[0-9]{1,5}", port) or not lowest <= int(port) <= 65535:
        raise UsageError(f"{text!r} is no address: {port!r} is no port", f"a port is a number from {lowest} to 65535")
    return int(port)


def _localhost(port: int) -> str:
    for host in ("127.0.0.1", "::1"):
        if any(serves(row, Address(host, port)) for row in _listeners()):
            return host
    return _resolve("localhost", port)


def _listeners() -> Sequence[Listener]:
    try:
        source = listen_source()
    except OSError:
        return ()
    try:
        return source.listeners()
    finally:
        source.close()


def _resolve(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "that is no host name"
        raise UsageError(f"the host {host!r} cannot be found: {why}", "write its IP address") from error
    return str(found[0][4][0])
