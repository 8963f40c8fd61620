"""The benchmarks work. What they measure on a machine that does other things as well is nobody's measure."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tools import CHECKOUT, tool

BENCHMARKS = CHECKOUT / "tests" / "benchmarks" / "run.py"

ROWS = (
    "CPU of an exchange, 1 at a time",
    "CPU of an exchange, 50 at a time, in whole cases",
    "CPU of a case of one exchange, its health too",
    "wall of one more case, of 12",
    "CPU of one more case, of 12",
    "wall of 4 cases that wait 200 ms",
    "wall of a case, of 4",
    "wall of loading sockcheck and writing the report",
    "wall of starting the server",
    "wall of the last client, stopping the server",
    "wall of `sockcheck --help`",
    "wall of `sockcheck list` of one scenario",
    "wall of `sockcheck run` of one case",
    "CPU of reading a file of 602 bytes, of 20",
    "largest resident set with 200 connections",
    "how late the end of 200 ms was stamped, 200 at once, median",
    "largest resident set, 200 cases",
    "bytes of record a case, 200 cases",
    "memory that each more case keeps",
    "wall from the start of a server to listening",
    "wall of stopping it, the keeper too",
    "size of the page, 200 cases",
    "CPU of making the page, 200 cases",
    "from opening the page to a search and the details found, 200 cases",
)


@pytest.mark.timeout(400)
def test_every_benchmark_prints_its_rows() -> None:
    tool("varnishtest")  # a benchmark that lacks it would say so at length

    done = subprocess.run([sys.executable, BENCHMARKS, "--short"], capture_output=True, text=True, timeout=360)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "CPUs" in lines[0]
    shown = [line.split(" | ")[0].removeprefix("| ") for line in lines]
    assert [row for row in ROWS if row not in shown] == []
