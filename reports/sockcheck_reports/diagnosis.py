"""What `sockcheck doctor` shows: each technique with its state and, where it is lacking, why and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from sockcheck.diagnosis import Diagnosis, Group, State, Technique

from .failure import paragraph
from .terminal import to_text
from .wording import count, duration

_GROUPS: dict[Group, str] = {
    "cut": "Cut and merged for certain, endings told apart",
    "see": "Seen from the outside",
    "keep": "Started, paused, ended",
    "place": "Place and time",
    "option": "To be asked for",
    "extra": "For bug reports: this version needs none of these",
    "server": "The server that was named",
}
_STYLE: dict[State, str] = {"yes": "green", "weaker": "yellow", "no": "red", "untried": "dim"}
_COLUMN = 11
_CONCLUSIONS: dict[State, str] = {
    "weaker": "can be had in part",
    "no": "cannot be had",
    "untried": "could not be tried",
}


def render(diagnosis: Diagnosis, *, width: int = 80, colour: bool = False) -> str:
    """The page as text that ends in a newline, in lines of at most `width` columns, and 60 at least."""
    width = max(60, width)
    head = (
        f"sockcheck {diagnosis.sockcheck} on {diagnosis.platform}, {diagnosis.python}, {diagnosis.user};"
        f" looked for {duration(diagnosis.seconds)}"
    )
    lines = [*paragraph(head, width, first=""), Text()]
    for group, title in _GROUPS.items():
        members = [technique for technique in diagnosis.techniques if technique.group == group]
        if members:
            lines += [Text(title, "bold"), *(line for member in members for line in _technique(member, width)), Text()]
    lines += paragraph(_conclusion(diagnosis.techniques), width, first="")
    return to_text(lines, colour)


def _technique(technique: Technique, width: int) -> list[Text]:
    first = f"  {technique.state:<{_COLUMN - 2}}"
    detail = f": {technique.detail}" if technique.detail and technique.state == "yes" else ""
    lines = paragraph(f"{technique.title}{detail}", width, first=first, rest=" " * _COLUMN)
    lines[0].stylize(_STYLE[technique.state], 2, _COLUMN)
    if technique.state == "yes":
        return lines
    for label, text in (("why", technique.why), ("instead", technique.instead), ("to mend", technique.remedy)):
        if text:
            lines += paragraph(text, width, first=f"{'':{_COLUMN}}{label:<9}", rest=" " * (_COLUMN + 9))
    return lines


def _conclusion(techniques: Sequence[Technique]) -> str:
    needed = [technique for technique in techniques if technique.group not in ("option", "extra", "server")]
    numbers = Counter(technique.state for technique in needed)
    parts = [f"{numbers[state]} {words}" for state, words in _CONCLUSIONS.items() if numbers[state]]
    all_of_them = count(len(needed), "technique")
    if not parts:
        return f"All {all_of_them} that verdicts rest on can be had here."
    return (
        f"Of {all_of_them} that verdicts rest on, {', '.join(parts)}. Verdicts are as weak as that and say so;"
        " none accuses a server for it."
    )
