"""`sockcheck grade`: the same contract against every submission of a class."""

from __future__ import annotations

import argparse
import fcntl
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import trio

from sockcheck import __version__
from sockcheck.commands import grade_plan as plans
from sockcheck.commands.grade_children import Children, open_children
from sockcheck.commands.grade_files import Place, fingerprint
from sockcheck.commands.grade_options import SCENARIOS, Plan, planned
from sockcheck.commands.grade_submission import REFERENCE, SCRATCH, graded, hindered, known
from sockcheck.commands.outputs import coloured, say, width, write_file
from sockcheck.errors import ReportError, UsageError
from sockcheck.exit_codes import BUSY, INTERRUPTED, PASSED
from sockcheck_reports import gradebook_csv, gradebook_html, gradebook_text
from sockcheck_reports.gradebook import Gradebook, Submission, number
from sockcheck_reports.gradebook import law as in_brackets
from sockcheck_reports.wording import count, duration

_LOCK = ".lock"
# So many seconds are between two writings of the tables, and between two lines that say what is under way.
_WRITE_EVERY, _SAY_EVERY = 5.0, 30.0
_LOST_SHOWN = 8


def grade(options: argparse.Namespace) -> int:
    """Grade every submission; the exit code. UsageError and MistakesError before anybody is graded."""
    plan = planned(options)
    with _locked(plan.out):
        grading = Grading(plan, options)
        return grading.report(trio.run(grading.execute, strict_exception_groups=True))


class Grading:
    """One grading. `execute` returns why not all was done, "" where it was; `report` tells what came of it."""

    def __init__(self, plan: Plan, options: argparse.Namespace) -> None:
        self._plan = plan
        self._options = options
        self._submissions = list(plan.submissions)
        self._done = 0
        self._under_way: dict[int, float] = {}
        self._written = 0.0
        self._interrupted = ""
        self._failure: UsageError | None = None

    async def execute(self) -> str:
        """Grade whoever is not graded yet. SIGINT and SIGTERM end it early, and what is done is kept."""
        # One that was killed may have left something.
        await trio.to_thread.run_sync(Place(self._plan.out / SCRATCH).remove)
        async with open_children() as children, trio.open_nursery() as nursery:
            with trio.CancelScope() as work:
                await nursery.start(self._watch_signals, work)
                if not self._plan.reference or await self._reference_is_right(children):
                    await self._grade_all(children, work)
            nursery.cancel_scope.cancel()
        Place(self._plan.out / SCRATCH).remove()
        return self._interrupted

    def report(self, interrupted: str) -> int:
        """Write the tables and say what is in them; the exit code."""
        if self._failure is not None:
            raise self._failure
        ended = f"{interrupted}: the same command goes on from here." if interrupted else ""
        book = self._book(ended)
        written = []
        try:
            self._write_tables(ended)
            written.append(f"{self._options.out}/index.html, {self._options.out}/grades.csv")
        except ReportError as error:
            written.append(error.message)
        say(gradebook_text.render(book, width=width(), colour=coloured(self._options), written=written))
        if interrupted:
            return INTERRUPTED
        return PASSED if all(each.status == "graded" for each in book.submissions) else BUSY

    async def _watch_signals(
        self, work: trio.CancelScope, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for caught in signals:
                self._interrupted = f"Interrupted by {signal.Signals(caught).name}"
                work.cancel()

    async def _reference_is_right(self, children: Children) -> bool:
        """Whether the known-good server gets all points; else `_failure` says what is wrong."""
        subject = Submission(REFERENCE, REFERENCE, self._plan.seed)
        say("The reference goes first: unless it gets all points, nobody else is graded\n", sys.stderr)
        try:
            found = await graded(children, self._plan, subject, None, "")
        except UsageError as error:
            self._failure = error
            return False
        marks, told = found.marks, f"see {self._options.out}/{REFERENCE}"
        if found.status != "graded" or marks is None:
            self._failure = UsageError(
                f"the reference could not be judged, so nobody was graded: {found.reason}", f"{told}/feedback.txt"
            )
            return False
        if marks.total and marks.earned == marks.total:
            return True
        lost = [row for row in marks.rows if row.standing == "lost"]
        lines = [f"  {row.scenario} {in_brackets(row.column)}".rstrip() + f": {row.why}" for row in lost[:_LOST_SHOWN]]
        lines += [f"  and {len(lost) - _LOST_SHOWN:,} more"] if len(lost) > _LOST_SHOWN else []
        got = f"the reference gets {number(marks.earned)} of {number(marks.total)} points, so nobody was graded"
        self._failure = UsageError(
            "\n".join([got, *lines]),
            f"the contract asks for what the reference does not do: mend the one or the other; {told}/report.html",
        )
        return False

    async def _grade_all(self, children: Children, work: trio.CancelScope) -> None:
        turns = iter(await self._to_be_graded())
        self._write_draft()

        async def work_off() -> None:
            for position, digest in turns:
                try:
                    await self._grade_one(children, position, digest)
                except UsageError as error:
                    self._failure = error
                    work.cancel()

        async with trio.open_nursery() as beside:
            beside.start_soon(self._say_now_and_then)
            async with trio.open_nursery() as workers:
                for _ in range(self._plan.at_once):
                    workers.start_soon(work_off)
            beside.cancel_scope.cancel()

    async def _to_be_graded(self) -> list[tuple[int, str]]:
        """Those whose marks are not there yet, or are no grade: their positions and digests."""
        found = []
        for position, (subject, path) in enumerate(zip(self._plan.submissions, self._plan.paths, strict=True)):
            try:
                files = await trio.to_thread.run_sync(fingerprint, path, abandon_on_cancel=True)
            except OSError as error:
                self._submissions[position] = replace(subject, trouble=hindered(error))
                continue
            words = (*self._plan.run, "--seed", str(subject.seed), "--", *self._plan.command)
            digest = plans.digest([__version__, self._plan.contract, files, *words])
            marks = None if self._plan.afresh else known(self._plan.out / subject.folder, digest)
            if marks is None or marks.why_open:
                found.append((position, digest))
            else:
                self._submissions[position] = replace(subject, marks=marks)
        already = sum(each.status == "graded" for each in self._submissions)
        if already:
            say(f"{already:,} of {count(len(self._submissions), 'submission')} are graded already\n", sys.stderr)
        self._done = len(self._submissions) - len(found)
        return found

    async def _grade_one(self, children: Children, position: int, digest: str) -> None:
        subject, path = self._plan.submissions[position], self._plan.paths[position]
        self._under_way[position] = time.monotonic()
        found = await graded(children, self._plan, subject, path, digest)
        del self._under_way[position]
        self._submissions[position] = found
        self._done += 1
        names = gradebook_text.name_columns(self._submissions)
        line = gradebook_text.progress(found, self._done, len(self._submissions), names=names, width=width())
        say(line, sys.stderr)
        if time.monotonic() > self._written + _WRITE_EVERY:
            self._write_draft()

    async def _say_now_and_then(self) -> None:
        while True:
            await trio.sleep(_SAY_EVERY)
            now = time.monotonic()
            names = [
                f"{self._submissions[position].name} ({duration(now - began)})"
                for position, began in self._under_way.items()
            ]
            say(f"at work: {', '.join(names)}\n".encode(errors="backslashreplace").decode(), sys.stderr)

    def _book(self, ended: str) -> Gradebook:
        given = tuple(self._options.scenarios or (SCENARIOS,))
        command = ("sockcheck", *self._options.words)
        return Gradebook(tuple(self._submissions), command, given, self._plan.seed, ended)

    def _write_draft(self) -> None:
        """Write the tables of what is known so far."""
        try:
            self._write_tables("Not finished: some are still being graded.")
        except ReportError:
            pass  # The tables themselves will not be written either, and that is told.

    def _write_tables(self, ended: str) -> None:
        """Raises ReportError."""
        book = self._book(ended)
        write_file(self._plan.out / "index.html", gradebook_html.render(book))
        write_file(self._plan.out / "grades.csv", gradebook_csv.render(book))
        self._written = time.monotonic()


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Nobody else grades into this folder meanwhile."""
    with (out / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another grading is writing to {out}", "wait for it, or name another --out") from None
        yield
