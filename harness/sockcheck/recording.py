"""Records on disk: one event a line, written as it happens, read as a stream."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from os import fspath
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sockcheck.codec import decode, encode
from sockcheck.errors import RecordError, UsageError
from sockcheck.events import Event, RunFinished, RunStarted

_LONGEST_LINE = 64 * 1024 * 1024
_MAKE_ONE = "a record is what `sockcheck run --record FILE` writes"


class Recorder:
    """Writes events to `path`, each whole and at once, so that a record survives whatever ends the run.

    UsageError where the file cannot be opened. After that nothing raises, since a failure to record is no failure of
    the run: the first error is kept in `trouble`, as a sentence, and nothing more is written. Use as a context manager,
    or close().
    """

    def __init__(self, path: str | Path) -> None:
        self.path = fspath(path)
        self.trouble: str | None = None
        try:
            self._file = Path(path).open("wb")  # noqa: SIM115 -- close() closes it
        except OSError as error:
            raise UsageError(
                f"cannot write the record {self.path}: {error.strerror}",
                "name a file in a folder that you can write to",
            ) from None

    def write(self, event: Event) -> None:
        """Append `event`; it has been handed to the operating system when this returns."""
        if self.trouble is None:
            try:
                self._file.write(encode(event).encode() + b"\n")
                self._file.flush()
            except (OSError, ValueError) as error:
                self._keep(error)

    def close(self) -> None:
        """Close the file. It may be called again."""
        try:
            self._file.close()
        except OSError as error:
            self._keep(error)

    def _keep(self, error: OSError | ValueError) -> None:
        if self.trouble is None:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            self.trouble = f"the record {self.path} is not whole: {reason}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def read(path: str | Path) -> Iterator[Event]:
    """The events of the record at `path` (`-` is standard input), one by one, in flat memory.

    A record is whole when RunFinished comes last. One that was cut off ends earlier: everything before the cut is
    given, and the half line at the cut, if there is one, is left out. RecordError, with the line, for anything else
    that is no record; the events before that line have been given by then.
    """
    name = fspath(path)
    number = 0
    last: Event | None = None
    for number, line in enumerate(_lines(name), 1):
        try:
            event = decode(line.decode())
        except (RecordError, UnicodeDecodeError) as error:
            if number > 1 and not line.endswith(b"\n"):
                return
            raise _unreadable(name, number, error) from None
        misplaced = _misplaced(event, last)
        if misplaced:
            raise RecordError(f"{name}:{number}: {misplaced}", "give one whole record at a time")
        yield event
        last = event
    if number == 0:
        raise RecordError(f"{name}: the file is empty, so it is no record", _MAKE_ONE)


def _misplaced(event: Event, last: Event | None) -> str:
    if last is None:
        return "" if isinstance(event, RunStarted) else "a record begins with RunStarted"
    if isinstance(event, RunStarted):
        return "a second record begins here"
    return "the record goes on after its end" if isinstance(last, RunFinished) else ""


def _unreadable(name: str, number: int, error: RecordError | UnicodeDecodeError) -> RecordError:
    hint = _MAKE_ONE if number == 1 else "the file was changed or damaged after it was written"
    if isinstance(error, UnicodeDecodeError):
        return RecordError(f"{name}:{number}: this is no event: it is not text", hint)
    return RecordError(f"{name}:{number}: {error.message}", error.hint or hint)


def _lines(name: str) -> Iterator[bytes]:
    with _opened(name) as file:
        for number in count(1):
            try:
                line = file.readline(_LONGEST_LINE)
            except OSError as error:
                raise RecordError(f"{name}:{number}: cannot be read: {error.strerror}", _MAKE_ONE) from None
            if not line:
                return
            if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
                raise RecordError(f"{name}:{number}: the line is longer than any event", _MAKE_ONE)
            yield line


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    if name == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise RecordError(f"cannot read the record {name}: {error.strerror}", _MAKE_ONE) from None
