"""The fixture `sockcheck`: scenarios that a Python test runs."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sockcheck.aside import Aside
from sockcheck.commands.outputs import explained
from sockcheck.commands.run import items_of, jobs_for, run_started
from sockcheck.errors import SockcheckError, UsageError
from sockcheck.events import Event, SourceRead
from sockcheck.exit_codes import FAILED, PASSED
from sockcheck.facts import Facts
from sockcheck.laws import LAWS
from sockcheck.pytest_plugin import options as choosing
from sockcheck.recording import Recorder
from sockcheck.run import Options, Run
from sockcheck.suite import load
from sockcheck_reports import terminal
from sockcheck_reports.view import CaseView, CauseView, Folder, View
from sockcheck_reports.wording import count


@dataclass(frozen=True, repr=False)
class Result:
    """What a run of some scenarios came to. `record` are all its facts; `view` is what the reports are made from."""

    exit_code: int
    view: View
    record: tuple[Event, ...]

    @property
    def passed(self) -> bool:
        """Whether all that was run could be judged, and nothing failed."""
        return self.exit_code == PASSED

    @property
    def cases(self) -> tuple[CaseView, ...]:
        """The cases that were run, in their order: `case.case.id`, `case.outcome`, `case.findings`."""
        return self.view.cases

    @property
    def causes(self) -> tuple[CauseView, ...]:
        """Why cases failed: `cause.named.id`, `cause.named.title`, `cause.cases`."""
        return self.view.causes

    def __repr__(self) -> str:
        return f"<Result: exit code {self.exit_code}, {count(len(self.cases), 'case')}>"

    def __str__(self) -> str:
        """The report, as `sockcheck run` prints it."""
        return terminal.render(self.view, LAWS)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the record, for `sockcheck report`. UsageError where the file cannot be written."""
        with Recorder(Path(path)) as recorder:
            for event in self.record:
                recorder.write(event)
        if recorder.trouble is not None:
            raise UsageError(recorder.trouble)


class CasesFailed(AssertionError):  # noqa: N818 - it is an assertion, about the server
    """Some cases failed; the text is the report. `result` is all that there is to know."""

    def __init__(self, result: Result) -> None:
        super().__init__(f"\n{result}")
        self.result = result


class NotJudgedError(Exception):
    """The cases could not be judged, which is not the server's fault, or it did not start. `result` says why."""

    def __init__(self, result: Result) -> None:
        super().__init__(f"\n{result}")
        self.result = result


class Sockcheck:
    """Runs scenarios as `sockcheck run` does. What is not said is as the options of pytest say it."""

    def __init__(self, defaults: argparse.Namespace) -> None:
        self._defaults = defaults

    def run(
        self,
        *paths: str | os.PathLike[str],
        target: str | Sequence[str] | None = None,
        connect: str | tuple[str, int] | None = None,
        select: str | Iterable[str] = (),
        conditions: str | None = None,
        strict: bool | None = None,
        seed: int | None = None,
        stretch: float | None = None,
        flaky: Literal["fail", "pass"] | None = None,
        jobs: int | None = None,
        check: bool = True,
    ) -> Result:
        """Run scenario files, or folders of them, against a server; its result.

        `target` is the command that starts it, `connect` the address of one that is running already; without either,
        that of the options, else of the contract. `select`, `conditions` and all that follows are the options of
        `sockcheck run`. With `check`, CasesFailed where the server is at fault, and NotJudgedError where no verdict
        was come to. UsageError and MistakesError before anything is started. Whatever breaks off the run, also an
        exception that a signal handler raises, leaves no server behind.
        """
        __tracebackhide__ = True
        try:
            _refuse_in_a_loop()
            chosen = self._chosen(target, connect, select, conditions, strict, seed, stretch, flaky, jobs)
            result = _perform([os.fspath(path) for path in paths], chosen)
        except SockcheckError as error:
            error.add_note(explained(error))
            raise error.with_traceback(None) from None
        if check and result.exit_code != PASSED:
            raise CasesFailed(result) if result.exit_code == FAILED else NotJudgedError(result)
        return result

    def _chosen(
        self,
        target: str | Sequence[str] | None,
        connect: str | tuple[str, int] | None,
        select: str | Iterable[str],
        conditions: str | None,
        strict: bool | None,
        seed: int | None,
        stretch: float | None,
        flaky: str | None,
        jobs: int | None,
    ) -> argparse.Namespace:
        default = self._defaults
        command: Iterable[str] = shlex.split(target) if isinstance(target, str) else target or ()
        address = connect if isinstance(connect, str) or connect is None else _address(*connect)
        if target is None and connect is None:
            command, address = default.command, default.connect
        return choosing.options(
            command=map(os.fspath, command),
            connect=address,
            select=[select] if isinstance(select, str) else select,
            conditions=default.conditions if conditions is None else conditions,
            strict=default.strict if strict is None else strict,
            seed=default.seed if seed is None else seed,
            stretch=default.stretch if stretch is None else stretch,
            flaky=default.flaky if flaky is None else flaky,
            exhaustive=default.exhaustive,
            jobs=jobs,
        )


def _perform(paths: Sequence[str], chosen: argparse.Namespace) -> Result:
    suite = load(paths)
    items, _ = items_of(suite, chosen)
    jobs = jobs_for(chosen, items)
    chosen.words = choosing.words(chosen, paths)
    record: list[Event] = []
    folder = Folder()
    facts = Facts([record.append, folder.add])
    origin = time.monotonic()
    facts.emit(run_started(chosen, len(items)))
    for path in sorted({item.case.span.path for item in items}):
        facts.emit(SourceRead(time.monotonic() - origin, path, suite.sources[path]))
    codes: list[int] = []
    run = Run(items, Options(jobs, flaky=chosen.flaky, exhaustive=chosen.exhaustive, signals=False), facts, origin)

    async def execute() -> None:
        codes.append(await run.execute())

    Aside(run, execute).start()
    return Result(codes[0], folder.view(), tuple(record))


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _refuse_in_a_loop() -> None:
    """UsageError where the caller's thread runs a loop: it would stand still, and what it serves with it."""
    trio = sys.modules.get("trio")
    inside = trio is not None and trio.lowlevel.in_trio_run()
    if inside or asyncio._get_running_loop() is not None:
        loop = "trio" if inside else "asyncio"
        raise UsageError(
            f"sockcheck.run() was called inside a running {loop} loop, which would stand still meanwhile",
            "call it in a thread: await "
            + ("trio.to_thread.run_sync(...)" if inside else "asyncio.to_thread(...)")
            + " with a function that calls it",
        )
