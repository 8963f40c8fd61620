"""`--baseline` and `--write-baseline`: the file of failures that are known."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

from sockcheck.baseline import Entry, Failures, gone
from sockcheck.case import Case
from sockcheck.commands.outputs import check_writable, write_file
from sockcheck.errors import MistakesError, ReportError, ScenarioError, UsageError
from sockcheck.exit_codes import FAILED, PASSED
from sockcheck.reading import LARGEST, decode
from sockcheck.reading.baseline import read_baseline
from sockcheck.suite import Suite


def read(path: str) -> tuple[tuple[Entry, ...], str]:
    """The entries of a file, and its text. Raises UsageError, and MistakesError with all that is wrong in it."""
    try:
        with Path(path).open("rb") as file:
            text = decode(path, file.read(LARGEST + 1))
    except OSError as error:
        hint = f"write it first: sockcheck run PATHS --write-baseline {path}"
        raise UsageError(f"--baseline: {path} cannot be read: {error.strerror}", hint) from None
    return read_baseline(path, text), text


def check_present(
    entries: Iterable[Entry], sources: Mapping[str, str], suite: Suite, cases: Iterable[Case], *, derived: bool
) -> None:
    """Raises MistakesError with each entry for which there is no case any more, among all `cases` that there are."""
    found = gone(entries, cases, suite.whole, derived=derived)
    if found:
        hint = "take the entry out, or write the baseline anew: --write-baseline"
        mistakes = tuple(ScenarioError(entry.span, "there is no such case any more", hint) for entry in found)
        raise MistakesError(mistakes, dict(sources), "the baseline")


def to_write(options: argparse.Namespace) -> dict[str, str]:
    """What the file that is to be written has said so far on why its failures are known. Raises UsageError."""
    path = options.write_baseline
    if path is None:
        return {}
    check_writable(write_baseline=path)
    if getattr(options, "shard", None) is not None:
        hint = f"merge the records of all shards: sockcheck report RECORDS --write-baseline {path}"
        raise UsageError("--write-baseline: a shard does not know what fails in the others", hint)
    if not Path(path).exists():
        return {}
    if getattr(options, "select", []):
        hint = "write another file, or leave --select out"
        raise UsageError(f"--write-baseline: {path} would lose the entries of all cases that are not selected", hint)
    try:
        entries, _ = read(path)
    except MistakesError:
        raise UsageError(f"--write-baseline: {path} is something else than a baseline", "name another file") from None
    return {entry.case or entry.fresh_client: entry.why for entry in entries}


def write(path: str, failures: Failures, whys: Mapping[str, str], code: int) -> str:
    """Write it, and what the report says of that. A run that is not whole, or could not judge all, writes none."""
    if code not in (PASSED, FAILED):
        return f"the baseline {path} was not written: not all cases could be judged"
    try:
        write_file(Path(path), failures.text(whys))
    except ReportError as error:
        return error.message
    return f"baseline: {path}, {failures.number:,} {'failure' if failures.number == 1 else 'failures'}"
