"""The grades of a class: what each submission came to, small enough to be held for hundreds of them at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .excerpt import clipped, plain
from .grades import Grades, Standing
from .view import View
from .visible import is_visible
from .wording import count

Status = Literal["graded", "regrade", "waiting"]
"""`regrade`: what is known is no grade. `waiting`: its turn has not come."""

Column = tuple[str, str]
"""A scenario, as in `echo/hello`, and a law."""

NEVER_STARTED = "no-start"
"""What goes for the cause where no case was run since the server never came to serve."""

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of one row, as `grades.Grade` has it."""

    scenario: str
    law: str
    points: float
    standing: Standing
    why: str
    visible: bool

    @property
    def column(self) -> Column:
        return self.scenario, self.law

    @property
    def earned(self) -> float:
        return self.points if self.standing == "earned" else 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A cause of failing cases, so many of one submission. `title` is the rest of a sentence on the server."""

    id: str
    law: str
    title: str
    cases: int

    @property
    def label(self) -> str:
        """The cause in a word; where it fits no known pattern, the law that is broken."""
        return f"breaks:{self.law}" if self.id == _UNKNOWN else self.id

    @property
    def sentence(self) -> str:
        if self.id == NEVER_STARTED:
            return "The server did not start"
        if self.id != _UNKNOWN:
            return f"The server {clipped(self.title)}"
        if self.law == "plain":
            return "The exchange does not work, in a way that fits no known pattern"
        return f"The server breaks {plain(self.law)}, in a way that fits no known pattern"


@dataclass(frozen=True, slots=True)
class Marks:
    """What the record of one submission comes to.

    `gated_by` are gates that were not passed. `why_open` says in sentences why it has to be graded again,
    `never_started` why its server never came to serve; both are empty as a rule. `seconds` is how long it took.
    """

    rows: tuple[Mark, ...]
    faults: tuple[Fault, ...]
    gated_by: tuple[str, ...]
    why_open: tuple[str, ...]
    never_started: str
    seconds: float

    @property
    def total(self) -> float:
        return sum(row.points for row in self.rows if row.standing != "left-out")

    @property
    def earned(self) -> float:
        return sum(row.earned for row in self.rows)

    @property
    def causes(self) -> tuple[Fault, ...]:
        """Its faults, or the one that its server never started."""
        return (Fault(NEVER_STARTED, "", "", len(self.rows)),) if self.never_started else self.faults

    @property
    def all_visible(self) -> bool:
        """Whether students may see every row."""
        return all(row.visible for row in self.rows)


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission. `name` is what it is called, whatever characters that has; `folder` is beside the table, and
    `seed` is its own. `trouble` says in a sentence what happened to its grading, where something did."""

    name: str
    folder: str
    seed: int
    marks: Marks | None = None
    trouble: str = ""

    @property
    def status(self) -> Status:
        if self.marks is None:
            return "regrade" if self.trouble else "waiting"
        return "regrade" if self.marks.why_open else "graded"

    @property
    def reason(self) -> str:
        """What is to be said of it beside its points: why it is to be graded again, or why it came to nothing."""
        if self.status == "regrade":
            return self.trouble or "; ".join(self.marks.why_open if self.marks else ())
        if self.marks is None:
            return ""
        if self.marks.never_started:
            return f"the server did not start: {self.marks.never_started}"
        return f"gated by {', '.join(self.marks.gated_by)}" if self.marks.gated_by else ""


@dataclass(frozen=True, slots=True)
class Shared:
    """A cause and who fails for it, with the number of cases, those with the most of them first."""

    fault: Fault
    members: tuple[tuple[Submission, int], ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of one row in all the submissions: how many of them have it so."""

    column: Column
    points: float
    visible: bool
    counts: Mapping[Standing, int]


@dataclass(frozen=True, slots=True)
class Gradebook:
    """A class. `command` and `scenarios` are as they were given; `ended` says why not all were graded, or is ""."""

    submissions: tuple[Submission, ...]
    command: tuple[str, ...]
    scenarios: tuple[str, ...]
    seed: int
    ended: str = ""

    def tallies(self) -> tuple[Tally, ...]:
        """The rows that count for somebody, by scenario, each as it is written before its laws: what became of them."""
        counts: dict[Column, Counter[Standing]] = {}
        facts: dict[Column, Mark] = {}
        for submission in self.submissions:
            for mark in submission.marks.rows if submission.marks else ():
                counts.setdefault(mark.column, Counter())[mark.standing] += 1
                facts.setdefault(mark.column, mark)
        ordered = sorted(counts, key=lambda column: (column[0], column[1] != "plain", column[1]))
        return tuple(
            Tally(column, facts[column].points, facts[column].visible, counts[column])
            for column in ordered
            if set(counts[column]) != {"left-out"}
        )

    def shared(self) -> tuple[Shared, ...]:
        """The causes, that of the most submissions first. Who breaks a law in no known way shares that with others."""
        faults: dict[str, Fault] = {}
        members: dict[str, list[tuple[Submission, int]]] = {}
        for submission in self.submissions:
            for fault in submission.marks.causes if submission.marks else ():
                faults.setdefault(fault.label, fault)
                members.setdefault(fault.label, []).append((submission, fault.cases))
        found = [
            Shared(fault, tuple(sorted(members[label], key=lambda member: -member[1])))
            for label, fault in faults.items()
        ]
        return tuple(sorted(found, key=lambda each: (-len(each.members), each.fault.label)))

    def counted(self) -> Mapping[Status, int]:
        """How many submissions are how far."""
        return Counter(submission.status for submission in self.submissions)


def marks(view: View, grades: Grades) -> Marks:
    """What a run, and its `grades`, come to in the table."""
    never = not view.cases and any(row.standing == "lost" for row in grades.rows)
    return Marks(
        rows=tuple(
            Mark(row.scenario, row.law, row.points, row.standing, row.why, is_visible(row.visibility))
            for row in grades.rows
        ),
        faults=tuple(
            Fault(cause.named.id, cause.named.law, cause.named.title, len(cause.failing))
            for cause in view.causes
            if cause.failing
        ),
        gated_by=tuple(dict.fromkeys(gate for row in grades.rows for gate in row.gated_by)),
        why_open=grades.why_open,
        never_started=view.target_failures[0].message if never and view.target_failures else "",
        seconds=round(view.duration, 3),
    )


def encode(marks: Marks, digest: str) -> str:
    """As JSON. `digest` stands for all that they depend on."""
    return json.dumps({"digest": digest, **asdict(marks)}, indent=1) + "\n"


def decode(text: str) -> tuple[Marks, str]:
    """The marks and the digest. Raises ValueError where `text` is not what `encode` made."""
    try:
        content: dict[str, Any] = json.loads(text)
        digest = str(content.pop("digest"))
        rows = tuple(Mark(**row) for row in content.pop("rows"))
        faults = tuple(Fault(**fault) for fault in content.pop("faults"))
        gated_by, why_open = tuple(content.pop("gated_by")), tuple(content.pop("why_open"))
        return Marks(rows, faults, gated_by, why_open, **content), digest
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("these are no marks") from error


def number(points: float) -> str:
    """`2`, `2.5`: points without zeros that say nothing, and without what sums of fractions bring along."""
    return f"{round(points, 6):.12g}"


def law(column: Column) -> str:
    """The law in brackets; "" for the exchange as it is written."""
    return "" if column[1] == "plain" else f"[{column[1]}]"


def summary(book: Gradebook) -> str:
    """How far the class is: `30 submissions: 28 graded, 2 to be regraded`."""
    counted = book.counted()
    words: Sequence[tuple[Status, str]] = (
        ("graded", "graded"),
        ("regrade", "to be regraded"),
        ("waiting", "not graded yet"),
    )
    said = ", ".join(f"{counted[status]:,} {word}" for status, word in words if counted[status])
    return f"{count(len(book.submissions), 'submission')}{': ' if said else ''}{said}"
