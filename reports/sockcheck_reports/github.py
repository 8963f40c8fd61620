"""A run as GitHub Actions shows it: annotations at the lines of scenarios, and a summary of the step.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands: ten errors and ten warnings of a
step are shown, and a summary of 1 MiB. The runner takes a line for a command if it begins with `::`, behind blanks, or
has `##[` anywhere, so what a server wrote is to stand between `stop` and `resume`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import islice
from typing import Literal

from sockcheck.forms import (
    Span,
)

from .causes import advising, counting, groups, mending, more_of
from .excerpt import clipped, plain
from .failure import WORD, account, target_failure
from .terminal import summary as terminal_summary
from .view import CaseView, CauseView, View, place
from .wording import count

MOST = 10
"""So many errors, and so many warnings, are shown of one step."""

SUMMARY_LIMIT = 1024 * 1024
"""The bytes that the summary of one step may have."""

_WIDTH = 100
_LONGEST = 4000
_ROWS = 200
# What is kept free for the sentence that says what was left out.
_RESERVE = 1000

Kind = Literal["error", "warning"]


def stop(token: str) -> str:
    """The line from which on nothing is a command, until `resume` with the same token, which nobody else may know."""
    return f"::stop-commands::{token}"


def resume(token: str) -> str:
    return f"::{token}::"


def commands(view: View, workspace: str) -> list[str]:
    """Annotations, a command each: what is wrong, causes first, then what could not be judged and what is advice.

    `workspace` is the folder of the repository: only files in it can be annotated.
    """
    errors = islice(_errors(view, workspace), MOST)
    warnings = islice(_warnings(view, workspace), MOST)
    return [*errors, *warnings]


def _errors(view: View, workspace: str) -> Iterator[str]:
    for event in view.target_failures:
        yield _command("error", None, view, workspace, "The server could not be started or reached", event.message)
    if not view.whole:
        yield _command("error", None, view, workspace, "sockcheck", "the run was not finished")
    found = groups(view)
    for group in found:
        if group.cause is not None and any(_fails(case, view) for case in group.cause.failing):
            yield _of_cause("error", group.cause, view, workspace)
    for case in (case for group in found for case in ((group.first,) if group.cause is None else group.others)):
        if _fails(case, view):
            yield _of_case("error", case, view, workspace)


def _fails(case: CaseView, view: View) -> bool:
    """Whether it fails the run."""
    return case.outcome == "fail" or (case.outcome == "flaky" and (view.run is None or view.run.flaky == "fail"))


def _warnings(view: View, workspace: str) -> Iterator[str]:
    for case in (*view.errors, *(case for case in view.failures if not _fails(case, view))):
        yield _of_case("warning", case, view, workspace)
    for cause in advising(view):
        yield _of_cause("warning", cause, view, workspace)


def _of_cause(kind: Kind, cause: CauseView, view: View, workspace: str) -> str:
    """At the smallest of its cases."""
    case = (cause.failing or cause.cases)[0]
    named = cause.named
    cases = count(len(cause.failing or cause.cases), "case")
    title = f"The server {named.title}" if cause.known else f"{named.law} is broken"
    lines = [f"{cases}, the smallest of them {case.label}", named.why, named.evidence]
    if cause.known:
        lines += [named.thought, "Mend:", *mending(cause).splitlines()]
    lines.append(f"sockcheck explain {named.law}")
    return _command(kind, _where(case), view, workspace, title, "\n".join(line for line in lines if line))


def _of_case(kind: Kind, case: CaseView, view: View, workspace: str) -> str:
    return _command(kind, _where(case), view, workspace, case.label, f"{case.case.title}\n{case.said}")


def _where(case: CaseView) -> Span:
    return place(case, case.findings[0] if case.findings else None)


def _command(kind: Kind, span: Span | None, view: View, workspace: str, title: str, text: str) -> str:
    lines = "\n".join(plain(line) for line in text.split("\n"))
    properties = [("title", clipped(title, 200))]
    if span is not None and span.path:
        file = _in_workspace(span.path, view, workspace)
        if file:
            ends = [("endColumn", str(span.end_column))] if span.end_column else []
            lines_of = [("line", str(span.line)), ("col", str(span.column)), *ends]
            properties = [("file", plain(file)), *lines_of, *properties]
        else:
            lines = f"{plain(span.path)}:{span.line}\n{lines}"
    if len(lines) > _LONGEST:
        lines = f"{lines[:_LONGEST]}…"
    said = ",".join(f"{name}={_property(value)}" for name, value in properties)
    return f"::{kind} {said}::{_data(lines)}"


def _in_workspace(path: str, view: View, workspace: str) -> str:
    """The path within the repository, or "" where it is outside."""
    directory = view.run.directory if view.run else ""
    whole = posixpath.normpath(posixpath.join(directory, path))
    top = posixpath.normpath(workspace)
    return posixpath.relpath(whole, top) if workspace and whole.startswith(f"{top.rstrip('/')}/") else ""


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(view: View, laws: Mapping[str, str], limit: int = SUMMARY_LIMIT) -> str:
    """The summary as Markdown, of at most `limit` bytes of UTF-8, or "" where not even the verdict has room.

    Whatever others wrote stands in <code> and <pre>, where only `&` and `<` mean anything, and these are escaped: so it
    is neither markup nor a link nor a mention.
    """
    text = ""
    size = 0
    for block in _blocks(view, laws):
        more = len(block.encode())
        if size + more > limit - _RESERVE:
            rest = "\n<p>There is no room for the rest here. The HTML report and the record have all of it.</p>\n"
            return text + rest if text else ""
        text += block
        size += more
    return text


def _blocks(view: View, laws: Mapping[str, str]) -> Iterator[str]:
    """Pieces of Markdown, each whole by itself: HTML blocks, which end at an empty line."""
    verdict = "\n".join(line.plain.rstrip() for line in terminal_summary(view, _WIDTH))
    yield f"## sockcheck: {_headline(view)}\n\n{_pre(verdict)}"
    for event in view.target_failures:
        yield _pre("\n".join(line.plain.rstrip() for line in target_failure(event, _WIDTH)))
    causes = counting(view)
    if causes:
        yield "### Causes\n\n"
    for cause in causes:
        yield _cause(cause)
    found = groups(view)
    cases = [case for group in found for case in (group.first, *group.others)]
    if cases:
        yield "### Cases that did not pass\n\n" + _table(cases)
    for group in found:
        yield _details(group.first, view, laws)
        if group.others:
            yield f"<p>and {more_of(group)}</p>\n\n"


def _headline(view: View) -> str:
    counts = view.counts
    if not view.whole:
        return "the run was not finished"
    if counts.failed or counts.flaky:
        return f"{counts.failed + counts.flaky:,} of {count(counts.total, 'case')} failed"
    if view.target_failures:
        return "the server could not be started or reached"
    left = counts.errors + counts.busy + counts.not_run
    if left or not counts.total:
        return f"{left:,} of {count(counts.total, 'case')} not judged"
    return f"{counts.passed:,} of {count(counts.total, 'case')} passed"


def _cause(cause: CauseView) -> str:
    named = cause.named
    facts = [
        ("law", named.law),
        ("why", named.why),
        ("cases", f"{len(cause.failing):,}, the smallest of them {cause.failing[0].label}"),
        ("seen", named.evidence),
        ("thought", named.thought),
        ("next", f"sockcheck explain {named.law}"),
    ]
    rows = "\n".join(f"<tr><td>{name}</td><td>{_code(said)}</td></tr>" for name, said in facts if said)
    head = f"<p><b>CAUSE</b> {_code(f'The server {named.title}')}</p>\n\n<table>\n{rows}\n</table>\n\n"
    return f"{head}{_pre(mending(cause))}" if mending(cause) else head


def _table(cases: Sequence[CaseView]) -> str:
    rows = "\n".join(_row(case) for case in cases[:_ROWS])
    more = f"\n<tr><td></td><td>and {len(cases) - _ROWS:,} more</td></tr>" if len(cases) > _ROWS else ""
    return f"<table>\n<tr><th></th><th>case</th><th>what was found</th><th>line</th></tr>\n{rows}{more}\n</table>\n\n"


def _row(case: CaseView) -> str:
    span = _where(case)
    cells = (WORD[case.outcome], _code(case.label), _code(case.said), _code(f"{span.path}:{span.line}"))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _details(case: CaseView, view: View, laws: Mapping[str, str]) -> str:
    text = "\n".join(line.plain.rstrip() for line in account(case, view, laws, _WIDTH))
    # The empty lines let the <pre> begin a block of its own, which only its own end ends.
    return f"<details><summary>{_code(case.label)}</summary>\n\n{_pre(text)}</details>\n\n"


def _pre(text: str) -> str:
    return f"<pre>\n{escape(text)}\n</pre>\n\n"


def _code(text: str) -> str:
    return f"<code>{escape(clipped(text, 500))}</code>"
