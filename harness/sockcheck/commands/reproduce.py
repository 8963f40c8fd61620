"""`sockcheck reproduce CASE`: a script that shows the fault of one case without sockcheck."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Mapping, Sequence

from sockcheck import recording
from sockcheck.addresses import parse as parse_address
from sockcheck.case import Capabilities, Case
from sockcheck.deriving import Planned, Wish, conditions_of, derive
from sockcheck.errors import UsageError
from sockcheck.events import CaseFinished, CaseJudged, CaseNotRun, CaseStarted, Event, RunStarted, TargetStarted
from sockcheck.frozen import dataclass
from sockcheck.reproducing import script
from sockcheck.scenario import Contract
from sockcheck.selection import nearest, selected
from sockcheck.suite import load
from sockcheck.verdict import Finding, Verdict

_SHOWN = 5
_LEFT_TO_THE_SCRIPT = ("host", "port", "dir", "python")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}")


@dataclass(frozen=True, slots=True)
class _Failure:
    """A case, and all that is known of it."""

    case: Case
    unique: str
    finding: Finding | None
    command: Sequence[str] | None
    address: str | None
    before: Sequence[tuple[Case, str]]


def reproduce(options: argparse.Namespace) -> int:
    """Print the script; 0. UsageError where one case cannot be told from the others, or no server is known."""
    if options.connect is not None:
        parse_address(options.connect)
        if options.command:
            raise UsageError("both --connect and a command were given", "give one of them")
    if (options.record is None) == (not options.paths):
        raise UsageError(
            "where is the case? Name scenarios, or a record, and not both",
            "sockcheck reproduce CASE scenarios/echo, or sockcheck reproduce CASE --record run.jsonl",
        )
    failure = _planned(options) if options.record is None else _recorded(options.case, options.record)
    command, address = failure.command, failure.address
    if options.connect is not None:
        command, address = None, str(parse_address(options.connect).destination)
    elif options.command:
        command = options.command
    if command is None and address is None:
        raise UsageError(
            "no server to show it on: the contract names none",
            "name its command behind --, as in `-- ./server {port}`, or its address with --connect",
        )
    sys.stdout.write(
        script(
            failure.case,
            command=command,
            address=address,
            finding=failure.finding,
            unique=failure.unique,
            before=failure.before,
        )
    )
    return 0


def _planned(options: argparse.Namespace) -> _Failure:
    cases: dict[str, tuple[Case, Contract]] = {}
    capabilities = Capabilities(started=options.connect is None, observable=True)
    conditions = None if options.conditions is None else conditions_of(options.conditions)
    wish = Wish(seed=options.seed, conditions=conditions, capabilities=capabilities)
    for planned in derive(load(options.paths).scenarios, wish):
        if isinstance(planned, Planned):
            cases[planned.case.id] = planned.case, planned.scenario.contract
    case, contract = cases[_chosen(options.case, list(cases))]
    words = [_filled(word, contract.parameters) for word in options.command or shlex.split(contract.target)]
    return _Failure(case, "unique", None, words or None, None, ())


def _recorded(wanted: str, path: str) -> _Failure:
    record = _Record()
    for event in recording.read(path):
        record.add(event)
    trials: dict[str, int] = {}
    for number, case in record.cases.items():
        # Of a case that was run several times, one that did not pass.
        if case.id not in trials or record.did_not_pass(number):
            trials[case.id] = number
    return record.failure(trials[_chosen(wanted, list(trials))])


class _Record:
    """What of a record is needed: of each trial its case and its verdict, of each attempt how it was made."""

    def __init__(self) -> None:
        self.cases: dict[int, Case] = {}
        self._words: tuple[str, ...] = ()
        self._attempts: dict[int, CaseStarted] = {}
        self._failed: set[int] = set()
        self._judged: dict[int, CaseJudged] = {}
        self._targets: dict[int, TargetStarted] = {}

    def add(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._words = event.command[event.command.index("--") + 1 :] if "--" in event.command else ()
            case TargetStarted():
                self._targets[event.target] = event
            case CaseStarted():
                self._attempts[event.attempt] = event
                if event.role not in ("predecessor", "probe"):
                    self.cases.setdefault(event.trial, event.case)
            case CaseFinished(verdict=Verdict(outcome="fail")):
                self._failed.add(event.attempt)
            case CaseJudged():
                self._judged[event.trial] = event
            case CaseNotRun():
                # Trials count from 0: no other has this number.
                self.cases[-1 - len(self.cases)] = event.case
            case _:
                pass

    def did_not_pass(self, trial: int) -> bool:
        return trial in self._judged and self._judged[trial].verdict.outcome != "pass"

    def failure(self, trial: int) -> _Failure:
        judged = self._judged.get(trial)
        made = [
            started
            for started in self._attempts.values()
            if started.trial == trial and started.role not in ("predecessor", "probe")
        ]
        failed = [started for started in made if started.attempt in self._failed]
        # The one that the verdict rests on is the last.
        started = next(reversed(failed or made), None)
        target = None if started is None else self._targets.get(started.target)
        findings = () if judged is None else judged.verdict.findings
        return _Failure(
            self.cases[trial],
            "unique" if started is None else started.unique,
            findings[0] if findings else None,
            None if target is None or not target.command else self._command(target),
            None if target is None else target.address,
            () if judged is None else tuple(map(self._predecessor, judged.after)),
        )

    def _predecessor(self, identifier: str) -> tuple[Case, str]:
        started = next(started for started in self._attempts.values() if started.case.id == identifier)
        return started.case, started.unique

    def _command(self, target: TargetStarted) -> list[str]:
        """The command with its placeholders, as far as they are known: of what was filled in, the address is put back.

        With `--isolate net` or a port of its own the address is no more than a part of it, and stays as it is.
        """
        host, _, port = target.address.rpartition(":")
        words = self._words if len(self._words) == len(target.command) else target.command
        return [
            _refilled(word, filled, host.strip("[]"), port) for word, filled in zip(words, target.command, strict=True)
        ]


def _refilled(word: str, filled: str, host: str, port: str) -> str:
    """A word of a command, with the placeholders that the script fills in; `filled` is what it was in the run."""
    if word != filled:
        names = _PLACEHOLDER.findall(word)
        if all(name in _LEFT_TO_THE_SCRIPT for name in names):
            return word
        pattern = _PLACEHOLDER.sub("(.*)", re.escape(word).replace(r"\{", "{").replace(r"\}", "}"))
        found = re.fullmatch(pattern, filled)
        return _filled(word, dict(zip(names, found.groups(), strict=True))) if found else filled
    made = re.sub(rf"(?<!\d){port}(?!\d)", "{port}", filled)
    return made.replace(host, "{host}") if made != filled or filled == host else filled


def _filled(word: str, values: Mapping[str, str]) -> str:
    """The parameters of the contract filled in; what the script fills in itself stays."""
    return _PLACEHOLDER.sub(
        lambda found: found[0] if found[1] in _LEFT_TO_THE_SCRIPT else values.get(found[1], found[0]), word
    )


def _chosen(wanted: str, identifiers: Sequence[str]) -> str:
    """The one id that is, holds or matches `wanted`."""
    if wanted in identifiers:
        return wanted
    found = [each for each in identifiers if selected(each, [wanted])]
    if len(found) == 1:
        return found[0]
    if not found:
        near = nearest(wanted, identifiers)
        raise UsageError(f"no case matches {wanted!r}", f"did you mean {near!r}?" if near else "")
    shown = ", ".join(found[:_SHOWN]) + (f", and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else "")
    raise UsageError(f"{len(found):,} cases match {wanted!r}", f"name one of them: {shown}")
