"""Which cases are chosen by `--select`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial

from sockcheck.errors import UsageError

_AT = re.compile(r"(.*\.(?:close-|reset-)?at)-([0-9]+)")


def selected(identifier: str, patterns: Sequence[str]) -> bool:
    """Whether a case is chosen: its id is, holds, or as a shell pattern matches, one of `patterns`. None choose all.

    `greets::cut.at-7` is short for `greets::cut.at-k(…:7)`: whatever is cut before its byte 7.
    """
    return not patterns or any(map(partial(_chooses, identifier), patterns))


def _chooses(identifier: str, pattern: str) -> bool:
    short = _AT.fullmatch(pattern)
    if short is not None:
        return identifier.endswith(f":{short[2]})") and f"{short[1]}-k(" in identifier
    return pattern in identifier or fnmatchcase(identifier, pattern)


def nearest(pattern: str, identifiers: Sequence[str]) -> str | None:
    """The id that somebody may have meant by a pattern that chooses nothing."""
    found = difflib.get_close_matches(pattern, identifiers, 1, 0.3)
    return found[0] if found else None


def nothing_selected(patterns: Sequence[str], identifiers: Sequence[str]) -> UsageError:
    """What to raise where `patterns`, of which there is one at least, choose none of all the ids that there are."""
    near = nearest(patterns[-1], identifiers)
    hint = f"did you mean {near!r}? " if near else ""
    return UsageError(f"no case matches --select {patterns[-1]!r}", f"{hint}`sockcheck list` shows them all")
