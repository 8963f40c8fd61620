"""Starting a server, finding where it listens, and saying why it does not."""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import trio

from sockcheck import scratch
from sockcheck.addresses import Address
from sockcheck.connected import ConnectedTarget, connected
from sockcheck.errors import TargetError
from sockcheck.events import Event, TargetOutput, TargetStarted, TargetStopped
from sockcheck.keeper.client import Keeper
from sockcheck.observe import processes
from sockcheck.observe.proctcp import ProcTcp, listen_source
from sockcheck.observe.sockdiag import Diag
from sockcheck.reservation import Reservation
from sockcheck.target import Command, StartedTarget, Target, started

HOSTILE = str(Path(__file__).parents[1] / "zoo" / "hostile" / "hostile.py")
LIMIT = 60.0


async def nothing(target: Target) -> None:
    """A body for the context."""


class Start:
    """One start of a command: what became known of it."""

    def __init__(
        self,
        *argv: str,
        body: Callable[[StartedTarget], Awaitable[None]] = nothing,
        port: int | None = None,
        ready: float = 20.0,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        self.events: list[Event] = []
        self.target: StartedTarget
        command = Command(argv, parameters or {}, port, ready, 0.05)

        async def main() -> None:
            origin = time.monotonic()
            with trio.fail_after(LIMIT):
                async with started(
                    command, number=7, emit=self.events.append, clock=lambda: time.monotonic() - origin
                ) as target:
                    self.target = target
                    await body(target)

        trio.run(main)

    @property
    def output(self) -> bytes:
        return b"".join(event.data for event in self.events if isinstance(event, TargetOutput))


def hostile(mode: str, host: str = "{host}", port: str = "{port}", *rest: str) -> tuple[str, ...]:
    return (sys.executable, "-S", HOSTILE, mode, uuid.uuid4().hex, host, port, *rest)


def failure(*argv: str, port: int | None = None, ready: float = 20.0) -> TargetError:
    with pytest.raises(TargetError) as caught:
        Start(*argv, port=port, ready=ready)
    return caught.value


@contextmanager
def reserved() -> Iterator[Reservation]:
    reservation = Reservation()
    try:
        yield reservation
    finally:
        reservation.release()


def test_the_address_that_was_chosen_is_filled_in_and_found() -> None:
    start = Start(*hostile("plain"))
    host, port = start.target.command[-2:]
    assert str(start.target.address) == f"{host}:{port}"
    assert host.startswith("127.0.")
    assert host != "127.0.0.1"
    assert start.target.number == 7
    assert [type(event) for event in start.events] == [TargetStarted, TargetStopped]
    ready = start.events[0]
    assert isinstance(ready, TargetStarted)
    assert ready.command == start.target.command
    assert ready.address == f"{host}:{port}"
    assert ready.pid == start.target.pid
    assert 0 < ready.took <= ready.at <= start.events[1].at


@pytest.mark.parametrize(
    ("mode", "host", "expected"),
    [
        ("plain", "127.0.0.1", "127.0.0.1"),
        ("plain", "0.0.0.0", "127.0.0.1"),
        ("plain", "::1", "::1"),
        ("plain", "::", "::1"),
        ("dual_stack", "::", "127.0.0.1"),
        ("mapped", "::", "127.0.0.1"),
        ("both_families", "-", "127.0.0.1"),
        ("daemon", "127.0.0.1", "127.0.0.1"),
    ],
)
@pytest.mark.parametrize("port", ["0", "{port}"])
def test_where_it_listens_is_found_in_the_kernel(mode: str, host: str, expected: str, port: str) -> None:
    if mode == "both_families" and port != "0":
        port = "0"

    async def body(target: StartedTarget) -> None:
        assert target.address.host == expected
        assert (await target.health())[:3] == (True, True, "")
        stream = await trio.open_tcp_stream(*target.address.sockaddr)
        await stream.aclose()

    Start(*hostile(mode, host, port), body=body)


def test_a_wildcard_is_reached_at_the_host_that_was_given() -> None:
    start = Start(*hostile("plain", "0.0.0.0", "{port}", "{host}"))
    assert str(start.target.address) == f"{start.target.command[-1]}:{start.target.command[-2]}"


def test_known_placeholders_are_filled_in_and_other_braces_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOSTILE_TEST", "blue")

    async def body(target: StartedTarget) -> None:
        while not start_output(target):
            await target.ping()
        told = json.loads(start_output(target))
        python, folder, idle, *rest = told["arguments"]
        assert python == sys.executable
        folders.append((folder, os.stat(folder).st_mode))
        assert idle == "--idle=2s"
        assert rest == ["{nobody}", "{}", "{ port }", '{"port": 1}', f"{{{target.address.port}}}"]
        assert told["folder"] == str(tmp_path)
        assert told["inherited"] == "blue"
        assert told["unbuffered"] == "1"
        assert told["leader"]
        assert told["core"] == 0
        assert told["size"] == 1 << 30
        assert told["files"] >= 1024
        # Its own three, its listening socket, and the folder that it is reading.
        assert told["descriptors"] == [0, 1, 2, 3, 4]

    def start_output(target: StartedTarget) -> bytes:
        return target.last_output(10_000)

    folders: list[tuple[str, int]] = []
    words = ("{python}", "{dir}", "--idle={idle}", "{nobody}", "{}", "{ port }", '{"port": 1}', "{{port}}")
    start = Start(*hostile("tells_its_surroundings", "{host}", "{port}", *words), body=body, parameters={"idle": "2s"})
    # Its stdin neither said anything nor ended until it was stopped.
    assert b"stdin" not in start.output
    folder, mode = folders[0]
    assert stat.S_ISDIR(mode)
    assert not Path(folder).exists()


def test_two_ports_are_asked_about_and_port_decides() -> None:
    error = failure(*hostile("two_ports", "127.0.0.1", "0"))
    first, second = sorted(map(int, error.output.split()))
    assert error.message == f"the server listens on 2 ports: 127.0.0.1:{first} and 127.0.0.1:{second}"
    assert error.hint == f"say which one is meant: --port {first}"
    with reserved() as reservation:
        start = Start(*hostile("plain", "127.0.0.1", str(reservation.port)), port=reservation.port)
        assert start.target.address == Address("127.0.0.1", reservation.port)
        start = Start(*hostile("plain", "{host}", "{port}"), port=reservation.port)
        assert start.target.address.port == reservation.port


def test_another_port_than_the_one_it_was_given() -> None:
    error = failure(*hostile("other_port", "127.0.0.1", "{port}"), ready=1.0)
    assert error.message.startswith("the server listens on 127.0.0.1:")
    assert "that it was given" in error.message
    assert "leave {port} out" in error.hint
    with reserved() as reservation:
        error = failure(*hostile("other_port", "127.0.0.1", "0"), port=reservation.port, ready=1.0)
    assert error.message.endswith(f"not on port {reservation.port}")
    assert error.hint == "correct --port, or leave it out"


def test_a_chosen_port_that_was_taken_in_the_meantime_is_chosen_anew(tmp_path: Path) -> None:
    start = Start(*hostile("unlucky_once", "{host}", "{port}", str(tmp_path / "memory")))
    assert b"Address already in use" in start.output
    assert [type(event) for event in start.events if not isinstance(event, TargetOutput)] == [
        TargetStarted,
        TargetStopped,
    ]


def test_a_chosen_port_is_not_chosen_for_ever() -> None:
    error = failure("sh", "-c", "echo bind: Address already in use; exit 1", "{port}")
    assert error.message.startswith("the server finds its address in use, although 127.0.0.1:")
    assert error.output.startswith(b"bind: ")


def test_an_address_of_its_own_that_somebody_else_has() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        error = failure(*hostile("plain", "127.0.0.1", str(port)))
        name = processes.name(os.getpid())
        expected = f"the server's address is in use: process {os.getpid()} ({name}) listens on 127.0.0.1:{port}"
        assert error.message == expected
        assert error.hint == f"end that one first, or test it as it is: --connect 127.0.0.1:{port}"
    error = failure("sh", "-c", "echo bind: Address already in use; exit 1")
    assert error.message == "the server's address is in use"
    assert "SO_REUSEADDR" in error.hint


def test_an_address_in_use_that_does_not_end_the_server() -> None:
    error = failure("sh", "-c", "echo bind: Address already in use; sleep 25", ready=0.3)
    assert error.message == "the server's address is in use"


def test_the_port_in_a_script_is_found_to_be_in_use(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        script = tmp_path / "server.sh"
        script.write_text(f"PORT={port}\necho bind: Address already in use\nexit 1\n")
        error = failure("sh", str(script))
    assert error.message.endswith(f"listens on 127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("mode", "message", "output"),
    [
        ("exits", "the server exited with status 3 before it listened", b"usage: server PORT\n"),
        ("exits_with_zero", "the server exited with status 0 before it listened", b""),
        ("killed", "the server was killed by SIGSEGV before it listened", b""),
        ("never_listens", "the server is alive, but listens nowhere after 0.5 s", b"warming up\n"),
    ],
)
def test_it_never_listens(mode: str, message: str, output: bytes) -> None:
    ready = 0.5 if mode == "never_listens" else 20.0
    error = failure(*hostile(mode), ready=ready)
    assert error.message == message
    if ready > 1:
        assert error.output == output


def test_a_command_that_cannot_be_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "server.py"
    script.write_text("print('hello')\n")
    (tmp_path / "server").write_text("hello\n")
    (tmp_path / "server").chmod(0o755)
    (tmp_path / "lost").write_text("#!/nowhere/interpreter\n")
    (tmp_path / "lost").chmod(0o755)
    (tmp_path / "plain").write_text("")

    def told(*argv: str) -> tuple[str, str]:
        error = failure(*argv)
        return error.message, error.hint

    path = "check the spelling, or write its path"
    assert told("no-such-command", "{port}") == ("there is no command 'no-such-command' in any folder of PATH", path)
    assert told("./missing") == ("there is no file './missing'", f"the working directory is {tmp_path}")
    assert told("server") == ("there is no command 'server'", "write ./server")
    assert told("server.py") == ("there is no command 'server.py'", "write python3 server.py")
    assert told("./server.py") == ("'./server.py' may not be executed", "write python3 server.py")
    assert told("./plain") == ("'./plain' may not be executed", "chmod +x plain")
    assert told(str(tmp_path)) == (f"{str(tmp_path)!r} is a folder, not a program", "name the program in it")
    assert told("./lost")[0] == "'./lost' cannot be executed: its interpreter does not exist"
    assert told("./server")[0] == "'./server' is neither a program for this machine nor a script that begins with `#!`"
    assert told("./plain/server")[0] == "there is no command './plain/server': a part of the path is no folder"
    assert told("sh -c true")[1].startswith("it is one word with blanks in it")
    script.chmod(0o755)
    assert told("./server.py")[1] == "write python3 server.py"
    assert told("./" + "x" * 300)[0] == f"{'./' + 'x' * 300!r} could not be executed: {os.strerror(errno.ENAMETOOLONG)}"
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "python3").write_text("")
    (tmp_path / "python3").chmod(0o755)
    assert told("python") == (
        "there is no command 'python'",
        "write python3, or {python} for sockcheck's own",
    )


def test_no_scratch_folder_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nothing"))
    error = failure(*hostile("plain", "{host}", "{port}", "{dir}"))
    assert error.message == "no folder can be made for {dir}: No such file or directory"


def test_a_scratch_folder_goes_with_folders_that_cannot_be_written_to(tmp_path: Path) -> None:
    # For root nothing is in the way, so this shows what it should only as another user.
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o500)
    folder = Path(scratch.made())
    inner = folder / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    (inner / "link").symlink_to(kept)
    inner.chmod(0o555)
    inner.parent.chmod(0o000)
    scratch.removed(str(folder))
    assert not folder.exists()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o500


def test_no_keeper_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(TargetError, match="sockcheck could not start a process: No such file or directory"):
        Keeper(lambda message: None)


def test_without_sock_diag(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Diag) -> None:
        raise OSError(errno.EPROTONOSUPPORT, "refused")

    monkeypatch.setattr(Diag, "__init__", refuse)
    assert isinstance(listen_source(), ProcTcp)
    start = Start(*hostile("plain"))
    assert str(start.target.address) == ":".join(start.target.command[-2:])
    assert Start(*hostile("plain", "::1", "0")).target.address.host == "::1"


def test_without_any_table_of_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.EACCES, "refused")

    monkeypatch.setattr(Diag, "__init__", refuse)
    monkeypatch.setattr(ProcTcp, "listeners", refuse)
    with pytest.raises(TargetError, match="the listening sockets of this machine cannot be seen"):
        Start(*hostile("plain"))


def test_both_tables_tell_the_same() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as first,
        closing(socket.create_server(("::1", 0), family=socket.AF_INET6)) as second,
        closing(Diag()) as diag,
    ):
        ports = {first.getsockname()[1], second.getsockname()[1]}
        told = [
            {(row.family, row.host, row.port, row.inode, row.uid, row.queue) for row in source.listeners()}
            for source in (diag, ProcTcp())
        ]
        theirs = [{row for row in rows if row[2] in ports} for rows in told]
        assert theirs[0] == theirs[1]
        assert {row[1] for row in theirs[0]} == {"127.0.0.1", "::1"}


def test_descriptors_that_may_not_be_read_leave_the_new_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as old,
        closing(socket.create_server(("127.0.0.1", 0))) as new,
        closing(Diag()) as diag,
    ):
        known = [row.inode for row in diag.listeners() if row.port != new.getsockname()[1]]
        ours = {new.getsockname()[1]}
        assert {row.port for row in processes.listeners(diag, [os.getpid()], known)} == ours
        monkeypatch.setattr(processes, "socket_inodes", lambda pid: None)
        assert {row.port for row in processes.listeners(diag, [os.getpid()], known)} == ours
        assert old.getsockname()[1] not in ours


def test_reservations_differ_and_are_given_back() -> None:
    held = [Reservation() for _ in range(50)]
    assert len({reservation.port for reservation in held}) == 50
    assert len({reservation.host for reservation in held}) == 50
    for reservation in held:
        with closing(socket.create_server((reservation.host, reservation.port))):
            pass
        reservation.release()


def connect(address: Address, body: Callable[[ConnectedTarget], Awaitable[None]]) -> list[Event]:
    events: list[Event] = []

    async def main() -> None:
        with trio.fail_after(LIMIT):
            async with connected(address, number=3, emit=events.append, clock=lambda: 1.5) as target:
                await body(target)

    trio.run(main)
    return events


def test_a_server_that_runs_already_is_looked_at_and_left_alone() -> None:
    async def outer(started_target: StartedTarget) -> None:
        async def body(target: ConnectedTarget) -> None:
            assert target.pids() == (started_target.pid,)
            while not target.asleep():
                await trio.lowlevel.checkpoint()
            assert (await target.health())[:3] == (True, True, "")
            tree = await target.ping()
            assert (tree.alive, tree.exit_status, tree.pids) == (True, None, (started_target.pid,))
            assert (target.number, target.pid, target.command, target.exit_status) == (3, 0, (), None)
            assert target.last_output(10) == b""
            await target.stop()

        events: list[Event] = []
        async with connected(started_target.address, number=3, emit=events.append, clock=lambda: 1.5) as target:
            await body(target)
            assert (await started_target.ping()).alive
            await started_target.stop()
            assert target.asleep() is None
            health = await target.health()
            assert health[:3] == (False, False, f"nothing listens on {started_target.address}")
        assert events == [TargetStarted(1.5, 3, (), str(started_target.address), 0, 0.0)]

    Start(*hostile("plain"), body=outer)


def test_nothing_listens_at_the_address() -> None:
    with reserved() as reservation, pytest.raises(TargetError) as caught:
        connect(Address("127.0.0.1", reservation.port), nothing)
    assert caught.value.message == f"nothing listens on 127.0.0.1:{reservation.port}"
    assert "sockcheck run" in caught.value.hint


def test_a_wildcard_address_is_reached_on_loopback() -> None:
    async def body(target: ConnectedTarget) -> None:
        assert target.address == Address("127.0.0.1", port)
        # This process listens itself; it can hardly sleep while it looks.
        assert target.asleep() is None

    with closing(socket.create_server(("0.0.0.0", 0))) as listener:
        port = listener.getsockname()[1]
        connect(Address("0.0.0.0", port), body)


def test_a_server_elsewhere_is_not_seen() -> None:
    async def body(target: ConnectedTarget) -> None:
        assert target.asleep() is None
        assert target.pids() == ()
        assert (await target.health())[:3] == (True, True, "the server cannot be seen from here")

    # RFC 5737: an address for documentation, never anybody's; nothing is sent to it.
    connect(Address("192.0.2.1", 7), body)
