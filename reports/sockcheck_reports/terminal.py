"""The end report for a terminal."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from . import causes
from .excerpt import plain
from .failure import STYLE, account, heading, paragraph, target_failure
from .view import Counts, View
from .wording import count, duration

_SHOWN_WHOLE = 10


def use_colour(is_terminal: bool, environ: Mapping[str, str]) -> bool:
    """Colour only for a terminal that has it, and never where NO_COLOR is set (https://no-color.org)."""
    return is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def render(
    view: View,
    laws: Mapping[str, str],
    *,
    width: int = 80,
    colour: bool = False,
    verbosity: int = 0,
    written: Sequence[str] = (),
) -> str:
    """The report as text that ends in a newline, in lines of at most `width` columns, and 60 at least.

    `laws` gives each law's sentence by its id. `verbosity`: -1 for the summary alone; 0 with the causes, the smallest
    failure of each and ten failures at the most in full, the others and the known ones by name; 1 with a line for every
    case and all in full. `written` names the reports that were written, one sentence each.
    """
    width = max(60, width)
    lines: list[Text] = []
    if verbosity > 0:
        lines += _every_case(view)
    if verbosity >= 0:
        for event in view.target_failures:
            lines += [*target_failure(event, width), Text()]
        lines += _causes(view, width)
        lines += _failures(view, laws, width, whole=verbosity > 0)
        lines += _advice(view, laws, width, whole=verbosity > 0)
        lines += _known(view, laws, width, whole=verbosity > 0)
        lines += _not_run(view, width)
    lines += summary(view, width)
    # A path that is broken in two is of no use to whoever wants to open it.
    lines += [Text(plain(sentence)) for sentence in written]
    return to_text(lines, colour)


def overview(view: View, laws: Mapping[str, str], width: int) -> list[Text]:
    """What lies behind all that failed, advice, and what was weaker than usual: where another tells the cases."""
    return [*_causes(view, width), *_advice(view, laws, width, whole=False), *_weaker(view, width)]


def to_text(lines: Sequence[Text], colour: bool) -> str:
    """`lines` as one text, with ANSI colours or without any escape."""
    if not colour:
        return "".join(f"{line.plain.rstrip()}\n" for line in lines)
    stream = io.StringIO()
    console = Console(
        file=stream,
        force_terminal=True,
        color_system="standard",
        no_color=False,
        legacy_windows=False,
        width=10_000,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for line in lines:
        line.rstrip()
        console.print(line, soft_wrap=True)
    return stream.getvalue()


def _every_case(view: View) -> list[Text]:
    lines = [
        Text.assemble(
            (f"{'known' if case.known_failure else case.outcome:<5} ", STYLE[case.outcome]),
            plain(case.label),
            (f"  {duration(case.duration)}", "dim"),
        )
        for case in view.cases
    ]
    return [*lines, Text()] if lines else []


def _causes(view: View, width: int) -> list[Text]:
    said = causes.headline(view)
    lines = [*paragraph(f"{said}.", width, "bold", first=""), Text()] if said else []
    for cause in causes.counting(view):
        lines += [*causes.account(cause, view, width), Text()]
    return lines


def _failures(view: View, laws: Mapping[str, str], width: int, *, whole: bool) -> list[Text]:
    """Those of one cause stand together: the smallest in full, of the others a line, unless all are asked for."""
    groups = causes.groups(view)
    lines: list[Text] = []
    for group in groups if whole else groups[:_SHOWN_WHOLE]:
        lines += [*account(group.first, view, laws, width), Text()]
        for case in group.others if whole else ():
            lines += [*account(case, view, laws, width), Text()]
        if group.others and not whole:
            lines += paragraph(f"{causes.more_of(group)} (-v shows them in full):", width)
            lines += [*causes.in_short(group.others), Text()]
    left = [] if whole else [case for group in groups[_SHOWN_WHOLE:] for case in (group.first, *group.others)]
    if left:
        lines += paragraph(f"{count(len(left), 'more case')} did not pass (-v shows them in full):", width)
        for case in left:
            lines += heading(case, width)[:1]
        lines.append(Text())
    return lines


def _advice(view: View, laws: Mapping[str, str], width: int, *, whole: bool) -> list[Text]:
    """What was broken and not promised: by cause, in short unless all is asked for."""
    if not view.advice:
        return []
    lines = [Text.assemble(("Advice", STYLE["advice"]), ": not promised, so it does not count"), Text()]
    told = [cause for cause in causes.advising(view) if cause.known]
    for cause in told:
        lines += [*causes.account(cause, view, width, "ADVICE", STYLE["advice"]), Text()]
    if whole:
        for case in view.advice:
            lines += [*account(case, view, laws, width), Text()]
        return lines
    caused = {id(case) for cause in told for case in cause.cases}
    alone = [case for case in view.advice if id(case) not in caused]
    return [*lines, *causes.in_short(alone), Text()] if alone else lines


def _known(view: View, laws: Mapping[str, str], width: int, *, whole: bool) -> list[Text]:
    """The known failures: in full, or by name under the reason that the author gives."""
    lines: list[Text] = []
    if whole:
        for case in view.known_failures:
            lines += [*account(case, view, laws, width), Text()]
        return lines
    reasons: dict[str, list[str]] = {}
    for case in view.known_failures:
        why = "" if case.in_baseline else case.reason.removeprefix("known failure: ")
        reasons.setdefault(why, []).append(case.label)
    for why, labels in reasons.items():
        number = len(labels)
        known = f"{count(number, 'known failure')}: {why}" if why else f"{count(number, 'failure')} in the baseline"
        lines += paragraph(known, width, "yellow", first="", rest="  ")
        lines += [Text(f"  {plain(label)}") for label in labels[:_SHOWN_WHOLE]]
        if labels[_SHOWN_WHOLE:]:
            lines.append(Text(f"  and {len(labels) - _SHOWN_WHOLE:,} more"))
    return [*lines, Text()] if lines else []


def _not_run(view: View, width: int) -> list[Text]:
    """Why cases were not run, one line a reason."""
    reasons: dict[str, int] = {}
    for event in view.not_run:
        reasons[event.why] = reasons.get(event.why, 0) + 1
    for case in view.cases:
        if case.outcome == "skip" and not case.known_failure:
            reasons[case.reason] = reasons.get(case.reason, 0) + 1
    if view.never_reached:
        why = view.finished.why if view.finished else "the record ends before them"
        reasons[why] = reasons.get(why, 0) + view.never_reached
    lines: list[Text] = []
    for why, times in reasons.items():
        lines += paragraph(
            f"{count(times, 'case')} not run: {why or 'no reason was given'}", width, first="", rest="  "
        )
    return [*lines, Text()] if lines else []


def summary(view: View, width: int) -> list[Text]:
    """What was weaker than usual, whether the record is whole, and the counts."""
    lines = _weaker(view, width)
    if view.shard:
        lines += paragraph(view.shard, width, first="")
    if view.cut_short:
        lines += paragraph(view.cut_short, width, "bold magenta", first="")
    for message in dict.fromkeys(event.message for event in view.target_failures):
        sentence = f"The server could not be started or reached: {message}"
        lines += paragraph(sentence, width, STYLE["error"], first="")
    if view.nothing_to_do:
        return lines
    counts = _counts(view.counts, view.duration)
    return [*lines, counts] if len(counts) <= width else [*lines, *paragraph(counts.plain, width, first="")]


def _weaker(view: View, width: int) -> list[Text]:
    lines = [Text("Weaker than usual:", "yellow")] if view.weaker else []
    for sentence in view.weaker:
        lines += paragraph(sentence, width, first="  - ")
    return lines


def _counts(counts: Counts, seconds: float) -> Text:
    known = counts.known - counts.baseline
    parts = [
        (counts.failed, "failed", STYLE["fail"]),
        (counts.flaky, "flaky", STYLE["flaky"]),
        (counts.errors, "error" if counts.errors == 1 else "errors", STYLE["error"]),
        (counts.busy, "not judged on a busy machine", STYLE["busy"]),
        (counts.passed, "passed", STYLE["pass"]),
        (counts.advice, "advice", STYLE["advice"]),
        (counts.baseline, "in the baseline", STYLE["skip"]),
        (known, "known failure" if known == 1 else "known failures", STYLE["skip"]),
        (counts.skipped, "skipped", STYLE["skip"]),
        (counts.not_run, "not run", STYLE["skip"]),
    ]
    said = [Text(f"{number:,} {word}", style) for number, word, style in parts if number]
    said = said or [Text("none was run", STYLE["error"])]
    return Text.assemble(f"{count(counts.total, 'case')}: ", Text(", ").join(said), f" in {duration(seconds)}")
