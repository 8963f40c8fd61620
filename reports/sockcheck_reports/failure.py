"""A case that failed, in full: the lines that the terminal shows and that JUnit carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len, chop_cells
from rich.text import Text

from sockcheck.case import SERVER
from sockcheck.events import CauseNamed, Role, RunStarted, TargetFailed
from sockcheck.verdict import Finding

from .again import command, shell_lines, words
from .clients import accused, listed, prefix, told
from .excerpt import Comparison, Side, SourceLine, clipped, compare, output_lines, plain, source_line
from .rows import Row
from .view import CaseView, View, place
from .wording import count, duration, size

INDENT = "  "
_OUTPUT_SHOWN = 20
_NARROWEST_EXCERPT = 24
_OTHERS_SHOWN = 8
WORD = {
    "fail": "FAIL",
    "flaky": "FLAKY",
    "advice": "ADVICE",
    "error": "ERROR",
    "busy": "BUSY",
    "pass": "pass",
    "skip": "skip",
}
STYLE = {
    "fail": "bold red",
    "flaky": "bold red",
    "error": "bold magenta",
    "busy": "bold magenta",
    "advice": "bold yellow",
    "pass": "green",
    "skip": "yellow",
}
ROLE: Mapping[Role, str] = {
    "first": "first",
    "shared": "beside other cases",
    "alone": "again, on a fresh server",
    "outside": "again, without a network of its own",
    "predecessor": "before it",
    "after": "after other cases, on a fresh server",
    "probe": "a fresh client, behind the last case",
}
_SAID = {
    "pass": "passed",
    "fail": "failed",
    "flaky": "flaky",
    "advice": "failed",
    "error": "no judgement",
    "busy": "no judgement",
    "skip": "not judged",
}
_PREDECESSORS_SHOWN = 3


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns, broken between words where that can be."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and cell_len(line) + 1 + cell_len(word) <= width:
            line += " " + word
            continue
        if line:
            lines.append(line)
        *full, line = chop_cells(word, width) or [""]
        lines += full
    return [*lines, line]


def paragraph(text: str, width: int, style: str = "", first: str = INDENT, rest: str | None = None) -> list[Text]:
    """A text as lines that fit: `first` stands before the first one, `rest` (blanks where None) before the others."""
    rest = " " * len(first) if rest is None else rest
    lines = wrap(clipped(text), max(20, width - len(first)))
    return [Text.assemble(rest if number else first, (line, style)) for number, line in enumerate(lines)]


def heading(case: CaseView, width: int) -> list[Text]:
    """The verdict, the case's id and its title. The id is never broken, so that it can be copied."""
    word = "KNOWN" if case.known_failure else WORD[case.outcome]
    return [
        Text.assemble((word, STYLE[case.outcome]), "  ", (plain(case.label), "bold")),
        *paragraph(case.case.title, width, first=" " * (len(word) + 2)),
    ]


def account(case: CaseView, view: View, laws: Mapping[str, str], width: int) -> list[Text]:
    """Everything that is known of a failure, a known failure or an error, in lines of at most `width` columns.

    Only what is to be copied may be longer: a place in a file and the command. `laws` gives each law's sentence by id.
    """
    lines = heading(case, width)
    if case.reason:
        lines += [Text(), *paragraph(case.reason, width)]
    if not case.findings:
        lines += [Text(), Text(f"{INDENT}{where(case)}", "cyan")]
    for number, finding in enumerate(told(case.findings)[0], 1):
        which = f"{number} of {len(case.findings)}: " if len(case.findings) > 1 else ""
        lines += [Text(), *_finding(case, finding, view, which, width)]
    for title, sentences in (
        ("Also:", others(case)),
        ("Not judged:", not_judged(case)),
        ("It fails only after, on the same server:", predecessors(case)),
        ("Attempts:", attempts(case)),
    ):
        if sentences:
            lines += [Text(), Text(f"{INDENT}{title}")]
        for sentence in sentences:
            lines += paragraph(sentence, width, first=f"{INDENT}  - ")
    for law in dict.fromkeys(finding.law for finding in case.findings):
        lines += [Text(), *_law(law, laws, width)]
    cause = cause_of(case, view)
    if cause:
        lines += [Text(), *paragraph(caused(cause), width, first=f"{INDENT}Cause ", rest=INDENT)]
    lines += [Text(), *_timeline(case, width), *_server(case, width), *_output(case, width)]
    for hint in hints(case):
        lines += [Text(), *paragraph(hint, width, first=f"{INDENT}Hint: ", rest=INDENT)]
    if view.run:
        lines += [Text(), *_again(view.run, case, width)]
    return lines


def cause_of(case: CaseView, view: View) -> CauseNamed | None:
    """The known cause of a case, if it has one."""
    known = (cause for cause in view.causes if cause.known)
    return next((cause.named for cause in known if any(each is case for each in cause.cases)), None)


def caused(cause: CauseNamed) -> str:
    """`one-recv: the server takes one recv() for one message`."""
    return f"{plain(cause.id)}: the server {cause.title}"


def predecessors(case: CaseView) -> tuple[str, ...]:
    """The cases without which it does not fail, the first ones by name."""
    named = tuple(map(plain, case.after[:_PREDECESSORS_SHOWN]))
    more = len(case.after) - len(named)
    return (*named, f"and {count(more, 'more case')}") if more else named


def attempts(case: CaseView) -> tuple[str, ...]:
    """What each of several attempts came to, in a sentence each."""
    return tuple(
        f"{ROLE[attempt.role]}: {_SAID[attempt.outcome]}{f': {clipped(attempt.said)}' if attempt.said else ''}"
        for attempt in case.attempts
    )


def hints(case: CaseView) -> tuple[str, ...]:
    """What may help: of the findings and of the scenario, each once."""
    given = (*(finding.hint for finding in case.findings), case.case.hint)
    return tuple(dict.fromkeys(hint for hint in given if hint))


def compared(finding: Finding, width: int = 80) -> Comparison | None:
    """The first difference of what was expected and what came, unless nothing came: then there is none to look at."""
    difference = finding.difference
    return compare(difference, width) if difference and (difference.actual or difference.start) else None


def others(case: CaseView) -> tuple[str, ...]:
    """The findings that are not told in full, one sentence for all clients that have the same."""
    same: dict[tuple[str, str], list[str]] = {}
    for finding in told(case.findings)[1]:
        who = finding.client if accused(case.case, finding) else ""
        same.setdefault((finding.message, where(case, finding)), []).append(who)
    groups = list(same.items())
    sentences = [
        f"{f'{listed(clients)}: ' if any(clients) else ''}{clipped(message)} ({place_})"
        for (message, place_), clients in groups[:_OTHERS_SHOWN]
    ]
    more = sum(len(clients) for _, clients in groups[_OTHERS_SHOWN:])
    return (*sentences, f"and {count(more, 'more finding')}") if more else tuple(sentences)


def not_judged(case: CaseView) -> tuple[str, ...]:
    """The clients that were not judged, and why, one sentence for all of the same reason."""
    same: dict[str, list[str]] = {}
    for client, why in case.not_judged.items():
        if client != SERVER:
            same.setdefault(why, []).append(client)
    return tuple(f"{listed(clients)}, since {why}" for why, clients in same.items())


def served_by(case: CaseView) -> tuple[str, str] | None:
    """The command of the server that the case ran on, or "" where it ran already, and what is known of it in words."""
    target = case.target
    if target is None:
        return None
    if not target.command:
        return "", f"at {plain(target.address)}, not started by sockcheck"
    ended = f"; it {target.ended}" if target.ended else ""
    return " ".join(words([target.command])), f"at {plain(target.address)}, ready after {duration(target.took)}{ended}"


def where(case: CaseView, finding: Finding | None = None) -> str:
    """`file:line` of a finding, or of the scenario."""
    span = place(case, finding)
    return f"{plain(span.path)}:{span.line}"


def _finding(case: CaseView, finding: Finding, view: View, which: str, width: int) -> list[Text]:
    lines = [Text(f"{INDENT}{which}{where(case, finding)}", "cyan")]
    span = finding.span
    gutter = f"{INDENT}{INDENT}{span.line} | "
    shown = source_line(view.sources.get(span.path, ""), span, width - len(gutter))
    if shown:
        lines += _source(shown, gutter)
    lines += [Text(), *paragraph(accused(case.case, finding) + finding.message, width, "bold")]
    comparison = compared(finding, width - 2 * len(INDENT))
    tails = comparison.tails(finding) if comparison else None
    if tails is None:
        for label, text, style in (("expected  ", finding.expected, "green"), ("actual    ", finding.actual, "red")):
            if text:
                lines += paragraph(text, width, style, first=INDENT + INDENT + label)
    if comparison:
        lines += _difference(comparison, tails, width)
    return lines


def _source(shown: SourceLine, gutter: str) -> list[Text]:
    blank = " " * (len(gutter) - 2) + "| "
    return [
        Text.assemble((gutter, "dim"), shown.before, (shown.marked, "bold"), shown.after),
        Text.assemble((blank, "dim"), (shown.caret, "bold red")),
    ]


def _difference(comparison: Comparison, tails: tuple[str, str] | None, width: int) -> list[Text]:
    """The first difference as text and hex. With `tails` its text stands for what was expected and what came."""
    what = paragraph(f"first difference at {comparison.what}", width, rest=INDENT + INDENT)
    text = _pair("", comparison.expected, comparison.actual, tails or ("", ""), width)
    octets = _pair(f"{comparison.hex_start:08x}  ", comparison.expected_hex, comparison.actual_hex, ("", ""), width)
    lines = [*text, *what, *octets] if tails else [Text(), *what, *text, *octets]
    if comparison.note:
        lines += paragraph(f"({comparison.note})", width, "dim", first=INDENT + INDENT)
    return lines


def _pair(offset: str, expected: Side, actual: Side, tails: tuple[str, str], width: int) -> list[Text]:
    """Two streams, one above the other, and carets under the byte where they part."""
    lines: list[Text] = []
    sides = (("expected  ", expected, "green", tails[0]), ("actual    ", actual, "red", tails[1]))
    for label, side, style, tail in sides:
        start = len(INDENT + INDENT + label + offset)
        first, *rest = wrap(side.line + plain(tail), width - start)
        line = Text.assemble(INDENT, INDENT, label, (offset, "dim"), first)
        line.stylize(style, start, start + len(side.line))
        line.stylize("bold", start + len(side.before), start + len(side.before + side.at))
        lines += [line, *(Text(" " * start + more) for more in rest)]
    carets = "^" * max(len(expected.at), len(actual.at))
    return [*lines, Text(" " * (start + len(expected.before)) + carets, "bold red")]


def _law(law: str, laws: Mapping[str, str], width: int) -> list[Text]:
    sentence = laws.get(law, "")
    return paragraph(f"{law}: {sentence}" if sentence else law, width, first=f"{INDENT}Law ", rest=INDENT)


def _timeline(case: CaseView, width: int) -> list[Text]:
    if not case.rows:
        return [Text(f"{INDENT}Timeline: nothing was recorded", "dim")]
    lines = [Text.assemble(INDENT, "Timeline", (" (ms since the case began)", "dim"))]
    for row in case.rows:
        lines += _row(row, width, prefix(case.case, row.client))
    return lines


_MARK_STYLES = {"->": "cyan", "<-": "yellow", "--": "dim", " |": "dim", "..": "dim"}


def _row(row: Row, width: int, who: str) -> list[Text]:
    at = f"{INDENT}{row.at:9.2f} "
    start = len(at) + 3
    what = who + row.what
    style = "bold red" if row.decisive else ""
    head, *rest = wrap(what, width - start)
    lines = [Text.assemble((at, "dim"), (row.mark, _MARK_STYLES[row.mark]), " ", (head, style))]
    lines += [Text.assemble(" " * start, (line, style)) for line in rest]
    left = width - len(lines[-1]) - 1
    if left < _NARROWEST_EXCERPT:
        return [*lines, Text(" " * start + row.excerpt(width - start))] if row.data else lines
    lines[-1].append(f" {row.excerpt(left)}" if row.data else "")
    return lines


def _server(case: CaseView, width: int) -> list[Text]:
    """Which server it was, and how it ended."""
    known = served_by(case)
    if known is None:
        return []
    sentences = [sentence for sentence in known if sentence]
    label, rest = f"{INDENT}Server  ", " " * len(f"{INDENT}Server  ")
    lines: list[Text] = [Text()]
    for sentence in sentences:
        lines += paragraph(sentence, width, first=label if len(lines) == 1 else rest)
    return lines


def _output(case: CaseView, width: int) -> list[Text]:
    """The last that the server wrote, or that it wrote nothing; no lines for a server that cannot be heard."""
    if case.target is None or not case.target.command:
        return []
    lines = _last_output([event.data for event in case.output], case.dropped, width)
    return lines or [Text(), Text(f"{INDENT}The server wrote nothing.", "dim")]


def _last_output(pieces: Sequence[bytes], dropped: int, width: int) -> list[Text]:
    shown, left = output_lines(pieces, 4096)
    if not shown:
        return []
    above = len(shown) - _OUTPUT_SHOWN
    earlier = [count(above, "line")] if above > 0 else []
    earlier += [size(left + dropped)] if left + dropped else []
    note = f" (before it: {' and '.join(earlier)})" if earlier else ""
    lines = [Text(), *paragraph(f"The server's last output{note}", width)]
    bar = f"{INDENT}{INDENT}| "
    for line in shown[-_OUTPUT_SHOWN:]:
        lines += [Text.assemble((bar, "dim"), part) for part in chop_cells(line, width - len(bar)) or [""]]
    return lines


def again_title(case: CaseView) -> str:
    """What the command that is shown does."""
    return "Run it again, and before it what it takes" if case.after else "Run just this case again"


def _again(run: RunStarted, case: CaseView, width: int) -> list[Text]:
    words = command(run, case.case.id, case.after)
    return [
        Text(f"{INDENT}{again_title(case)}:"),
        *(Text(f"{INDENT}{INDENT}{line}", "bold") for line in shell_lines(words, width - 2 * len(INDENT))),
    ]


def target_failure(event: TargetFailed, width: int) -> list[Text]:
    """A server that could not be started or reached, with the last that it wrote."""
    lines = [Text.assemble(("ERROR", STYLE["error"]), "  ", ("the server", "bold"))]
    lines += paragraph(event.message, width, first=" " * 7)
    lines += _last_output([event.output], 0, width)
    if event.hint:
        lines += [Text(), *paragraph(event.hint, width, first=f"{INDENT}Hint: ", rest=INDENT)]
    return lines
