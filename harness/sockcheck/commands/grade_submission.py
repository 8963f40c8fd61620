"""The grading of one submission: its run, its reports, and what became of it where that went wrong."""

from __future__ import annotations

import os
import site
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import trio

from sockcheck.commands import grade_plan as plans
from sockcheck.commands.grade_child import FILES, JUNIT, MARKS, RECORD, RESULTS
from sockcheck.commands.grade_children import Children
from sockcheck.commands.grade_files import Place, too_much
from sockcheck.commands.grade_options import Plan, processors
from sockcheck.commands.outputs import FORMATS, write_file
from sockcheck.errors import ReportError, UsageError
from sockcheck_reports.gradebook import Marks, Submission, decode
from sockcheck_reports.wording import signal_name

REFERENCE, SCRATCH = "reference", ".scratch"
"""Folders: that of the reference, and the one in which everybody is graded."""

# The longest that it may take to make the reports of one submission, in seconds: a backstop.
_REPORTS_LIMIT = 300.0
# What would lead a server to the files of whoever grades.
_PRIVATE = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")


async def graded(children: Children, plan: Plan, subject: Submission, path: Path | None, digest: str) -> Submission:
    """Run all scenarios against one submission, or the reference (None), and make its reports.

    What goes wrong is its `trouble`. Raises UsageError where no run could begin with such options.
    """
    place = Place(plan.out / SCRATCH / subject.folder)
    try:
        _begin(plan.out / subject.folder)
        where = await trio.to_thread.run_sync(place.make, path)
        # The reference belongs to whoever grades, and is found from where they are.
        cwd = Path.cwd() if path is None else place.work
        command = plan.reference if path is None else plans.filled(plan.command, where)
        status, stopped = await _run(children, plan, subject, place, cwd, command)
        said = _last_lines(place.errors)
        if (plan.out / subject.folder / RECORD).exists():
            return await _told(children, plan, subject, place, digest, _why(status, stopped))
        if status == 2:
            raise UsageError(said.removeprefix("sockcheck: ") or "the run did not begin")
        return replace(subject, trouble=_why(status, stopped) or f"its run did not begin: {said or f'status {status}'}")
    except ReportError as error:
        return replace(subject, trouble=error.message)
    except OSError as error:
        return replace(subject, trouble=hindered(error))
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(place.remove)


def known(folder: Path, digest: str) -> Marks | None:
    """The marks in a folder, if they are those of this digest and the record is there too."""
    try:
        marks, found = decode((folder / MARKS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return marks if found == digest and (folder / RECORD).exists() else None


def hindered(error: OSError) -> str:
    """What is to be said of a submission whose files, or whose folder, cannot be used."""
    name = f"{os.path.basename(error.filename)!r}: " if isinstance(error.filename, str) else ""
    return f"it cannot be graded: {name}{error.strerror or error}"


def _begin(folder: Path) -> None:
    """Take away what is known of an earlier grading, and say in its place that this one is not finished."""
    folder.mkdir(exist_ok=True)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    names = {"junit": JUNIT, "gradescope": RESULTS}
    for form in FORMATS:
        if form.unfinished is not None and form.option in names:
            write_file(folder / names[form.option], form.unfinished(["The grading was not finished."]))


async def _run(
    children: Children, plan: Plan, subject: Submission, place: Place, cwd: Path, command: Sequence[str]
) -> tuple[int, str]:
    """The run itself: its exit status, and why it was stopped, or ""."""
    folder = plan.out / subject.folder
    jobs = max(1, processors() // plan.at_once)
    own = ("--seed", str(subject.seed), "--record", str(folder / RECORD), "--jobs", str(jobs))
    with place.errors.open("wb") as file:
        return await children.run(
            [*plan.run, *own, "--", *command],
            cwd=cwd,
            env=_environment(place),
            errors=file,
            limit=plan.limit,
            over=lambda: "it takes too much room on the disk" if too_much(place.folder, folder) else "",
        )


async def _told(children: Children, plan: Plan, subject: Submission, place: Place, digest: str, why: str) -> Submission:
    """Make the reports, as far as the record goes. `why` is what happened to the run."""
    folder = plan.out / subject.folder
    with place.errors.open("wb") as file:
        status, late = await children.run(
            ["reports", str(folder), subject.name, digest, *(word for pair in plan.called.items() for word in pair)],
            cwd=plan.out,
            env=os.environ,
            errors=file,
            limit=_REPORTS_LIMIT,
        )
    marks = known(folder, digest) if status == 0 else None
    if marks is None:
        said = late or _last_lines(place.errors) or f"status {status}"
        return replace(subject, trouble=f"its reports could not be made: {said}")
    return replace(subject, marks=marks, trouble=why)


def _why(status: int, stopped: str) -> str:
    """What happened to a run, of its exit status and why it was stopped; "" where it came to its end."""
    if stopped:
        return f"it was stopped, since {stopped}"
    return f"its run was killed by {signal_name(-status)}" if status < 0 else ""


def _environment(place: Place) -> dict[str, str]:
    """Ours, with folders of the submission's own. What is installed for the user who grades stays importable."""
    kept = {name: value for name, value in os.environ.items() if name not in _PRIVATE}
    own = {"HOME": str(place.home), "TMPDIR": str(place.temporary), "PYTHONUSERBASE": site.getuserbase()}
    return {**kept, **own}


def _last_lines(errors: Path) -> str:
    """The last that a process said, on one line."""
    text = errors.read_bytes()[-2000:].decode(errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    told = next((position for position, line in enumerate(lines) if line.startswith("sockcheck: ")), len(lines) - 1)
    return "; ".join(lines[max(0, told) :])
