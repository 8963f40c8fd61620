"""Which client: how the clients of a case are named, and why some of them were not judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from sockcheck.case import SERVER, Action, Case, Mark, Meet, ServerAction
from sockcheck.forms import (
    Span,
)
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
    """Why each of the `released` clients was not judged. `released` gives the mark that it waited for in vain.

    From who failed first, along the marks that then could not be set, to all who waited for them or for one another.
    """
    sets = _marks(case)
    waiting: dict[str, list[str]] = {}
    for client, mark in released.items():
        waiting.setdefault(mark, []).append(client)
    why: dict[str, str] = {}
    for finding in sorted(findings, key=lambda finding: finding.at):
        who = "the server's own step" if finding.client == SERVER else plain(finding.client)
        ended = [finding.client]
        while ended:
            for mark in sets.get(ended.pop(), ()):
                unset = waiting.pop(mark, [])
                why |= dict.fromkeys(unset, f"{who} failed first")
                ended += unset
    for mark, clients in waiting.items():
        why |= dict.fromkeys(clients, f"the mark {plain(mark)} can no longer be set")
    return why


def _marks(case: Case) -> dict[str, list[str]]:
    """The marks and meetings that each client, and the server's own steps, can set."""
    steps: list[tuple[str, Sequence[Action | ServerAction]]] = [(actor.name, actor.actions) for actor in case.actors]
    steps.append((SERVER, case.server))
    return {name: [step.name for step in actions if isinstance(step, Mark | Meet)] for name, actions in steps}
