"""The errors that sockcheck raises. Each carries a place where there is one, and a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # What has no place needs no spans: `--help` loads none of the data.
    from sockcheck.forms import (
        Span,
    )


class SockcheckError(Exception):
    """Something that the user can mend. `message` says what is wrong, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SockcheckError):
    """An option, a path or an address that makes no sense. Exit code 2."""


class ScenarioError(SockcheckError):
    """One mistake in a scenario or contract file, at `span`. Nothing runs. Exit code 2."""

    def __init__(self, span: Span, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.span = span

    def __str__(self) -> str:
        return f"{self.span}: {self.message}"


class MistakesError(SockcheckError):
    """All the mistakes of all the files that were read, in the order of the files and lines."""

    def __init__(
        self, errors: tuple[ScenarioError, ...], sources: dict[str, str], where: str = "the scenario files"
    ) -> None:
        count = len(errors)
        super().__init__(f"{count} mistake{'s' if count != 1 else ''} in {where}")
        self.errors = errors
        self.sources = sources


class TargetError(SockcheckError):
    """The target could not be started or reached. Exit code 3.

    `output` is the last that it wrote, since that is where the reason stands most often. `fault`: it is the `server`'s
    own, or `unknown`, as where its command cannot be executed, or the machine lacks something.
    """

    def __init__(
        self, message: str, hint: str = "", output: bytes = b"", fault: Literal["server", "unknown"] = "unknown"
    ) -> None:
        super().__init__(message, hint)
        self.output = output
        self.fault: Literal["server", "unknown"] = fault


class RecordError(SockcheckError):
    """A record that cannot be read: cut off in the middle, of a newer version, or no record at all."""


class ReportError(SockcheckError):
    """A report that could not be written. It never changes a verdict."""
