"""Faults that come of what went before, or now and then: each is found, and told with what it takes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from command_line import sockcheck
from tools import CHECKOUT

from sockcheck.events import CaseJudged, CaseStarted, Event
from sockcheck.recording import read

SERVER = CHECKOUT / "tests" / "zoo" / "poisoned" / "poisoned.py"
CONTRACT = """\
contract: lines
promises: {clients: 8, half-close: yes, survives-reset: yes, orderly-close: yes}
"""
SCENARIOS = {
    "a-greets": """\
scenario: A line comes back
client: [connect, send: "hello\\n", expect: "hello\\n", shutdown: write, end: eof]
""",
    "b-leaves": """\
scenario: A client leaves in mid-line
law: leave.close-at-k
client: [connect, send: "hel", await: settled, close: unread]  # settled: what comes is read, so this is no reset
""",
    "c-resets": """\
scenario: A client resets
law: leave.reset-at-k
client: [connect, send: "hello\\n", await: read, reset]
""",
    "d-two": """\
scenario: Two end their streams at once
clients:
  two:
    count: 2
    steps: [connect, send: "hello\\n", expect: "hello\\n", meet: there, shutdown: write, end: eof]
""",
}


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    folder = tmp_path / "lines"
    folder.mkdir()
    (folder / "contract.yaml").write_text(CONTRACT)
    for name, text in SCENARIOS.items():
        (folder / f"{name}.sock.yaml").write_text(text)
    return folder


def failures(events: Iterable[Event]) -> set[tuple[str, str, tuple[str, ...]]]:
    """The cases that were judged otherwise than passed: scenario, verdict, and after which scenarios."""
    names: dict[int, str] = {}
    found: set[tuple[str, str, tuple[str, ...]]] = set()
    for event in events:
        if isinstance(event, CaseStarted):
            names.setdefault(event.trial, event.case.scenario)
        elif isinstance(event, CaseJudged) and event.verdict.outcome != "pass":
            after = tuple(identifier.removeprefix("lines/").removesuffix("::plain") for identifier in event.after)
            found.add((names[event.trial], event.verdict.outcome, after))
    return found


def run(lines: Path, how: str, *options: str) -> set[tuple[str, str, tuple[str, ...]]]:
    record = lines / "run.jsonl"
    server: list[str | Path] = ["{python}", SERVER, "{host}", "{port}", how]
    ran = sockcheck("run", lines, "--conditions", "none", "--jobs", "1", *options, "--record", record, "--", *server)
    found = failures(read(record))
    assert ran.code == (1 if found else 0), ran.everything
    for _, _, after in found:
        assert not after or "It fails only after, on the same server:" in ran.out
    return found


def test_a_server_that_a_reset_has_harmed(lines: Path) -> None:
    assert run(lines, "reset") == {("d-two", "fail", ("c-resets",))}


def test_a_lock_that_stays_locked(lines: Path) -> None:
    assert run(lines, "lock") == {("d-two", "fail", ("b-leaves",))}


def test_a_server_that_accepts_no_more(lines: Path) -> None:
    assert run(lines, "last") == {("d-two", "fail", ("c-resets",))}


def test_the_hundredth_connection(lines: Path) -> None:
    # Five connections a turn: the hundredth is one of the two in the twentieth turn.
    ((scenario, outcome, after),) = run(lines, "hundredth", "--repeat", "20")
    assert (scenario, outcome, len(after)) == ("d-two", "fail", 79)


def test_every_third_connection(lines: Path) -> None:
    found = run(lines, "third", "--repeat", "3")
    assert {outcome for _, outcome, _ in found} == {"fail"}
    assert all(after for _, _, after in found)


def test_two_that_half_close_at_once(lines: Path) -> None:
    assert run(lines, "together") == {("d-two", "fail", ())}


def test_a_server_that_spins_after_a_reset(lines: Path) -> None:
    assert run(lines, "spin") == {("a-greets", "fail", ("c-resets",))}


@pytest.fixture
def many_resets(lines: Path) -> Path:
    (lines / "c-resets.sock.yaml").write_text("""\
scenario: Clients reset
law: leave.reset-at-k
clients:
  rude: {count: 8, steps: [connect, send: "hello\\n", await: read, reset]}
""")
    return lines


MANY = ("--select", "lines/a*", "--select", "lines/c*", "--repeat", "40")


def test_a_server_that_keeps_the_descriptors_of_clients_that_reset(many_resets: Path) -> None:
    ((scenario, outcome, after),) = run(many_resets, "leak", *MANY)
    assert (scenario, outcome) == ("a-greets", "fail")
    assert "c-resets" in after


def test_a_server_that_gives_them_back_a_little_later(many_resets: Path) -> None:
    assert run(many_resets, "lingers", *MANY) == set()


def test_what_the_last_case_did_is_seen_by_a_fresh_client(lines: Path) -> None:
    assert run(lines, "reset", "--select", "lines/a*", "--select", "lines/c*") == {("a-greets", "fail", ("c-resets",))}
