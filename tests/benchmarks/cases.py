"""What a case costs in a whole run, a few hundred of them, and where the time goes."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from echoing import ECHO, EXCHANGE, MESSAGE, scenario, server, serving
from measuring import Cost, Figure, Scale, alternate, process, sockcheck
from tools import tool

from sockcheck.events import CaseFinished, CaseStarted, RunFinished, RunStarted, TargetStarted
from sockcheck.recording import read

_PYTEST = f"""\
import socket

MESSAGE = {MESSAGE!r}


def exchange():
    with socket.create_connection(("127.0.0.1", PORT), timeout=5) as client:
        client.sendall(MESSAGE)
        received = b""
        while len(received) < len(MESSAGE):
            received += client.recv(65536)
        assert received == MESSAGE
        client.shutdown(socket.SHUT_WR)
        assert client.recv(65536) == b""


"""

_WAITING = """\
import sys
import trio


async def exchange():
    with trio.socket.socket() as client:
        await client.connect(("127.0.0.1", PORT))
        await client.send(MESSAGE)
        assert await client.recv(65536) == MESSAGE
        with trio.move_on_after(0.2) as scope:
            await client.recv(65536)
        assert scope.cancelled_caught
        client.shutdown(trio.socket.SHUT_WR)
        assert await client.recv(65536) == b""


async def main():
    async with trio.open_nursery() as nursery:
        for _ in range(int(sys.argv[1])):
            nursery.start_soon(exchange)


trio.run(main)
"""


def measure_wall(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Many cases against a server that runs already, as whole runs: what each one more takes."""
    number = scale.of(600)
    path = scenario(folder, EXCHANGE)
    with serving(server(folder)) as port:
        files = _pytest_files(folder, port, number)
        programs = _varnishtest_files(folder, port, number)

        def ours(times: int) -> Cost:
            return sockcheck("run", path, "--repeat", str(times), "--connect", f"127.0.0.1:{port}")

        def pytest(times: int) -> Cost:
            chosen = files[1] if times == 1 else files[0]
            plain = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(folder)]
            return process([sys.executable, "-m", "pytest", *plain, chosen])

        def varnishtest(times: int) -> Cost:
            return process([tool("varnishtest"), "-q", "-j1", *programs[:times]])

        results = alternate(
            scale.rounds,
            lambda: _one_more(ours(number), ours(1), number),
            lambda: _one_more(pytest(number), pytest(1), number),
            lambda: _one_more(varnishtest(number), varnishtest(1), number),
        )
    mine, theirs, others = results
    for name, yardstick in (("a pytest function", theirs), ("a varnishtest file, without half-close", others)):
        what = f"{{}} of one more case, of {number}"
        yield Figure(what.format("wall"), "ms", _wall(mine), name, _wall(yardstick), "ratio", 1.0)
        yield Figure(what.format("CPU"), "ms", _cpu(mine), name, _cpu(yardstick), "ratio")


def measure_waits(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Cases that wait for 200 ms each and may share a server: how much longer than one of them all of them take."""
    number = scale.of(200)
    place = folder / "waiting"
    place.mkdir()
    (place / "contract.yaml").write_text("contract: waiting\ntransport: tcp\npromises: {clients: 256}\n")
    waiting = EXCHANGE.replace("  - shutdown", "  - quiet: 200ms\n  - shutdown")
    path = scenario(place, waiting)
    program = server(folder)
    with serving(program) as port:
        script = folder / "waiting.py"
        script.write_text(f"MESSAGE = {MESSAGE!r}\nPORT = {port}\n{_WAITING}")

        def ours(times: int) -> float:
            return sockcheck("run", path, "--repeat", str(times), "--", program, "{host}", "{port}").wall

        def by_hand(times: int) -> float:
            return process([sys.executable, str(script), str(times)]).wall

        mine, one, all_by_hand, one_by_hand = alternate(
            scale.rounds, lambda: ours(number), lambda: ours(1), lambda: by_hand(number), lambda: by_hand(1)
        )
    yield Figure(f"wall of {number} cases that wait 200 ms", "s", mine, "one such case", one, "difference", 0.5)
    hand = [many - single for many, single in zip(all_by_hand, one_by_hand, strict=True)]
    more = [many - single for many, single in zip(mine, one, strict=True)]
    yield Figure("the same beyond one such case", "s", more, "tasks of one trio nursery", hand, "difference")


def measure_started(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Where the time of a run goes whose server, in Python, sockcheck starts."""
    number = scale.of(200)
    path = scenario(folder, EXCHANGE)
    record = folder / "started.jsonl"
    command = [sys.executable, "-S", str(folder / "echo.py"), "{host}", "{port}"]
    # The reference server by itself, so that nothing of sockcheck is loaded by it.
    text = ECHO.read_text()
    support = ECHO.with_name("program.py").read_text()
    (folder / "program.py").write_text(support)
    (folder / "echo.py").write_text(re.sub(r"sockcheck\.servers\.program", "program", text))

    def run() -> dict[str, float]:
        cost = sockcheck("run", path, "--jobs", "1", "--repeat", str(number), "--record", str(record), "--", *command)
        return _parts(cost, record, number)

    [parts] = alternate(scale.rounds, run)
    whole = [part["whole"] for part in parts]
    for name, unit in (
        ("a case, of {number}", "ms"),
        ("loading sockcheck and writing the report", "ms"),
        ("starting the server", "ms"),
        ("the last client, stopping the server", "ms"),
    ):
        mine = [part[name] for part in parts]
        yield Figure(f"wall of {name.format(number=number)}", unit, mine, "the whole run", whole, "ratio")


def _parts(cost: Cost, record: Path, number: int) -> dict[str, float]:
    """In milliseconds."""
    started = finished = took = first = last = 0.0
    begun = 0
    for event in read(record):
        match event:
            case RunStarted():
                started = event.at
            case TargetStarted():
                took = event.took
            case CaseStarted():
                first = first or event.at
                begun += 1
            case CaseFinished() if begun <= number:
                last = event.at
            case RunFinished():
                finished = event.at
            case _:
                pass
    return {
        "whole": cost.wall * 1000,
        "a case, of {number}": (last - first) / number * 1000,
        "loading sockcheck and writing the report": (cost.wall - (finished - started)) * 1000,
        "starting the server": took * 1000,
        "the last client, stopping the server": (finished - last) * 1000,
    }


def _one_more(many: Cost, one: Cost, number: int) -> Cost:
    return replace(
        many,
        wall=(many.wall - one.wall) / (number - 1),
        cpu=(many.cpu + many.children - one.cpu - one.children) / (number - 1),
    )


def _wall(costs: Sequence[Cost]) -> list[float]:
    return [cost.wall * 1000 for cost in costs]


def _cpu(costs: Sequence[Cost]) -> list[float]:
    return [cost.cpu * 1000 for cost in costs]


def _pytest_files(folder: Path, port: int, number: int) -> tuple[str, str]:
    """A file with so many test functions, and one with one."""
    paths = []
    for functions in (number, 1):
        tests = "".join(f"def test_{index}():\n    exchange()\n\n\n" for index in range(functions))
        path = folder / f"test_by_hand_{functions}.py"
        path.write_text(f"PORT = {port}\n{_PYTEST}{tests}")
        paths.append(str(path))
    return paths[0], paths[1]


def _varnishtest_files(folder: Path, port: int, number: int) -> list[str]:
    text = (
        'varnishtest "exchange"\n'
        f"client c1 -connect 127.0.0.1:{port} {{\n"
        f"    send {shlex.quote(MESSAGE.decode())}\n"
        f"    recv {len(MESSAGE)}\n"
        "} -run\n"
    )
    paths = [folder / f"{index}.vtc" for index in range(number)]
    for path in paths:
        path.write_text(text)
    return [str(path) for path in paths]
