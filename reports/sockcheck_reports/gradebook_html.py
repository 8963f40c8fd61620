"""The grades of a class as one HTML page, which leads to each submission's own report.

No script, no network, no markup from data; see `pages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote

from markupsafe import Markup

from .again import words
from .excerpt import clipped, plain
from .gradebook import Column, Gradebook, Submission, Tally, law, number, summary
from .grades import Standing
from .pages import asset, environment, policy

_MEMBERS = 200
_NAME = 80
# What stands in a field of the table of all, and its class.
_SIGNS: dict[Standing, tuple[str, str]] = {
    "earned": ("✓", "e"),
    "lost": ("✗", "l"),
    "regrade": ("?", "r"),
    "left-out": ("·", "o"),
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A submission as it is shown. `files` are (name, address relative to the page); `share` is out of 100."""

    name: str
    anchor: str
    status: str
    points: str
    share: float | None
    reason: str
    causes: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    seed: int
    signs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Cause:
    anchor: str
    label: str
    title: str
    law: str
    number: int
    members: tuple[tuple[str, str, int], ...]
    left: int


@dataclass(frozen=True, slots=True)
class _Row:
    scenario: str
    law: str
    points: str
    visible: bool
    earned: int
    lost: int
    open: int
    left_out: int
    share: float


def render(book: Gradebook) -> str:
    """The whole document. Files of submissions are linked, in their folders beside it."""
    style = f"{asset('report.css')}\n{asset('gradebook.css')}"
    tallies = book.tallies()
    columns = tuple(tally.column for tally in tallies)
    shared = book.shared()
    anchors = {each.fault.label: f"cause-{position}" for position, each in enumerate(shared, 1)}
    places = {id(each): f"s-{position}" for position, each in enumerate(book.submissions, 1)}
    causes_of: dict[int, list[tuple[str, str]]] = {}
    for each in shared:
        for member, _ in each.members:
            causes_of.setdefault(id(member), []).append((plain(each.fault.label), anchors[each.fault.label]))
    page = environment().get_template("gradebook.html.j2")
    return page.render(
        style=Markup(style),
        policy=policy(style),
        headline=summary(book),
        ended=clipped(book.ended),
        counts=book.counted(),
        entries=[_entry(each, columns, places, causes_of.get(id(each), [])) for each in book.submissions],
        causes=[
            _Cause(
                anchor=anchors[each.fault.label],
                label=plain(each.fault.label),
                title=each.fault.sentence,
                law=plain(each.fault.law),
                number=len(each.members),
                members=tuple(
                    (clipped(member.name, _NAME), places[id(member)], cases)
                    for member, cases in each.members[:_MEMBERS]
                ),
                left=max(0, len(each.members) - _MEMBERS),
            )
            for each in shared
        ],
        rows=[_row(tally) for tally in tallies],
        heads=_heads(columns),
        laws=[plain(column[1]) for column in columns],
        facts=(
            ("Command", " ".join(words([book.command]))),
            ("Scenarios", ", ".join(map(plain, book.scenarios))),
            ("Seed", f"{book.seed}, and of it one for each submission"),
        ),
    )


def _entry(
    submission: Submission, columns: Sequence[Column], places: dict[int, str], causes: list[tuple[str, str]]
) -> _Entry:
    marks = submission.marks
    graded = marks is not None and submission.status == "graded"
    return _Entry(
        name=clipped(submission.name, _NAME),
        anchor=places[id(submission)],
        status=submission.status,
        points=f"{number(marks.earned)} of {number(marks.total)}" if marks and graded else "",
        share=round(100 * marks.earned / marks.total, 1) if marks and graded and marks.total else None,
        reason=clipped(submission.reason, 500),
        causes=tuple(causes),
        files=_files(submission),
        seed=submission.seed,
        signs=_signs(submission, columns),
    )


def _files(submission: Submission) -> tuple[tuple[str, str], ...]:
    if submission.marks is None:
        return ()
    names = [("report", "report.html"), ("feedback", "feedback.txt"), ("results", "results.json")]
    if not submission.marks.all_visible:
        names.insert(0, ("all of it", "instructor.html"))
    return tuple((word, f"{quote(submission.folder)}/{name}") for word, name in names)


def _signs(submission: Submission, columns: Sequence[Column]) -> tuple[tuple[str, str], ...]:
    standings = {mark.column: mark.standing for mark in submission.marks.rows} if submission.marks else {}
    return tuple(_SIGNS[standings[column]] if column in standings else ("", "") for column in columns)


def _row(tally: Tally) -> _Row:
    counts = tally.counts
    earned, lost = counts.get("earned", 0), counts.get("lost", 0)
    return _Row(
        scenario=plain(tally.column[0]),
        law=plain(law(tally.column)),
        points=number(tally.points),
        visible=tally.visible,
        earned=earned,
        lost=lost,
        open=counts.get("regrade", 0),
        left_out=counts.get("left-out", 0),
        share=round(100 * earned / (earned + lost), 1) if earned + lost else 0.0,
    )


def _heads(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """Each scenario and how many columns it has."""
    return [(plain(name), len(list(group))) for name, group in groupby(columns, key=lambda column: column[0])]
