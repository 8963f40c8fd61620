"""The run as one HTML file: no script, no network, no markup from data.

The page asks the browser to enforce that (Content-Security-Policy, by the hash of its one style sheet).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from sockcheck.verdict import Finding

from . import causes
from .again import command, words
from .clients import accused, prefix, told
from .excerpt import Comparison, SourceLine, clipped, output_lines, plain, source_line
from .failure import (
    again_title,
    attempts,
    cause_of,
    caused,
    compared,
    hints,
    not_judged,
    others,
    predecessors,
    served_by,
    where,
)
from .pages import asset, environment, policy
from .rows import Row
from .view import CaseView, CauseView, View
from .wording import count, duration, size

SHOWN_WHOLE = 200
_OUTPUT_LIMIT = 16 * 1024
_EXCERPT = 100
_MARKS = {"->": ("→", "sent"), "<-": ("←", "received"), "--": ("·", "seen"), " |": ("│", "output"), "..": ("…", "seen")}


@dataclass(frozen=True, slots=True)
class _Moment:
    """A row of the timeline; `mark` is a glyph, `way` the class and the word for it."""

    at: str
    mark: str
    way: str
    what: str
    excerpt: str
    decisive: bool


@dataclass(frozen=True, slots=True)
class _Finding:
    """A finding as it is shown. With `tails` the texts of the comparison stand for expected and actual."""

    finding: Finding
    message: str
    where: str
    source: SourceLine | None
    comparison: Comparison | None
    tails: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class _Failure:
    """A case that did not pass, in full. `heard`: the server is ours, so that its output could be read.

    `server` is its command, or "", and what else is known of it.
    """

    case: CaseView
    anchor: str
    where: str
    findings: tuple[_Finding, ...]
    others: tuple[str, ...]
    not_judged: tuple[str, ...]
    after: tuple[str, ...]
    attempts: tuple[str, ...]
    laws: tuple[tuple[str, str], ...]
    caused: tuple[str, str] | None
    hints: tuple[str, ...]
    moments: tuple[_Moment, ...]
    server: tuple[str, str] | None
    heard: bool
    output: tuple[str, ...]
    output_left: str
    again_title: str
    again: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cause:
    """A cause as it is shown. `links` are the labels and anchors of its cases, `left` of them are not named."""

    cause: CauseView
    anchor: str
    title: str
    cases: str
    needed: str
    smallest: tuple[str, str]
    mends: tuple[tuple[str, str], ...]
    steps: tuple[tuple[str, ...], ...]
    links: tuple[tuple[str, str], ...]
    left: int


@dataclass(frozen=True, slots=True)
class _Group:
    """Cases that are told together; all but the first, if there is one, are folded away, under the words `more`."""

    first: _Failure | None
    others: tuple[_Failure, ...]
    more: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the table of all cases."""

    outcome: str
    label: str
    anchor: str
    title: str
    reason: str
    took: str
    where: str


def render(view: View, laws: Mapping[str, str]) -> str:
    """The whole document. `laws` gives each law's sentence by its id.

    The first 200 failures and errors, the first 200 known failures and the first 200 of advice are shown in full, the
    smallest of each cause among them; of the others the table tells, and the page says so.
    """
    style = asset("report.css")
    failing = causes.groups(view)
    ordered = [*(group.first for group in failing), *(case for group in failing for case in group.others)]
    shown = (*ordered[:SHOWN_WHOLE], *view.advice[:SHOWN_WHOLE], *view.known_failures[:SHOWN_WHOLE])
    anchors = {id(case): f"case-{number}" for number, case in enumerate(shown, 1)}
    known = [cause for cause in view.causes if cause.known]
    anchors |= {id(cause.named): f"cause-{number}" for number, cause in enumerate(known, 1)}
    told = {id(case): _failure(case, anchors, view, laws) for case in shown}
    page = environment().get_template("report.html.j2")
    return page.render(
        style=Markup(style),
        policy=policy(style),
        view=view,
        headline=headline(view),
        good=_good(view),
        counts=_counts(view),
        why=causes.headline(view),
        causes=[_cause(cause, anchors, view) for cause in causes.counting(view)],
        sections=(
            ("What went wrong", [], [_group(group, told) for group in failing if id(group.first) in told]),
            (
                "Advice: not promised, so it does not count",
                [_cause(cause, anchors, view) for cause in known if not cause.failing],
                _advice(view, told),
            ),
            (
                "Known failures",
                [],
                [_Group(told[id(case)], (), "") for case in view.known_failures if id(case) in told],
            ),
        ),
        more=len(ordered) + len(view.advice) + len(view.known_failures) - len(shown),
        lines=_lines(view, anchors),
        target_failures=[
            (clipped(event.message), clipped(event.hint), output_lines([event.output], _OUTPUT_LIMIT)[0])
            for event in view.target_failures
        ],
        facts=_facts(view),
    )


def headline(view: View) -> str:
    """The verdict on the run in one line."""
    counts = view.counts
    if counts.failed:
        failed = f"{_of_all(counts.failed, counts.total)} failed"
        return f"{failed}, {counts.errors:,} ended in an error" if counts.errors else failed
    if view.target_failures:
        return "The server could not be started or reached"
    if counts.errors:
        return f"{_of_all(counts.errors, counts.total)} ended in an error"
    if not view.whole:
        return "The run was cut off"
    known = f"{count(counts.known, 'known failure')}" if counts.known else ""
    if not counts.passed:
        return f"No case passed, {known}" if known else "No case was run"
    if counts.passed == counts.total:
        return "The one case passed" if counts.total == 1 else f"All {count(counts.total, 'case')} passed"
    others = (
        (counts.flaky, "flaky"),
        (counts.advice, "advice"),
        (counts.busy, "not judged"),
        (counts.skipped + counts.not_run, "not run"),
    )
    said = [
        f"{count(counts.passed, 'case')} passed",
        known,
        *(f"{number:,} {word}" for number, word in others if number),
    ]
    return ", ".join(filter(None, said))


def _of_all(number: int, total: int) -> str:
    """`2 of 9 cases`; of one there is nothing to say but that."""
    return "1 case" if total == 1 else f"{number:,} of {count(total, 'case')}"


def _good(view: View) -> bool:
    counts = view.counts
    as_expected = counts.passed or counts.known
    return bool(
        view.whole
        and as_expected
        and not (counts.failed or counts.flaky or counts.errors or counts.busy or view.target_failures)
    )


def _counts(view: View) -> list[tuple[str, str, str]]:
    """(number, word, class) of each outcome that occurred; passed always."""
    counts = view.counts
    given = (
        (counts.failed, "failed", "fail"),
        (counts.flaky, "flaky", "fail"),
        (counts.errors, "error" if counts.errors == 1 else "errors", "error"),
        (counts.busy, "not judged on a busy machine", "error"),
        (counts.passed, "passed", "pass"),
        (counts.advice, "advice", "skip"),
        (counts.known, "known failure" if counts.known == 1 else "known failures", "skip"),
        (counts.skipped, "skipped", "skip"),
        (counts.not_run, "not run", "skip"),
    )
    return [(f"{number:,}", word, outcome) for number, word, outcome in given if number or outcome == "pass"]


def _cause(cause: CauseView, anchors: Mapping[int, str], view: View) -> _Cause:
    named, cases = cause.named, cause.failing or cause.cases
    linked = [(plain(case.label), anchors[id(case)]) for case in cases if id(case) in anchors]
    return _Cause(
        cause=cause,
        anchor=anchors[id(named)],
        title=clipped(f"The server {named.title}"),
        cases=count(len(cases), "case"),
        needed=causes.promises(cause) if not cause.failing else "",
        smallest=(plain(named.smallest), anchors.get(id(cases[0]), "")),
        mends=tuple(
            (language, "\n".join(map(clipped, mend.splitlines())))
            for language, mend in (("Python", named.mend_python), ("C", named.mend_c))
            if mend
        ),
        steps=tuple(tuple(words(step)) for step in causes.next_steps(cause, view)),
        links=tuple(linked),
        left=len(cases) - len(linked),
    )


def _group(group: causes.Group, told: Mapping[int, _Failure]) -> _Group:
    others = tuple(told[id(case)] for case in group.others if id(case) in told)
    return _Group(told[id(group.first)], others, causes.more_of(group))


def _advice(view: View, told: Mapping[int, _Failure]) -> list[_Group]:
    others = tuple(told[id(case)] for case in view.advice if id(case) in told)
    return [_Group(None, others, count(len(view.advice), "case"))] if others else []


def _failure(case: CaseView, anchors: Mapping[int, str], view: View, laws: Mapping[str, str]) -> _Failure:
    output, left = output_lines([event.data for event in case.output], _OUTPUT_LIMIT)
    left += case.dropped
    named = dict.fromkeys(finding.law for finding in case.findings)
    cause = cause_of(case, view)
    return _Failure(
        case=case,
        anchor=anchors[id(case)],
        where=where(case),
        findings=tuple(_finding(case, finding, view) for finding in told(case.findings)[0]),
        others=others(case),
        not_judged=not_judged(case),
        after=predecessors(case),
        attempts=attempts(case),
        laws=tuple((plain(law), laws.get(law, "")) for law in named),
        caused=(clipped(caused(cause)), anchors[id(cause)]) if cause else None,
        hints=tuple(clipped(hint) for hint in hints(case)),
        moments=tuple(_moment(row, prefix(case.case, row.client)) for row in case.rows),
        server=served_by(case),
        heard=bool(case.target and case.target.command),
        output=output,
        output_left=size(left) if left else "",
        again_title=again_title(case),
        again=tuple(words(command(view.run, case.case.id, case.after))) if view.run else (),
    )


def _finding(case: CaseView, finding: Finding, view: View) -> _Finding:
    comparison = compared(finding)
    return _Finding(
        finding=finding,
        message=clipped(accused(case.case, finding) + finding.message),
        where=where(case, finding),
        source=source_line(view.sources.get(finding.span.path, ""), finding.span, 200),
        comparison=comparison,
        tails=comparison.tails(finding) if comparison else None,
    )


def _moment(row: Row, who: str) -> _Moment:
    mark, way = _MARKS[row.mark]
    return _Moment(
        at=f"{row.at:.2f}",
        mark=mark,
        way=way,
        what=who + row.what,
        excerpt=row.excerpt(_EXCERPT),
        decisive=row.decisive,
    )


def _lines(view: View, anchors: Mapping[int, str]) -> list[_Line]:
    lines = [
        _Line(
            outcome="known" if case.known_failure else case.outcome,
            label=plain(case.label),
            anchor=anchors.get(id(case), ""),
            title=plain(case.case.title),
            reason=clipped(case.reason),
            took=duration(case.duration),
            where=where(case, case.findings[0] if case.findings else None),
        )
        for case in view.cases
    ]
    lines += [
        _Line(
            outcome="skip" if event.case.skip else "not run",
            label=plain(event.case.id),
            anchor="",
            title=plain(event.case.title),
            reason=clipped(event.why),
            took="",
            where=f"{plain(event.case.span.path)}:{event.case.span.line}",
        )
        for event in view.not_run
    ]
    return lines


def _facts(view: View) -> Sequence[tuple[str, str]]:
    run = view.run
    if run is None:
        return ()
    facts = [
        ("Command", " ".join(words([run.command]))),
        ("In", plain(run.directory)),
        ("Started", plain(run.started)),
        ("Took", duration(view.duration)),
        ("Servers started", f"{view.targets:,}"),
        ("Seed", str(run.seed)),
        ("sockcheck", plain(run.sockcheck)),
        ("Platform", plain(run.platform)),
    ]
    if view.finished and view.finished.why:
        facts.append(("Ended early", clipped(view.finished.why)))
    return facts
