"""The processes in which a grading does its work, one submission each, so that none of them can bring down the others.

    python -P -m sockcheck.commands.grade_child PARENT run …                    as `sockcheck run …`
    python -P -m sockcheck.commands.grade_child PARENT reports FOLDER NAME DIGEST PATH CALLED PATH CALLED …

The second makes all that is told of a submission from the record in its folder; each PATH of the scenarios is CALLED
something there. Both die with PARENT. `-P` keeps modules of the working directory, which is the submission's, out of
this process.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1

RECORD, MARKS, JUNIT, RESULTS, REPORT, FEEDBACK, INSTRUCTOR = (
    "record.jsonl",
    "marks.json",
    "junit.xml",
    "results.json",
    "report.html",
    "feedback.txt",
    "instructor.html",
)
FILES = (RECORD, MARKS, JUNIT, RESULTS, REPORT, FEEDBACK, INSTRUCTOR)
"""What is in the folder of a submission. The marks come last: where they are, all is there."""


def main(words: Sequence[str]) -> None:
    """Do what the words say. What dies with its parent goes on doing so when it becomes another program."""
    _die_with(int(words[0]))
    if words[1] == "reports":
        write_all(Path(words[2]), words[3], words[4], dict(zip(words[5::2], words[6::2], strict=True)))
    else:
        os.execv(sys.executable, [sys.executable, "-P", "-m", "sockcheck", *words[1:]])


def write_all(folder: Path, name: str, digest: str, names: Mapping[str, str]) -> None:
    """Write what is told of the submission `name`, from its record, as far as that goes.

    `names` says what absolute paths of scenarios are called. Raises ReportError where something cannot be written, and
    RecordError where there is no record.
    """
    from sockcheck import recording
    from sockcheck.commands import grade_paths
    from sockcheck.commands.outputs import FORMATS, uncollected, write_file
    from sockcheck.errors import RecordError
    from sockcheck.laws import LAWS
    from sockcheck_reports import gradebook, gradebook_text, terminal
    from sockcheck_reports.grades import grade
    from sockcheck_reports.view import Folder
    from sockcheck_reports.visible import visible

    facts = Folder()
    told = 0
    try:
        for event in uncollected(recording.read(folder / RECORD)):
            facts.add(grade_paths.told(event, name, names))
            told += 1
    except RecordError:
        # What stands before the damage is told. Such a record has no end, so that it is graded again.
        if not told:
            raise
    view = facts.view()
    shown = visible(view)
    marks = gradebook.marks(view, grade(view))
    render = {form.option: form.render for form in FORMATS}
    write_file(folder / JUNIT, render["junit"](view))
    write_file(folder / RESULTS, render["gradescope"](view))
    write_file(folder / REPORT, render["html"](shown))
    if shown is not view:
        write_file(folder / INSTRUCTOR, render["html"](view))
    write_file(folder / FEEDBACK, gradebook_text.heading(name, marks) + terminal.render(shown, LAWS))
    write_file(folder / MARKS, gradebook.encode(marks, digest))


def _die_with(parent: int) -> None:
    """See that this process is killed when its parent, which started it from its main thread, ends in any way."""
    zero = ctypes.c_ulong(0)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), zero, zero, zero)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
