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

TUTORIAL: Mapping[str, Mapping[str, Any]] = yaml.safe_load((CHECKOUT / "tests/zoo/tutorial/manifest.yaml").read_text())

FAULTY: Mapping[str, Any] = {"contract": "echo", "command": "{python} tests/zoo/faulty.py {host} {port} "}

# A server (of the tutorial, or a fault of faulty.py) and a scenario that it fails.
PAIRS = (
    ("recv1024", "cut-in-two"),
    ("recv1024", "large"),
    ("recv1024", "reset-at-once"),
    ("recv1024", "crowd"),
    ("hard_coded", "cut-at-random"),
    ("ok_prefix", "every-byte"),
    ("ok_prefix", "half-a-line"),
    ("echo_send", "reset-in-reply"),
    ("no_reuseaddr", "restart"),
    ("flag_on_sigterm", "stop-idle"),
    ("late_echo", "prompt"),
    ("frames_one_recv", "cut-in-body"),
    ("frames_no_limit", "too-long[length=4294967295]"),
    ("hello_decode", "cut-in-character"),
    ("kv_fork", "shared"),
    ("chat_broadcast", "left-by-reset"),
    ("faulty resets", "orderly-end"),
    ("faulty short-queue", "waiting-clients"),
    ("faulty stays", "half-close"),
    ("faulty more", "hello"),
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

    shown = perform(reproduced(scenario, "--record", str(record)), tmp_path)
    assert shown.code == 1, shown.everything
    assert shown.out.startswith("reproduced: "), shown.everything

    shown = perform(reproduced(scenario, "--record", str(record), "--", *reference(contract)), tmp_path)
    assert shown.code == 0, shown.everything
    assert shown.out.startswith("not reproduced: "), shown.everything


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
    entry = FAULTY if name == "faulty" else TUTORIAL[name]
    program = entry["command"] + fault
    if "{zoo}" in program:
        compiled(CHECKOUT / "tests/zoo/tutorial" / f"{name}.c", folder)
    return entry["contract"], program.replace("{zoo}", str(folder)).split()


def reference(contract: str) -> list[str]:
    """The command of the contract's reference server."""
    text = yaml.safe_load((CHECKOUT / "scenarios" / contract / "contract.yaml").read_text())
    command: str = text["target"]["command"]
    for name, value in text.get("parameters", {}).items():
        command = command.replace(f"{{{name}}}", str(value))
    return command.split()
