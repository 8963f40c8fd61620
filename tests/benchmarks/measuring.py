"""Measuring one thing against another: in turn, in one run, so that a drifting machine moves both alike."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

T = TypeVar("T")

SOCKCHECK = (sys.executable, str(Path(__file__).with_name("accounted.py")))
"""Begins a command line of sockcheck that can be measured by `accounted`."""


@dataclass(frozen=True)
class Scale:
    """How much is measured: so many rounds, and `share` of the full numbers."""

    rounds: int
    share: float = 1.0

    def of(self, number: int) -> int:
        return max(4, round(number * self.share))


@dataclass(frozen=True)
class Cost:
    """One measurement, in seconds. `cpu`: user and system time of the process alone, `children`: of those it started.

    `peak`: the largest resident set that the process had, in bytes.
    """

    wall: float
    cpu: float
    children: float = 0.0
    peak: int = 0


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, in each round, against the yardstick in the same round.

    `relation`: whether the two are divided or subtracted, in `unit`. `goal`: what their median should not exceed.
    """

    what: str
    unit: str
    ours: Sequence[float]
    yardstick: str
    theirs: Sequence[float]
    relation: Literal["ratio", "difference"]
    goal: float | None = None

    @property
    def compared(self) -> list[float]:
        pairs = zip(self.ours, self.theirs, strict=True)
        return [ours / theirs if self.relation == "ratio" else ours - theirs for ours, theirs in pairs]

    @property
    def met(self) -> bool | None:
        return None if self.goal is None else statistics.median(self.compared) <= self.goal


def alternate(rounds: int, *measured: Callable[[], T]) -> list[list[T]]:
    """Measure each of them once to warm up, then all in turn, so many rounds: A B A B … What each came to."""
    for measure in measured:
        measure()
    results: list[list[T]] = [[] for _ in measured]
    for _ in range(rounds):
        for measure, kept in zip(measured, results, strict=True):
            kept.append(measure())
    return results


def process(command: Sequence[str], *, statuses: Sequence[int] = (0,), folder: Path | None = None) -> Cost:
    """What a whole process costs. `cpu` is with all the children that it waited for."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment(), cwd=folder
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in statuses:
            output.seek(0)
            said = output.read().decode(errors="replace")
            raise AssertionError(f"{command[0]} ended with {child.returncode}:\n{said}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def sockcheck(*words: str) -> Cost:
    """What a run of sockcheck costs, itself and its children apart. Every case has to pass."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "cost.json")
        whole = process([*SOCKCHECK, str(result), *words])
        cost: Mapping[str, float] = json.loads(result.read_text())
    return Cost(whole.wall, cost["cpu"], cost["children"], int(cost["peak"]))


def environment() -> dict[str, str]:
    """Python keeps what it compiled, as it does for users, but in a folder of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONPYCACHEPREFIX": _compiled().name, "PYTHONHASHSEED": "0"}


@cache
def _compiled() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="sockcheck-benchmarks-")


HEAD = "| what | sockcheck | yardstick | compared | goal |\n|---|---|---|---|---|"


def row(figure: Figure) -> str:
    """A figure as a row of a table in Markdown."""
    sign, unit = ("", " times") if figure.relation == "ratio" else ("+", f" {figure.unit}")
    goal = "" if figure.goal is None else f"{sign}{figure.goal:g}{unit}: {'met' if figure.met else 'missed'}"
    yardstick = f"{figure.yardstick}: {_number(figure.theirs)} {figure.unit}" if any(figure.theirs) else ""
    compared = f"{_number(figure.compared, sign)}{unit}" if yardstick else ""
    return f"| {figure.what} | {_number(figure.ours)} {figure.unit} | {yardstick} | {compared} | {goal} |"


def machine() -> str:
    """The machine and the Python that all figures were measured on."""
    model = "unknown"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    built = "with" if "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS")) else "without"
    return (
        f"{model}, {len(os.sched_getaffinity(0))} CPUs, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()} (built {built} --enable-optimizations), "
        f"load {os.getloadavg()[0]:.1f} at the start"
    )


def _number(values: Sequence[float], sign: str = "") -> str:
    """The median, and between which values all of them are. A `sign` of "+" is shown."""
    digits = _digits(statistics.median(values))
    low, high = (f"{value:{sign}.{digits}f}" for value in (min(values), max(values)))
    middle = f"{statistics.median(values):{sign}.{digits}f}"
    return middle if low == high else f"{middle} ({low} to {high})"


def _digits(value: float) -> int:
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
