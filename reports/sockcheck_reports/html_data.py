"""What the details of a case hold in the HTML report, as data for JSON. All texts are fit to be shown as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sockcheck.case import Case
from sockcheck.verdict import Finding

from .again import command, words
from .cases import Reading
from .clients import accused, told
from .excerpt import Comparison, Side, clipped, output_lines, plain, source_line
from .failure import (
    again_title,
    attempts,
    compared,
    hints,
    not_judged,
    others,
    predecessors,
    served_by,
    where,
)
from .ladder import ladder
from .rows import Row
from .view import CaseView, View
from .wording import duration, size

Details = dict[str, Any]

_OUTPUT_LIMIT = 16 * 1024
_SOURCE_WIDTH = 160
_LINES_AROUND = 7
_READINGS = 60
_FIGURES = (("open_files", "open descriptors"), ("threads", "threads"), ("children", "child processes"))


def details(case: CaseView, view: View, laws: Mapping[str, str], cause: tuple[str, ...] = ()) -> Details:
    """All that is told of a case. `laws` gives each law's sentence, `cause` the words for its own and its place."""
    output, left = output_lines([event.data for event in case.output], _OUTPUT_LIMIT)
    left += case.dropped
    notes = (
        ("Also", others(case)),
        ("Not judged", not_judged(case)),
        ("It fails only after, on the same server", predecessors(case)),
    )
    return {
        "reason": clipped(case.reason),
        "where": "" if case.findings else where(case),
        "findings": [_finding(case, finding, view) for finding in told(case.findings)[0]],
        "notes": [[title, list(sentences)] for title, sentences in notes if sentences],
        "laws": [[plain(law), laws.get(law, "")] for law in dict.fromkeys(finding.law for finding in case.findings)],
        "cause": list(cause),
        "hints": [clipped(hint) for hint in hints(case)],
        "ladder": _ladder(case.case, case.rows, case.findings),
        "attempts": _attempts(case),
        "plots": _seen(case, view),
        "server": list(served_by(case) or ()),
        "heard": bool(case.target and case.target.command),
        "output": list(output),
        "left": size(left) if left else "",
        "again": [again_title(case), words(command(view.run, case.case.id, case.after))] if view.run else [],
    }


def exhibit(comparison: Comparison, tails: tuple[str, str] | None) -> list[list[str]]:
    """What was expected and what came, as rows of a label and three texts, of which the second is where they part."""
    expected, actual = tails or ("", "")
    return [
        ["expected", *_side(comparison.expected), clipped(expected)],
        ["actual", *_side(comparison.actual), clipped(actual)],
    ]


def _side(side: Side) -> list[str]:
    return [side.before, side.at, side.after]


def _finding(case: CaseView, finding: Finding, view: View) -> Details:
    comparison = compared(finding)
    tails = comparison.tails(finding) if comparison else None
    whole = [["expected", finding.expected], ["actual", finding.actual]]
    return {
        "message": clipped(accused(case.case, finding) + finding.message),
        "where": where(case, finding),
        "source": _source(view.sources.get(finding.span.path, ""), finding),
        "texts": [] if tails else [[label, clipped(text)] for label, text in whole if text],
        "what": comparison.what if comparison else "",
        "note": comparison.note if comparison else "",
        "sides": exhibit(comparison, tails) if comparison else [],
        "offset": f"{comparison.hex_start:08x}" if comparison else "",
        "hex": [_side(comparison.expected_hex), _side(comparison.actual_hex)] if comparison else [],
    }


def _source(text: str, finding: Finding) -> list[list[Any]]:
    """The lines around a finding's place, each with its number; its own is in three parts."""
    marked = source_line(text, finding.span, _SOURCE_WIDTH)
    if marked is None:
        return []
    lines = text.splitlines()
    line = finding.span.line
    first, last = max(1, line - _LINES_AROUND), min(len(lines), line + _LINES_AROUND)
    return [
        [number, marked.before, marked.marked, marked.after] if number == line else [number, _clip(lines[number - 1])]
        for number in range(first, last + 1)
    ]


def _clip(line: str) -> str:
    shown = plain(line.replace("\t", " ")[:_SOURCE_WIDTH])
    return shown if len(line) <= _SOURCE_WIDTH else f"{shown}…"


def _ladder(case: Case, rows: Sequence[Row], findings: Sequence[Finding]) -> Details:
    drawn = ladder(case, rows, findings)
    return {
        "lanes": list(drawn.lanes),
        "steps": [
            [
                step.at,
                step.lane,
                step.way,
                step.drawn,
                step.what,
                step.excerpt,
                step.lead,
                step.later,
                step.server,
                int(step.decisive),
            ]
            for step in drawn.steps
        ],
    }


def _attempts(case: CaseView) -> list[Details]:
    """Each attempt with its own diagram, but where that is the one of the case: it is shown anyway."""
    return [
        {
            "said": said,
            "shown": bool(attempt.rows) and attempt.rows == case.rows,
            "ladder": _ladder(case.case, attempt.rows, case.findings)
            if attempt.rows and attempt.rows != case.rows
            else None,
        }
        for said, attempt in zip(attempts(case), case.attempts, strict=True)
    ]


def _seen(case: CaseView, view: View) -> list[Details]:
    """The plots of the server that the case ran on: up to then, or, of one of several attempts, as long as it lived."""
    if case.target is None:
        return []
    until = math.inf if case.attempts else case.began + case.duration
    return plots(view.readings.get(case.target.number, ()), until)


def plots(readings: Sequence[Reading], until: float) -> list[Details]:
    """The figures of a server after each of its latest cases, `until` then, as far as the kernel told them.

    CPU time is what was used since the reading before; of the first, since the server began.
    """
    known = [reading for reading in readings if reading.at <= until + 1e-6]
    shown = known[-_READINGS:]
    found = []
    for name, title in _FIGURES:
        values = [getattr(reading.figures, name) for reading in shown]
        if any(values):
            found.append(_plot(title, values, [str(value) for value in values]))
    used = _used([reading.figures.cpu for reading in known])[-_READINGS:]
    if any(used):
        said = ["" if value is None else duration(value) for value in used]
        found.append(_plot("CPU time", used, said))
    return found


def _plot(title: str, values: Sequence[float | None], said: Sequence[str]) -> Details:
    known = [(value, text) for value, text in zip(values, said, strict=True) if value is not None]
    return {
        "title": title,
        "values": [None if value is None else round(value, 4) for value in values],
        "last": said[-1] if values[-1] is not None else "",
        "low": min(known)[1],
        "high": max(known)[1],
    }


def _used(totals: Sequence[float | None]) -> list[float | None]:
    """What was added from each to the next. A server that was started again begins anew, and less than before."""
    used: list[float | None] = []
    before: float | None = 0.0
    for total in totals:
        if total is None or before is None:
            used.append(None)
        else:
            used.append(total - before if total >= before else total)
        before = total
    return used
