"""The scripts of `sockcheck reproduce` show the faults of servers that have them, and none of those that have none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import LIMIT, Ran, sockcheck
from performing import compiled
from tools import CHECKOUT

from sockcheck.events import CaseJudged, CaseStarted
from sockcheck.recording import read

TUTORIAL: Mapping[str, Mapping[str, Any]] = yaml.safe_load((CHECKOUT / "tests/zoo/tutorial/manifest.yaml").read_text())

BROKEN: Mapping[str, Mapping[str, Any]] = yaml.safe_load((CHECKOUT / "tests/zoo/broken/manifest.yaml").read_text())
FAULTY: Mapping[str, Any] = {"contract": "echo", "command": "{python} tests/zoo/faulty.py {host} {port} "}

# A server (of the tutorial, or a fault of faulty.py) and a scenario that it fails.
PAIRS = (
    ("recv1024", "large"),
    ("no_reuseaddr", "restart"),
    ("flag_on_sigterm", "stop-idle"),
    ("frames_no_limit", "too-long[length=4294967295]"),
    ("kv_fork", "shared"),
    ("chat_broadcast", "left-by-reset"),
    ("faulty more", "hello"),
)


# A broken server, a scenario that it passes, and a law, or a variation of it, under which it fails then.
DERIVED = (
    ("echo_polls", "hello", "churn.spin(close)"),
    ("echo_rdhup", "hello", "merge.with-end"),
    ("echo_blocking_send", "hello", "neighbour.deaf"),
    ("echo_emfile_spin", "hello", "limit.files"),
    ("echo_in_turn", "hello", "crowd.interleaved(in reverse)"),
    ("frames_length_at_once", "frame", "cut.at-k"),
    ("hello_exit_zero", "line", "life.taken"),
    ("kv_no_idle_time", "set-get", "time.idle(beyond)"),
)


@pytest.mark.parametrize(("server", "scenario"), PAIRS)
def test_a_script_shows_the_fault_of_a_server_that_has_it_and_of_no_other(
    server: str, scenario: str, tmp_path: Path
) -> None:
    contract, command = faulty(server, tmp_path)
    record = tmp_path / "run.jsonl"
    path = f"scenarios/{contract}/{scenario.partition('[')[0]}.sock.yaml"
    ran = sockcheck("run", path, "--record", record, "--", *command)
    assert ran.code == 1, ran.everything
    assert_reproduced(scenario, record, contract)


@pytest.mark.parametrize(("server", "scenario", "case"), DERIVED)
def test_so_does_that_of_a_case_that_a_condition_derives(server: str, scenario: str, case: str, tmp_path: Path) -> None:
    contract, command = faulty(server, tmp_path)
    record = tmp_path / "run.jsonl"
    law = case.partition("(")[0]
    words = [f"scenarios/{contract}/{scenario}.sock.yaml", "--conditions", law, "--select", f"::{case}"]
    ran = sockcheck("run", *words, "--record", record, "--", *command)
    assert ran.code == 1, ran.everything
    assert_reproduced(failing(record), record, contract)


def assert_reproduced(case: str, record: Path, contract: str) -> None:
    """The case is that of the record; the server of the record has the fault, the contract's own has not."""
    shown = perform(reproduced(case, "--record", str(record)), record.parent)
    assert shown.code == 1, shown.everything
    assert shown.out.startswith("reproduced: "), shown.everything

    shown = perform(reproduced(case, "--record", str(record), "--", *reference(contract)), record.parent)
    assert shown.code == 0, shown.everything
    assert shown.out.startswith("not reproduced: "), shown.everything


def failing(record: Path) -> str:
    """The id of a case that failed."""
    cases: dict[int, str] = {}
    for event in read(record):
        if isinstance(event, CaseStarted):
            cases.setdefault(event.trial, event.case.id)
        elif isinstance(event, CaseJudged) and event.verdict.outcome == "fail":
            return cases[event.trial]
    raise AssertionError("no case failed")


def perform(script: str, folder: Path, *arguments: str) -> Ran:
    """Run a script as somebody does who has nothing but Python: no packages, no variables, no sockcheck."""
    path = folder / "repro.py"
    path.write_text(script)
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(path), *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def reproduced(*words: str) -> str:
    ran = sockcheck("reproduce", *words)
    assert ran.code == 0, ran.everything
    return ran.out


def faulty(server: str, folder: Path) -> tuple[str, list[str]]:
    """The contract that a faulty server should keep, and its command."""
    name, _, fault = server.partition(" ")
    entry = FAULTY if name == "faulty" else TUTORIAL.get(name) or BROKEN[name]
    program = entry["command"] + fault
    if "{zoo}" in program:
        compiled(CHECKOUT / "tests/zoo" / ("tutorial" if name in TUTORIAL else "broken") / f"{name}.c", folder)
    return entry["contract"], program.replace("{zoo}", str(folder)).split()


def reference(contract: str) -> list[str]:
    """The command of the contract's reference server."""
    text = yaml.safe_load((CHECKOUT / "scenarios" / contract / "contract.yaml").read_text())
    command: str = text["target"]["command"]
    for name, value in text.get("parameters", {}).items():
        command = command.replace(f"{{{name}}}", str(value))
    return command.split()
