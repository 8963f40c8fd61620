"""`sockcheck list`, as a reader and as a program asks it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import sockcheck
from tools import CHECKOUT


@pytest.mark.parametrize("more", [(), ("--cases",), ("--json",), ("--connect", "127.0.0.1:7000")])
def test_it_loads_neither_trio_nor_reports(more: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sockcheck", "list", "scenarios", *more],
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "sockcheck.planning" in loaded
    assert not loaded & {"trio", "rich", "rich.cells", "jinja2", "asyncio"}


def test_the_bundled_scenarios_fit_the_screen() -> None:
    ran = sockcheck("list", "scenarios")
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "not run" not in ran.out


def test_the_ids_are_those_of_a_run() -> None:
    ids = sockcheck("list", "scenarios/echo", "--cases").out.splitlines()
    assert "echo/cut-in-two::plain" in ids
    ran = sockcheck("run", "scenarios/echo", "-v", "--select", "echo/cut*")
    assert ran.code == 0
    told = {word for line in ran.out.splitlines() for word in line.split() if "::" in word}
    assert told == {each for each in ids if each.startswith("echo/cut")}


def test_what_a_connected_server_leaves_out_is_what_a_run_leaves_out() -> None:
    found = json.loads(sockcheck("list", "scenarios/echo", "--json", "--connect", "127.0.0.1:7000").out)
    (echo,) = found["contracts"]
    left_out = {each["name"] for each in echo["scenarios"] if any(case["not_run"] for case in each["cases"])}
    assert left_out == {each["name"] for each in echo["scenarios"] if each["steers_server"]}
    assert left_out
    ran = sockcheck("list", "scenarios/echo", "--connect", "127.0.0.1:7000")
    assert f"{len(left_out)} would not run" in ran.out


def test_what_cannot_be_listed_is_said(tmp_path: Path) -> None:
    ran = sockcheck("list", "scenarios/echo", "--select", "cut-in-tow")
    assert (ran.code, ran.out) == (2, "")
    assert "no case matches --select 'cut-in-tow'" in ran.err
    assert "did you mean 'echo/cut-in-two::plain'?" in ran.err
    assert sockcheck("list", "scenarios/echo", "--connect", "127.0.0.1").code == 2
    assert sockcheck("list", "scenarios/echo", "--cases", "--json").code == 2
    assert sockcheck("list", tmp_path).code == 2
