"""The grades of a class as CSV (RFC 4180), for spreadsheets: nothing in it can act as a formula."""

from __future__ import annotations

import csv
import io

from .excerpt import clipped, plain
from .gradebook import Column, Gradebook, Submission, Tally, law, number

# What makes a spreadsheet take a text for a formula, the wide forms too.
_ACTING = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
_FIXED = ("submission", "status", "points", "of", "reason", "causes", "seed", "folder")


def render(book: Gradebook) -> str:
    """A line for each submission, a column for each row that counts for somebody, its points in brackets.

    Points of what is to be graded again are empty, as is what does not count for that server: neither is a zero.
    What is not ASCII begins with a byte order mark (U+FEFF), without which Excel does not read it as UTF-8.
    """
    tallies = book.tallies()
    columns = tuple(tally.column for tally in tallies)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_FIXED, *map(_head, tallies)])
    for submission in book.submissions:
        writer.writerow([*_fixed(submission), *_points(submission, columns)])
    found = text.getvalue()
    return found if found.isascii() else f"\ufeff{found}"


def _head(tally: Tally) -> str:
    return cell(" ".join(filter(None, (tally.column[0], law(tally.column), f"({number(tally.points)})"))))


def cell(text: str) -> str:
    """A text on one line that a spreadsheet takes for a text."""
    shown = plain(text)
    return f"'{shown}" if shown.startswith(_ACTING) else shown


def _fixed(submission: Submission) -> list[str]:
    marks = submission.marks
    graded = marks is not None and submission.status == "graded"
    return [
        cell(submission.name),
        submission.status,
        number(marks.earned) if marks and graded else "",
        number(marks.total) if marks and graded else "",
        cell(clipped(submission.reason, 500)),
        cell(" ".join(dict.fromkeys(fault.label for fault in marks.causes)) if marks else ""),
        str(submission.seed),
        cell(submission.folder),
    ]


def _points(submission: Submission, columns: tuple[Column, ...]) -> list[str]:
    rows = {mark.column: mark for mark in submission.marks.rows} if submission.marks else {}
    found = []
    for column in columns:
        mark = rows.get(column)
        if mark is None or mark.standing == "left-out":
            found.append("")
        else:
            found.append("regrade" if mark.standing == "regrade" else number(mark.earned))
    return found
