"""`sockcheck report RECORD…`: the reports of a run that was recorded, in one piece or in shards."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from sockcheck import recording
from sockcheck.baseline import Failures
from sockcheck.commands import baselines
from sockcheck.commands.outputs import check_reports, record_notes, write_reports
from sockcheck.errors import RecordError, UsageError
from sockcheck.events import Event, RunFinished
from sockcheck.exit_codes import INTERNAL
from sockcheck.merging import merged
from sockcheck.recording import Recorder
from sockcheck_reports.view import Folder


def report(options: argparse.Namespace) -> int:
    """The exit code of the recorded run; 4 where it is not whole: a record that ends before its run, a shard missing.

    What a damaged record holds before the damage is reported, then the damage is told.
    """
    check_reports(options, record=options.record)
    whys = baselines.to_write(options)
    _check_records(options.records, options.record)
    damages: list[RecordError] = []
    records = [(name, _undamaged(name, damages)) for name in options.records]
    events = merged(records)
    first = next(events)
    folder = Folder()
    sinks: list[Callable[[Event], None]] = [folder.add]
    recorder = Recorder(options.record) if options.record is not None else None
    if recorder is not None:
        sinks.append(recorder.write)
    failures = Failures()
    if options.write_baseline is not None:
        sinks.append(failures.tell)
    code = INTERNAL
    for event in _with_first(first, events):
        for sink in sinks:
            sink(event)
        if isinstance(event, RunFinished):
            code = event.exit_code
    code = INTERNAL if damages else code
    notes = record_notes(recorder)
    if options.write_baseline is not None:
        notes.append(baselines.write(options.write_baseline, failures, whys, code))
    write_reports(folder.view(), options, notes)
    for damage in damages:
        print(f"sockcheck: {damage.message}\nhint: {damage.hint}", file=sys.stderr)
    return code


def _check_records(names: list[str], written: str | None) -> None:
    if names.count("-") > 1:
        raise UsageError("standard input is named twice", "name one record as -, the others as files")
    if written is not None and any(name != "-" and _is_same(name, written) for name in names):
        raise UsageError(f"--record: {written} is one of the records that are read", "name another file")


def _is_same(name: str, other: str) -> bool:
    try:
        return Path(name).samefile(other)
    except OSError:
        return False


def _undamaged(name: str, damages: list[RecordError]) -> Iterator[Event]:
    """The events of a record up to the first that cannot be read, if not even the first can RecordError."""
    told = 0
    try:
        for event in recording.read(name):
            yield event
            told += 1
    except RecordError as error:
        if not told:
            raise
        damages.append(error)


def _with_first(first: Event, rest: Iterator[Event]) -> Iterator[Event]:
    yield first
    yield from rest
