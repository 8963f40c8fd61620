"""What `sockcheck grade` is asked to do: its options, checked before anybody is graded."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from sockcheck.commands import grade_paths
from sockcheck.commands import grade_plan as plans
from sockcheck.errors import UsageError
from sockcheck.reading.durations import seconds
from sockcheck.suite import existing, load
from sockcheck_reports.gradebook import Submission

SCENARIOS = "scenarios"
"""The folder that is taken where none is named."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done. `run` are the words of every run but those that are its own; `contract` stands for all that
    the scenarios say.

    `called` says what the absolute paths of scenarios are called. `paths` are those of `submissions`. `reference` is
    empty where there is none. `limit` is in seconds.
    """

    submissions: tuple[Submission, ...]
    paths: tuple[Path, ...]
    command: tuple[str, ...]
    reference: tuple[str, ...]
    run: tuple[str, ...]
    contract: str
    called: dict[str, str]
    out: Path
    at_once: int
    limit: float
    afresh: bool
    seed: int


def planned(options: argparse.Namespace) -> Plan:
    """Raises UsageError, and MistakesError for scenarios that cannot be read."""
    paths = _submissions(options.submissions)
    command = _command(options)
    scenarios, contract = _scenarios(options.scenarios)
    called = {path: grade_paths.called(given) for path, given in scenarios.items()}
    out = _out(options.out, paths)
    isolate = _isolate(options)
    names = plans.names([str(path) for path in paths])
    return Plan(
        submissions=tuple(Submission(name, plans.folder(name), plans.seed(options.seed, name)) for name in names),
        paths=paths,
        command=plans.rooted(command, _is_there, os.getcwd()),
        reference=_reference(options),
        run=("run", *scenarios, *_run_options(options, isolate)),
        contract=contract,
        called=called,
        out=out,
        at_once=_at_once(options, command, isolate, len(paths)),
        limit=_limit(options.limit),
        afresh=options.afresh,
        seed=options.seed,
    )


def _submissions(given: Sequence[str]) -> tuple[Path, ...]:
    """The absolute paths, each once."""
    found = dict.fromkeys(Path(os.path.abspath(path)) for path in given)
    for path in found:
        if not path.exists():
            raise UsageError(f"there is no submission {str(path)!r}", "name files or folders, such as submissions/*")
    return tuple(found)


def _command(options: argparse.Namespace) -> tuple[str, ...]:
    command: tuple[str, ...] = options.command
    if not command:
        raise UsageError("there is no command", "name it behind --, as in `-- python {submission}/server.py {port}`")
    if not any(plans.SUBMISSION in word for word in command):
        raise UsageError(
            "the command is the same for every submission: it has no {submission}",
            "put it where the path belongs, as in `-- python {submission}/server.py {port}`",
        )
    return command


def _is_there(word: str) -> bool:
    """Whether a word of the command names a file from here; a folder only if it cannot be but a path."""
    return os.path.exists(word) if "/" in word else os.path.isfile(word)


def _scenarios(given: Sequence[str]) -> tuple[dict[str, str], str]:
    """The absolute paths, each with what was given, and a digest of what they say.

    All files are read, so that mistakes are found here.
    """
    if not given and not Path(SCENARIOS).is_dir():
        raise UsageError("there is no folder scenarios/ here", "name the contract: --scenarios PATH")
    paths = given or (SCENARIOS,)
    # All of it is frozen data, the contents of the files that are named in it too.
    contract = plans.digest([repr(load(paths).scenarios)])
    return {os.path.abspath(existing(path)): path for path in paths}, contract


def _out(given: str, submissions: Sequence[Path]) -> Path:
    out = Path(os.path.abspath(given))
    if any(out == path or path in out.parents or out in path.parents for path in submissions):
        raise UsageError(f"--out: {given} is not apart from the submissions", "name a folder beside them")
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out: the folder {given} cannot be made: {error.strerror}", "name another one") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise UsageError(f"--out: {given} cannot be written to", "name a folder that you may write to")
    return out


def _isolate(options: argparse.Namespace) -> bool:
    """Whether every server gets a network of its own: as it is wished, or else where that can be had."""
    if options.isolate == "no":
        return False
    from sockcheck.doctor.isolation import isolation

    found = trio.run(isolation, strict_exception_groups=True)
    if found.state == "no" and options.isolate == "net":
        raise UsageError(f"--isolate net cannot be had here: {found.why}", "leave it out")
    return found.state != "no"


def _at_once(options: argparse.Namespace, command: Sequence[str], isolate: bool, submissions: int) -> int:
    own = isolate or any("{port}" in word or "{host}" in word for word in command)
    if not own and (options.at_once or 1) > 1:
        raise UsageError(
            "--at-once: servers with an address of their own would take it from each other",
            "let the command take a {port}, or use --isolate net",
        )
    return min(options.at_once or (processors() if own else 1), submissions)


def processors() -> int:
    """How many CPUs there are for us."""
    return len(os.sched_getaffinity(0))


def _limit(text: str) -> float:
    found = seconds(text)
    if not found:
        raise UsageError(f"--limit: {text!r} is not a length of time", "write 90s or 5m")
    return found


def _reference(options: argparse.Namespace) -> tuple[str, ...]:
    if options.reference is None:
        return ()
    try:
        words = shlex.split(options.reference)
    except ValueError as error:
        raise UsageError(f"--reference: {error}", "write it as for a shell") from None
    if not words:
        raise UsageError("--reference: there is no command", "name a server that is known to be right")
    return tuple(words)


def _run_options(options: argparse.Namespace, isolate: bool) -> list[str]:
    """The options of `sockcheck run` that are the same for every submission."""
    words = ["--no-color", "--no-github", "-q", "--flaky", options.flaky]
    words += ["--stretch", str(options.stretch)] if options.stretch != 1 else []
    words += [word for pattern in options.select for word in ("--select", pattern)]
    for name in ("conditions", "timeout", "port"):
        value = getattr(options, name)
        words += [] if value is None else [f"--{name}", str(value)]
    words += ["--repeat", str(options.repeat)] if options.repeat > 1 else []
    words += ["--strict"] if options.strict else []
    words += ["--no-observe"] if options.no_observe else []
    return [*words, *(["--isolate", "net"] if isolate else [])]
