"""A client that fails leaves nobody waiting: all that wait for it, by whatever step, are let go at once, unjudged."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import sockcheck

from sockcheck.client_events import (
    DeadlinePassed,
    Released,
)
from sockcheck.events import (
    CaseJudged,
    CaseTimedOut,
)
from sockcheck.recording import read
from sockcheck.reservation import Reservation

# What stands in the scenarios for these: deadlines that no test lives to see, and a port on which nobody listens.
FAILS = 'connect, send: "hello\\n", {expect: "goodbye\\n", within: 300s}'
GOES_ON = '{send: "bye\\n", within: 300s}, {expect: "bye\\n", within: 300s}'

# How it is waited for one that fails, and who must be let go.
SCENARIOS = {
    "a mark": (
        """
        ann: [FAILS, mark: done]
        bob: [connect, wait-for: done, GOES_ON]
        """,
        ["bob"],
    ),
    "a mark before there is a connection": (
        """
        ann: [FAILS, mark: done]
        bob: [wait-for: done, connect, GOES_ON]
        """,
        ["bob"],
    ),
    "a mark of one who waits": (
        """
        ann: [FAILS, mark: a]
        bob: [wait-for: a, mark: b, connect, GOES_ON]
        eve: [connect, wait-for: b, GOES_ON]
        """,
        ["bob", "eve"],
    ),
    "the second mark": (
        """
        ann: [mark: early, FAILS, mark: late]
        bob: [wait-for: early, connect, wait-for: late, GOES_ON]
        """,
        ["bob"],
    ),
    "a capture": (
        r"""
        ann: [connect, send: "x\n", expect: {line: '(?P<key>\d+)'}, mark: told]
        bob: [wait-for: told, connect, send: "${key}\n", expect: "${key}\n"]
        """,
        ["bob"],
    ),
    "a meeting": (
        r"""
        crowd: {count: 3, steps: [connect, send: "${index}\n", expect: {line: '[12]'}, meet: all, GOES_ON]}
        """,
        ["crowd[1]", "crowd[2]"],
    ),
    "the third turn of a meeting": (
        r"""
        crowd:
          count: 2
          steps:
            - connect
            - repeat: {times: 5, steps: [meet: turn, send: "${index}${turn}\n", expect: {line: '1.|0[01]'}]}
            - meet: all
        """,
        ["crowd[1]"],
    ),
    "a meeting of others, who wait for a mark": (
        """
        ann: [FAILS, mark: done]
        crowd: {count: 2, steps: [connect, wait-for: done, meet: all, GOES_ON]}
        eve: [wait-for: all, connect, GOES_ON]
        """,
        ["crowd[0]", "crowd[1]", "eve"],
    ),
    "the connection of the one before": (
        """
        crowd: {count: 3, steps: [connect: {port: NOBODY}, GOES_ON]}
        """,
        ["crowd[1]", "crowd[2]"],
    ),
    "a mark for the server": (
        """
        ann: [FAILS, mark: done]
        server: [wait-for: done, {check: {alive: no}, within: 300s}]
        """,
        ["server"],
    ),
    "a mark of the server": (
        """
        bob: [wait-for: done, connect, GOES_ON]
        server: [{check: {backlog: "< 0"}, within: 50ms}, mark: done]
        """,
        ["bob"],
    ),
    "a mark while the server is paused": (
        """
        ann: [wait-for: paused, connect: {port: NOBODY}, mark: done]
        bob: [wait-for: done, connect, GOES_ON]
        server: [pause, mark: paused, wait-for: done, resume]
        """,
        ["bob", "server"],
    ),
}


def scenario(text: str, nobody: int) -> str:
    text = text.replace("FAILS", FAILS).replace("GOES_ON", GOES_ON).replace("NOBODY", str(nobody))
    lines = [line.removeprefix("      ") for line in text.splitlines()]
    clients = [line for line in lines if not line.startswith("  server:")]
    server = [line.strip() for line in lines if line.startswith("  server:")]
    return "\n".join(["scenario: One fails, and nobody waits for it", *server, "clients:", *clients, ""])


@pytest.mark.parametrize("name", SCENARIOS)
def test_who_waits_for_what_one_that_failed_would_have_done_is_let_go(name: str, tmp_path: Path) -> None:
    text, let_go = SCENARIOS[name]
    reservation = Reservation()
    (tmp_path / "fails.sock.yaml").write_text(scenario(text, reservation.port))
    record = tmp_path / "run.jsonl"
    server = ["{python}", "-m", "sockcheck.servers.echo", "{host}", "{port}"]
    ran = sockcheck("run", tmp_path, "--conditions", "none", "--timeout", "300s", "--record", record, "--", *server)
    reservation.release()
    assert ran.code == 1, ran.everything
    events = list(read(record))
    (verdict,) = [event.verdict for event in events if isinstance(event, CaseJudged)]
    assert len(verdict.findings) == 1, ran.everything
    assert sorted(event.client for event in events if isinstance(event, Released) and event.attempt == 1) == let_go
    assert not [event for event in events if isinstance(event, CaseTimedOut | DeadlinePassed)]
