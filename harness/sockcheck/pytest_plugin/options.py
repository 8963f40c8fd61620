"""The options of the plugin, on pytest's command line and in its configuration, and what they come to."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

from sockcheck.errors import UsageError

_T = TypeVar("_T")
_key = pytest.StashKey[argparse.Namespace]()

_TEXTS = {
    "target": ("COMMAND", "the server's command, with {host}, {port}, {dir} and {python} filled in"),
    "connect": ("ADDRESS", "use the server that listens at HOST:PORT or [IPV6]:PORT"),
    "conditions": ("LIST", "under which laws: none, standard, thorough, or ids such as cut.*,end.half"),
    "seed": ("N", "for all that is random; default: 0"),
    "stretch": ("X", "multiply every deadline; default: 1"),
    "flaky": ("fail|pass", "whether a case that failed, and did not when tried again, fails; default: fail"),
    "record": ("FILE", "write all that happens as JSON lines"),
}
_FLAGS = {
    "strict": "what nobody promised counts too, and is no mere advice",
    "exhaustive": "try every variation of a law, also of a broken one",
}


def add(parser: pytest.Parser) -> None:
    """Each as `--sockcheck-NAME`, and as `sockcheck_NAME` in the configuration."""
    group = parser.getgroup("sockcheck", "scenarios (*.sock.yaml)")
    for name, (metavar, about) in _TEXTS.items():
        group.addoption(f"--sockcheck-{name}", metavar=metavar, help=about)
        parser.addini(f"sockcheck_{name}", about, default="")
    for name, about in _FLAGS.items():
        group.addoption(f"--sockcheck-{name}", action="store_true", help=about)
        parser.addini(f"sockcheck_{name}", about, type="bool", default=False)


def read(config: pytest.Config) -> argparse.Namespace:
    """What was chosen, as `sockcheck run` takes it. Raises UsageError."""
    if _key not in config.stash:
        config.stash[_key] = _read(config)
    return config.stash[_key]


def options(
    *,
    command: Iterable[str] = (),
    connect: str | None = None,
    conditions: str | None = None,
    select: Iterable[str] = (),
    seed: int = 0,
    stretch: float = 1.0,
    flaky: str = "fail",
    strict: bool = False,
    exhaustive: bool = False,
    record: str | None = None,
    jobs: int | None = None,
) -> argparse.Namespace:
    """The options of `sockcheck run`, with what pytest has no use for as it is by default. Raises UsageError."""
    made = argparse.Namespace(
        command=tuple(command),
        connect=connect,
        conditions=conditions,
        select=list(select),
        seed=seed,
        stretch=stretch,
        flaky=flaky,
        strict=strict,
        exhaustive=exhaustive,
        record=record,
        jobs=jobs,
        port=None,
        isolate=None,
        timeout=None,
        no_observe=False,
        repeat=1,
    )
    if conditions is not None:
        from sockcheck.deriving import conditions_of

        conditions_of(conditions)
    if connect is not None:
        from sockcheck.addresses import parse

        parse(connect)
    if connect is not None and made.command:
        raise UsageError("both a target and an address to connect to were given", "give one of them")
    if flaky not in ("fail", "pass"):
        raise UsageError(f"flaky: {flaky!r} is neither fail nor pass", "leave it out, or say `pass`")
    if not 0 < stretch < 1e6:
        raise UsageError(f"stretch: {stretch} is not a number above 0", "3 makes every deadline three times as long")
    return made


def words(chosen: argparse.Namespace, paths: Iterable[str]) -> list[str]:
    """The command line of `sockcheck run` that does the same."""
    given = ["run", *paths]
    for name in ("connect", "conditions"):
        if getattr(chosen, name) is not None:
            given += [f"--{name}", getattr(chosen, name)]
    if chosen.stretch != 1.0:
        given += ["--stretch", f"{chosen.stretch:g}"]
    if chosen.strict:
        given.append("--strict")
    return [*given, "--", *chosen.command] if chosen.command else given


def _read(config: pytest.Config) -> argparse.Namespace:
    found = {name: config.getoption(f"sockcheck_{name}") or config.getini(f"sockcheck_{name}") for name in _TEXTS}
    target = found["target"]
    if config.getoption("sockcheck_connect") and not config.getoption("sockcheck_target"):
        target = ""  # What the command line says is instead of what stands in the configuration.
    connect = "" if config.getoption("sockcheck_target") and not config.getoption("sockcheck_connect") else None
    if found["record"] and not hasattr(config, "workerinput"):
        from sockcheck.commands.outputs import check_writable

        check_writable(**{"sockcheck-record": os.path.abspath(found["record"])})
    return options(
        command=_read_as("target", target, shlex.split, "a command line") if target else (),
        connect=(found["connect"] or None) if connect is None else None,
        conditions=found["conditions"] or None,
        seed=_read_as("seed", found["seed"] or "0", int, "a whole number"),
        stretch=_read_as("stretch", found["stretch"] or "1", float, "a number"),
        flaky=found["flaky"] or "fail",
        record=os.path.abspath(found["record"]) if found["record"] else None,
        strict=_is_set(config, "strict"),
        exhaustive=_is_set(config, "exhaustive"),
    )


def _is_set(config: pytest.Config, flag: str) -> bool:
    return bool(config.getoption(f"sockcheck_{flag}") or config.getini(f"sockcheck_{flag}"))


def _read_as(name: str, text: str, read_it: Callable[[str], _T], what: str) -> _T:
    try:
        return read_it(text)
    except ValueError as error:
        raise UsageError(f"--sockcheck-{name}: {text!r} is not {what}: {error}", "`pytest --help` tells more") from None
