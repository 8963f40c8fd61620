"""The reports of a run: on the terminal, and in the files that were asked for.

Each report is imported when it is made: `list`, which asks for the width alone, loads none of them.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sockcheck.errors import ReportError, UsageError
from sockcheck.laws import LAWS

if TYPE_CHECKING:
    from sockcheck.recording import Recorder
    from sockcheck_reports.view import View

_T = TypeVar("_T")

# Wider lines are hard to read, and reports are made for 80 columns.
_WIDEST = 100


def check_writable(**files: str | None) -> None:
    """Raises UsageError where a file, given by its option's name, could not be written: better before the run."""
    for option, name in files.items():
        if name is None:
            continue
        path = Path(name)
        option = option.replace("_", "-")
        if path.is_dir():
            raise UsageError(f"--{option}: {name} is a folder", "name a file")
        if not path.parent.is_dir():
            raise UsageError(f"--{option}: there is no folder {path.parent}", f"mkdir -p {path.parent}")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise UsageError(f"--{option}: {name} cannot be written", "name a file that you may write")


def uncollected(made: Iterable[_T]) -> Iterator[_T]:
    """What is made, without the garbage collector: all of it stays, so that it would look through it in vain."""
    gc.disable()
    try:
        yield from made
    finally:
        gc.freeze()
        gc.enable()


def coloured(options: argparse.Namespace) -> bool:
    from sockcheck_reports import terminal

    return not options.no_color and terminal.use_colour(_is_terminal(), os.environ)


def width() -> int:
    """Columns for the report: the terminal's, within reason; 80 where there is none."""
    return min(shutil.get_terminal_size((80, 24)).columns, _WIDEST) if _is_terminal() else 80


def _is_terminal() -> bool:
    # Where standard output was closed before we began there is no such object.
    return sys.stdout is not None and sys.stdout.isatty()


def write_reports(view: View, options: argparse.Namespace, notes: list[str]) -> None:
    """Write the files that were asked for, then the report on standard output, which names them.

    A report that cannot be written is told in its place and on standard error; it never changes a verdict.
    """
    from sockcheck_reports import terminal

    written = list(notes)
    for option, label in (("junit", "JUnit report"), ("html", "HTML report")):
        name = getattr(options, option)
        if name is None:
            continue
        try:
            write_file(Path(name), _render(option, view))
        except ReportError as error:
            print(f"sockcheck: {error.message}", file=sys.stderr)
            written.append(error.message)
        else:
            written.append(f"{label}: {name}")
    text = terminal.render(
        view, LAWS, width=width(), colour=coloured(options), verbosity=options.verbosity, written=written
    )
    say(text)


def record_notes(recorder: Recorder | None) -> list[str]:
    """Close the record, and what the report says of it."""
    if recorder is None:
        return []
    recorder.close()
    if recorder.trouble is not None:
        print(f"sockcheck: {recorder.trouble}", file=sys.stderr)
        return [recorder.trouble]
    return [f"record: {recorder.path}"]


def say(text: str) -> None:
    """Write to standard output whatever its encoding is; where it is closed there is nobody to tell."""
    if sys.stdout is None:
        return
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # The terminal's encoding may not know every character of ours.
            sys.stdout.reconfigure(errors="backslashreplace")
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"sockcheck: the report could not be shown: {error.strerror}", file=sys.stderr)


def _render(option: str, view: View) -> str:
    if option == "junit":
        from sockcheck_reports import junit

        return junit.render(view, LAWS)
    from sockcheck_reports import html

    return html.render(view, LAWS)


def write_file(path: Path, text: str) -> None:
    """Whole or not at all: whoever looks at the file while it is written, or after a crash, sees the old one.

    Raises ReportError.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            # mkstemp makes a file that only we may read; a report is for whoever may read the folder.
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(temporary, 0o666 & ~umask)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise ReportError(f"the report {path} could not be written: {error.strerror}") from None
