"""The faulty servers of tests/zoo/broken: what is wrong with each, which laws it breaks, and what sockcheck names."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from good_servers import started_by
from tools import CHECKOUT

from sockcheck.events import CaseJudged, CaseStarted, CauseNamed
from sockcheck.recording import read

BROKEN = CHECKOUT / "tests" / "zoo" / "broken"
HAPPY = CHECKOUT / "tests" / "zoo" / "happy"
MANIFESTS = ("manifest.yaml", "manifest_node_java.yaml")


@dataclass(frozen=True)
class BrokenServer:
    """`laws` fail for certain, those of `may` sometimes: by a race, or as a by-product; `*` is any. `cause` is named,
    and `also` may be.

    `promises`: what is promised of it besides what its contract promises. `thorough`: a law that only
    `--conditions thorough` tries finds it out. `with_suite`: the written scenarios of its contract are run as well.
    """

    name: str
    fault: str
    contract: str
    command: str
    laws: Sequence[str]
    cause: Sequence[str]
    may: Sequence[str] = ()
    also: Sequence[str] = ()
    thorough: bool = False
    with_suite: bool = False
    promises: Mapping[str, str] = field(default_factory=dict)

    def words(self, folder: Path) -> list[str]:
        """The command. What must be compiled for it is compiled into `folder`."""
        return started_by(self.command, folder, BROKEN)

    def scenarios(self, folder: Path) -> Path:
        """Happy paths of its contract, copied into `folder` where more is promised."""
        happy = HAPPY / self.contract
        if not self.promises:
            return happy
        copy = folder / self.contract
        shutil.copytree(happy, copy)
        page = yaml.safe_load((happy / "contract.yaml").read_text())
        page["promises"].update(self.promises)
        (copy / "contract.yaml").write_text(yaml.safe_dump(page))
        return copy


def broken_servers() -> Mapping[str, BrokenServer]:
    """All of them, by name."""
    entries: dict[str, BrokenServer] = {}
    for manifest in MANIFESTS:
        for name, entry in yaml.safe_load((BROKEN / manifest).read_text()).items():
            entries[name] = BrokenServer(name, **entry)
    return entries


@dataclass(frozen=True)
class Judgement:
    """The laws that were found broken, and the causes that were named, those of mere advice not among them.

    `busy`: some cases could not be judged, since the machine was too busy.
    """

    laws: frozenset[str]
    causes: tuple[str, ...]
    busy: bool


def judgement(record: Path) -> Judgement:
    """What a record comes to."""
    laws: dict[int, str] = {}
    broken: set[str] = set()
    causes: list[str] = []
    busy = False
    for event in read(record):
        if isinstance(event, CaseStarted):
            laws.setdefault(event.trial, event.case.law)
        elif isinstance(event, CaseJudged) and event.verdict.outcome in ("fail", "flaky"):
            found = event.verdict.findings[0].law
            broken.add(found if found.startswith("churn.") else laws[event.trial])
        elif isinstance(event, CaseJudged):
            busy = busy or event.verdict.outcome == "busy"
        elif isinstance(event, CauseNamed) and not event.advice:
            causes.append(event.id)
    return Judgement(frozenset(broken), tuple(causes), busy)
