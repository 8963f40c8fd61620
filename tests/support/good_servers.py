"""The good servers of tests/zoo/good: what they promise, how they are started, and what sockcheck says of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from performing import GOOD, compiled
from tools import CHECKOUT, node, tool

from sockcheck.case import Case
from sockcheck.events import CaseJudged, CaseNotRun, CaseStarted
from sockcheck.recording import read


@dataclass(frozen=True)
class GoodServer:
    """`without`: the promises of its contract that it does not make. `breaks`: the laws that it breaks indeed.

    `slow`: the laws under which it may not do enough in time to be judged.
    """

    name: str
    kind: str
    contract: str
    command: str
    without: Sequence[str] = ()
    breaks: Sequence[str] = ()
    slow: Sequence[str] = ()

    def accusations(self, cases: Iterable[Outcome]) -> list[Outcome]:
        """What it is accused of falsely."""
        return [case for case in cases if case.outcome in ("fail", "flaky") and case.law not in self.breaks]

    def words(self, folder: Path) -> list[str]:
        """The command. What must be compiled for it is compiled into `folder`."""
        return started_by(self.command, folder, GOOD)

    def scenarios(self, folder: Path) -> Path:
        """The bundled scenarios of its contract, copied into `folder` where it makes fewer promises."""
        bundled = CHECKOUT / "scenarios" / self.contract
        if not self.without:
            return bundled
        copy = folder / self.contract
        shutil.copytree(bundled, copy, dirs_exist_ok=True)
        page = yaml.safe_load((bundled / "contract.yaml").read_text())
        page["promises"].update(dict.fromkeys(self.without, False))
        (copy / "contract.yaml").write_text(yaml.safe_dump(page))
        return copy


def started_by(command: str, folder: Path, sources: Path) -> list[str]:
    """The words of a manifest's command. What is to be compiled of `sources` for it is compiled into `folder`."""
    words = command.replace("{python}", sys.executable).replace("{zoo}", str(folder)).split()
    if words[0] == "java":
        words[0] = tool("java")
        if str(folder) in words:
            source = sources / f"{words[words.index(str(folder)) + 1]}.java"
            subprocess.run([tool("javac"), "-d", folder, source], check=True, capture_output=True)
    elif words[0] == "node":
        words[0] = node()
    elif words[0].startswith(str(folder)):
        compiled(sources / f"{Path(words[0]).name}.c", folder)
    elif words[0] == "bash":
        tool("socat")
    return words


def good_servers() -> Mapping[str, GoodServer]:
    """All of them, by name."""
    manifest = yaml.safe_load((GOOD / "manifest.yaml").read_text())
    return {name: GoodServer(name, **entry) for name, entry in manifest.items()}


@dataclass(frozen=True)
class Outcome:
    """What became of one case. `said`: the findings, or the reason where there is none."""

    case: str
    law: str
    attempt: int
    outcome: str
    said: Sequence[str]

    def __str__(self) -> str:
        return f"{self.case} (attempt {self.attempt}): {self.outcome}: {'; '.join(self.said)}"


def outcomes(record: Path) -> Iterator[Outcome]:
    """Every case of a record, also those that were not run."""
    cases: dict[int, Case] = {}
    for event in read(record):
        if isinstance(event, CaseStarted):
            cases.setdefault(event.trial, event.case)
        elif isinstance(event, CaseJudged):
            verdict = event.verdict
            said = [f"{finding.kind}: {finding.message}" for finding in verdict.findings] or [verdict.reason]
            case = cases[event.trial]
            yield Outcome(case.id, case.law, event.attempts[-1], verdict.outcome, said)
        elif isinstance(event, CaseNotRun):
            yield Outcome(event.case.id, event.case.law, 0, "not run", [event.why])
