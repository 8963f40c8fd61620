"""Which client: how the clients of a case are named, and why some of them were not judged."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from sockcheck.case import SERVER, Case, Mark, Meet
from sockcheck.scenario import Span
from sockcheck.verdict import Finding

from .excerpt import plain

_ONE_OF_MANY = re.compile(r"(.+)\[(\d+)\]")
_TOLD = 3
_CROWD = 5
_NAMED = 4
# The server as a whole is accused, whichever client happened to be under way.
_OF_NO_CLIENT = ("exited", "deaf", "not-known-to-fail")


def prefix(case: Case, client: str) -> str:
    """`bob: ` where it must be said whose step something belongs to, else ""."""
    return f"{plain(client)}: " if client == SERVER or (client and len(case.actors) > 1) else ""


def accused(case: Case, finding: Finding) -> str:
    """`bob: ` where a finding's message must say whom it is about: those about the server do so themselves."""
    return "" if finding.client == SERVER or finding.kind in _OF_NO_CLIENT else prefix(case, finding.client)


def told(findings: Sequence[Finding]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The findings that are told in full, and the others: of those that say the same, one is told."""
    distinct: dict[tuple[str, Span], Finding] = {}
    for finding in findings:
        distinct.setdefault((finding.message, finding.span), finding)
    full = tuple(distinct.values())[:_TOLD]
    return full, tuple(finding for finding in findings if not any(finding is one for one in full))


def listed(names: Iterable[str]) -> str:
    """Names in order and in few words: `bob, crowd[2] to crowd[61] and 7 more`."""
    runs: list[list[str]] = []
    for name in sorted(names, key=_order):
        if runs and _follows(runs[-1][-1], name):
            runs[-1].append(name)
        else:
            runs.append([name])
    words: list[tuple[str, int]] = []
    for run in runs:
        words += [(name, 1) for name in run] if len(run) < 3 else [(f"{run[0]} to {run[-1]}", len(run))]
    if len(words) > _NAMED:
        more = sum(number for _, number in words[_NAMED - 1 :])
        words = [*words[: _NAMED - 1], (f"{more:,} more", more)]
    *first, last = [plain(word) for word, _ in words]
    return f"{', '.join(first)} and {last}" if first else last


def _order(name: str) -> tuple[str, int]:
    one = _ONE_OF_MANY.fullmatch(name)
    return (one[1], int(one[2])) if one else (name, 0)


def _follows(before: str, name: str) -> bool:
    (group, index), (same, following) = _order(before), _order(name)
    return group == same and index + 1 == following


def bystanders(case: Case, findings: Sequence[Finding]) -> frozenset[str]:
    """The clients of large groups that all do the same (`count`) and that no finding that is told concerns."""
    concerned = {finding.client for finding in told(findings)[0]}
    groups: dict[str, set[str]] = {}
    for actor in case.actors:
        one = _ONE_OF_MANY.fullmatch(actor.name)
        if one:
            groups.setdefault(one[1], set()).add(actor.name)
    return frozenset(name for group in groups.values() if len(group) >= _CROWD for name in group - concerned)


def reasons(case: Case, released: Mapping[str, str], findings: Iterable[Finding]) -> dict[str, str]:
    """Why each of the `released` clients was not judged. `released` gives the mark that it waited for in vain."""
    failed = {finding.client for finding in findings}
    return {client: _reason(case, released, failed, mark) for client, mark in released.items()}


def _reason(case: Case, released: Mapping[str, str], failed: Collection[str], mark: str) -> str:
    """Along the marks that were waited for, from one client to the next, until one is found that failed by itself."""
    seen: set[str] = set()
    marks = [mark]
    while marks:
        setters = _setters(case, marks.pop(0)) - seen
        culprits = sorted(setters & set(failed))
        if culprits:
            who = "the server's own step" if culprits[0] == SERVER else plain(culprits[0])
            return f"{who} failed first"
        seen |= setters
        marks += [released[name] for name in sorted(setters) if name in released]
    return f"the mark {plain(mark)} can no longer be set"


def _setters(case: Case, mark: str) -> set[str]:
    steps = [(actor.name, actor.actions) for actor in case.actors]
    setters = {
        name for name, actions in steps for step in actions if isinstance(step, Mark | Meet) and step.name == mark
    }
    return setters | {SERVER for step in case.server if isinstance(step, Mark) and step.name == mark}
