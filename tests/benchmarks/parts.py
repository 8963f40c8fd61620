"""What single parts cost: start-up, reading, the keeper."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import trio
import yaml
from echoing import EXCHANGE, scenario, server, serving
from measuring import SOCKCHECK, Figure, Scale, alternate, environment, process

from sockcheck.commands.outputs import uncollected
from sockcheck.deriving import Planned, Wish, derive
from sockcheck.observe.sockdiag import Diag
from sockcheck.reservation import Reservation
from sockcheck.suite import load
from sockcheck.target import Command, started

_SCENARIO = """\
scenario: A line that arrives in pieces comes back whole, number {number}
about: Nothing in a stream says where one send ended and the next began.
hint: Read until the whole line is there before it is answered.
tags: [first-week, streams]
client:
  - connect
  - send: "hello world, this is a line of the client's\\n"
    cut: [5, 6]
  - expect: "hello world, this is a line of the client's\\n"
    within: 1s
  - send:
      - "first line\\n"
      - "second line\\n"
  - expect:
      line: "first .*"
      ends: lf
  - expect: "second line\\n"
    within: 500ms
  - shutdown: write
  - end: eof
    within: 2s
"""

_CONTRACT = """\
contract: planned
promises:
  clients: 8
  half-close: yes
  orderly-close: yes
  survives-reset: yes
  pipelining: yes
  bounded-input: yes
  prompt: yes
  restart: yes
  backlog: 5
  idle-close: 1s
  stops-on-sigterm: 2s
"""
_EXCHANGE = """\
scenario: A line comes back, number {number}
client:
  - connect
  - send: "hello world\\n"
  - expect: "hello world\\n"
"""


def measure_start(scale: Scale, folder: Path) -> Iterator[Figure]:
    """From the start of the process to its end."""
    path = scenario(folder, EXCHANGE)
    with serving(server(folder)) as port:
        python = [sys.executable, "-c"]
        mine = [*SOCKCHECK, str(folder / "cost.json")]
        commands = {
            "pass": [*python, "pass"],
            "trio": [*python, "import trio"],
            "help": [*mine, "--help"],
            "list": [*mine, "list", path],
            "run": [*mine, "run", path, "--connect", f"127.0.0.1:{port}"],
        }
        results = alternate(2 * scale.rounds, *(lambda words=words: process(words) for words in commands.values()))
    measured = dict(zip(commands, results, strict=True))
    empty = measured["pass"]
    for name, what, goal in (
        ("help", "`sockcheck --help`", 60.0),
        ("list", "`sockcheck list` of one scenario", 80.0),
        ("run", "`sockcheck run` of one case", 150.0),
        ("trio", "(`python -c 'import trio'`)", None),
    ):
        walls, cpus = ([getattr(cost, kind) * 1000 for cost in measured[name]] for kind in ("wall", "cpu"))
        base = "`python -c pass`"
        yield Figure(f"wall of {what}", "ms", walls, base, [cost.wall * 1000 for cost in empty], "difference", goal)
        yield Figure(f"CPU of {what}", "ms", cpus, base, [cost.cpu * 1000 for cost in empty], "difference")


def measure_reading(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Files found, read, checked; the yardstick reads the same texts with libyaml, and makes nothing of them."""
    number = scale.of(1000)
    texts = [_SCENARIO.format(number=index) for index in range(number)]
    place = folder / "many"
    place.mkdir()
    for index, text in enumerate(texts):
        (place / f"file-{index:04}.sock.yaml").write_text(text)
    parser: Any = getattr(yaml, "CLoader", yaml.Loader)

    def ours() -> float:
        began = time.process_time()
        assert len(load([str(place)]).scenarios) == number
        return (time.process_time() - began) / number * 1000

    def events() -> float:
        began = time.process_time()
        for text in texts:
            for _ in yaml.parse(text, parser):
                pass
        return (time.process_time() - began) / number * 1000

    def loaded() -> float:
        began = time.process_time()
        for text in texts:
            yaml.load(text, parser)
        return (time.process_time() - began) / number * 1000

    mine, parsed, safe = alternate(scale.rounds, ours, events, loaded)
    what = f"CPU of reading a file of {len(texts[0])} bytes, of {number:,}"
    yield Figure(what, "ms", mine, "libyaml's events", parsed, "ratio")
    yield Figure(what, "ms", mine, "yaml.load() with libyaml", safe, "ratio")
    yield Figure(what, "ms", mine, "none", [0.0] * len(mine), "difference", 0.15)


def measure_planning(scale: Scale, folder: Path) -> Iterator[Figure]:
    """The cases of many scenarios under the standard conditions, all promises made; the yardstick is to read them."""
    number = scale.of(1000)
    place = folder / "planned"
    place.mkdir()
    (place / "contract.yaml").write_text(_CONTRACT)
    for index in range(number):
        (place / f"file-{index:04}.sock.yaml").write_text(_EXCHANGE.format(number=index))
    scenarios = load([str(place)]).scenarios
    cases: list[int] = []

    def planned() -> float:
        began = time.process_time()
        cases.append(sum(isinstance(each, Planned) for each in uncollected(derive(scenarios, Wish(seed=1)))))
        return time.process_time() - began

    def read() -> float:
        began = time.process_time()
        load([str(place)])
        return time.process_time() - began

    mine, reading = alternate(scale.rounds, planned, read)
    what = f"CPU of planning {cases[0]:,} cases of {number:,} scenarios"
    yield Figure(what, "s", mine, "reading these", reading, "ratio")
    yield Figure(what, "s", mine, "none", [0.0] * len(mine), "difference", 1.0)


def measure_keeper(scale: Scale, folder: Path) -> Iterator[Figure]:
    """From exec to the LISTEN row in the kernel: under a keeper, and by itself."""
    program = server(folder)
    command = Command((program, "{host}", "{port}"), {}, None, ready=30.0)
    ends: list[float] = []

    async def kept() -> float:
        clock = time.monotonic
        began = clock()
        async with started(command, number=1, emit=lambda event: None, clock=clock):
            took = clock() - began
            ends.append(clock())
        ends[-1] = (clock() - ends[-1]) * 1000
        return took * 1000

    def bare() -> float:
        diag, reservation = Diag(), Reservation()
        began = time.monotonic()
        words = [program, reservation.host, str(reservation.port)]
        running = subprocess.Popen(words, stdin=subprocess.DEVNULL, env=environment())
        try:
            while not any(row.port == reservation.port for row in diag.listeners()):
                assert running.poll() is None
                assert time.monotonic() < began + 30
                time.sleep(0.0002)
            return (time.monotonic() - began) * 1000
        finally:
            running.kill()
            running.wait()
            reservation.release()
            diag.close()

    mine, theirs = alternate(5 * scale.rounds, lambda: trio.run(kept), bare)
    yield Figure("wall from the start of a server to listening", "ms", mine, "without a keeper", theirs, "difference")
    stops = ends[1:]
    yield Figure("wall of stopping it, the keeper too", "ms", stops, "none", [0.0] * len(stops), "difference")


def raise_limits() -> None:
    """Descriptors as many as may be had, for us and all that we start."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
