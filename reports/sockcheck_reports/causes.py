"""What lies behind the failures: the causes that the reports begin with, and what stands on their next steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from rich.text import Text

from .again import reproduction, shell_lines
from .excerpt import clipped, plain
from .failure import INDENT, STYLE, WORD, paragraph
from .view import CaseView, CauseView, View
from .wording import count

OTHERS_SHOWN = 8
_PYTHON = ("python", "pypy")
_LABEL = 9


@dataclass(frozen=True, slots=True)
class Group:
    """Failing cases that are told together: those of one cause, or one that has none (`cause` is None)."""

    cause: CauseView | None
    first: CaseView
    others: tuple[CaseView, ...]


def groups(view: View) -> tuple[Group, ...]:
    """All cases that failed and count, by cause, the smallest of each first, then those without one, then errors."""
    found = [Group(cause, cause.failing[0], cause.failing[1:]) for cause in view.causes if cause.failing]
    grouped = {id(case) for cause in view.causes for case in cause.failing}
    alone = [Group(None, case, ()) for case in (*view.failures, *view.errors) if id(case) not in grouped]
    return (*found, *alone)


def counting(view: View) -> tuple[CauseView, ...]:
    """The known causes of cases that count: those that the reports begin with."""
    return tuple(cause for cause in view.causes if cause.known and cause.failing)


def advising(view: View) -> tuple[CauseView, ...]:
    """The causes of which nothing counts."""
    return tuple(cause for cause in view.causes if not cause.failing)


def headline(view: View) -> str:
    """`2 causes explain 41 failing cases; 3 more fit no known pattern`, or "" where there is none."""
    known = counting(view)
    if not known:
        return ""
    explained = sum(len(cause.failing) for cause in known)
    verb = "explains" if len(known) == 1 else "explain"
    left = len(view.failures) - explained
    rest = f"; {left:,} more {'fits' if left == 1 else 'fit'} no known pattern" if left else ""
    return f"{count(len(known), 'cause')} {verb} {count(explained, 'failing case')}{rest}"


def more_of(group: Group) -> str:
    """What the others of a group are: `37 more cases of this cause`."""
    known = group.cause is not None and group.cause.known
    breaking = "that breaks this law" if len(group.others) == 1 else "that break this law"
    return f"{count(len(group.others), 'more case')} {'of this cause' if known else breaking}"


def promises(cause: CauseView) -> str:
    """What would have to be promised for its advice to count."""
    return ", ".join(dict.fromkeys(plain(case.case.advice) for case in cause.cases if case.case.advice))


def mending(cause: CauseView) -> str:
    """How it is mended, in Python where the server seems to be written in that, else in C."""
    target = cause.cases[0].target
    return cause.named.mend_python if _is_python(target.command if target else ()) else cause.named.mend_c


def _is_python(command: Sequence[str]) -> bool:
    return any(word.endswith(".py") or PurePath(word).name.startswith(_PYTHON) for word in command)


def next_steps(cause: CauseView, view: View) -> tuple[Sequence[Sequence[str]], ...]:
    """The commands that tell more of it, in groups of words that belong together."""
    explain = (("sockcheck", "explain", cause.named.law),)
    return (explain, reproduction(view.run, cause.named.smallest)) if view.run else (explain,)


def account(cause: CauseView, view: View, width: int, word: str = "CAUSE", style: str = STYLE["fail"]) -> list[Text]:
    """A known cause in full: what the server does, the law, what was seen, how it came about and how it is mended."""
    named, cases = cause.named, cause.failing or cause.cases
    blanks = " " * (len(word) + 2)
    lines = paragraph(f"The server {named.title}", width, "bold", first=blanks)
    lines[0] = Text.assemble((word, style), lines[0][len(word) :])
    lines += paragraph(named.why, width, first=blanks) if named.why else []
    about = f"{plain(named.id)}: {count(len(cases), 'case')}"
    needed = promises(cause) if not cause.failing else ""
    lines += paragraph(f"{about}, since {needed} is not promised" if needed else about, width, "dim", first=blanks)
    lines += [Text(), _labelled("Seen in", Text(plain(named.smallest), "cyan"))]
    lines += paragraph(named.evidence, width, first=" " * (len(INDENT) + _LABEL))
    if named.thought:
        lines += _paragraph("Thought", named.thought, width)
    lines += _mend(mending(cause), width)
    label = "Next"
    for step in next_steps(cause, view):
        for line in shell_lines(step, width - len(INDENT) - _LABEL):
            lines.append(_labelled(label, Text(line, "bold")))
            label = ""
    return lines


def in_short(cases: Sequence[CaseView], left: str = "") -> list[Text]:
    """One line for each of the first eight, and how many more there are."""
    lines = [
        Text.assemble(INDENT, INDENT, (WORD[case.outcome], STYLE[case.outcome]), "  ", plain(case.label))
        for case in cases[:OTHERS_SHOWN]
    ]
    if cases[OTHERS_SHOWN:]:
        lines.append(Text(f"{INDENT}{INDENT}and {len(cases) - OTHERS_SHOWN:,} more{left}"))
    return lines


def _labelled(label: str, text: Text) -> Text:
    return Text.assemble(INDENT, f"{label:<{_LABEL}}", text)


def _paragraph(label: str, text: str, width: int) -> list[Text]:
    return paragraph(text, width, first=f"{INDENT}{label:<{_LABEL}}", rest=" " * (len(INDENT) + _LABEL))


def _mend(mend: str, width: int) -> list[Text]:
    """Each line by itself, with its own indentation: it may be code."""
    lines: list[Text] = []
    for line in mend.splitlines():
        label = "" if lines else "Mend"
        code = line.lstrip(" ")
        first = f"{INDENT}{label:<{_LABEL}}{' ' * (len(line) - len(code))}"
        lines += paragraph(clipped(code), width, "green", first=first, rest=" " * (len(first) + 4))
    return lines
