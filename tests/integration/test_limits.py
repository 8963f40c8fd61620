"""What a long run takes: memory that hardly grows, and a record that grows with the cases alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from command_line import sockcheck

# A line in the reports for each case: its id, its verdict, its times.
A_CASE = 2048
# In a process of its own: ru_maxrss is of the largest child that was ever waited for.
MEASURE = "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:]); \
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
FEW, MANY = 200, 2000


def run(times: int, record: Path) -> int:
    """Perform one case so many times; the most memory that it took, in bytes."""
    words = ["run", "scenarios/echo", "--select", "echo/hello::plain", "--repeat", str(times), "--record", str(record)]
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, sys.executable, "-m", "sockcheck", *words, "-q"],
        capture_output=True,
        text=True,
        check=True,
    )
    code, kilobytes = map(int, measured.stdout.split()[-2:])
    assert code == 0, measured.stdout
    return kilobytes * 1024


def test_a_long_run_takes_hardly_more_memory_and_its_record_grows_with_the_cases(tmp_path: Path) -> None:
    few, many = tmp_path / "few.jsonl", tmp_path / "many.jsonl"
    grown = run(MANY, many) - run(FEW, few)
    assert grown < (MANY - FEW) * A_CASE + 2_000_000
    # Only numbers grow longer.
    assert many.stat().st_size / MANY < 1.05 * few.stat().st_size / FEW
    again = sockcheck("report", many)
    assert again.code == 0
    assert f"{MANY:,} cases: {MANY:,} passed" in again.out
