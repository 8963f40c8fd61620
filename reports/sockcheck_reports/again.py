"""The commands that run just one case again, or show it without sockcheck, from the command line of the run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Container, Iterable, Sequence
from pathlib import PurePath

from sockcheck.events import RunStarted

_TAKES_VALUE = frozenset(
    {"--connect", "--junit", "--html", "--record", "--jobs", "--select", "--repeat", "--seed", "--stretch"}
    | {"--timeout", "--port", "--isolate", "--flaky", "--conditions", "--shard", "--gradescope", "--ctrf"}
    | {"--baseline", "--write-baseline"}
)
_KEPT = frozenset(
    {"--connect", "--stretch", "--timeout", "--port", "--isolate", "--no-observe", "--conditions", "--strict"}
)
# So many cases that go before are named; more of them are all that there are.
_NAMED = 5
_BARE = re.compile(r"(?:[\w@%+=:./-]|\{\w+\})+", re.ASCII)


def command(run: RunStarted, case_id: str, after: Sequence[str] = ()) -> tuple[tuple[str, ...], ...]:
    """`sockcheck run PATHS --select ID …` in groups of words that belong together: an option and its value, a command.

    What bears on the verdict is kept, reports and counts are not. Where the case fails only `after` others, these are
    run before it, on the same server: by `--jobs 1`, in the order in which they stand anyway. `run.command` is
    sockcheck's own command line, with or without the program's name and the word `run`.
    """
    given, served = _given(run)
    selected: list[tuple[str, ...]] = [("--select", each) for each in dict.fromkeys((*after, case_id))]
    kept = _KEPT
    if len(selected) > _NAMED:
        selected, kept = [], _KEPT | {"--repeat", "--select"}
    paths, options = _split(given, kept)
    if run.seed:
        options.append(("--seed", str(run.seed)))
    if after:
        options.append(("--jobs", "1"))
    return (("sockcheck", "run", *paths), *selected, *options, *served)


def reproduction(run: RunStarted, case_id: str) -> tuple[tuple[str, ...], ...]:
    """`sockcheck reproduce ID PATHS …`, as `command` does it."""
    given, served = _given(run)
    paths, options = _split(given, frozenset({"--connect", "--conditions"}))
    if run.seed:
        options.append(("--seed", str(run.seed)))
    return (("sockcheck", "reproduce", case_id, *paths), *options, *served)


def _given(run: RunStarted) -> tuple[list[str], list[tuple[str, ...]]]:
    """What was given to `run`: before `--`, and, with it, the server's command, if there is one."""
    given = list(run.command)
    if given and (PurePath(given[0]).name.startswith("sockcheck") or given[0].endswith("__main__.py")):
        given.pop(0)
    if given and given[0] == "run":
        given.pop(0)
    cut = given.index("--") if "--" in given else len(given)
    return given[:cut], [tuple(given[cut:])] if given[cut:] else []


def _split(given: Sequence[str], kept: Container[str]) -> tuple[list[str], list[tuple[str, ...]]]:
    """The paths, and the options that are `kept`, each with its value."""
    paths: list[str] = []
    options: list[tuple[str, ...]] = []
    rest = iter(given)
    for word in rest:
        name, equals, _ = word.partition("=")
        if not word.startswith("-"):
            paths.append(word)
            continue
        value = (next(rest, ""),) if name in _TAKES_VALUE and not equals else ()
        if name in kept:
            options.append((word, *value))
    return paths, options


def words(groups: Iterable[Sequence[str]]) -> list[str]:
    """All the words, each for a POSIX shell. Placeholders such as `{port}` need no quotes and get none."""
    return [_quote(word) for group in groups for word in group]


def shell_lines(groups: Iterable[Sequence[str]], width: int) -> tuple[str, ...]:
    """As `words`, in lines of at most `width` columns that can be copied together; only a word can be longer.

    A line ends between groups where it can.
    """
    lines: list[str] = []
    line = ""
    for group in groups:
        quoted = words([group])
        together = " ".join(quoted)
        for part in [together] if len(together) + 4 <= width else quoted:
            if line and len(line) + 1 + len(part) > width - 2:
                lines.append(line + " \\")
                line = "  " + part
            else:
                line = f"{line} {part}" if line else part
    return (*lines, line)


def _quote(word: str) -> str:
    """As shlex.quote; a word with unprintable characters is written with `$'…'`, so that it can be seen and copied."""
    if _BARE.fullmatch(word):
        return word
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(_in_dollar_quotes(character) for character in word) + "'"


def _in_dollar_quotes(character: str) -> str:
    if character in "'\\":
        return "\\" + character
    if character.isprintable():
        return character
    return "".join(f"\\x{octet:02x}" for octet in character.encode("utf-8", "surrogateescape"))
