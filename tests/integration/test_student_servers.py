"""Servers as students write them, with all that comes with such a program: their faults are told by the right names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from broken_servers import judgement
from command_line import sockcheck
from good_servers import started_by
from tools import CHECKOUT

STUDENTS = CHECKOUT / "tests" / "zoo" / "students"
MANIFEST: Mapping[str, Mapping[str, Any]] = yaml.safe_load((STUDENTS / "manifest.yaml").read_text())


@pytest.mark.parametrize("name", MANIFEST)
def test_what_is_wrong_with_a_students_server_is_told_by_its_name(name: str, tmp_path: Path) -> None:
    entry = MANIFEST[name]
    record = tmp_path / "record.jsonl"

    command = started_by(entry["command"], tmp_path, STUDENTS)
    ran = sockcheck("run", f"scenarios/{entry.get('contract', 'echo')}", "--record", record, "--", *command)

    told = set(judgement(record).causes)
    assert set(entry["causes"]) <= told, ran.everything
    assert told <= {*entry["causes"], *entry.get("also", ())}, ran.everything
    assert ran.code == 1, ran.everything
