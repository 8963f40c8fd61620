"""What the HTML report says of the run as a whole: the verdict, the counts, contracts, laws and facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sockcheck.case import Case

from .again import words
from .excerpt import clipped, plain
from .view import CaseView, View
from .wording import count, duration

BAR = 1000
"""The width of a bar, in its own units."""

_COLOURS = (("fail", ("fail", "flaky")), ("error", ("error", "busy")), ("pass", ("pass",)))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: where it begins and how wide it is, of 1,000."""

    colour: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Tally:
    """How the cases of a contract or a law ended. `about` says more of it, or is ""."""

    name: str
    about: str
    total: int
    failed: int
    said: str
    bar: tuple[Part, ...]


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
        (counts.skipped, "skipped"),
        (counts.not_run, "not run"),
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


def good(view: View) -> bool:
    """Whether all is as it should be."""
    counts = view.counts
    as_expected = counts.passed or counts.known
    return bool(
        view.whole
        and as_expected
        and not (counts.failed or counts.flaky or counts.errors or counts.busy or view.target_failures)
    )


def counts(view: View) -> list[tuple[str, str, str]]:
    """(number, word, class) of each outcome that occurred; passed always."""
    counts = view.counts
    known = counts.known - counts.baseline
    given = (
        (counts.failed, "failed", "fail"),
        (counts.flaky, "flaky", "fail"),
        (counts.errors, "error" if counts.errors == 1 else "errors", "error"),
        (counts.busy, "not judged on a busy machine", "error"),
        (counts.passed, "passed", "pass"),
        (counts.advice, "advice", "skip"),
        (known, "known failure" if known == 1 else "known failures", "skip"),
        (counts.baseline, "in the baseline", "skip"),
        (counts.skipped, "skipped", "skip"),
        (counts.not_run, "not run", "skip"),
    )
    return [(f"{number:,}", word, outcome) for number, word, outcome in given if number or outcome == "pass"]


def outcome(case: CaseView) -> str:
    """The outcome in one word; known failures have their own."""
    return "known" if case.known_failure else case.outcome


def bar(outcomes: Mapping[str, int], total: int) -> tuple[Part, ...]:
    """The share of each colour, from left to right; what has none is not drawn."""
    parts = []
    start = 0.0
    for colour, members in _COLOURS:
        width = BAR * sum(outcomes.get(each, 0) for each in members) / total if total else 0.0
        if width:
            parts.append(Part(colour, round(start, 1), round(width, 1)))
        start += width
    return tuple(parts)


def run_bar(view: View) -> tuple[Part, ...]:
    """The bar of all cases that were planned."""
    return bar(Counter(map(outcome, view.cases)), view.counts.total)


def contracts(view: View) -> tuple[Tally, ...]:
    """How each contract fared, in the order of the run."""
    scenarios: dict[str, set[str]] = {}
    for case, _ in _all(view):
        scenarios.setdefault(case.contract, set()).add(case.scenario)
    about = {name: count(len(files), "scenario") for name, files in scenarios.items()}
    return _tallies(((case.contract, ended) for case, ended in _all(view)), about)


def laws(view: View, sentences: Mapping[str, str]) -> tuple[Tally, ...]:
    """How each law fared: those that were broken first, each with its sentence."""
    told = _tallies(((case.law, ended) for case, ended in _all(view)), sentences)
    return tuple(sorted(told, key=lambda each: -each.failed))


def _all(view: View) -> Iterator[tuple[Case, str]]:
    """Every case with its outcome, those that were not run too."""
    for case in view.cases:
        yield case.case, outcome(case)
    for event in view.not_run:
        yield event.case, "skip" if event.case.skip else "not run"


def _tallies(ended: Iterable[tuple[str, str]], about: Mapping[str, str]) -> tuple[Tally, ...]:
    found: dict[str, Counter[str]] = {}
    for name, how in ended:
        found.setdefault(name, Counter())[how] += 1
    return tuple(_tally(name, about.get(name, ""), outcomes) for name, outcomes in found.items())


def _tally(name: str, about: str, outcomes: Counter[str]) -> Tally:
    failed = outcomes["fail"] + outcomes["flaky"]
    words_ = (
        (failed, "failed"),
        (outcomes["error"], "in error"),
        (outcomes["busy"], "not judged"),
        (outcomes["pass"], "passed"),
        (outcomes["advice"], "advice"),
        (outcomes["known"], "known"),
        (outcomes["skip"], "skipped"),
        (outcomes["not run"], "not run"),
    )
    said = ", ".join(f"{number:,} {word}" for number, word in words_ if number)
    return Tally(plain(name), about, outcomes.total(), failed, said, bar(outcomes, outcomes.total()))


def facts(view: View) -> Sequence[tuple[str, str]]:
    """What is to be known of the run itself, by name."""
    run = view.run
    if run is None:
        return ()
    told = [
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
        told.append(("Ended early", clipped(view.finished.why)))
    return told
