"""What has changed between two runs, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from rich.text import Text

from sockcheck.events import CauseNamed

from .difference import Change, Difference, LawChange, Side, State
from .excerpt import clipped, plain
from .failure import INDENT, STYLE, paragraph
from .terminal import to_text
from .view import View
from .wording import count, duration

_SHOWN = 20
_WORDS: Mapping[State, str] = {
    "absent": "not there",
    "error": "in error",
    "busy": "not judged on a busy machine",
    "known": "a known failure",
    "baseline": "in the baseline",
}


def render(
    difference: Difference,
    old: View,
    new: View,
    *,
    names: tuple[str, str] = ("", ""),
    width: int = 80,
    colour: bool = False,
) -> str:
    """The report as text that ends in a newline, in lines of at most `width` columns; only ids may be longer.

    `names` are those of the records of `old` and `new`.
    """
    width = max(60, width)
    lines = [*_run("OLD", names[0], old, width), *_run("NEW", names[1], new, width), Text()]
    if difference.unlike:
        lines.append(Text("Not the same in both:", "yellow"))
        for sentence in difference.unlike:
            lines += paragraph(sentence, width, first="  - ")
        lines.append(Text())
    lines += _changes("NEWLY FAILING", STYLE["fail"], difference.newly_failing, width)
    lines += _changes("NEWLY FLAKY", STYLE["flaky"], difference.newly_flaky, width)
    lines += _changes("Flaky, or no longer", STYLE["flaky"], difference.flaky_otherwise, width)
    lines += _changes("Fixed", STYLE["pass"], difference.fixed, width, told=False)
    otherwise = [change for change in difference.still_failing if change.otherwise]
    lines += _changes("Still failing, but otherwise", STYLE["fail"], otherwise, width)
    lines += _unjudged(difference.unjudged, width)
    lines += _changes("New cases", "", difference.new_cases, width, told=False)
    lines += _changes("Gone cases", "", difference.gone_cases, width, told=False)
    lines += _laws(difference.laws, width)
    lines += _causes("Causes that came", STYLE["fail"], difference.causes_came, width)
    lines += _causes("Causes that went", STYLE["pass"], difference.causes_went, width)
    lines += _slower(difference.slower, width)
    if difference.unsure:
        lines += paragraph(difference.unsure, width, "bold magenta", first="")
    return to_text([*lines, *_summary(difference, width)], colour)


def to_json(difference: Difference, old: View, new: View) -> str:
    """The same for programs: one object of JSON in ASCII."""
    tree: dict[str, Any] = {"old": _facts(old), "new": _facts(new)}
    for field in fields(difference):
        value = getattr(difference, field.name)
        tree[field.name] = [_tree(each) for each in value] if isinstance(value, tuple) else value
    return json.dumps(tree, indent=2) + "\n"


def _facts(view: View) -> dict[str, Any]:
    run = view.run
    return {
        "started": run.started if run else "",
        "command": list(run.command) if run else [],
        "cases": view.counts.total,
        "failed": view.counts.failed,
        "flaky": view.counts.flaky,
        "exit_code": view.finished.exit_code if view.finished else None,
    }


def _tree(value: str | Change | LawChange | CauseNamed) -> Any:
    match value:
        case str():
            return value
        case Change():
            return {"case": value.name, "old": _side(value.old), "new": _side(value.new)}
        case LawChange():
            return {"law": value.name, "old": dict(value.old), "new": dict(value.new)}
        case CauseNamed():
            return {"id": value.id, "law": value.law, "title": value.title, "cases": list(value.cases)}


def _side(side: Side) -> dict[str, Any]:
    return {"state": side.state, "kind": side.kind, "said": side.said, "seconds": side.took}


def _run(which: str, name: str, view: View, width: int) -> list[Text]:
    counts = view.counts
    failed = f", {counts.failed:,} failed" if counts.failed else ""
    flaky = f", {counts.flaky:,} flaky" if counts.flaky else ""
    about = ", ".join(part for part in (plain(name), _moment(view.run.started) if view.run else "") if part)
    told = f"{count(counts.total, 'case')}{failed}{flaky}"
    return paragraph(f"{about}: {told}" if about else told, width, first=f"{which}  ")


def _moment(started: str) -> str:
    """`2026-05-04 09:30:00 UTC`; what a record says otherwise stays as it is."""
    day, letter, rest = started.partition("T")
    return f"{day} {rest[:8]} UTC" if letter and rest.endswith("+00:00") else started


def _changes(title: str, style: str, changes: Sequence[Change], width: int, *, told: bool = True) -> list[Text]:
    if not changes:
        return []
    lines = [Text.assemble((title, style), f" ({len(changes):,})")]
    for change in changes[:_SHOWN]:
        lines.append(Text(f"{INDENT}{plain(change.name)}"))
        if told:
            lines += paragraph(_said(change), width, "dim", first=INDENT * 3)
    return [*lines, *_more(changes), Text()]


def _said(change: Change) -> str:
    before = "a new case" if change.old.state == "absent" else f"before: {_state(change.old)}"
    now = change.new.said or _WORDS.get(change.new.state, change.new.state)
    return f"{clipped(now)} ({before})"


def _state(side: Side) -> str:
    word = _WORDS.get(side.state, side.state)
    return f"{word}, {side.kind}" if side.kind else word


def _more(changes: Sequence[object]) -> list[Text]:
    return [Text(f"{INDENT}and {len(changes) - _SHOWN:,} more")] if changes[_SHOWN:] else []


def _unjudged(changes: Sequence[Change], width: int) -> list[Text]:
    """What came to something before, by the reason why it does not now."""
    reasons: dict[str, list[Change]] = {}
    for change in changes:
        word = _WORDS.get(change.new.state, change.new.state)
        why = change.new.said if change.new.state != "absent" else "the record does not have it"
        reasons.setdefault(f"{word}: {why}" if why else word, []).append(change)
    lines: list[Text] = []
    for why, those in reasons.items():
        failed = sum(change.old.state != "passed" for change in those)
        before = f", {failed:,} of which failed before" if failed else ""
        sentence = f"{count(len(those), 'case')} no longer judged{before}, {clipped(why)}"
        lines += paragraph(sentence, width, "yellow", first="", rest=INDENT)
    return [*lines, Text()] if lines else []


def _laws(laws: Sequence[LawChange], width: int) -> list[Text]:
    """Those that were kept and are broken now, or the other way, where several cases say so."""
    turned = [law for law in laws if law.turned and (sum(law.old.values()) > 1 or sum(law.new.values()) > 1)]
    if not turned:
        return []
    lines = [Text("Laws that were kept or broken, and are not now")]
    for law in turned[:_SHOWN]:
        lines.append(Text(f"{INDENT}{plain(law.name)}"))
        lines += paragraph(f"{_numbers(law.old)}; now {_numbers(law.new)}", width, "dim", first=INDENT * 3)
    return [*lines, *_more(turned), Text()]


def _numbers(counts: Mapping[State, int]) -> str:
    return ", ".join(f"{number:,} {_WORDS.get(state, state)}" for state, number in sorted(counts.items()))


def _causes(title: str, style: str, causes: Iterable[CauseNamed], width: int) -> list[Text]:
    lines: list[Text] = []
    for cause in causes:
        sentence = f"{plain(cause.id)}: the server {cause.title} ({count(len(cause.cases), 'case')})"
        lines += paragraph(sentence, width, first=INDENT, rest=INDENT * 2)
    return [Text(title, style), *lines, Text()] if lines else []


def _slower(changes: Sequence[Change], width: int) -> list[Text]:
    if not changes:
        return []
    lines = paragraph(
        f"{count(len(changes), 'case')} passed and took much longer, which may be the machine's doing:",
        width,
        first="",
    )
    for change in sorted(changes, key=lambda change: -change.new.took)[:5]:
        lines.append(Text(f"{INDENT}{plain(change.name)}"))
        lines.append(Text(f"{INDENT * 3}{duration(change.old.took)}, now {duration(change.new.took)}", "dim"))
    return [*lines, Text()]


def _summary(difference: Difference, width: int) -> list[Text]:
    said = [
        f"{len(changes):,} {word}"
        for changes, word in (
            (difference.newly_failing, "newly failing"),
            (difference.newly_flaky, "newly flaky"),
            (difference.fixed, "fixed"),
            (difference.still_failing, "still failing"),
            (difference.unjudged, "no longer judged"),
            (difference.new_cases, "new"),
            (difference.gone_cases, "gone"),
        )
        if changes
    ]
    return paragraph(", ".join(said) or "Nothing has changed.", width, "bold", first="")
