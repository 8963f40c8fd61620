"""Real servers are paused, signalled, killed, started again and measured, as the steps under `server:` say."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest
import trio
from performing import GOOD, HERE

from sockcheck import life
from sockcheck.case import (
    Check,
    Comparison,
    Exits,
    Kill,
    Mark,
    Pause,
    Restart,
    Resume,
    ServerAction,
    Signal,
    Start,
    Wait,
    WaitFor,
)
from sockcheck.client_events import (
    Marked,
    Released,
    Waited,
)
from sockcheck.connected import connected
from sockcheck.errors import TargetError
from sockcheck.events import (
    Event,
    TargetExited,
    TargetOutput,
    TargetStarted,
    TargetStopped,
)
from sockcheck.keeper.client import KeeperError
from sockcheck.observe import processes
from sockcheck.observe.settling import until
from sockcheck.observe.sockdiag import Diag, State, peer_query
from sockcheck.poller import open_poller
from sockcheck.server_events import (
    ServerChecked,
    ServerEvent,
    ServerExited,
    ServerNotStarted,
    ServerSignalled,
    ServerStarted,
)
from sockcheck.server_steps import perform
from sockcheck.serving import Serving
from sockcheck.steps import (
    Measure,
)
from sockcheck.target import Command, StartedTarget, Target, started
from sockcheck.world import Trouble, World

OBLIGING = str(GOOD / "obliging.py")
HOSTILE = str(GOOD.parent / "hostile" / "hostile.py")
LIMIT = 60.0
LONG = 30.0
TERM = Signal(HERE, signal.SIGTERM)
T = TypeVar("T", bound=Event)

PAUSES = """
import signal, sys, time, trio
from sockcheck.target import Command, started

async def main():
    command = Command(tuple(sys.argv[1:]), {}, None, 20.0)
    async with started(command, number=1, emit=lambda event: None, clock=time.monotonic) as target:
        await target.signal_all(signal.SIGSTOP)
        print("paused", flush=True)
        await trio.sleep(25)

trio.run(main)
"""


class Board:
    """The marks of a case with no other actors than the test's own."""

    def __init__(self) -> None:
        self._marks: dict[str, trio.Event] = {}
        self._lost: set[str] = set()

    def _mark(self, name: str) -> trio.Event:
        return self._marks.setdefault(name, trio.Event())

    def mark(self, name: str) -> None:
        self._mark(name).set()

    def lose(self, name: str) -> None:
        """It can no longer be set."""
        self._lost.add(name)
        self._mark(name).set()

    async def wait_for(self, name: str) -> bool:
        await self._mark(name).wait()
        return name not in self._lost


class Scene:
    """One server, its steps, and all that was told."""

    def __init__(self, serving: Serving, target: StartedTarget, events: list[Event], world: World) -> None:
        self.serving = serving
        self.target = target
        self.events = events
        self.world = world
        self.board = Board()

    def told(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def connect(self) -> socket.socket:
        connection = socket.create_connection(self.target.address.sockaddr, timeout=LIMIT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def order(self, line: bytes) -> None:
        """Tell the server to do something, on a connection of its own, which is closed when it is done."""
        with self.connect() as connection:
            assert asked(connection, line) == b"done\n"
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""

    def works(self) -> bool:
        with self.connect() as connection:
            return asked(connection, b"hello\n") == b"hello\n"


def asked(connection: socket.socket, line: bytes) -> bytes:
    connection.sendall(line)
    with connection.makefile("rb") as lines:
        return lines.readline()


Body = Callable[[Scene], Awaitable[None]]


async def nothing(scene: Scene) -> None:
    """Clients that do nothing."""


def play(
    *actions: ServerAction,
    words: tuple[str, ...] = (),
    command: tuple[str, ...] | None = None,
    clients: Body = nothing,
    afterwards: Body = nothing,
    grace: float = LONG,
    ready: float = 20.0,
) -> Scene:
    """Start a server, perform its steps; `clients` begin when the steps first wait."""
    plan = Command(command or (sys.executable, "-S", OBLIGING, "{host}", "{port}", *words), {}, None, ready, grace)
    origin = time.monotonic()
    scenes = []

    async def main() -> None:
        events: list[Event] = []
        serving: Serving | None = None

        def emit(event: Event) -> None:
            events.append(event)
            if isinstance(event, ServerEvent | Marked | Waited | Released):
                assert serving is not None
                serving.tell(event)

        with trio.fail_after(LIMIT):
            async with open_poller() as poller:
                world = World(poller, emit, origin, None, "")
                async with started(plan, number=1, emit=emit, clock=world.clock) as target:
                    serving = Serving(actions, "plain", "", world.clock())
                    scene = Scene(serving, target, events, world)
                    scenes.append(scene)
                    async with trio.open_nursery() as nursery:
                        await nursery.start(perform, serving, world, 1, target, scene.board)
                        await clients(scene)
                    await afterwards(scene)

    trio.run(main)
    return scenes[0]


def check(what: Measure, operator: str, value: float, within: float = LONG) -> Check:
    return Check(HERE, (Comparison(what, operator, value, HERE),), within)  # type: ignore[arg-type]  # one of six


def exits(*statuses: int, within: float = LONG) -> Exits:
    return Exits(HERE, statuses, within)


def wait_for(name: str) -> WaitFor:
    return WaitFor(HERE, name)


def mark(name: str) -> Mark:
    return Mark(HERE, name)


def no_more(pids: tuple[int, ...]) -> bool:
    return all(processes.start_time(pid) is None or processes.exiting(pid) for pid in pids)


def test_six_wait_in_the_queue_of_a_paused_server_and_are_served() -> None:
    async def clients(scene: Scene) -> None:
        assert [event.mark for event in scene.told(Marked)] == ["paused"]
        assert processes.all_stopped(scene.target.pids())
        queued = [scene.connect() for _ in range(6)]
        scene.board.mark("all-in")
        await scene.board.wait_for("resumed")
        for connection in queued:
            with connection:
                assert asked(connection, b"hello\n") == b"hello\n"

    full = Check(HERE, (Comparison("queue", "==", 6, HERE), Comparison("backlog", "==", 5, HERE)), LONG)
    scene = play(
        check("queue", "==", 0),
        Pause(HERE),
        mark("paused"),
        wait_for("all-in"),
        full,
        Resume(HERE),
        mark("resumed"),
        check("queue", "==", 0),
        clients=clients,
    )
    assert scene.serving.completed
    assert [(event.signal, event.processes) for event in scene.told(ServerSignalled)] == [
        (signal.SIGSTOP, 1),
        (signal.SIGCONT, 1),
    ]
    assert [event.values for event in scene.told(ServerChecked)] == [(0.0,), (6.0, 5.0), (0.0,)]
    assert type(scene.events[-1]) is TargetStopped


@pytest.mark.parametrize("words", [(), ("daemon",), ("churn",), ("daemon", "churn")])
def test_nothing_of_a_paused_server_moves(words: tuple[str, ...]) -> None:
    async def afterwards(scene: Scene) -> None:
        before = scene.target.pids()
        for _ in range(20):
            assert processes.all_stopped(scene.target.pids())
            await trio.sleep(0.001)
        # Who was about to end when it was stopped may be gone; nobody has come.
        assert set(scene.target.pids()) <= set(before)
        await scene.target.resume()
        assert scene.works()

    for _ in range(3):
        play(Pause(HERE), words=words, afterwards=afterwards, grace=0.05)


def test_descriptors_are_limited_also_where_a_child_has_just_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()

    async def afterwards(scene: Scene) -> None:
        (pid,) = scene.target.pids()
        monkeypatch.setattr(type(scene.target), "pids", lambda _: (ended.pid, pid, ended.pid))
        try:
            allowed = scene.target.limit_files(3, least=False)
            assert allowed == (processes.open_files(pid) or 0) + 3
        finally:
            monkeypatch.undo()

    play(afterwards=afterwards)


def test_a_server_with_threads_and_children_is_paused_altogether() -> None:
    async def clients(scene: Scene) -> None:
        for line in (b"thread\n", b"child\n", b"thread\n"):
            scene.order(line)
        scene.board.mark("made")

    async def afterwards(scene: Scene) -> None:
        assert len(scene.target.pids()) == 2
        assert processes.all_stopped(scene.target.pids())
        # What is paused is still measured.
        assert scene.target.measure("threads") == 4
        assert (await scene.target.health())[:3] == (True, True, "")

    scene = play(wait_for("made"), check("threads", "==", 4), Pause(HERE), clients=clients, afterwards=afterwards)
    assert scene.told(ServerSignalled)[0].processes == 2


@pytest.mark.parametrize(
    ("words", "statuses"),
    [
        (("term=0",), (0,)),
        (("term=143",), (0, -15, 143)),
        ((), (0, -15, 143)),
        (("term=0",), ()),
    ],
)
def test_sigterm_ends_it_in_time(words: tuple[str, ...], statuses: tuple[int, ...]) -> None:
    scene = play(TERM, exits(*statuses), words=words)
    expected = int(words[0].partition("=")[2]) if words else -signal.SIGTERM
    assert scene.serving.completed
    assert scene.serving.exit_asked
    assert [event.status for event in scene.told(ServerExited)] == [expected]
    assert [event.status for event in scene.told(TargetExited)] == [expected]
    assert scene.told(TargetStopped) == []
    assert not scene.target.running


def test_a_wrong_status_is_told() -> None:
    scene = play(TERM, exits(0, -signal.SIGTERM), words=("term=3",))
    assert scene.serving.finding is not None
    assert scene.serving.finding.kind == "wrong-exit"
    assert scene.serving.finding.actual == "it exited with status 3"


def test_a_server_that_ignores_sigterm_does_not_end_in_time() -> None:
    scene = play(TERM, exits(within=0.1), words=("term=ignored",), grace=0.05)
    assert scene.serving.finding is not None
    assert scene.serving.finding.kind == "no-exit"
    assert scene.told(TargetStopped)[0].killed


def test_a_wrapper_that_ends_without_its_server_has_not_ended() -> None:
    script = f"{sys.executable} -S {OBLIGING} {{host}} {{port}} term=0 & wait"
    scene = play(TERM, exits(within=0.3), command=("sh", "-c", script))
    assert scene.serving.finding is not None
    assert scene.serving.finding.kind == "no-exit"


def test_a_client_may_ask_it_to_end() -> None:
    async def clients(scene: Scene) -> None:
        with scene.connect() as connection:
            connection.sendall(b"quit\n")
            assert connection.recv(1) == b""

    scene = play(exits(7), clients=clients)
    assert scene.serving.completed
    assert scene.serving.exit_asked


def test_a_signal_that_does_not_end_it() -> None:
    async def afterwards(scene: Scene) -> None:
        assert scene.works()

    scene = play(Signal(HERE, signal.SIGHUP), check("alive", "==", 1), words=("hup=ignored",), afterwards=afterwards)
    assert scene.serving.completed
    assert [event.signal for event in scene.told(ServerSignalled)] == [signal.SIGHUP]


class LiveClient:
    """A client that is connected while the server is killed, and closes then: the server's end is in TIME_WAIT."""

    async def __call__(self, scene: Scene) -> None:
        with closing(Diag()) as diag:
            with scene.connect() as connection:
                assert asked(connection, b"hello\n") == b"hello\n"
                query = peer_query(connection.getsockname(), connection.getpeername())
                scene.board.mark("connected")
                await scene.board.wait_for("killed")
                assert connection.recv(1) == b""
            end = diag.lookup(query)
            assert end is not None
            assert end.state is State.TIME_WAIT
        scene.board.mark("closed")


KILLED = (wait_for("connected"), Kill(HERE), mark("killed"), wait_for("closed"), Start(HERE))


def test_killed_with_a_live_client_and_started_again_on_the_same_address() -> None:
    pids = []

    async def afterwards(scene: Scene) -> None:
        pids.append(scene.target.pid)
        assert scene.target.running
        assert scene.works()
        assert (await scene.target.health())[:3] == (True, True, "")

    scene = play(*KILLED, clients=LiveClient(), afterwards=afterwards)
    assert scene.serving.completed
    first, again = scene.told(TargetStarted)[0], scene.told(ServerStarted)[0]
    assert again.pid == pids[0] != first.pid
    assert 0 < again.took < LONG
    assert str(scene.target.address) == first.address
    assert [event.status for event in scene.told(TargetExited)] == [-signal.SIGKILL]
    assert [event.status for event in scene.told(TargetStopped)] == [-signal.SIGTERM]


def test_without_reuse_of_the_address_it_cannot_be_started_again() -> None:
    scene = play(*KILLED, words=("no-reuse",), clients=LiveClient())
    finding = scene.serving.finding
    assert finding is not None
    assert finding.kind == "no-start"
    assert finding.message == (
        f"the server could not be started again: its address {scene.target.address} is still in use: connections of "
        "its earlier life keep it, in TIME_WAIT as a rule; a server that sets SO_REUSEADDR before bind() need not wait "
        "for their end"
    )
    assert "Address already in use" in finding.actual
    assert b"Address already in use" in scene.told(ServerNotStarted)[0].output
    # Only the end of its first life is told as one: the other never came to be ready.
    assert len(scene.told(TargetExited)) == 1
    assert scene.told(TargetStopped) == []
    assert not scene.target.running


def test_an_address_that_somebody_else_took_in_the_meantime() -> None:
    listeners = []

    async def clients(scene: Scene) -> None:
        await scene.board.wait_for("killed")
        listeners.append(socket.create_server(scene.target.address.sockaddr))
        scene.board.mark("taken")

    scene = play(Kill(HERE), mark("killed"), wait_for("taken"), Start(HERE), clients=clients)
    listeners[0].close()
    assert scene.serving.finding is not None
    name = f"process {os.getpid()} ({processes.name(os.getpid())})"
    expected = f"its address is in use: {name} listens on {scene.target.address}; end that one first"
    assert scene.serving.finding.message.endswith(expected)


@pytest.mark.parametrize(("words", "grace"), [((), LONG), (("term=ignored",), 0.05), (("daemon",), LONG)])
@pytest.mark.parametrize("before", [(), (Pause(HERE),), (Kill(HERE),)])
def test_restart(words: tuple[str, ...], grace: float, before: tuple[ServerAction, ...]) -> None:
    async def afterwards(scene: Scene) -> None:
        assert scene.works()

    scene = play(*before, Restart(HERE), Restart(HERE), words=words, grace=grace, afterwards=afterwards)
    assert scene.serving.completed
    assert len({event.pid for event in scene.told(ServerStarted)} | {scene.told(TargetStarted)[0].pid}) == 3
    # sockcheck stops it at the very end only, as far as the run is concerned.
    assert len(scene.told(TargetStopped)) == 1
    assert len(scene.told(TargetExited)) == (1 if Kill(HERE) in before else 0)


def test_a_server_that_picks_its_own_port_does_not_come_back_to_it() -> None:
    command = (sys.executable, "-S", OBLIGING, "127.0.0.1", "0")
    scene = play(Restart(HERE), command=command, ready=1.0)
    assert scene.serving.finding is not None
    message = scene.serving.finding.message
    assert message.startswith("the server could not be started again: it listens on 127.0.0.1:")
    assert f" now, not on {scene.target.address} as before; let it take its address from" in message


def test_what_still_runs_is_not_started() -> None:
    scene = play(Start(HERE))
    assert scene.serving.finding is not None
    assert scene.serving.finding.message.endswith(
        f"it is still running, on {scene.target.address}; let `exits` or `kill` stand before `start`"
    )


def test_what_crashed_can_be_started_again() -> None:
    async def clients(scene: Scene) -> None:
        with scene.connect() as connection:
            connection.sendall(b"crash\n")
            assert connection.recv(1) == b""
        scene.board.mark("crashed")

    async def afterwards(scene: Scene) -> None:
        assert scene.works()

    play(wait_for("crashed"), Start(HERE), clients=clients, afterwards=afterwards)


def test_a_start_that_fails_for_another_reason_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def clients(scene: Scene) -> None:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        scene.board.mark("broken")

    with pytest.RaisesGroup(
        pytest.RaisesExc(KeeperError, match="sockcheck could not start a process"), flatten_subgroups=True
    ):
        play(Kill(HERE), wait_for("broken"), Start(HERE), clients=clients)


def test_figures_of_the_server() -> None:
    measures: tuple[Measure, ...] = ("open-files", "threads", "children", "alive", "listening", "backlog")

    def look(scene: Scene) -> list[float | None]:
        return [scene.target.measure(what) for what in measures]

    async def clients(scene: Scene) -> None:
        # stdin, stdout, stderr and the listening socket.
        assert look(scene) == [4, 1, 0, 1, 1, 5]
        for line in (b"open\n", b"thread\n"):
            scene.order(line)
        scene.board.mark("more")

    async def afterwards(scene: Scene) -> None:
        await scene.target.kill()
        assert look(scene) == [0, 0, 0, 0, 0, 0]
        assert (scene.target.measure("queue"), scene.target.measure("cpu")) == (0, 0)

    more = Check(
        HERE,
        (Comparison("open-files", "==", 5, HERE), Comparison("threads", "==", 2, HERE)),
        LONG,
    )
    scene = play(wait_for("more"), more, clients=clients, afterwards=afterwards)
    assert scene.serving.completed
    assert scene.told(ServerChecked)[0].values == (5.0, 2.0)


def test_a_check_waits_until_it_is_so() -> None:
    async def clients(scene: Scene) -> None:
        scene.order(b"child\n")

    scene = play(check("children", "==", 1), check("alive", "==", 1), clients=clients)
    assert scene.serving.completed


def test_the_cpu_time_is_that_of_the_case() -> None:
    async def clients(scene: Scene) -> None:
        scene.order(b"spin\n")
        scene.board.mark("spun")

    idle = check("cpu", "<", 0.15)
    scene = play(idle, wait_for("spun"), check("cpu", ">=", 0.15), Restart(HERE), idle, clients=clients)
    assert scene.serving.completed


def test_a_figure_that_is_wrong_is_told_with_what_was_seen_last() -> None:
    scene = play(check("backlog", ">=", 100, within=0.05))
    assert scene.serving.finding is not None
    assert scene.serving.finding.kind == "wrong-measure"
    assert scene.serving.finding.message == "backlog 5, not >= 100, after 50.0 ms"


def test_a_figure_that_cannot_be_seen_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Diag) -> None:
        raise OSError(errno.EPROTONOSUPPORT, "refused")

    monkeypatch.setattr(Diag, "__init__", refuse)
    scene = play(check("queue", "==", 0), check("backlog", "==", 5))
    assert scene.serving.finding is None
    assert scene.serving.trouble.startswith("backlog of the server cannot be seen here: ")


def test_a_server_that_forks_twice() -> None:
    async def afterwards(scene: Scene) -> None:
        assert not scene.target.running

    checks = (check("children", "==", 0), check("threads", "==", 1), check("alive", "==", 1))
    scene = play(*checks, Pause(HERE), Resume(HERE), TERM, exits(0), words=("daemon",), afterwards=afterwards)
    # The status is that of the first process, which ended long ago.
    assert scene.serving.completed
    assert [event.processes for event in scene.told(ServerSignalled)] == [1, 1, 1]


def test_a_wait_lasts_as_long_as_it_says() -> None:
    scene = play(mark("begun"), Wait(HERE, 0.05), mark("over"))
    begun, over = scene.told(Marked)
    assert over.at - begun.at >= 0.05


def test_who_waits_for_what_never_comes_is_released_and_the_server_resumed() -> None:
    async def clients(scene: Scene) -> None:
        scene.board.lose("never")

    async def afterwards(scene: Scene) -> None:
        assert scene.works()

    scene = play(Pause(HERE), wait_for("never"), Kill(HERE), clients=clients, afterwards=afterwards)
    assert scene.serving.unjudged
    assert type(scene.events[-2]) is Released


def test_a_finding_resumes_the_server() -> None:
    async def afterwards(scene: Scene) -> None:
        assert scene.works()

    scene = play(Pause(HERE), check("queue", "==", 1, within=0.01), afterwards=afterwards)
    assert scene.serving.finding is not None


def test_steps_that_are_cut_short_resume_the_server() -> None:
    async def clients(scene: Scene) -> None:
        serving = Serving((Pause(HERE), wait_for("never")), "plain", "", scene.world.clock())

        def emit(event: Event) -> None:
            assert isinstance(event, ServerEvent)
            serving.tell(event)

        world = World(scene.world.poller, emit, scene.world.origin, None, "")
        async with trio.open_nursery() as nursery:
            await nursery.start(perform, serving, world, 2, scene.target, scene.board)
            assert processes.all_stopped(scene.target.pids())
            nursery.cancel_scope.cancel()
        assert scene.works()

    play(clients=clients)


def test_a_stopping_signal_is_taken_back_too() -> None:
    async def afterwards(scene: Scene) -> None:
        assert await until(lambda: processes.all_stopped(scene.target.pids()), LIMIT)
        await scene.target.resume()
        assert scene.works()

    play(Signal(HERE, signal.SIGSTOP), afterwards=afterwards)


def test_a_server_that_cannot_be_paused_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "_STOP_LIMIT", 0.05)
    monkeypatch.setattr(processes, "all_stopped", lambda pids: False)
    with pytest.RaisesGroup(
        pytest.RaisesExc(Trouble, match=r"the server could not be paused: SIGSTOP does not stop \d+ \("),
        flatten_subgroups=True,
    ):
        play(Pause(HERE))


def test_a_server_that_is_left_paused_ends_by_sigterm() -> None:
    pids = []

    async def clients(scene: Scene) -> None:
        pids.append(scene.target.pids())

    scene = play(Pause(HERE), clients=clients, words=("term=5",))
    stopped = scene.told(TargetStopped)[0]
    assert (stopped.status, stopped.killed) == (5, False)
    assert no_more(pids[0])


@pytest.mark.parametrize("mode", ["ignores_sigterm", "leaves_a_session", "daemon", "respawners"])
def test_hostile_servers_that_are_left_paused_leave_nothing(mode: str) -> None:
    pids = []

    async def clients(scene: Scene) -> None:
        pids.append(scene.target.pids())

    command = (sys.executable, "-S", HOSTILE, mode, uuid.uuid4().hex, "{host}", "{port}")
    play(Pause(HERE), clients=clients, command=command, grace=0.05)
    assert no_more(pids[0])


@pytest.fixture
def harness() -> Iterator[subprocess.Popen[str]]:
    """sockcheck, with a server of two sessions that it has paused."""
    command = [sys.executable, "-S", HOSTILE, "leaves_a_session", uuid.uuid4().hex, "{host}", "{port}"]
    with subprocess.Popen([sys.executable, "-c", PAUSES, *command], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "paused\n"
        yield process
        process.kill()


def test_a_paused_server_does_not_outlive_sockcheck(harness: subprocess.Popen[str]) -> None:
    async def gone(pid: int) -> None:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        with trio.fail_after(LIMIT):
            await trio.lowlevel.wait_readable(descriptor)
        os.close(descriptor)

    tree = list(processes.descendants(harness.pid))
    # The keeper, and what it keeps.
    assert len(tree) == 3
    assert processes.all_stopped(pid for pid in tree if pid not in processes.children(harness.pid))
    harness.kill()
    for pid in tree:
        trio.run(gone, pid)


def test_a_server_that_was_not_started_here_is_left_alone() -> None:
    async def clients(scene: Scene) -> None:
        async with connected(scene.target.address, number=2, emit=scene.events.append, clock=time.monotonic) as target:
            await target.resume()
            calls: list[Awaitable[object]] = [
                target.signal_first(signal.SIGTERM),
                target.signal_all(signal.SIGSTOP),
                target.kill(),
                target.exited(0.0),
                target.start_again(),
                target.restart(),
            ]
            for call in calls:
                with pytest.raises(TargetError, match="was not started by sockcheck"):
                    await call
            served: Target = target
            with pytest.raises(TargetError) as caught:
                served.measure("alive")
            assert caught.value.hint == "let sockcheck start it: sockcheck run PATHS -- COMMAND"
            serving = Serving((Pause(HERE),), "plain", "", 0.0)
            with pytest.raises(Trouble, match="was not started by sockcheck"):
                await perform(serving, scene.world, 1, target, scene.board)
        assert scene.works()

    play(clients=clients)


def test_what_it_wrote_in_an_earlier_life_is_not_shown_for_a_later_one(tmp_path: Path) -> None:
    script = tmp_path / "server.sh"
    script.write_text(
        f"echo life >> {tmp_path}/lives\n"
        f"echo this is life $(wc -l < {tmp_path}/lives)\n"
        f"[ $(wc -l < {tmp_path}/lives) -gt 1 ] && exit 4\n"
        f'exec {sys.executable} -S {OBLIGING} "$@"\n'
    )
    scene = play(Restart(HERE), command=("sh", str(script), "{host}", "{port}"))
    failed = scene.told(ServerNotStarted)[0]
    assert failed.message.startswith("the server exited with status 4 before it listened; ")
    assert failed.output == b"this is life 2\n"
    assert b"".join(event.data for event in scene.told(TargetOutput)) == b"this is life 1\nthis is life 2\n"
