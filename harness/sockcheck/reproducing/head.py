"""The comment at the head of a script: what the case is, what was seen, how to run it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from sockcheck.case import Case
from sockcheck.laws import LAWS
from sockcheck.verdict import Finding

_WIDTH = 100
_LONGEST = 400


def told(case: Case, finding: Finding | None, *, started: bool, before: Sequence[str]) -> str:
    """The lines of the comment. `before` are the ids of the cases that go before it."""
    law = finding.law if finding is not None else case.law
    lines = [case.id, *_paragraph(case.title), "", *_paragraph(f"Law {law}: {LAWS.get(law, '')}")]
    if finding is not None:
        lines += ["", "What sockcheck saw:", *_field("what", finding.message)]
        lines += [*_field("expected", finding.expected), *_field("came", finding.actual)]
        if finding.hint:
            lines += ["", *_paragraph(f"Hint: {finding.hint}")]
    if before:
        lines += ["", "It fails only on a server that has served these before, so they are performed first:"]
        lines += [f"  {each}" for each in before]
    lines += ["", "Run it with Python 3.8 or later; it needs nothing else.", *_usage(started), ""]
    lines.append("Exit status: 1 the fault shows, 0 it does not, 2 it could not be tried.")
    lines.append(f"The lines behind the steps are those of {case.span.path}")
    return "".join(f"# {_printable(line)}".rstrip() + "\n" for line in lines)


def _usage(started: bool) -> Iterator[str]:
    if started:
        yield "  python3 repro.py              starts the server, by COMMAND below; where that names files,"
        yield "                                run it in the folder that they are named from"
    else:
        yield "  python3 repro.py              uses the server at HOST and PORT below"
    yield "  python3 repro.py HOST PORT    uses a server that runs there"


def _field(name: str, said: str) -> Iterator[str]:
    label = f"  {name + ':':10}"
    shown = said if len(said) <= _LONGEST else f"{said[:_LONGEST]} ..."
    yield from textwrap.wrap(shown, _WIDTH, initial_indent=label, subsequent_indent=" " * len(label))


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH)


def _printable(line: str) -> str:
    """What cannot be printed, or might end the comment, is escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode-escape").decode() for character in line
    )
