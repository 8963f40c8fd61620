"""What all processes of a run have seen, put together: one view of it, one record, and the causes."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sockcheck.case import Case
from sockcheck.commands.run import run_started
from sockcheck.events import CaseJudged, CaseStarted, Event, RunFinished, SourceRead
from sockcheck.exit_codes import INTERRUPTED, code_of
from sockcheck.pytest_plugin import options
from sockcheck.recording import Recorder
from sockcheck.suite import CONTRACT
from sockcheck.tallying import Tally
from sockcheck_reports.view import Folder, View


class Ledger:
    """Takes the facts of a run in which several servers were kept, by several processes perhaps.

    Each of them numbers its attempts, servers and cases by itself; here each gets a number that no other has. `began`
    is the start of the run in seconds since the epoch, `ids` are the node ids of all that is to be run.
    """

    def __init__(self, chosen: argparse.Namespace, began: float, ids: Sequence[str]) -> None:
        self.notes: list[str] = []
        self._began = began
        self._chosen = chosen
        self._numbers: dict[tuple[str, str, int], int] = {}
        self._given: dict[str, int] = {}
        self._tally = Tally()
        self._servers: dict[str, int] = {}
        self._served: dict[int, int] = {}
        self._sources: set[str] = set()
        self._folder = Folder()
        self._recorder = Recorder(chosen.record) if chosen.record else None
        self._whole: View | None = None
        chosen.words = options.words(chosen, sorted({_folder(Path(each.partition("::")[0])) for each in ids}))
        self._emit(run_started(chosen, len(ids)))

    def add(self, part: str, server: str, facts: Iterable[Event]) -> None:
        """Facts from one `part` of the run, about one `server`."""
        for fact in facts:
            event = self._renumbered(part, fact)
            if isinstance(event, SourceRead):
                if event.path in self._sources:
                    continue
                self._sources.add(event.path)
            elif isinstance(event, CaseStarted):
                self._served[id(event.case)] = self._servers.setdefault(server, len(self._servers))
            self._tally.tell(event)
            self._emit(event)

    def finish(self, why: str, *, interrupted: bool) -> None:
        """The run is over; `why` it ended early, or ""."""
        at = max(0.0, time.time() - self._began)
        for cause in self._tally.causes(at, self._server):
            self._emit(cause)
        view = self._folder.view()
        code = code_of([case.outcome for case in view.cases], flaky=self._chosen.flaky, lost=bool(view.target_failures))
        self._emit(RunFinished(at, INTERRUPTED if interrupted else code, why))
        self._whole = self._folder.view()
        if self._recorder is not None:
            self._recorder.close()
            self.notes.append(self._recorder.trouble or f"record: {self._recorder.path}")

    @property
    def view(self) -> View:
        return self._folder.view() if self._whole is None else self._whole

    def _server(self, case: Case) -> int:
        return self._served[id(case)]

    def _emit(self, event: Event) -> None:
        self._folder.add(event)
        if self._recorder is not None:
            self._recorder.write(event)

    def _renumbered(self, part: str, event: Event) -> Event:
        changes: dict[str, Any] = {
            name: self._number(part, name, getattr(event, name))
            for name in ("attempt", "target", "trial")
            if getattr(event, name, 0)
        }
        if isinstance(event, CaseJudged):
            changes["attempts"] = tuple(self._number(part, "attempt", number) for number in event.attempts)
        return replace(event, **changes) if changes else event

    def _number(self, part: str, name: str, number: int) -> int:
        key = (part, name, number)
        if key not in self._numbers:
            self._given[name] = self._numbers[key] = self._given.get(name, 0) + 1
        return self._numbers[key]


def _folder(file: Path) -> str:
    """The folder of its contract, as `sockcheck run` would be given it."""
    for folder in file.parents:
        if (folder / CONTRACT).is_file():
            return os.fspath(folder)
    return os.fspath(file.parent)
