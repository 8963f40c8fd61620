"""In GitHub Actions: what is written to the log is no command, and what is wrong stands at its line."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sockcheck.laws import LAWS

if TYPE_CHECKING:
    from sockcheck_reports.view import View


def wanted(options: argparse.Namespace) -> bool:
    """Whether this is a step of GitHub Actions, or to behave like one (`--github`, `--no-github`)."""
    asked: bool | None = getattr(options, "github", None)
    return os.environ.get("GITHUB_ACTIONS") == "true" if asked is None else asked


@contextmanager
def fenced(options: argparse.Namespace, stream: TextIO | None) -> Iterator[None]:
    """What is written to `stream` within is no command, whatever a server had a part in it.

    Only within: the token that ends it is made anew each time, and told to nobody before.
    """
    if stream is None or not wanted(options):
        yield
        return
    from sockcheck_reports import github

    token = secrets.token_hex(16)
    print(github.stop(token), file=stream, flush=True)
    try:
        yield
    finally:
        # It has to stand at the beginning of a line.
        print(f"\n{github.resume(token)}", file=stream, flush=True)


def tell(view: View, options: argparse.Namespace, stream: TextIO | None) -> None:
    """Annotate what is wrong, and append to the summary of the step. What cannot be written is told."""
    if not wanted(options):
        return
    from sockcheck_reports import github

    if stream is not None:
        for command in github.commands(view, os.environ.get("GITHUB_WORKSPACE", "")):
            print(command, file=stream)
        stream.flush()
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    try:
        path = Path(name)
        there = path.stat().st_size if path.exists() else 0
        with path.open("a", encoding="utf-8") as file:
            file.write(github.summary(view, LAWS, github.SUMMARY_LIMIT - there))
    except OSError as error:
        print(f"sockcheck: the summary {name} could not be written: {error.strerror}", file=sys.stderr)
