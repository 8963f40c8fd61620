"""The reports of a run: on the terminal, and in the files that were asked for.

Each report is imported when it is made: `list`, which asks for the width alone, loads none of them. People and programs
never read the same stream: where a report goes to standard output, what is for people goes to standard error.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from sockcheck.commands import actions
from sockcheck.errors import MistakesError, ReportError, SockcheckError, UsageError
from sockcheck.laws import LAWS

if TYPE_CHECKING:
    from sockcheck.recording import Recorder
    from sockcheck_reports.view import View

_T = TypeVar("_T")

# Wider lines are hard to read, and reports are made for 80 columns.
_WIDEST = 100


@dataclass(frozen=True, slots=True)
class Format:
    """A report in a file. `option` is that of the command line, without `--`; `render` makes the whole text.

    `unfinished`, where there is one, makes what is to be found while the run goes on, of what is known, in sentences.
    """

    option: str
    label: str
    render: Callable[[View], str]
    unfinished: Callable[[Sequence[str]], str] | None = None


def _junit(view: View) -> str:
    from sockcheck_reports import junit

    return junit.render(view, LAWS)


def _unfinished_junit(sentences: Sequence[str]) -> str:
    from sockcheck_reports import junit

    return junit.unfinished(sentences)


def _gradescope(view: View) -> str:
    from sockcheck_reports import gradescope

    return gradescope.render(view, LAWS)


def _unfinished_gradescope(sentences: Sequence[str]) -> str:
    from sockcheck_reports import gradescope

    return gradescope.unfinished(sentences)


def _ctrf(view: View) -> str:
    from sockcheck_reports import ctrf

    return ctrf.render(view, LAWS)


def _unfinished_ctrf(sentences: Sequence[str]) -> str:
    from sockcheck_reports import ctrf

    return ctrf.unfinished(sentences)


def _html(view: View) -> str:
    from sockcheck_reports import html

    return html.render(view, LAWS)


FORMATS = (
    Format("junit", "JUnit report", _junit, _unfinished_junit),
    Format("gradescope", "Gradescope results", _gradescope, _unfinished_gradescope),
    Format("ctrf", "CTRF report", _ctrf, _unfinished_ctrf),
    Format("html", "HTML report", _html),
)
STDOUT = "-"


def check_reports(options: argparse.Namespace, **others: str | None) -> None:
    """Raises UsageError where a report that was asked for, or one of `others`, could not be written."""
    asked = {form.option: getattr(options, form.option, None) for form in FORMATS}
    if sum(name == STDOUT for name in asked.values()) > 1:
        names = " and ".join(f"--{option}" for option, name in asked.items() if name == STDOUT)
        raise UsageError(f"{names} cannot both go to standard output", "name a file for all but one")
    if any(name == STDOUT for name in others.values()):
        names = " and ".join(f"--{option}" for option, name in others.items() if name == STDOUT)
        raise UsageError(f"{names} needs a file: it is written while the run goes on", "name a file")
    check_writable(**{option: name for option, name in asked.items() if name != STDOUT}, **others)


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


def explained(error: SockcheckError) -> str:
    """What is wrong, with the lines of the files where it is a mistake in one, and what to do about it."""
    told = []
    if isinstance(error, MistakesError):
        from sockcheck.reading.mistakes import render

        told = [render(mistake, error.sources.get(mistake.span.path, "")) + "\n" for mistake in error.errors]
    hint = [f"hint: {error.hint}"] if error.hint else []
    return "\n".join([*told, f"sockcheck: {error.message}", *hint])


def uncollected(made: Iterable[_T]) -> Iterator[_T]:
    """What is made, without the garbage collector: all of it stays, so that it would look through it in vain."""
    gc.disable()
    try:
        yield from made
    finally:
        gc.freeze()
        gc.enable()


def people(options: argparse.Namespace) -> TextIO | None:
    """Where people read. None where it was closed before we began: there is no such object then."""
    taken = any(getattr(options, form.option, None) == STDOUT for form in FORMATS)
    return sys.stderr if taken else sys.stdout


def coloured(options: argparse.Namespace) -> bool:
    from sockcheck_reports import terminal

    stream = people(options)
    return not options.no_color and terminal.use_colour(stream is not None and stream.isatty(), os.environ)


def width(stream: TextIO | None = None) -> int:
    """Columns for what is written to a stream, standard output without one: its terminal's, within reason, or 80."""
    stream = sys.stdout if stream is None else stream
    if stream is None or not stream.isatty():
        return 80
    if stream is sys.stdout:
        return min(shutil.get_terminal_size((80, 24)).columns, _WIDEST)
    return min(os.get_terminal_size(stream.fileno()).columns or 80, _WIDEST)


def write_reports(view: View, options: argparse.Namespace, notes: list[str]) -> None:
    """Write the files that were asked for, then the report on standard output, which names them.

    A report that cannot be written is told in its place and on standard error; it never changes a verdict.
    """
    from sockcheck_reports import terminal

    written = list(notes)
    for form in FORMATS:
        name = getattr(options, form.option, None)
        if name is None:
            continue
        text = form.render(view)
        if name == STDOUT:
            say(text)
            continue
        try:
            write_file(Path(name), text)
        except ReportError as error:
            print(f"sockcheck: {error.message}", file=sys.stderr)
            written.append(error.message)
        else:
            written.append(f"{form.label}: {name}")
    stream = people(options)
    columns, colour = width(stream), coloured(options)
    text = terminal.render(view, LAWS, width=columns, colour=colour, verbosity=options.verbosity, written=written)
    with actions.fenced(options, stream):
        say(text, stream)
    actions.tell(view, options, stream)


def record_notes(recorder: Recorder | None) -> list[str]:
    """Close the record, and what the report says of it."""
    if recorder is None:
        return []
    recorder.close()
    if recorder.trouble is not None:
        print(f"sockcheck: {recorder.trouble}", file=sys.stderr)
        return [recorder.trouble]
    return [f"record: {recorder.path}"]


def say(text: str, stream: TextIO | None = None) -> None:
    """Write to a stream, standard output without one, whatever its encoding is.

    Where it is closed there is nobody to tell.
    """
    stream = sys.stdout if stream is None else stream
    if stream is None:
        return
    try:
        if isinstance(stream, io.TextIOWrapper):
            # The terminal's encoding may not know every character of ours.
            stream.reconfigure(errors="backslashreplace")
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"sockcheck: the report could not be shown: {error.strerror}", file=sys.stderr)


def is_replaceable(path: Path) -> bool:
    """Whether a file may take the place of what is there."""
    return path.is_file() or not path.exists()


def write_file(path: Path, text: str) -> None:
    """Whole or not at all: whoever looks at the file while it is written, or after a crash, sees the old one.

    What is no file, such as a pipe or /dev/null, is written to as it is. Raises ReportError.
    """
    try:
        if not is_replaceable(path):
            path.write_text(text, encoding="utf-8")
            return
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
