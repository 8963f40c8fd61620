"""The grades of a class on the terminal, and what stands on top of a student's feedback."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from .excerpt import clipped, plain
from .failure import paragraph
from .gradebook import Gradebook, Marks, Shared, Submission, law, number, summary
from .terminal import to_text
from .wording import count

_LONGEST_NAME = 30
_MEMBERS = 6
_STYLE = {"graded": "", "regrade": "magenta", "waiting": "dim"}


def render(book: Gradebook, *, width: int = 80, colour: bool = False, written: Sequence[str] = ()) -> str:
    """A line for each submission, then the causes that they share, then how many are graded.

    `written` names files, one sentence each.
    """
    width = max(60, width)
    columns = name_columns(book.submissions)
    points = max((len(_points(each)) for each in book.submissions), default=0)
    lines = [_line(each, columns, points, width) for each in book.submissions]
    shared = book.shared()
    if shared:
        lines += [Text(), Text("Who fails for the same cause:", "bold")]
        for each in shared:
            lines += _shared(each, width)
    lines.append(Text())
    if book.ended:
        lines += paragraph(book.ended, width, "bold magenta", first="")
    lines += [*paragraph(summary(book), width, "bold", first=""), *(Text(plain(sentence)) for sentence in written)]
    return to_text(lines, colour)


def name_columns(submissions: Iterable[Submission]) -> int:
    """How many columns their names take, within reason."""
    return min(_LONGEST_NAME, max((cell_len(plain(each.name)) for each in submissions), default=0))


def progress(submission: Submission, done: int, of: int, *, names: int, width: int) -> str:
    """One line for the one that has just been graded; `names` is how many columns names take."""
    place = f"{done:>{len(str(of))}}/{of}"
    return f"{place}  {_line(submission, names, len('regrade'), width - len(place) - 2).plain.rstrip()}\n"


def heading(name: str, marks: Marks) -> str:
    """What stands on top of a student's feedback: the points of what the student may see, and which are lost."""
    shown = [row for row in marks.rows if row.visible and row.standing != "left-out"]
    earned, total = sum(row.earned for row in shown), sum(row.points for row in shown)
    lines = [plain(name)]
    if marks.why_open:
        lines.append("REGRADE: this is no grade yet.")
    else:
        more = "" if marks.all_visible else ", of what is shown here; there is more that counts"
        lines.append(f"{number(earned)} of {number(total)} points{more}")
    hidden = {row.scenario for row in marks.rows if not row.visible}
    lost = [row for row in shown if row.standing == "lost"]
    lines += ["", "Not earned:"] if lost else []
    for row in lost:
        why = "a gate was not passed" if any(each in row.why for each in hidden) else clipped(row.why, 200)
        lines.append(f"  {number(row.points):>3}  {plain(row.scenario)} {law(row.column)}".rstrip() + f": {why}")
    return "".join(f"{line}\n" for line in [*lines, ""])


def _line(submission: Submission, columns: int, points: int, width: int) -> Text:
    said = plain(submission.reason) or _causes(submission)
    line = Text.assemble(
        _name(submission, columns), "  ", (f"{_points(submission):>{points}}", _STYLE[submission.status]), "  ", said
    )
    line.truncate(width, overflow="ellipsis")
    return line


def _name(submission: Submission, columns: int) -> str:
    """Its name in just so many columns."""
    name = plain(submission.name)
    return set_cell_size(name, columns) if cell_len(name) <= columns else f"{set_cell_size(name, columns - 1)}…"


def _points(submission: Submission) -> str:
    if submission.status == "graded" and submission.marks:
        return f"{number(submission.marks.earned)} of {number(submission.marks.total)}"
    return "regrade" if submission.status == "regrade" else "not yet"


def _causes(submission: Submission) -> str:
    faults = submission.marks.causes if submission.marks else ()
    return ", ".join(dict.fromkeys(plain(fault.label) for fault in faults))


def _shared(shared: Shared, width: int) -> list[Text]:
    names = [_name(member, _LONGEST_NAME).rstrip() for member, _ in shared.members[:_MEMBERS]]
    more = len(shared.members) - len(names)
    named = ", ".join([*names, *([f"and {more:,} more"] if more else [])])
    fault = shared.fault
    about = f"{fault.sentence} ({plain(fault.label)}): {count(len(shared.members), 'submission')}"
    return [*paragraph(about, width, first="  "), *paragraph(named, width, "dim", first="    ")]
