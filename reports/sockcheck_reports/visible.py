"""What students may see of a run: everything but the scenarios that are hidden from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from sockcheck.case import Case

from .view import CaseView, CauseView, Counts, View

_SHOWN = ("", "visible")


def is_visible(visibility: str) -> bool:
    """Whether that is seen before a due date and before grades are published."""
    return visibility in _SHOWN


def visible(view: View) -> View:
    """The view without its hidden scenarios: without their cases, what was found in them, and their names.

    A cause whose smallest case is hidden is not told, since what is said of it was seen there. What stays of it is a
    failure like any other.
    """
    if all(map(_shown, (case.case for case in view.cases))) and all(_shown(event.case) for event in view.not_run):
        return view
    hidden = {case.case.id for case in view.cases if not _shown(case.case)}
    hidden |= {event.case.id for event in view.not_run if not _shown(event.case)}
    kept = {id(case): _told(case, hidden) for case in view.cases if _shown(case.case)}
    paths = {case.case.span.path for case in kept.values()}
    return replace(
        view,
        counts=_counts(view),
        cases=tuple(kept.values()),
        not_run=tuple(event for event in view.not_run if _shown(event.case)),
        sources={path: text for path, text in view.sources.items() if path in paths},
        causes=tuple(
            CauseView(cause.named, tuple(kept[id(case)] for case in cause.cases if id(case) in kept))
            for cause in view.causes
            if cause.named.smallest not in hidden
        ),
    )


def _shown(case: Case) -> bool:
    return is_visible(case.visibility)


def _told(case: CaseView, hidden: set[str]) -> CaseView:
    after = tuple(name for name in case.after if name not in hidden)
    return case if after == case.after else replace(case, after=after)


def _counts(view: View) -> Counts:
    """Those of the view, less what is hidden."""
    less: Counter[str] = Counter()
    for case in view.cases:
        if not _shown(case.case):
            less["known" if case.known_failure else case.outcome] += 1
            less["baseline"] += case.in_baseline
    for event in view.not_run:
        if not _shown(event.case):
            less["skip" if event.case.skip else "not run"] += 1
    counts = view.counts
    return replace(
        counts,
        passed=counts.passed - less["pass"],
        failed=counts.failed - less["fail"],
        errors=counts.errors - less["error"],
        skipped=counts.skipped - less["skip"],
        not_run=counts.not_run - less["not run"],
        known=counts.known - less["known"],
        baseline=counts.baseline - less["baseline"],
        flaky=counts.flaky - less["flaky"],
        busy=counts.busy - less["busy"],
        advice=counts.advice - less["advice"],
    )
