"""`--isolate net`: servers with addresses of their own at a time, in networks that nothing is left of.

Where no namespace can be made, which is so in most containers, each test sees that this is told before anything runs.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio
from command_line import LIMIT
from confinement import NOT_HERE, confined
from tools import CHECKOUT

from sockcheck.client_events import (
    Received,
)
from sockcheck.doctor.isolation import isolation
from sockcheck.errors import TargetError
from sockcheck.events import (
    CaseJudged,
    CaseNotRun,
    CaseStarted,
    Event,
    NotIsolated,
    TargetStarted,
    TargetStopped,
)
from sockcheck.isolation import Isolation
from sockcheck.keeper.client import IsolationError, Keeper
from sockcheck.observe import processes
from sockcheck.recording import read
from sockcheck.target import Command, StartedTarget, started

# Answers each line with its process id, at an address that is written into it. Where it is given a folder it does so
# only when another instance is there too.
OWN_ADDRESS = """\
import os, socket, sys, time
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    for folder in sys.argv[3:]:
        open(os.path.join(folder, str(os.getpid())), "w").close()
    while True:
        client, _ = server.accept()
        with client, client.makefile("rwb", 0) as lines:
            for line in lines:
                while sys.argv[3:] and len(os.listdir(sys.argv[3])) < 2:
                    time.sleep(0.01)
                lines.write(b"%d\\n" % os.getpid())
"""
# The same, but first it calls at another server of this machine.
NEEDS_ANOTHER = (
    """\
import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv.pop(1)))).close()
"""
    + OWN_ADDRESS
)
# The same, but it calls at the other server for each line, and drops a client that it cannot serve.
CALLS_ANOTHER = """\
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[2]))) as server:
    while True:
        client, _ = server.accept()
        with client, client.makefile("rwb", 0) as lines:
            for line in lines:
                try:
                    socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
                except OSError:
                    break
                lines.write(b"1\\n")
"""
# Does not set SO_REUSEADDR, so that it cannot start again at once.
NO_REUSE = """\
import socket, sys
server = socket.socket()
server.bind((sys.argv[1], int(sys.argv[2])))
server.listen()
while True:
    client, _ = server.accept()
    while data := client.recv(100):
        client.sendall(data)
    client.close()
"""
NUMBERS = r"""
scenario: The server tells its number
client:
  - connect
  - send: "a\n"
  - expect: {line: '\d+'}
    within: 20s
"""
STAYS = """
scenario: A client that stays for long
client: [connect, quiet: 60s]
"""


Of = TypeVar("Of")


class Ran:
    """A run of sockcheck with `--isolate net`, and the events of its record."""

    def __init__(self, done: subprocess.CompletedProcess[str], record: Path) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.events: list[Event] = list(read(record)) if record.exists() else []

    def all(self, kind: type[Of]) -> list[Of]:
        return [event for event in self.events if isinstance(event, kind)]


class Runner:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, scenarios: str, *words: str | Path, places: tuple[str, ...] = ()) -> Ran | None:
        """Run it, in these places; `scenarios` is a path, or the text of one. None where no namespace can be made."""
        path = CHECKOUT / scenarios
        if "\n" in scenarios:
            path = self.folder / "one.sock.yaml"
            path.write_text(scenarios, encoding="utf-8")
        record = self.folder / f"{uuid.uuid4().hex}.jsonl"
        argv = [sys.executable, "-m", "sockcheck", "run", str(path), "--conditions", "none"]
        argv += ["--isolate", "net", "--record", str(record)]
        done = subprocess.run(
            [*(confined(*places) if places else ()), *argv, *map(str, words)],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert "a fault of sockcheck's own" not in done.stderr, done.stderr
        if done.returncode == NOT_HERE or (done.returncode == 2 and not can_be_had(places)):
            if done.returncode == 2:
                assert done.stderr.startswith("sockcheck: --isolate net cannot be had here: "), done.stderr
                assert "leave it out" in done.stderr
                assert not record.exists() or record.stat().st_size == 0
            return None
        return Ran(done, record)


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def can_be_had(places: tuple[str, ...] = ()) -> bool:
    """Whether servers can have a network of their own, as `sockcheck doctor` says it."""
    if not places:
        return trio.run(isolation).state != "no"
    argv = [*confined(*places), sys.executable, "-m", "sockcheck", "doctor", "--json"]
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, timeout=LIMIT, check=True)
    found = {each["id"]: each["state"] for each in json.loads(done.stdout)["techniques"]}
    return bool(found["isolation"] != "no")


def python(source: str, *arguments: str) -> list[str]:
    return ["--", "{python}", "-c", source, *arguments]


@pytest.mark.parametrize("places", [(), ("ordinary",)])
@pytest.mark.parametrize("address", [("127.0.0.1", "7777"), ("0.0.0.0", "80")])
def test_servers_with_the_same_address_run_at_a_time_and_do_not_meet(
    run: Runner, places: tuple[str, ...], address: tuple[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "instances"
    folder.mkdir()
    words = python(OWN_ADDRESS, *address, str(folder))
    ran = run(NUMBERS, "--jobs", "2", "--repeat", "6", *words, places=places)
    if ran is None:
        return
    assert (ran.code, ran.err) == (0, ""), ran.out
    assert "Weaker than usual" not in ran.out
    servers = {event.target: event for event in ran.all(TargetStarted)}
    assert len(servers) == 2
    assert {(event.address, event.isolated) for event in servers.values()} == {(f"127.0.0.1:{address[1]}", True)}
    number_of = {event.attempt: servers[event.target].pid for event in ran.all(CaseStarted)}
    assert len(number_of) >= 6
    assert all(event.data == b"%d\n" % number_of[event.attempt] for event in ran.all(Received))


@pytest.mark.parametrize("places", [(), ("ordinary",)])
@pytest.mark.parametrize("contract", ["echo", "kv", "chat"])
def test_the_bundled_contracts_are_kept_inside_as_outside(run: Runner, contract: str, places: tuple[str, ...]) -> None:
    ran = run(f"scenarios/{contract}", places=places)
    if ran is None:
        return
    assert ran.code == 0, ran.out
    assert "Weaker than usual" not in ran.out
    assert all(event.isolated for event in ran.all(TargetStarted))
    assert not ran.all(CaseNotRun)


def test_ipv6_is_there(run: Runner) -> None:
    server = ["--", "{python}", "-m", "sockcheck.servers.echo", "::1", "{port}"]
    ran = run("scenarios/echo", "--select", "hello", "--select", "restart", "--select", "stop-idle", *server)
    if ran is None:
        return
    assert ran.code == 0, ran.out
    assert {event.address for event in ran.all(TargetStarted)} == {"[::1]:10000"}


def test_a_network_outlives_the_server_so_that_its_connections_are_still_in_the_way(run: Runner) -> None:
    ran = run("scenarios/echo", "--select", "restart", *python(NO_REUSE, "{host}", "{port}"))
    if ran is not None:
        assert ran.code == 1
        assert "TIME_WAIT" in ran.out


@pytest.fixture
def neighbour() -> Iterator[str]:
    """The port of a server outside."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


def test_a_server_that_needs_another_one_runs_outside_one_at_a_time(run: Runner, neighbour: str) -> None:
    ran = run(NUMBERS, "--jobs", "3", "--repeat", "6", *python(NEEDS_ANOTHER, neighbour, "127.0.0.1", "0"))
    if ran is None:
        return
    assert ran.code == 0, ran.out
    said = " ".join(ran.out.split())
    assert "Weaker than usual: - The server was not isolated (--isolate net): it does less in a network" in said
    assert "There, the server exited with status 1 before it listened." in said
    assert len(ran.all(NotIsolated)) == 1
    assert not any(event.isolated for event in ran.all(TargetStarted))
    spans = sorted(
        (start.at, end.at)
        for start in ran.all(TargetStarted)
        for end in ran.all(TargetStopped)
        if start.target == end.target
    )
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_a_server_that_needs_another_one_for_each_client_is_not_accused(run: Runner, neighbour: str) -> None:
    ran = run(NUMBERS, "--jobs", "3", "--repeat", "6", *python(CALLS_ANOTHER, neighbour, "{port}"))
    if ran is None:
        return
    assert ran.code == 0, ran.out
    said = " ".join(ran.out.split())
    assert "There, the case" in said
    assert "fails again and again, and passes without." in said
    assert len(ran.all(NotIsolated)) == 1
    assert {event.verdict.outcome for event in ran.all(CaseJudged)} == {"pass"}
    assert len(ran.all(CaseJudged)) == 6


def test_a_faulty_server_is_accused_inside_as_outside(run: Runner) -> None:
    server = ["--", "{python}", "tests/zoo/tutorial/recv1024.py", "{host}", "{port}"]
    ran = run("scenarios/echo", "--select", "sizes", *server)
    if ran is None:
        return
    outside = subprocess.run(
        [sys.executable, "-m", "sockcheck", "run", "scenarios/echo", "--select", "sizes", *server],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (ran.code, outside.returncode) == (1, 1)
    assert ran.out.count("FAIL") == outside.stdout.count("FAIL") > 0
    assert not ran.all(NotIsolated)
    assert "again, without a network of its own" in ran.out


def test_a_server_that_starts_nowhere_is_unavailable(run: Runner) -> None:
    ran = run("scenarios/echo", *python("raise SystemExit('no configuration')"))
    if ran is not None:
        assert ran.code == 3
        assert ran.out.count("the server exited with status 1 before it listened") == 2
        assert "no configuration" in ran.out
        assert not ran.all(NotIsolated)


def test_both_reasons_are_told_where_they_differ(run: Runner, neighbour: str) -> None:
    """Inside nobody answers; outside the address is taken."""
    ran = run("scenarios/echo", *python(NEEDS_ANOTHER, neighbour, "127.0.0.1", neighbour))
    if ran is not None:
        assert ran.code == 3
        said = " ".join(ran.out.split())
        assert "the server exited with status 1 before it listened (in a network of its own, --isolate net)" in said
        assert "without that, the server's address is in use" in said


def test_it_belongs_to_a_command() -> None:
    words = [sys.executable, "-m", "sockcheck", "run", "scenarios/echo", "--isolate", "net", "--connect", "127.0.0.1:1"]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--isolate belongs to a command" in done.stderr


@pytest.mark.parametrize("place", ["no-namespaces", "no-netlink", "unprivileged"])
def test_where_it_cannot_be_had_that_is_told_before_anything_runs(run: Runner, place: str) -> None:
    if place == "unprivileged" and os.getuid() != 0:
        place = "no-namespaces"  # whoever is not root may have user namespaces all the same
    assert run("scenarios/echo", places=(place,)) is None


def networks() -> set[str]:
    """The network namespaces of all processes that are seen, and those that are held open."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        for link in (folder / "ns" / "net", *_entries(folder / "fd")):
            try:
                name = os.readlink(link)
            except OSError:
                continue
            if name.startswith("net:"):
                found.add(name)
    return found


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def until(done: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + LIMIT / 2
    while not done():
        assert time.monotonic() < end, what
        os.sched_yield()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_servers_nor_networks(tmp_path: Path, number: signal.Signals) -> None:
    if not can_be_had():
        return
    path, record = tmp_path / "stays.sock.yaml", tmp_path / "run.jsonl"
    path.write_text(STAYS, encoding="utf-8")
    words = [sys.executable, "-m", "sockcheck", "run", str(path), "--conditions", "none"]
    words += ["--isolate", "net", "--record", str(record)]
    words += python(OWN_ADDRESS, "127.0.0.1", "7777")
    with subprocess.Popen(words, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        until(lambda: record.exists() and b'"Connected"' in record.read_bytes(), "no client has connected")
        tree = list(processes.descendants(run.pid))
        links = {os.readlink(f"/proc/{pid}/ns/net") for pid in tree}
        assert len(tree) == 2
        assert len(links) == 1
        assert links.isdisjoint({os.readlink("/proc/self/ns/net")})
        run.send_signal(number)
        run.wait(LIMIT)
    until(lambda: all(processes.start_time(pid) is None or processes.exiting(pid) for pid in tree), "a process is left")
    until(lambda: links.isdisjoint(networks()), "a network is left")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def isolated(body: Callable[[StartedTarget, Isolation], Any]) -> None:
    """Run the body with an isolated server."""

    async def main() -> None:
        command = Command(("{python}", "-c", OWN_ADDRESS, "127.0.0.1", "7777"), {}, None, 20.0, isolate=True)
        with trio.fail_after(LIMIT):
            async with started(command, number=1, emit=lambda event: None, clock=time.monotonic) as target:
                assert target.isolation is not None
                await body(target, target.isolation)

    trio.run(main)


def test_all_descriptors_are_given_back() -> None:
    if not can_be_had():
        return

    async def body(target: StartedTarget, network: Isolation) -> None:
        for family in (socket.AF_INET, socket.AF_INET6):
            (await network.socket(family)).close()
        await target.restart()
        (await network.socket(socket.AF_INET)).close()
        await target.kill()
        # A keeper whose target is gone still has sockets.
        for _ in range(20):
            (await network.socket(socket.AF_INET)).close()

    before = descriptors()
    isolated(body)
    isolated(body)
    assert descriptors() == before


async def take_all(network: Isolation, taken: list[socket.socket]) -> None:
    for _ in range(40):
        taken.append(await network.socket(socket.AF_INET))


def test_out_of_descriptors_is_an_error_and_not_a_hang() -> None:
    if not can_be_had():
        return

    async def body(target: StartedTarget, network: Isolation) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        taken: list[socket.socket] = []
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors() + 3, hard))
            with pytest.raises(OSError, match="Too many open files"):
                await take_all(network, taken)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert taken
        for each in taken:
            each.close()
        assert (await target.ping()).alive

    isolated(body)


def test_what_nobody_waits_for_any_more_is_closed() -> None:
    if not can_be_had():
        return

    async def body(target: StartedTarget, network: Isolation) -> None:
        for _ in range(20):
            with trio.CancelScope() as scope:
                scope.cancel()
                await network.socket(socket.AF_INET)
            assert scope.cancelled_caught
        await target.ping()

    before = descriptors()
    isolated(body)
    assert descriptors() == before


def test_a_client_without_a_keeper_is_told_so() -> None:
    if not can_be_had():
        return

    async def body(target: StartedTarget, network: Isolation) -> None:
        keeper = next(pid for pid in processes.children(os.getpid()) if target.pid in processes.children(pid))
        os.kill(keeper, signal.SIGKILL)
        with pytest.raises(OSError, match="the process that keeps the server ended"):
            await network.socket(socket.AF_INET)

    isolated(body)


def test_a_keeper_that_may_not_is_told_with_the_step() -> None:
    """A descriptor that is no namespace cannot be entered."""
    nothing = socket.socket()

    async def main() -> None:
        with nothing, trio.fail_after(LIMIT):
            keeper = Keeper(lambda message: None, (nothing.fileno(),))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(keeper.read)
                try:
                    with pytest.raises(IsolationError, match="Invalid argument, at setns") as caught:
                        await keeper.isolate()
                    assert isinstance(caught.value, TargetError)
                finally:
                    await keeper.close()

    trio.run(main)
