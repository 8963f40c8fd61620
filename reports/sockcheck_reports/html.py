"""The run as one HTML file that opens from disk, loads nothing, and takes nothing of the data for markup.

What matters first stands in the page as it is: the verdict, the causes, the first failures. All cases, with filter,
search and details, are made from data in the page by its one script, when they are looked at. The page asks the browser
to enforce that nothing else runs (Content-Security-Policy, by the hashes of its script and its style sheet).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from sockcheck.case import Case

from . import causes, html_summary, island
from .again import words
from .clients import accused
from .excerpt import clipped, output_lines, plain
from .failure import caused, compared, where
from .html_data import details, exhibit
from .html_summary import headline, outcome
from .pages import asset, environment, policy
from .view import CaseView, CauseView, View
from .wording import count, duration

__all__ = ["headline", "render"]

DETAILS_LIMIT = 12_000_000
"""So many characters the packed details have together: what comes after them has a row, and is told on the terminal."""

LISTED = 200
"""So many failures are in the page as it is, for whoever has no script."""

_AT_ONCE = 8
_MEMBERS = 12
_OUTPUT_LIMIT = 16 * 1024
_OUTCOMES = (
    ("fail", "failed", "fail"),
    ("flaky", "flaky", "fail"),
    ("error", "error", "error"),
    ("busy", "not judged", "error"),
    ("pass", "passed", "pass"),
    ("advice", "advice", "skip"),
    ("known", "known failure", "skip"),
    ("skip", "skipped", "skip"),
    ("not run", "not run", "skip"),
)
# As encodeURIComponent() in the page's script, but that `/` and `:` stay.
_IN_ANCHORS = "/:!~*'()"


@dataclass(frozen=True, slots=True)
class _Cause:
    """A cause as it is shown.

    `mends` are (language, text), the server's own language first. `links` are labels and anchors, an anchor of "" is
    not in the page; `left` members are not named. `found` and `sides` are what was found in its smallest case, and
    `details` is the number of its details, or -1 where they are not at hand.
    """

    cause: CauseView
    anchor: str
    title: str
    number: int
    cases: str
    needed: str
    smallest: tuple[str, str]
    found: str
    sides: Sequence[Sequence[str]]
    details: int
    mends: tuple[tuple[str, str], ...]
    steps: tuple[tuple[str, ...], ...]
    links: tuple[tuple[str, str], ...]
    left: int


@dataclass(frozen=True, slots=True)
class _Listed:
    """A failure in the list that needs no script."""

    outcome: str
    colour: str
    anchor: str
    label: str
    title: str
    found: str
    where: str


def render(view: View, laws: Mapping[str, str]) -> str:
    """The whole document. `laws` gives each law's sentence by its id."""
    style, script = asset("report.css"), asset("report.js")
    ordered = _ordered(view)
    listed = ordered[:LISTED]
    anchors = {id(case): anchor(case.label) for case in listed}
    known = [cause for cause in view.causes if cause.known]
    caused_by = {id(case): number for number, cause in enumerate(known) for case in cause.cases}
    labels = [(clipped(caused(cause.named)), _cause_anchor(number)) for number, cause in enumerate(known)]
    told = (details(case, view, laws, labels[caused_by[id(case)]] if id(case) in caused_by else ()) for case in ordered)
    at_once = list(islice(told, _AT_ONCE))
    chunks = tuple(island.packed(told, DETAILS_LIMIT))
    held = len(at_once) + island.held(chunks, len(ordered) - len(at_once))
    number = {id(case): position for position, case in enumerate(ordered[:held])}
    cards = [_cause(place, cause, anchors, number, view) for place, cause in enumerate(known)]
    page = environment().get_template("report.html.j2")
    return page.render(
        style=Markup(style),
        script=Markup(script),
        policy=policy(style, script),
        view=view,
        headline=headline(view),
        good=html_summary.good(view),
        counts=html_summary.counts(view),
        bar=html_summary.run_bar(view),
        facts=html_summary.facts(view),
        contracts=html_summary.contracts(view),
        laws=html_summary.laws(view, laws),
        why=causes.headline(view),
        causes=[card for card in cards if card.cause.failing],
        advice=[card for card in cards if not card.cause.failing],
        listed=[_listed(case) for case in listed],
        unlisted=len(ordered) - len(listed),
        left_out=len(ordered) - held,
        target_failures=[
            (clipped(event.message), clipped(event.hint), output_lines([event.output], _OUTPUT_LIMIT)[0])
            for event in view.target_failures
        ],
        data=island.as_json({**_index(view, laws, caused_by, number), "told": at_once}),
        chunks=chunks,
    )


def anchor(label: str) -> str:
    """The place of a case in the page: the same in every run, so that links to it last."""
    return f"case-{quote(plain(label), safe=_IN_ANCHORS)}"


def _ordered(view: View) -> list[CaseView]:
    """The cases of which there is something to tell: the smallest of each cause first."""
    groups = causes.groups(view)
    failing = [*(group.first for group in groups), *(case for group in groups for case in group.others)]
    return [*failing, *view.advice, *view.known_failures]


def _cause_anchor(number: int) -> str:
    return f"cause-{number + 1}"


def _cause(number: int, cause: CauseView, anchors: Mapping[int, str], numbers: Mapping[int, int], view: View) -> _Cause:
    named, cases = cause.named, cause.failing or cause.cases
    smallest = cases[0]
    finding = smallest.findings[0] if smallest.findings else None
    comparison = compared(finding) if finding else None
    place = numbers.get(id(smallest), -1)
    mends = [("Python", named.mend_python), ("C", named.mend_c)]
    mends.sort(key=lambda mend: mend[1] != causes.mending(cause))
    links = [(plain(case.label), anchors.get(id(case), "")) for case in cases[:_MEMBERS]]
    return _Cause(
        cause=cause,
        anchor=_cause_anchor(number),
        title=clipped(f"The server {named.title}"),
        number=number,
        cases=count(len(cases), "case"),
        needed=causes.promises(cause) if not cause.failing else "",
        smallest=(plain(smallest.label), anchors.get(id(smallest), "")),
        found=clipped((accused(smallest.case, finding) if finding else "") + named.evidence),
        sides=exhibit(comparison, comparison.tails(finding)) if comparison and finding else (),
        details=place if place < _AT_ONCE else -1,
        mends=tuple((language, "\n".join(map(clipped, mend.splitlines()))) for language, mend in mends if mend),
        steps=tuple(tuple(words(step)) for step in causes.next_steps(cause, view)),
        links=tuple(links),
        left=len(cases) - len(links),
    )


def _listed(case: CaseView) -> _Listed:
    finding = case.findings[0] if case.findings else None
    ended = outcome(case)
    _, word, colour = next(each for each in _OUTCOMES if each[0] == ended)
    return _Listed(
        outcome=word,
        colour=colour,
        anchor=anchor(case.label),
        label=plain(case.label),
        title=clipped(case.case.title),
        found=_found(case),
        where=where(case, finding),
    )


def _found(case: CaseView) -> str:
    """What is to be said of a case in its row."""
    if case.findings and not case.known_failure:
        finding = case.findings[0]
        return clipped(accused(case.case, finding) + finding.message, 300)
    return clipped(case.reason, 300)


class _Numbered:
    """Values that occur again and again, each kept once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        if value not in self._numbers:
            self._numbers[value] = len(self.values)
            self.values.append(value)
        return self._numbers[value]


def _index(
    view: View, laws: Mapping[str, str], caused_by: Mapping[int, int], numbers: Mapping[int, int]
) -> dict[str, Any]:
    """All cases in short. `caused_by` gives the number of a case's known cause, `numbers` that of its details."""
    contracts, scenarios, titles, broken = _Numbered(), _Numbered(), _Numbered(), _Numbered()
    words_ = [each[0] for each in _OUTCOMES]

    def row(case: Case, label: str, ended: str, said: str, took: str, cause: int, number: int) -> list[Any]:
        place = f"{plain(case.span.path)}:{case.span.line}"
        scenario = scenarios.number((contracts.number(plain(case.contract)), plain(case.scenario), place))
        law = broken.number((plain(case.law), laws.get(case.law, "")))
        title = titles.number(clipped(case.title, 300))
        return [words_.index(ended), plain(label), title, law, scenario, said, took, cause, number]

    rows = [
        row(
            case.case,
            case.label,
            outcome(case),
            _found(case),
            duration(case.duration),
            caused_by.get(id(case), -1),
            numbers.get(id(case), -1),
        )
        for case in view.cases
    ]
    rows += [
        row(
            event.case,
            event.case.id,
            "skip" if event.case.skip else "not run",
            clipped(event.why, 300),
            "",
            -1,
            -1,
        )
        for event in view.not_run
    ]
    return {
        "outcomes": _OUTCOMES,
        "contracts": contracts.values,
        "scenarios": scenarios.values,
        "titles": titles.values,
        "laws": broken.values,
        "causes": [clipped(f"The server {cause.named.title}") for cause in view.causes if cause.known],
        "cases": rows,
        "together": island.TOGETHER,
    }
