"""Addresses as people write them, and which listening socket serves which."""

from __future__ import annotations

import errno
import socket
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockcheck.addresses import Address, is_local, parse, reached_at, serves
from sockcheck.errors import UsageError
from sockcheck.observe.proctcp import ProcTcp
from sockcheck.observe.sockdiag import Diag, Listener

EXAMPLES = "write HOST:PORT, for example 127.0.0.1:7000 or [::1]:7000"
RANGE = "a port is a number from 1 to 65535"


def listener(host: str, port: int = 7000, *, v6only: bool = False) -> Listener:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return Listener(family, host, port, inode=1, uid=0, queue=0, backlog=5, v6only=v6only)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:7000", "127.0.0.1", 7000),
        ("[::1]:7000", "::1", 7000),
        ("[fe80::1%lo]:7000", "fe80::1%lo", 7000),
        ("0.0.0.0:1", "0.0.0.0", 1),
        ("[::]:65535", "::", 65535),
    ],
)
def test_numeric_addresses(text: str, host: str, port: int) -> None:
    address = parse(text)
    assert address == Address(host, port)
    assert str(address) == text
    assert address.sockaddr == (host, port)
    assert address.family == (socket.AF_INET6 if ":" in host else socket.AF_INET)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("::1:7000", "'::1:7000' could mean several addresses", "write an IPv6 address in brackets: [::1]:7000"),
        (
            "fe80::1:2:abcd",
            "'fe80::1:2:abcd' could mean several addresses",
            "write an IPv6 address in brackets and name the port: [fe80::1:2:abcd]:PORT",
        ),
        ("a:b:c", "'a:b:c' could mean several addresses", EXAMPLES),
        ("7000", "'7000' names no host", "write 127.0.0.1:7000 for a server on this machine"),
        (":7000", "':7000' names no host", "write 127.0.0.1:7000 for a server on this machine"),
        ("127.0.0.1", "'127.0.0.1' names no port", "write 127.0.0.1:PORT"),
        ("", "'' names no port", "write HOST:PORT"),
        ("127.0.0.1:", "'127.0.0.1:' names no port", "write the port after the colon"),
        ("[::1]:", "'[::1]:' names no port", "write the port after the colon"),
        ("127.0.0.1:http", "'127.0.0.1:http' is no address: 'http' is no port", RANGE),
        ("127.0.0.1:0", "'127.0.0.1:0' is no address: '0' is no port", RANGE),
        ("127.0.0.1:65536", "'127.0.0.1:65536' is no address: '65536' is no port", RANGE),
        ("127.0.0.1:-1", "'127.0.0.1:-1' is no address: '-1' is no port", RANGE),
        ("127.0.0.1:\u0667", "'127.0.0.1:\u0667' is no address: '\u0667' is no port", RANGE),
        ("[::1]", "'[::1]' is no address: after the bracket comes a colon and the port", EXAMPLES),
        ("[::1:7000", "'[::1:7000' is no address: after the bracket comes a colon and the port", EXAMPLES),
        ("[localhost]:7000", "'[localhost]:7000' is no address: 'localhost' is no IPv6 address", EXAMPLES),
        ("http://127.0.0.1:7000/", "'http://127.0.0.1:7000/' is a URL, not an address", EXAMPLES),
        ("/run/server.sock", "'/run/server.sock' is a path, not an address", EXAMPLES),
        (
            f"{'x' * 64}.example:7000",
            f"the host {'x' * 64 + '.example'!r} cannot be found: that is no host name",
            "write its IP address",
        ),
    ],
)
def test_what_is_no_address(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@given(st.text(alphabet="[]:.%/01a", max_size=12))
def test_whatever_is_written_is_an_address_or_a_usage_error(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("192.0.2.1", 0))])
        try:
            port = parse(text).port
        except UsageError:
            return
        assert 1 <= port <= 65535


def test_who_listens_may_ask_for_any_port() -> None:
    assert parse("127.0.0.1:0", lowest_port=0) == Address("127.0.0.1", 0)
    with pytest.raises(UsageError) as caught:
        parse("127.0.0.1:70000", lowest_port=0)
    assert caught.value.hint == "a port is a number from 0 to 65535"


def test_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def getaddrinfo(host: str, port: int, **rest: object) -> list[tuple[object, ...]]:
        asked.append((host, port))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert parse("server.example:7000") == Address("192.0.2.7", 7000)
    assert asked == [("server.example", 7000)]


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(UsageError) as caught:
        parse("nowhere.example:7000")
    assert caught.value.message == "the host 'nowhere.example' cannot be found: Name or service not known"


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "127.0.0.1")])
def test_localhost_is_where_it_listens(host: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Diag, "listeners", lambda self: [listener(host), listener("127.0.0.1", 7001)])
    assert parse("localhost:7000") == Address(expected, 7000)


@pytest.mark.parametrize("seen", [True, False])
def test_localhost_where_nothing_listens_is_looked_up(seen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def listeners(self: object) -> list[Listener]:
        if seen:
            return []
        raise OSError(errno.EACCES, "refused")

    monkeypatch.setattr(Diag, "listeners", listeners)
    monkeypatch.setattr(ProcTcp, "listeners", listeners)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("127.0.0.1", 0))])
    assert parse("localhost:7000") == Address("127.0.0.1", 7000)


@pytest.mark.parametrize(
    ("host", "v6only", "given_host", "expected"),
    [
        ("127.0.0.1", False, None, "127.0.0.1:7000"),
        ("127.0.0.1", False, "127.0.3.4", "127.0.0.1:7000"),
        ("0.0.0.0", False, None, "127.0.0.1:7000"),
        ("0.0.0.0", False, "127.0.3.4", "127.0.3.4:7000"),
        ("::", False, None, "127.0.0.1:7000"),
        ("::", False, "127.0.3.4", "127.0.3.4:7000"),
        ("::", True, "127.0.3.4", "[::1]:7000"),
        ("::1", True, "127.0.3.4", "[::1]:7000"),
        ("::ffff:127.0.0.1", False, None, "127.0.0.1:7000"),
        ("::ffff:0.0.0.0", False, "127.0.3.4", "127.0.3.4:7000"),
    ],
)
def test_where_a_listening_socket_is_reached(host: str, v6only: bool, given_host: str | None, expected: str) -> None:
    assert str(reached_at(listener(host, v6only=v6only), given_host)) == expected


@pytest.mark.parametrize(
    ("host", "v6only", "address", "expected"),
    [
        ("127.0.0.1", False, "127.0.0.1:7000", True),
        ("127.0.0.1", False, "127.0.0.1:7001", False),
        ("127.0.0.1", False, "127.0.0.2:7000", False),
        ("0.0.0.0", False, "127.0.0.2:7000", True),
        ("0.0.0.0", False, "[::1]:7000", False),
        ("::", False, "127.0.0.2:7000", True),
        ("::", True, "127.0.0.2:7000", False),
        ("::", True, "[::1]:7000", True),
        ("::1", True, "[::1]:7000", True),
        ("::ffff:127.0.0.1", False, "127.0.0.1:7000", True),
        ("::ffff:0.0.0.0", False, "127.0.0.1:7000", True),
        ("::ffff:0.0.0.0", False, "[::1]:7000", False),
    ],
)
def test_what_a_listening_socket_serves(host: str, v6only: bool, address: str, expected: bool) -> None:
    assert serves(listener(host, v6only=v6only), parse(address)) is expected


def test_a_wildcard_is_no_destination() -> None:
    assert Address("0.0.0.0", 7).destination == Address("127.0.0.1", 7)
    assert Address("::", 7).destination == Address("::1", 7)
    assert Address("127.0.0.9", 7).destination == Address("127.0.0.9", 7)


def test_an_address_is_ours_or_not() -> None:
    assert is_local(Address("127.1.2.3", 7))
    assert not is_local(Address("192.0.2.1", 7))
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        assert is_local(Address(*server.getsockname()))
