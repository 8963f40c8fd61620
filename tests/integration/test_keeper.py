"""Nothing outlives sockcheck, whatever a server does; and whatever it writes costs neither memory nor time."""

from __future__ import annotations

import errno
import os
import re
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from sockcheck.errors import TargetError
from sockcheck.events import Event, TargetExited, TargetOutput, TargetStarted, TargetStopped
from sockcheck.keeper.client import ExecError, Gone, Keeper, Output
from sockcheck.observe import processes
from sockcheck.target import Command, StartedTarget, started

HOSTILE = str(Path(__file__).parents[1] / "zoo" / "hostile" / "hostile.py")
LIMIT = 60.0
SURVIVORS = [
    "ignores_sigterm",
    "leaves_a_child",
    "leaves_a_session",
    "daemon",
    "daemon_without_environment",
    "respawners",
]

HARNESS = """
import sys, time, trio
from sockcheck.target import Command, started

async def main():
    command = Command(tuple(sys.argv[1:]), {}, None, 20.0)
    async with started(command, number=1, emit=lambda event: None, clock=time.monotonic):
        print("ready", flush=True)
        await trio.sleep(25)

trio.run(main)
"""


def hostile(mode: str, marker: str, *rest: str) -> tuple[str, ...]:
    return (sys.executable, "-S", HOSTILE, mode, marker, "{host}", "{port}", *rest)


def marked(marker: str) -> list[int]:
    """The living processes that bear the marker in their command line."""
    found = []
    for pid in processes.everyone():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if marker.encode() in words and not processes.exiting(pid):
            found.append(pid)
    return found


@pytest.fixture
def marker() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def events() -> list[Event]:
    return []


def run_with(
    command: tuple[str, ...],
    events: list[Event],
    body: Callable[[StartedTarget], Awaitable[None]],
    *,
    grace: float = 0.05,
) -> None:
    """Start the command, run the body, leave."""

    async def main() -> None:
        origin = time.monotonic()
        with trio.fail_after(LIMIT):
            plan = Command(command, {}, None, 20.0, grace)
            async with started(plan, number=1, emit=events.append, clock=lambda: time.monotonic() - origin) as target:
                await body(target)

    trio.run(main)


async def gone(pid: int) -> None:
    """Until the process is no more."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        await trio.lowlevel.wait_readable(descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("mode", SURVIVORS)
def test_nothing_is_left_when_the_context_is_left(mode: str, marker: str, events: list[Event]) -> None:
    async def body(target: StartedTarget) -> None:
        assert marked(marker)
        assert (await target.ping()).alive
        assert (await target.health())[:3] == (True, True, "")

    run_with(hostile(mode, marker), events, body)
    assert marked(marker) == []
    assert [type(event) for event in events] == [TargetStarted, TargetStopped]
    assert isinstance(events[-1], TargetStopped)
    assert events[-1].killed
    assert events[-1].status == (0 if mode.startswith("daemon") else -signal.SIGTERM if "leaves" in mode else -9)


def test_sigterm_is_enough_for_a_good_server(marker: str, events: list[Event]) -> None:
    async def body(target: StartedTarget) -> None:
        await target.stop()
        assert target.exit_status == -signal.SIGTERM
        await target.stop()

    run_with(hostile("plain", marker), events, body, grace=20.0)
    assert [type(event) for event in events] == [TargetStarted, TargetStopped]
    assert isinstance(events[-1], TargetStopped)
    assert not events[-1].killed


@pytest.mark.parametrize("mode", SURVIVORS)
def test_nothing_is_left_when_sockcheck_is_killed(mode: str, marker: str) -> None:
    async def all_gone(pids: list[int]) -> None:
        with trio.fail_after(LIMIT):
            for pid in pids:
                await gone(pid)

    command = [sys.executable, "-c", HARNESS, *hostile(mode, marker)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        assert harness.stdout.readline() == "ready\n"
        keepers = processes.children(harness.pid)
        assert len(keepers) == 1
        # The harness bears the marker too.
        bearers = marked(marker)
        assert len(bearers) > 1
        harness.kill()
        # What is made anew meanwhile is gone when the keeper is: it goes when nothing is left.
        trio.run(all_gone, [*bearers, *keepers])
    assert marked(marker) == []


def test_nothing_is_left_when_the_run_is_cancelled(marker: str, events: list[Event]) -> None:
    async def main() -> None:
        with trio.fail_after(LIMIT):
            with trio.CancelScope() as scope:
                command = Command(hostile("leaves_a_session", marker), {}, None, 20.0, 0.05)
                async with started(command, number=1, emit=events.append, clock=time.monotonic):
                    scope.cancel()
                    await trio.sleep_forever()
            assert scope.cancelled_caught

    trio.run(main)
    assert marked(marker) == []
    assert isinstance(events[-1], TargetStopped)


def test_nothing_is_left_when_the_start_is_cancelled(marker: str) -> None:
    async def main() -> None:
        with trio.fail_after(LIMIT):
            with trio.CancelScope() as scope:

                def emit(event: Event) -> None:
                    assert isinstance(event, TargetOutput)
                    scope.cancel()

                command = Command(hostile("never_listens", marker), {}, None, LIMIT, 0.05)
                async with started(command, number=1, emit=emit, clock=time.monotonic):
                    raise AssertionError("it never listens")
            assert scope.cancelled_caught

    trio.run(main)
    assert marked(marker) == []


def test_an_error_of_the_body_comes_out_as_it_is(marker: str, events: list[Event]) -> None:
    class BodyError(Exception):
        pass

    async def body(target: StartedTarget) -> None:
        raise BodyError

    with pytest.raises(BodyError):
        run_with(hostile("leaves_a_child", marker), events, body)
    assert marked(marker) == []


def test_an_error_of_emit_ends_the_run_and_the_target(marker: str) -> None:
    async def main() -> None:
        def emit(event: Event) -> None:
            if isinstance(event, TargetOutput):
                raise OSError(28, "No space left on device")

        with trio.fail_after(LIMIT):
            command = Command(hostile("spews", marker), {}, None, 20.0, 0.05)
            async with started(command, number=1, emit=emit, clock=time.monotonic):
                await trio.sleep_forever()

    with pytest.raises(OSError, match="No space left"):
        trio.run(main)
    assert marked(marker) == []


def test_a_server_that_kills_its_keeper_leaves_nothing(marker: str, events: list[Event]) -> None:
    async def body(target: StartedTarget) -> None:
        assert len((await target.ping()).pids) == 2
        os.kill(target.pid, signal.SIGUSR1)
        await gone(target.pid)
        with pytest.raises(TargetError, match="the process that keeps the server ended"):
            await target.health()

    run_with(hostile("kills_its_parent", marker), events, body)
    assert marked(marker) == []


def test_a_server_that_stops_its_keeper_is_stopped_all_the_same(marker: str, events: list[Event]) -> None:
    async def body(target: StartedTarget) -> None:
        os.kill(target.pid, signal.SIGUSR1)
        assert (await target.ping()).alive

    run_with(hostile("stops_its_parent", marker), events, body)
    assert marked(marker) == []


def test_a_fork_bomb_is_killed_and_told_of(marker: str, events: list[Event]) -> None:
    async def body(target: StartedTarget) -> None:
        raise AssertionError("it must not become ready")

    with pytest.raises(TargetError, match="the server never listened: it made more than 512 processes"):
        run_with(hostile("fork_bomb", marker), events, body)
    assert marked(marker) == []


@pytest.mark.parametrize(("mode", "status"), [("exits_on_connection", 0), ("crashes_on_connection", -signal.SIGSEGV)])
def test_an_end_that_a_client_has_seen_is_known(mode: str, status: int, marker: str, events: list[Event]) -> None:
    async def body(target: StartedTarget) -> None:
        stream = await trio.open_tcp_stream(*target.address.sockaddr)
        async with stream:
            await stream.send_all(b"x")
            assert await stream.receive_some() == b""
        tree = await target.ping()
        assert (tree.alive, tree.exit_status, tree.pids) == (False, status, ())
        assert target.exit_status == status
        assert (await target.health())[:3] == (False, False, "")

    for _ in range(5):
        events.clear()
        run_with(hostile(mode, marker), events, body)
        assert [type(event) for event in events] == [TargetStarted, TargetExited]
        assert isinstance(events[-1], TargetExited)
        assert events[-1].status == status


def test_a_server_that_closes_its_listening_socket_is_alive_and_deaf(marker: str, events: list[Event]) -> None:
    async def body(target: StartedTarget) -> None:
        os.kill(target.pid, signal.SIGUSR1)
        while (await target.health()).listening:
            await trio.lowlevel.checkpoint()
        assert (await target.health())[:3] == (True, False, "")

    run_with(hostile("goes_deaf", marker), events, body)


def test_who_spins_is_not_asleep(marker: str, events: list[Event]) -> None:
    async def spinning(target: StartedTarget) -> None:
        assert target.asleep() is False

    async def waiting(target: StartedTarget) -> None:
        while not target.asleep():
            await trio.lowlevel.checkpoint()

    run_with(hostile("spins", marker), events, spinning)
    run_with(hostile("plain", marker), events, waiting)


def test_a_flood_of_output_is_drained_but_not_kept(marker: str, events: list[Event]) -> None:
    async def body(target: StartedTarget) -> None:
        began = time.monotonic()
        while not any(isinstance(event, TargetOutput) and event.dropped for event in events):
            await target.ping()
        took = time.monotonic() - began
        outputs = [event for event in events if isinstance(event, TargetOutput)]
        assert outputs[0].data.startswith(b"%015d\n" % 0)
        told = sum(len(event.data) for event in outputs)
        assert told < (1 << 20) + 65536 * (took + 1) + (1 << 18)
        # Each chunk continues where the one before ended, with as much missing as it says.
        position = 0
        for event in outputs:
            position += event.dropped
            number = re.search(rb"\n([0-9]{15})\n", event.data)
            if number is not None:
                assert int(number[1]) == (position + number.start() + 1) // 16
            position += len(event.data)
        assert len(target.last_output(1000)) == 1000

    run_with(hostile("spews", marker), events, body)
    assert marked(marker) == []


def run_keeper(heard: list[Output | Gone], body: Callable[[Keeper], Awaitable[None]]) -> None:
    async def main() -> None:
        with trio.fail_after(LIMIT):
            keeper = Keeper(heard.append)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(keeper.read)
                try:
                    await body(keeper)
                finally:
                    with trio.CancelScope(shield=True):
                        await keeper.close()

    trio.run(main)


async def until_gone(heard: list[Output | Gone]) -> None:
    while not (heard and isinstance(heard[-1], Gone)):
        await trio.lowlevel.checkpoint()


def test_output_is_drained_while_sockcheck_does_not_listen(marker: str) -> None:
    """The target ends although nobody hears the keeper; the head and the tail of what it wrote are told later."""
    heard: list[Output | Gone] = []

    async def body(keeper: Keeper) -> None:
        pid = await keeper.start((sys.executable, "-S", HOSTILE, "spews_and_exits", marker, "127.0.0.1", "0"), files=64)
        ended = os.pidfd_open(pid)
        while not heard or not processes.asleep([pid]):
            await trio.lowlevel.checkpoint()
        await keeper.signal(signal.SIGUSR1)
        # This blocks the whole process: nothing is heard meanwhile.
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        assert poll.poll(20_000)
        os.close(ended)
        await until_gone(heard)

    run_keeper(heard, body)
    stdout = [message for message in heard if isinstance(message, Output) and message.stream == "stdout"]
    stderr = [message for message in heard if isinstance(message, Output) and message.stream == "stderr"]
    assert b"".join(message.data for message in stderr) == b"x" * 1000
    assert stdout[0].data.startswith(b"%015d\n" % 0)
    assert stdout[-1].data.endswith(b"%015d\n" % ((1 << 19) - 1))
    assert sum(len(message.data) + message.dropped for message in stdout) == 1 << 23
    assert any(message.dropped for message in stdout)
    assert [message.at for message in heard] == sorted(message.at for message in heard)


def test_a_target_is_started_as_from_a_shell(tmp_path: Path) -> None:
    """No signal is blocked or ignored, though an interpreter ignores some for itself."""
    heard: list[Output | Gone] = []

    async def body(keeper: Keeper) -> None:
        with pytest.raises(ExecError) as failure:
            await keeper.start((str(tmp_path / "nothing"),), files=64)
        assert failure.value.number == errno.ENOENT
        await keeper.start(("grep", "-E", "SigBlk|SigIgn", "/proc/self/status"), files=64)
        await until_gone(heard)

    run_keeper(heard, body)
    assert isinstance(heard[-1], Gone)
    assert heard[-1].status == 0
    words = b"".join(message.data for message in heard if isinstance(message, Output)).split()
    assert words == [b"SigBlk:", b"0" * 16, b"SigIgn:", b"0" * 16]
