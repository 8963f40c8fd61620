"""The reference servers keep their contracts, seen through plain sockets."""

from __future__ import annotations

import contextlib
import hashlib
import random
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import psutil
import pytest
from reference_servers import (
    PROMPTLY,
    SEQUENTIAL,
    Server,
    read_exactly,
    read_to_end,
    reset,
    result,
    running,
    start,
    start_command,
)

from sockcheck import servers


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request.param) as server:
        yield server
        assert server.process.poll() is None, "the server ended by itself"


every_server = pytest.mark.parametrize("server", servers.NAMES, indirect=True)
concurrent_servers = pytest.mark.parametrize(
    "server", [name for name in servers.NAMES if name not in SEQUENTIAL], indirect=True
)
servers_that_answer = pytest.mark.parametrize(
    "server", [name for name in servers.NAMES if name not in SEQUENTIAL and name != "chat"], indirect=True
)


@pytest.mark.parametrize("server", ["echo", "echo-once", "reply", "hello", "frames"], indirect=True)
def test_a_half_close_is_answered_whole_and_then_by_the_end_of_stream(server: Server) -> None:
    with server.connect() as client:
        client.sendall(server.request(b"last words"))
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == server.answer(b"last words")


@every_server
def test_a_half_close_with_nothing_sent_is_answered_by_the_end_of_stream(server: Server) -> None:
    with server.connect() as client:
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == b""


@pytest.mark.parametrize("server", ["echo", "echo-once"], indirect=True)
def test_megabytes_come_back_through_a_small_window(server: Server) -> None:
    data = random.Random(7).randbytes(3 << 20)
    with server.connect(receive_buffer=4096) as client:

        def send() -> None:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        received = read_to_end(client)
        sender.join(PROMPTLY)
    assert hashlib.sha256(received).digest() == hashlib.sha256(data).digest()


def test_many_lines_in_one_send_are_answered_line_by_line() -> None:
    with running("reply") as server, server.connect() as client:
        lines = [b"line %d\n" % number for number in range(2000)]
        client.sendall(b"".join(lines))
        answers = b"".join(b"OK..." + line for line in lines)
        assert read_exactly(client, len(answers)) == answers


def test_a_line_of_64_kib_is_answered_and_a_longer_one_ends_its_connection_alone() -> None:
    with running("reply") as server, server.connect() as client:
        server.converse(client, b"a" * 65535 + b"\n")
        with server.connect() as rude:
            with contextlib.suppress(ConnectionError):
                rude.sendall(b"a" * (1 << 20))
            with contextlib.suppress(ConnectionError):
                assert read_to_end(rude) == b""
        server.converse(client, b"still there?\n")


@servers_that_answer
def test_64_clients_are_served_at_once_in_any_order(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(64)]
        for number, client in reversed(list(enumerate(clients))):
            client.sendall(server.request(b"from %d\n" % number))
        for number, client in enumerate(clients):
            answer = server.answer(b"from %d\n" % number)
            assert read_exactly(client, len(answer)) == answer


@servers_that_answer
def test_a_neighbour_that_never_reads_costs_nothing(server: Server) -> None:
    with server.connect(receive_buffer=4096) as deaf, server.connect() as client:
        deaf.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            deaf.sendall(server.request(b"never read\n") * 1_000_000)
        server.converse(client, b"and I?\n")


@every_server
@pytest.mark.parametrize("leave", [reset, socket.socket.close])
def test_a_client_that_leaves_in_mid_reply_costs_only_itself(
    server: Server, leave: Callable[[socket.socket], None]
) -> None:
    for _ in range(20):
        leave(server.connect())
        client = server.connect(receive_buffer=4096)
        client.sendall(server.request(b"never read\n") * 6000)
        assert server.name == "chat" or client.recv(1)
        leave(client)
    with server.connect() as client:
        server.converse(client, b"still there?\n")


def test_clients_of_echo_once_wait_and_are_served_in_turn() -> None:
    with running("echo-once") as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(6)]
        for number, client in reversed(list(enumerate(clients))):
            client.sendall(b"from %d\n" % number)
            client.shutdown(socket.SHUT_WR)
        for number, client in enumerate(clients):
            assert read_to_end(client) == b"from %d\n" % number


@concurrent_servers
def test_what_a_connection_used_is_given_back(server: Server) -> None:
    process = psutil.Process(server.process.pid)

    def use() -> tuple[int, int]:
        """Count after an exchange whose end was seen, on a connection that is still served."""
        with server.connect() as client:
            server.converse(client, b"count\n")
            return process.num_fds(), process.num_threads()

    before = use()
    for leave in (reset, socket.socket.close) * 25:
        client = server.connect()
        server.converse(client, b"hello\n")
        leave(client)
    after = use()
    # A thread that ends, or an end of stream that is being read, may still be counted: far fewer than the 50.
    assert after[0] - before[0] < 10
    assert after[1] - before[1] < 10


def test_echo_without_a_free_descriptor_does_not_spin_and_serves_on_when_there_is_one() -> None:
    with running("echo") as server, contextlib.ExitStack() as stack:
        process = psutil.Process(server.process.pid)
        served = [stack.enter_context(server.connect())]
        server.converse(served[0], b"hello\n")
        limit = process.num_fds() + 3
        process.rlimit(psutil.RLIMIT_NOFILE, (limit, limit))
        for _ in range(3):
            served.append(stack.enter_context(server.connect()))
            server.converse(served[-1], b"hello\n")
        queued = stack.enter_context(server.connect())
        queued.sendall(b"and I?\n")
        before = process.num_ctx_switches().voluntary
        queued.settimeout(0.5)
        with pytest.raises(TimeoutError):
            queued.recv(1)
        assert process.num_ctx_switches().voluntary - before < 50
        server.converse(served[1], b"still there?\n")
        served[0].close()
        queued.settimeout(PROMPTLY)
        assert read_exactly(queued, 7) == b"and I?\n"


@pytest.mark.parametrize("name", servers.NAMES)
@pytest.mark.parametrize("connected", [False, True])
def test_sigterm_ends_it_with_status_0(name: str, connected: bool) -> None:
    with running(name) as server, contextlib.ExitStack() as stack:
        if connected:
            stack.enter_context(server.connect())
        server.process.terminate()
        assert server.process.wait(PROMPTLY) == 0


@pytest.mark.parametrize("name", servers.NAMES)
def test_an_interrupt_ends_it_without_a_traceback(name: str) -> None:
    with running(name) as server:
        server.process.send_signal(signal.SIGINT)
        output, errors = server.process.communicate(timeout=PROMPTLY)
    assert (server.process.returncode, output, errors) == (130, "", "")


@pytest.mark.parametrize("name", servers.NAMES)
def test_the_same_port_can_be_had_again_at_once(name: str) -> None:
    with running(name) as server, server.connect() as client:
        server.converse(client, b"hello\n")
        server.process.kill()  # the server's end is closed first, so that TIME_WAIT is on its side
        server.process.wait(PROMPTLY)
    with running(name, port=server.address[1]) as again, again.connect() as client:
        again.converse(client, b"hello again\n")


@pytest.mark.parametrize("name", servers.NAMES)
def test_a_taken_address_is_an_error_said_aloud(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = f"{name}: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
        assert result(start(name, "127.0.0.1", str(port))) == (1, "", said)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_a_host_that_is_not_ours_is_an_error_said_aloud(host: str) -> None:
    status, output, errors = result(start("echo", host, "0"))
    assert (status, output) == (1, "")
    assert errors.startswith(f"echo: cannot listen on {host} port 0: ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("name", servers.NAMES)
@pytest.mark.parametrize("arguments", [(), ("127.0.0.1",), ("127.0.0.1", "http"), ("h", "70000"), ("h", "1", "2")])
def test_bad_arguments_are_answered_by_the_usage_and_status_2(name: str, arguments: tuple[str, ...]) -> None:
    status, output, errors = result(start(name, *arguments))
    assert (status, output) == (2, "")
    assert errors.startswith(f"usage: {name} HOST PORT")


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["localhost", *(["::1"] if has_ipv6() else [])])
def test_names_and_ipv6_addresses_are_hosts_too(host: str) -> None:
    with running("echo", host=host) as server, server.connect() as client:
        server.converse(client, b"hello\n")


def test_serve_serves_by_name_in_the_calling_process() -> None:
    code = "import sys; from sockcheck.servers import serve; serve('echo-once', '127.0.0.1', 0)"
    with start_command([sys.executable, "-c", code]) as process:
        try:
            server = Server("echo-once", "127.0.0.1", process)
            with server.connect() as client:
                server.converse(client, b"hello\n")
            process.terminate()
            assert process.wait(PROMPTLY) == 0
        finally:
            process.kill()


def test_serve_knows_its_names() -> None:
    with pytest.raises(ValueError, match="no reference server named 'http'; there are echo, echo-once, reply"):
        servers.serve("http", "127.0.0.1", 0)
