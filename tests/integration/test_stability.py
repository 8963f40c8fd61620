"""The script that runs good servers again and again: it goes on where it was interrupted, and tells what it found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tools import CHECKOUT

SOAK = CHECKOUT / "tests" / "stability" / "soak.py"


def soak(folder: Path, times: int) -> tuple[int, list[str]]:
    """Run the script with a server that passes, all alone; its status and its lines."""
    words = ["--times", str(times), "--rounds-of", "1", "--surroundings", "alone", "--servers", "hello_fork"]
    done = subprocess.run(
        [sys.executable, SOAK, *words, "--folder", folder], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_what_was_run_is_not_run_again(tmp_path: Path) -> None:
    assert soak(tmp_path, 1)[0] == 0
    status, lines = soak(tmp_path, 2)

    assert status == 0
    assert [line.split(":")[0] for line in lines[:-2]] == ["alone hello_fork 1"]
    assert lines[-1].split()[:2] == ["alone", "1"]
    assert [path.name for path in tmp_path.iterdir()] == ["done.jsonl"]


def test_an_accusation_is_told_and_fails_the_run(tmp_path: Path) -> None:
    said = "hello/line::plain (attempt 1): fail: silence: nothing came"
    done = {"surroundings": "alone", "server": "hello_fork", "round": 0, "times": 5, "seconds": 60.0, "passed": 134}
    done |= {"failed": {"hello/line::plain": 1}, "accusations": [said], "errors": []}
    (tmp_path / "done.jsonl").write_text(json.dumps(done) + "\n")

    status, lines = soak(tmp_path, 1)

    assert status == 1
    assert lines[-2].split() == ["alone", "1", "134", "1", "0", "1", "1"]
    assert lines[-1] == f"alone hello_fork: {said}"
