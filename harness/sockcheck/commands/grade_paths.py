"""What a grading calls the scenarios in what it tells: as whoever grades wrote it, or short. Pure.

Every run has a working directory of its own and is given absolute paths, which mean nothing to a student.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any, cast

from sockcheck.events import Event, RunStarted, SourceRead
from sockcheck.forms import Span
from sockcheck.frozen import replaced

# What the command of a run says beyond what would run the same with a student: an option, and whether it has a value.
_OURS = {"--no-color": False, "--no-github": False, "-q": False, "--isolate": True, "--record": True, "--jobs": True}


def called(given: str) -> str:
    """What a path is called that somebody wrote: that path, if it leads down from where they are, or its last part."""
    path = PurePath(os.path.normpath(given))
    return path.name if path.is_absolute() or ".." in path.parts else str(path)


def told(event: Event, name: str, names: Mapping[str, str]) -> Event:
    """The event of a run of the submission `name`, all paths in it called by `names`: absolute ones, and what they are.

    What is below such a path is called so too. Commands leave out what only a grading needs.
    """
    if isinstance(event, RunStarted):
        return cast(Event, replaced(event, command=_command(event.command, names), directory=f"a copy of {name}"))
    if isinstance(event, SourceRead):
        return cast(Event, replaced(event, path=_named(event.path, names)))
    return cast(Event, _with_spans(event, names))


def _named(path: str, names: Mapping[str, str]) -> str:
    for absolute, name in names.items():
        if path == absolute or path.startswith(f"{absolute}/"):
            return f"{name}{path[len(absolute) :]}"
    return path


def _command(words: Iterable[str], names: Mapping[str, str]) -> tuple[str, ...]:
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            return (*kept, word, *rest)
        if word not in _OURS:
            kept.append(_named(word, names))
        elif _OURS[word]:
            next(rest, None)
    return tuple(kept)


def _with_spans(value: Any, names: Mapping[str, str]) -> Any:
    """The same value where there is no place in it."""
    if isinstance(value, Span):
        return replaced(value, path=_named(value.path, names))
    if isinstance(value, tuple):
        made = tuple(_with_spans(each, names) for each in value)
        return made if any(new is not old for new, old in zip(made, value, strict=True)) else value
    if not is_dataclass(value):
        return value
    found = ((field.name, getattr(value, field.name)) for field in fields(value))
    made_of = {name: (old, _with_spans(old, names)) for name, old in found}
    changes = {name: new for name, (old, new) in made_of.items() if new is not old}
    return replaced(value, **changes) if changes else value
