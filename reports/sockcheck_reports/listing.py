"""What `sockcheck list` shows: each contract with its promises, its scenarios, and what would not run. Pure.

It is plain text and needs nothing but the standard library, since listing is to be quick.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sockcheck.case import Case
from sockcheck.scenario import Contract, Scenario

from .wording import count, plain

Row = tuple[Scenario, Sequence[Case]]

_INDENT = "  "
# A longer name has a line of its own, so that it does not push all the titles to the right.
_LONGEST_NAME = 26
_PLAIN = "plain"


def render(rows: Sequence[Row], *, width: int = 80) -> str:
    """Scenarios with those of their cases that were chosen, by contract, in lines of at most `width` columns.

    Only what is to be copied may be longer: a name, and a command.
    """
    lines: list[str] = []
    for contract, group in _by_contract(rows):
        lines += [*_contract(contract, width), "", *_scenarios(group, width), ""]
    return "".join(f"{line}\n" for line in [*lines, *_wrapped(_summary(rows), width, "", "")])


def data(rows: Sequence[Row]) -> dict[str, Any]:
    """The same for programs: only dictionaries, lists, texts, numbers and booleans."""
    return {
        "contracts": [
            {
                "name": contract.name,
                "path": contract.path,
                "about": contract.about,
                "promises": dict(contract.promises),
                "parameters": dict(contract.parameters),
                "target": contract.target,
                "scenarios": [_scenario_data(*row) for row in group],
            }
            for contract, group in _by_contract(rows)
        ]
    }


def _scenario_data(scenario: Scenario, cases: Sequence[Case]) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "path": scenario.span.path,
        "title": scenario.title,
        "about": scenario.about,
        "law": scenario.law,
        "needs": list(scenario.needs),
        "tags": list(scenario.tags),
        "state": scenario.state,
        "steers_server": bool(scenario.server),
        "known_failure": scenario.known_failure,
        "points": scenario.points,
        "visibility": scenario.visibility,
        "gate": scenario.gate,
        "cases": [{"id": case.id, "not_run": case.skip} for case in cases],
    }


def _by_contract(rows: Sequence[Row]) -> Iterator[tuple[Contract, list[Row]]]:
    ordered = sorted(rows, key=lambda row: row[0].contract.path)
    for _, group in groupby(ordered, key=lambda row: row[0].contract.path):
        members = list(group)
        yield members[0][0].contract, members


def _contract(contract: Contract, width: int) -> list[str]:
    lines = [plain(f"{contract.name}  ({contract.path})")]
    if not contract.path.endswith("contract.yaml"):
        return [*lines, *_wrapped("There is no contract.yaml: nothing is promised, and all is run.", width)]
    if contract.about:
        lines += _wrapped(contract.about, width)
    promises = ", ".join(_promise(name, value) for name, value in contract.promises.items())
    lines += _wrapped(f"Promises: {promises or 'nothing'}", width)
    if contract.parameters:
        parameters = ", ".join(f"{name} = {value}" for name, value in contract.parameters.items())
        lines += _wrapped(f"Parameters: {parameters}", width)
    # It is not broken in two, so that it can be copied.
    return [*lines, plain(f"{_INDENT}Server: {contract.target or 'none; name one behind -- or with --connect'}")]


def _promise(name: str, value: str) -> str:
    return name if value in ("yes", "true") else f"{name} {value}"


def _scenarios(rows: Sequence[Row], width: int) -> Iterator[str]:
    names = [len(plain(scenario.name)) for scenario, _ in rows]
    column = max((size for size in names if size <= _LONGEST_NAME), default=0)
    rest = " " * (len(_INDENT) + column + 2)
    for scenario, cases in rows:
        name = plain(scenario.name)
        first = f"{_INDENT}{name:<{column}}  "
        if len(name) > column:
            yield first.rstrip()
            first = rest
        notes = _notes(scenario, cases)
        yield from _wrapped(f"{scenario.title} [{notes}]" if notes else scenario.title, width, first, rest)
        for why in _obstacles(scenario, cases):
            yield from _wrapped(why, width, f"{rest}! ", f"{rest}  ")


def _notes(scenario: Scenario, cases: Sequence[Case]) -> str:
    """What is to be known besides the title: the law, how many cases, what it asks of contract and server."""
    notes = [scenario.law] if scenario.law != _PLAIN else []
    if len(cases) > 1:
        notes.append(count(len(cases), "case"))
    if scenario.needs:
        notes.append(f"needs {' and '.join(scenario.needs)}")
    if scenario.server:
        notes.append("not with --connect")
    return "; ".join(notes)


def _obstacles(scenario: Scenario, cases: Sequence[Case]) -> list[str]:
    reasons = dict.fromkeys(case.skip for case in cases if case.skip)
    return [
        *(f"not run: {reason}" for reason in reasons),
        *([f"known to fail: {scenario.known_failure}"] if scenario.known_failure else ()),
    ]


def _summary(rows: Sequence[Row]) -> str:
    cases = [(scenario, case) for scenario, cases in rows for case in cases]
    not_run = sum(bool(case.skip) for _, case in cases)
    known = sum(bool(scenario.known_failure) and not case.skip for scenario, case in cases)
    parts = [f"{count(len(rows), 'scenario')}, {count(len(cases), 'case')}"]
    if not_run:
        parts.append(f"{not_run:,} would not run")
    if known:
        parts.append(f"{known:,} known to fail")
    return "; ".join(parts)


def _wrapped(text: str, width: int, first: str = _INDENT, rest: str = _INDENT) -> list[str]:
    return textwrap.wrap(
        plain(text),
        max(60, width),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
