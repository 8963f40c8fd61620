"""The bundled scenarios find the faults that tutorial servers have, and no others; good servers pass."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from sockcheck import servers
from sockcheck.events import CaseFinished, CaseStarted
from sockcheck.recording import read

ROOT = Path(__file__).resolve().parents[2]
MANIFEST: Mapping[str, Mapping[str, Any]] = yaml.safe_load((ROOT / "tests/zoo/tutorial/manifest.yaml").read_text())


def compiled(source: Path, folder: Path) -> str:
    """Compile a C program into `folder`. Return its path."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler (cc) here")
    program = folder / source.stem
    subprocess.run([compiler, "-O1", "-o", program, source], check=True)
    return str(program)


def findings(contract: str, command: list[str], folder: Path) -> dict[str, set[str]]:
    """Run the bundled scenarios of `contract` against `command` (none: the reference server).

    Return the kinds of the findings in each scenario that did not pass; the outcome where it is neither pass nor fail.
    """
    record = folder / "record.jsonl"
    sockcheck = [sys.executable, "-m", "sockcheck", "run", f"scenarios/{contract}", "--record", str(record)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "harness"), str(ROOT / "reports")])}
    result = subprocess.run(
        [*sockcheck, *(["--", *command] if command else [])],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
    )
    names: dict[int, str] = {}
    found: dict[str, set[str]] = {}
    for event in read(record):
        if isinstance(event, CaseStarted):
            names[event.attempt] = event.case.scenario
        elif isinstance(event, CaseFinished):
            verdict = event.verdict
            kinds: set[str] = {finding.kind for finding in verdict.findings}
            found[names[event.attempt]] = kinds if verdict.outcome in ("pass", "fail") else {verdict.outcome}
    assert set(found) == scenarios_of(contract), result.stdout + result.stderr
    found = {name: kinds for name, kinds in found.items() if kinds}
    assert result.returncode == (1 if found else 0), result.stdout + result.stderr
    return found


def scenarios_of(contract: str) -> set[str]:
    return {path.name.removesuffix(".sock.yaml") for path in (ROOT / "scenarios" / contract).glob("*.sock.yaml")}


@pytest.mark.parametrize("name", MANIFEST)
def test_a_tutorial_server_is_found_out_for_what_it_does_wrong_and_nothing_else(name: str, tmp_path: Path) -> None:
    entry = MANIFEST[name]
    if "{zoo}" in entry["command"]:
        compiled(ROOT / "tests/zoo/tutorial" / f"{name}.c", tmp_path)
    command = shlex.split(entry["command"].replace("{python}", sys.executable).replace("{zoo}", str(tmp_path)))
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} here")
    required = entry["fails"]
    if "*" in required:
        required = dict.fromkeys(scenarios_of(entry["contract"]), required["*"])
    allowed = {**required, **entry.get("may", {})}

    found = findings(entry["contract"], command, tmp_path)

    assert {name: kinds for name, kinds in found.items() if not kinds <= set(allowed.get(name, ()))} == {}
    assert required.keys() - found.keys() == set()


@pytest.mark.parametrize("contract", servers.NAMES)
def test_the_reference_servers_pass(contract: str, tmp_path: Path) -> None:
    assert findings(contract, [], tmp_path) == {}


def test_a_server_that_ends_on_eintr_stays_alive(tmp_path: Path) -> None:
    program = compiled(ROOT / "tests/zoo/good/epoll_echo.c", tmp_path)
    assert findings("echo", [program, "{host}", "{port}"], tmp_path) == {}
