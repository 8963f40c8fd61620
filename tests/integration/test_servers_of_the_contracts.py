"""What hello, frames, kv and chat promise each for itself, seen through plain sockets."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from reference_servers import PROMPTLY, Server, ask, frame, read_exactly, read_to_end, reset, result, running, start

MIB = 1 << 20


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    name, *options = request.param.split()
    with running(name, *options) as server:
        yield server
        assert server.process.poll() is None, "the server ended by itself"


hello = pytest.mark.parametrize("server", ["hello"], indirect=True)
frames = pytest.mark.parametrize("server", ["frames"], indirect=True)
kv = pytest.mark.parametrize("server", ["kv"], indirect=True)
chat = pytest.mark.parametrize("server", ["chat"], indirect=True)


def segments(client: socket.socket, *pieces: bytes) -> None:
    """Send each piece some time after the one before, so that most likely each is read alone."""
    for piece in pieces:
        client.sendall(piece)
        select.select([client], [], [], 0.02)


def send_until_reset(client: socket.socket, piece: bytes) -> None:
    """Send `piece` now and again until the server has closed, which resets what is sent to it afterwards."""
    poller = select.poll()
    poller.register(client, 0)  # errors alone: an end of stream is none
    while not poller.poll(20):
        client.sendall(piece)


@hello
def test_hello_reads_a_character_in_halves(server: Server) -> None:
    with server.connect() as client:
        segments(client, b"gr\xc3", b"\xbc\xc3", b"\x9fe\r", b"\n")
        assert read_exactly(client, 12) == b"Hello Node!\n"


@hello
@pytest.mark.parametrize("line", [b"STOP\n", b"STOP\r\n", b"STOP"])
def test_hello_ends_in_order_after_stop_whatever_follows(server: Server, line: bytes) -> None:
    with server.connect() as client, server.connect() as other:
        client.sendall(line)
        client.sendall(b"" if line == b"STOP" else b"more\n" * 20000)
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == b"Hello Node!\n"
        server.converse(other, b"STOP it\n")
        server.converse(other, b"stop\n")


@hello
@pytest.mark.parametrize("line", [b"\xff\n", b"gr\xc3\n", b"\xed\xa0\x80\n", b"a" * 70000 + b"\n"])
def test_hello_closes_the_connection_of_what_is_no_text(server: Server, line: bytes) -> None:
    with server.connect() as client, server.connect() as other:
        client.sendall(b"text\n" + line)
        assert read_exactly(client, 12) == b"Hello Node!\n"
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
        server.converse(other, b"text\n")


@hello
def test_hello_leaves_a_client_that_goes_on_for_long_after_stop(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"STOP\n")
        assert read_to_end(client) == b"Hello Node!\n"
        send_until_reset(client, b"more\n")


@frames
def test_frames_reverses_what_arrives_in_pieces_or_together(server: Server) -> None:
    with server.connect() as client:
        segments(client, b"\x00", b"\x00\x00", b"\x03a", b"bc")
        assert read_exactly(client, 7) == frame(b"cba")
        client.sendall(frame(b"") + frame(b"xy") + frame(b"") + frame(b"\n"))
        assert read_exactly(client, 19) == frame(b"") + frame(b"yx") + frame(b"") + frame(b"\n")


@frames
def test_frames_answers_a_mebibyte_and_refuses_a_byte_more(server: Server) -> None:
    with server.connect() as client:
        body = bytes(range(256)) * (MIB // 256)
        server.converse(client, body)
        with contextlib.suppress(ConnectionError):
            client.sendall((MIB + 1).to_bytes(4, "big") + body)
        with contextlib.suppress(ConnectionError):
            assert read_to_end(client) == b""
    with server.connect() as client:
        client.sendall(frame(b"before") + b"\xff\xff\xff\xff")
        assert read_to_end(client) == frame(b"erofeb")


@frames
def test_frames_sends_all_its_answers_through_a_small_window(server: Server) -> None:
    with server.connect(receive_buffer=4096) as client:
        body = b"0123456789abcdef" * 1024

        def send() -> None:
            client.sendall(frame(body) * 100)
            client.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        received = read_to_end(client)
        sender.join(PROMPTLY)
    assert received == frame(body[::-1]) * 100


@kv
@pytest.mark.parametrize(
    ("request_line", "reply"),
    [
        (b"SET k v", b"OK"),
        (b"SET k  two  words ", b"OK"),
        (b"SET k ", b"OK"),
        (b"SET k", b"ERR"),
        (b"SET  v", b"ERR"),
        (b"SET", b"ERR"),
        (b"GET k", b"NONE"),
        (b"GET", b"ERR"),
        (b"GET ", b"ERR"),
        (b"GET k x", b"ERR"),
        (b"DEL k", b"NONE"),
        (b"DEL", b"ERR"),
        (b"QUIT now", b"ERR"),
        (b"get k", b"ERR"),
        (b"", b"ERR"),
        (b" ", b"ERR"),
        (b"\x00\xff", b"ERR"),
    ],
)
def test_kv_answers_every_line(server: Server, request_line: bytes, reply: bytes) -> None:
    with server.connect() as client:
        client.sendall(request_line + b"\nQUIT\n")
        received = read_to_end(client)
        assert received.startswith(reply)
        assert received.endswith(b"\nBYE\n")
        assert received.count(b"\n") == 2


@kv
def test_kv_shares_its_state_and_keeps_the_order_of_what_is_pipelined(server: Server) -> None:
    with server.connect() as client, server.connect() as other:
        client.sendall(b"SET k two  words \nGET k\nDEL k\nGET k\nDEL k\nSET k \xff\x00\r\nGET k\n")
        replies = b"OK\nVALUE two  words \nOK\nNONE\nNONE\nOK\nVALUE \xff\x00\r\n"
        assert read_exactly(client, len(replies)) == replies
        ask(other, b"GET k\n", b"VALUE \xff\x00\r\n")


@kv
def test_kv_does_no_half_requests(server: Server) -> None:
    with server.connect() as client:
        ask(client, b"SET k whole\n", b"OK\n")
        client.sendall(b"SET k ha")
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == b""
    with server.connect() as client:
        ask(client, b"GET k\n", b"VALUE whole\n")


@kv
def test_kv_closes_in_order_after_quit_whatever_follows(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"QUIT\n" + b"GET k\n" * 20000)
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == b"BYE\n"


@pytest.mark.parametrize("server", ["kv --idle 300ms"], indirect=True)
def test_kv_closes_what_is_idle_in_time_and_each_request_starts_it_anew(server: Server) -> None:
    with server.knock() as client:
        connected = time.monotonic()
        client.sendall(b"GE")
        assert client.recv(1) == b""
        assert time.monotonic() - connected >= 0.29
    with server.knock() as client:
        connected = time.monotonic()
        for _ in range(5):
            select.select([client], [], [], 0.1)
            ask(client, b"GET k\n", b"NONE\n")
        asked = time.monotonic()
        assert asked - connected > 0.3
        assert client.recv(1) == b""
        assert time.monotonic() - asked >= 0.29


@pytest.mark.parametrize("server", ["kv --idle 0.3"], indirect=True)
def test_kv_is_not_kept_waiting_by_a_request_that_never_ends(server: Server) -> None:
    with server.knock() as client:
        send_until_reset(client, b"G")


@pytest.mark.parametrize("options", [("--idle",), ("--idle", "0"), ("--idle", "1h"), ("--ilde", "1s"), ("idle", "1s")])
def test_kv_knows_its_option(options: tuple[str, ...]) -> None:
    status, output, errors = result(start("kv", "127.0.0.1", "0", *options))
    assert (status, output) == (2, "")
    assert errors.startswith("usage: kv HOST PORT [--idle TIME] ")


@chat
def test_chat_delivers_to_all_others(server: Server) -> None:
    with server.connect() as a, server.connect() as b, server.connect() as c:
        a.sendall(b"first\nsecond\n")
        for client in (b, c):
            assert read_exactly(client, 21) == b"c0: first\nc0: second\n"
        segments(b, b"hal", b"f\r", b"\n")
        for client in (a, c):
            assert read_exactly(client, 10) == b"c1: half\r\n"
        c.sendall(b"bye\nnot a line")
        c.shutdown(socket.SHUT_WR)
        assert read_to_end(c) == b""
        for client in (a, b):
            assert read_exactly(client, 17) == b"c2: bye\n* c2 left"


@chat
@pytest.mark.parametrize("leave", [reset, socket.socket.close])
def test_chat_frees_the_name_of_who_left(server: Server, leave: object) -> None:
    with server.connect() as watcher:
        for _ in range(20):
            client = server.knock()
            ask(client, b"ann\n", b"* welcome ann\n")
            with server.knock() as again:
                again.sendall(b"ann\n")
                assert read_to_end(again) == b"* name taken\n"
            assert callable(leave)
            leave(client)
            assert read_exactly(watcher, 11) == b"* ann left\n"


@chat
@pytest.mark.parametrize("name", [b"", b"two words", b"a" * 33, b"a" * 70000])
def test_chat_closes_the_connection_of_what_is_no_name(server: Server, name: bytes) -> None:
    with server.knock() as client:
        client.sendall(name + b"\n")
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
    with server.knock() as client:
        ask(client, b"a" * 32 + b"\n", b"* welcome " + b"a" * 32 + b"\n")


@chat
def test_chat_drops_a_client_that_never_reads_and_delays_nobody(server: Server) -> None:
    line = b"x" * 1000 + b"\n"
    heard = b"c1: " + line
    with server.connect(receive_buffer=4096), server.connect() as speaker, server.connect() as listener:
        dropped = False
        for _ in range(80):
            speaker.sendall(line * 200)
            due = len(heard) * 200
            received = read_exactly(listener, due)
            if b"* c0 left\n" in received:
                dropped = True
                received = received.replace(b"* c0 left\n", b"", 1) + read_exactly(listener, 10)
            assert received == heard * 200
        assert dropped
        assert read_exactly(speaker, 10) == b"* c0 left\n"


@chat
def test_chat_delivers_whole_lines_of_many_in_their_order(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(server.connect())
        speakers = [stack.enter_context(server.connect()) for _ in range(8)]
        for turn in range(20):
            for number, speaker in enumerate(speakers):
                speaker.sendall(b"%d of %d\n" % (turn, number))
        with listener.makefile("rb") as reader:
            lines = [reader.readline() for _ in range(160)]
        for number in range(8):
            said = [b"c%d: %d of %d\n" % (number + 1, turn, number) for turn in range(20)]
            assert [line for line in lines if line.startswith(b"c%d: " % (number + 1))] == said
