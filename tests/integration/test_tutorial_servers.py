"""The bundled scenarios find the faults that tutorial servers have, and no others, and name them; good servers pass."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from broken_servers import judgement
from command_line import sockcheck
from performing import compiled
from tools import CHECKOUT, node

from sockcheck import servers
from sockcheck.events import CaseJudged, CaseStarted
from sockcheck.recording import read

MANIFEST: Mapping[str, Mapping[str, Any]] = yaml.safe_load((CHECKOUT / "tests/zoo/tutorial/manifest.yaml").read_text())


def findings(contract: str, command: list[str], folder: Path) -> dict[str, set[str]]:
    """Run the bundled scenarios of `contract` against `command` (none: the reference server).

    Return the kinds of the findings in each scenario that did not pass; the outcome where it is neither pass nor fail.
    """
    record = folder / "record.jsonl"
    server = ["--", *command] if command else []
    ran = sockcheck("run", f"scenarios/{contract}", "--record", record, *server)
    names: dict[int, str] = {}
    found: dict[str, set[str]] = {}
    for event in read(record):
        if isinstance(event, CaseStarted):
            names.setdefault(event.trial, event.case.scenario)
        elif isinstance(event, CaseJudged):
            verdict = event.verdict
            kinds: set[str] = {finding.kind for finding in verdict.findings}
            judged = verdict.outcome in ("pass", "fail")
            found.setdefault(names[event.trial], set()).update(kinds if judged else {verdict.outcome})
    assert set(found) == scenarios_of(contract), ran.everything
    found = {name: kinds for name, kinds in found.items() if kinds}
    assert ran.code == (1 if found else 0), ran.everything
    return found


def scenarios_of(contract: str) -> set[str]:
    return {path.name.removesuffix(".sock.yaml") for path in (CHECKOUT / "scenarios" / contract).glob("*.sock.yaml")}


@pytest.mark.parametrize("name", MANIFEST)
def test_a_tutorial_server_is_found_out_for_what_it_does_wrong_and_nothing_else(name: str, tmp_path: Path) -> None:
    entry = MANIFEST[name]
    program = entry["command"]
    if "{zoo}" in program:
        compiled(CHECKOUT / "tests/zoo/tutorial" / f"{name}.c", tmp_path)
    words = program.replace("{python}", sys.executable).replace("{zoo}", str(tmp_path)).split()
    command = [node() if word == "node" else word for word in words]
    required = entry["fails"]
    if "*" in required:
        required = dict.fromkeys(scenarios_of(entry["contract"]) - entry.get("may", {}).keys(), required["*"])
    allowed = {**required, **entry.get("may", {})}

    found = findings(entry["contract"], command, tmp_path)

    assert {name: kinds for name, kinds in found.items() if not kinds <= set(allowed.get(name, ()))} == {}
    assert required.keys() - found.keys() == set()
    told = set(judgement(tmp_path / "record.jsonl").causes)
    assert set(entry["causes"]) <= told <= {*entry["causes"], *entry.get("also", ())}


@pytest.mark.parametrize("contract", servers.NAMES)
def test_the_reference_servers_pass(contract: str, tmp_path: Path) -> None:
    assert findings(contract, [], tmp_path) == {}
