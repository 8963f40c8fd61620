"""Segments are cut and merged for certain: servers in three languages tell the size of every recv() they made."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from busy import busy_loops
from performing import HERE, case, counting_server, perform

from sockcheck.case import Action, Connect, Exact, Expect, Send
from sockcheck.client_events import (
    Connected,
    Sent,
)
from sockcheck.events import (
    CaseFinished,
)
from sockcheck.verdict import Verdict

ROUNDS = 1000


@pytest.fixture
def two_busy_loops() -> Iterator[None]:
    with busy_loops(2):
        yield


def rounds(*each: Action) -> list[Action]:
    return [Connect(HERE, 30.0), *(action for _ in range(ROUNDS) for action in each)]


def counts(*sizes: int) -> Expect:
    return Expect(HERE, Exact((b"".join(struct.pack("!I", size) for size in sizes),)), 30.0, None)


@pytest.mark.usefixtures("two_busy_loops")
@pytest.mark.parametrize("language", ["py", "c", "js"])
def test_a_thousand_cuts_none_of_them_merged(language: str, tmp_path: Path) -> None:
    cut = Send(HERE, (bytes(20),), (10,), None, 30.0)
    events = perform([case(*rounds(cut, counts(10, 10)))], counting_server(language, tmp_path))
    assert [event.verdict for event in events if isinstance(event, CaseFinished)] == [Verdict("pass")]
    barriers = Counter(event.barrier for event in events if isinstance(event, Sent))
    assert barriers == {"read": ROUNDS, "none": ROUNDS}


@pytest.mark.usefixtures("two_busy_loops")
@pytest.mark.parametrize("language", ["py", "c", "js"])
def test_a_thousand_merges_none_of_them_parted(language: str, tmp_path: Path) -> None:
    merged = Send(HERE, (bytes(10), bytes(10)), (), None, 30.0)
    events = perform([case(*rounds(merged, counts(20)))], counting_server(language, tmp_path))
    assert [event.verdict for event in events if isinstance(event, CaseFinished)] == [Verdict("pass")]


def test_without_the_kernel_a_gap_stands_for_the_barrier_and_the_record_says_so(tmp_path: Path) -> None:
    actions: list[Action] = [Connect(HERE, 30.0), Send(HERE, (bytes(20),), (10,), None, 30.0)]
    events = perform([case(*actions)], counting_server("py", tmp_path), observe=False)
    assert [event.barrier for event in events if isinstance(event, Sent)] == ["gap", "none"]
    assert [event.unobserved for event in events if isinstance(event, Connected)] == ["--no-observe"]
