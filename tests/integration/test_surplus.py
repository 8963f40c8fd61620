"""That nothing more came is known, not guessed: of four thousand exchanges, half with one byte too many, late."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import trio
from busy import busy_loops
from performing import HERE, case, command, compiled, perform
from tools import CHECKOUT, node

from sockcheck import driver
from sockcheck.case import Action, Case, Close, Connect, Exact, Expect, Quiet, Send, Wait
from sockcheck.client_events import (
    Settled,
)
from sockcheck.events import (
    AttemptEvent,
    CaseFinished,
    CaseStarted,
    Event,
)
from sockcheck.facts import Facts
from sockcheck.observe import processes
from sockcheck.queues import Item
from sockcheck.run import Options, Run
from sockcheck.target import Command, started

ZOO = CHECKOUT / "tests" / "zoo" / "late"
LIMIT = 30.0

# What each server does between its reply and the surplus byte, and how often it is tried: two thousand times in all.
COMPUTE = ("cpu 100", "cpu 1000", "cpu 5000", "yield 20")
POSIX = (*COMPUTE, "thread 500", "ring 400", "child 500", "pipe 500", "chain 50", "small 0")
WORKS = {"py": POSIX, "c": POSIX, "js": ("cpu 100", "cpu 5000", "yield 50", "thread 500", "pool 1000")}
TURNS = {"py": 60, "c": 90, "js": 100}
assert sum(len(WORKS[language]) * TURNS[language] for language in WORKS) == 2000


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A busy machine, on which no server is late however long it is kept waiting for a CPU."""
    monkeypatch.setattr(driver, "SETTLE_LIMIT", LIMIT)
    with busy_loops(2):
        yield


def server(language: str, folder: Path) -> Command:
    source = ZOO / f"afterthought.{language}"
    if language == "py":
        return command("{python}", "-S", str(source), "{host}", "{port}")
    if language == "js":
        return command(node(), str(source), "{host}", "{port}")
    return command(compiled(source, folder, "-pthread"), "{host}", "{port}")


def turn(line: str) -> list[Action]:
    return [Send(HERE, (f"{line}\n".encode(),), (), None, LIMIT), Expect(HERE, Exact((b"ok\n",)), LIMIT, None)]


def exchange(work: str, more: bool, *behind: Action) -> Case:
    """A connection whose last line asks for some work, and perhaps for a byte behind it."""
    # On a new connection our kernel acknowledges at once, and Nagle's algorithm has nothing to hold back.
    before = turn("cpu 0 no") * 4 if work.startswith("small") else []
    return case(Connect(HERE, LIMIT), *before, *turn(f"{work} {'yes' if more else 'no'}"), *behind, name=work)


def perform_on_one(cases: Sequence[Case], server: Command) -> list[Event]:
    """As `perform`, but on one instance, whatever the verdicts: for the run it is a server that runs already."""
    events: list[Event] = []
    items: list[Item] = []

    async def main() -> None:
        async with started(server, number=1, emit=lambda event: None, clock=time.monotonic) as target:
            items.extend(Item(case, target.address) for case in cases)
            await Run(items, Options(jobs=1), Facts([events.append]), time.monotonic()).execute()

    trio.run(main)
    first = {event.attempt for event in events if isinstance(event, CaseStarted) and event.role == "first"}
    return [event for event in events if isinstance(event, AttemptEvent) and event.attempt in first]


def outcomes(events: Sequence[Event]) -> list[str]:
    verdicts = [event.verdict for event in events if isinstance(event, CaseFinished)]
    return [verdict.findings[0].kind if verdict.findings else verdict.outcome for verdict in verdicts]


def tally(cases: Sequence[Case], events: Sequence[Event]) -> Counter[tuple[str, str]]:
    """How often each work came to each outcome."""
    return Counter(zip((case.scenario for case in cases), outcomes(events), strict=True))


def settlings(events: Sequence[Event]) -> set[str]:
    return {event.outcome for event in events if isinstance(event, Settled)}


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("language", WORKS)
def test_a_late_byte_is_found_each_time(language: str, tmp_path: Path) -> None:
    cases = [exchange(work, True) for work in WORKS[language] for _ in range(TURNS[language])]
    events = perform_on_one(cases, server(language, tmp_path))
    assert tally(cases, events) == {(work, "surplus-bytes"): TURNS[language] for work in WORKS[language]}


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("language", WORKS)
def test_who_does_the_same_and_writes_nothing_is_never_accused(language: str, tmp_path: Path) -> None:
    cases = [exchange(work, False) for work in WORKS[language] for _ in range(TURNS[language])]
    events = perform(cases, server(language, tmp_path))
    assert tally(cases, events) == {(work, "pass"): TURNS[language] for work in WORKS[language]}
    assert settlings(events) == {"settled"}


@pytest.mark.parametrize("language", ["py", "c"])
def test_a_byte_that_the_kernel_holds_back_is_waited_for(language: str, tmp_path: Path) -> None:
    events = perform_on_one([exchange("cork 0", True)] * 3, server(language, tmp_path))
    assert outcomes(events) == ["surplus-bytes"] * 3


@pytest.mark.parametrize("end", [(), (Close(HERE, unread=False),)])
def test_a_server_of_ours_is_found_out_too(end: tuple[Action, ...], tmp_path: Path) -> None:
    events = perform([exchange("ring 400", True, *end)] * 10, server("c", tmp_path))
    assert outcomes(events) == ["surplus-bytes"] * 10
    assert len({event.target for event in events if isinstance(event, CaseStarted)}) == 10


def test_what_a_timer_brings_is_not_waited_for_unless_the_scenario_is_quiet_for_so_long() -> None:
    late = exchange("timer 20000000", True)
    events = perform([late], server("py", ZOO))
    assert outcomes(events) == ["pass"]
    assert settlings(events) == {"settled"}
    in_time = exchange("timer 50000", True, Quiet(HERE, LIMIT))
    assert outcomes(perform([in_time], server("py", ZOO))) == ["surplus-bytes"]


def test_a_server_that_never_sleeps_is_looked_at_in_the_end_and_the_record_says_so() -> None:
    events = perform([exchange("spin 50000", more) for more in (True, False)], server("py", ZOO))
    assert outcomes(events) == ["surplus-bytes", "pass"]
    assert settlings(events) == {"late"}


def test_a_server_that_settles_again_is_waited_for_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "SETTLE_LIMIT", 0.4)
    # Behind the first case it still computes, so that the cases that follow are to wait only briefly.
    cases = [exchange("cpu 1500000", False), exchange("cpu 0", False, Wait(HERE, 1.5)), exchange("cpu 100000", True)]
    events = perform(cases, server("py", ZOO))
    assert outcomes(events) == ["pass", "pass", "surplus-bytes"]
    assert [event.outcome for event in events if isinstance(event, Settled)] == ["late", "settled"]


def test_without_the_kernel_a_wait_stands_for_it_and_the_record_says_so() -> None:
    events = perform([exchange("cpu 100", True)], server("py", ZOO), observe=False)
    assert outcomes(events) == ["surplus-bytes"]
    late = exchange("timer 20000000", True)
    events = perform([late], server("py", ZOO), observe=False)
    assert outcomes(events) == ["pass"]
    assert settlings(events) == {"gap"}


def test_a_thread_that_was_seen_asleep_and_runs_again_is_not_asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = iter([100, 7, 101, 7])
    monkeypatch.setattr(processes, "asleep", lambda pids: True)
    monkeypatch.setattr(processes, "cpu_clock", lambda pid: next(clocks))
    assert processes.asleep_at_once(lambda: (1, 2)) is False


def test_a_process_that_was_made_meanwhile_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "asleep", lambda pids: True)
    seen = iter([(1,), (1, 2)])
    assert processes.asleep_at_once(lambda: next(seen)) is False
    assert processes.asleep_at_once(lambda: (2**22 + 1,)) is True
