"""The run as JUnit XML, as pytest, Maven Surefire, Jenkins and GitLab read it.

The schema is the one of the Jenkins xUnit plugin (junit-10.xsd), with `file` and `line` on a test case, as GitLab reads
and pytest writes them. What was tried more than once is told in the elements of Maven Surefire.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from sockcheck.case import Case
from sockcheck.events import CaseNotRun, TargetFailed
from sockcheck.forms import (
    Span,
)

from .accounts import WIDTH, Accounts
from .excerpt import clipped, plain
from .failure import caused, target_failure
from .view import CaseView, CauseView, View, fold, place

SIZE_LIMIT = 16_000_000
"""So many bytes of failures are told in full: GitLab reads no file of 30 MB or more."""

_MESSAGE = 500


def render(view: View, laws: Mapping[str, str]) -> str:
    """The whole document. `laws` gives each law's sentence by its id.

    Whatever has gone wrong for the run as a whole (no server, a record that was cut off) is an error of a test case of
    its own, so that a run in which nothing was judged is never green.
    """
    root = Element("testsuites", name="sockcheck", time=_time(view.duration))
    names = _Names()
    accounts = Accounts(view, laws, SIZE_LIMIT)
    for path, entries in _by_file(view).items():
        _suite(root, view, path, [_entry(entry, view, accounts, names) for entry in entries])
    troubles = list(_run_troubles(view, names))
    if troubles:
        _suite(root, view, "", troubles)
    return _document(root)


def unfinished(sentences: Sequence[str]) -> str:
    """What is to be found where the run never came to its end: one test case in error, and what was known."""
    root = Element("testsuites", name="sockcheck", time=_time(0.0))
    message = "the run was not finished"
    text = "\n".join([message, *map(clipped, sentences)])
    _suite(root, fold(()), "", [_trouble("the run is complete", "unfinished", message, text, _Names())])
    return _document(root)


def _document(root: Element) -> str:
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


class _Names:
    """Gives every test case a name of its own: some readers drop the second of two that are called the same."""

    def __init__(self) -> None:
        self._given: set[tuple[str, str]] = set()

    def unique(self, contract: str, name: str) -> tuple[str, str]:
        contract, name = plain(contract), plain(name)
        candidate, number = name, 1
        while (contract, candidate) in self._given:
            number += 1
            candidate = f"{name} ({number})"
        self._given.add((contract, candidate))
        return contract, candidate


def _by_file(view: View) -> dict[str, list[CaseView | CaseNotRun]]:
    files: dict[str, list[CaseView | CaseNotRun]] = {}
    entries: Iterable[CaseView | CaseNotRun] = (*view.cases, *view.not_run)
    for entry in entries:
        files.setdefault(entry.case.span.path, []).append(entry)
    return files


def _suite(root: Element, view: View, path: str, entries: list[Element]) -> None:
    suite = SubElement(root, "testsuite", name=plain(path) or "sockcheck", tests=str(len(entries)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(entry.find(tag) is not None for entry in entries)))
    suite.set("time", _time(sum(float(entry.get("time", "0")) for entry in entries)))
    if view.run:
        suite.set("timestamp", plain(view.run.started))
    if path:
        suite.set("file", plain(path))
    _properties(suite, [cause for cause in view.causes if cause.known and _is_of(cause, path)])
    suite.extend(entries)


def _properties(suite: Element, causes: Iterable[CauseView]) -> None:
    """The causes of what failed in a suite, for whoever reads more than test cases."""
    found = list(causes)
    if found:
        properties = SubElement(suite, "properties")
        for cause in found:
            SubElement(
                properties, "property", name=f"cause {plain(cause.named.id)}", value=clipped(caused(cause.named))
            )


def _entry(entry: CaseView | CaseNotRun, view: View, accounts: Accounts, names: _Names) -> Element:
    if isinstance(entry, CaseNotRun):
        element = _case(entry.case, entry.case.id, entry.case.span, 0.0, names)
        _result(element, "skipped", "not-run", entry.why, "")
        return element
    first = entry.findings[0] if entry.findings else None
    element = _case(entry.case, entry.label, place(entry, first), entry.duration, names)
    if entry.outcome == "pass":
        _again(element, "flaky", (each for each in entry.tries if each.outcome in ("error", "busy")), accounts)
        return element
    if entry.outcome == "skip" and not entry.known_failure:
        _result(element, "skipped", "skip", entry.reason, "")
        return element
    if entry.outcome == "flaky" and view.run and view.run.flaky == "pass":
        # As Surefire has it: it passed in the end, and what had failed before is evidence, not a failure.
        _again(element, "flaky", entry.tries or (entry,), accounts)
        _output(element, accounts.output(entry))
        return element
    text = accounts.of(entry)
    if entry.outcome == "advice":
        # It passed as far as anybody counts: what was found is only said.
        lead = f"advice, which does not count: {clipped(entry.reason)}\n\n{text}"
        _output(element, [lead, *accounts.output(entry)])
        return element
    if entry.known_failure:
        _result(element, "skipped", "baseline" if entry.in_baseline else "known-failure", entry.reason, text)
    elif entry.outcome in ("fail", "flaky"):
        kind = "flaky" if entry.outcome == "flaky" else first.kind if first else "fail"
        _result(element, "failure", kind, first.message if first else entry.reason, text)
    else:
        _result(element, "error", entry.outcome, entry.reason, text)
    if entry.outcome != "skip":
        _again(element, "rerun", (each for each in entry.tries if each is not entry.told_try), accounts)
    _output(element, accounts.output(entry))
    return element


def _again(element: Element, prefix: str, tries: Iterable[CaseView], accounts: Accounts) -> None:
    """Attempts that did not pass, each with what was found in it, as Surefire tells of them."""
    for each in tries:
        if each.outcome in ("pass", "skip"):
            continue
        failed = each.outcome in ("fail", "flaky", "advice")
        tag = f"{prefix}{'Failure' if failed else 'Error'}"
        kind = each.findings[0].kind if each.findings else each.outcome
        attempt = SubElement(element, tag, type=kind, message=clipped(each.said, _MESSAGE))
        SubElement(attempt, "stackTrace").text = accounts.of(each)
        _output(attempt, accounts.output(each))


def _case(case: Case, name: str, span: Span, seconds: float, names: _Names) -> Element:
    classname, unique = names.unique(case.contract, name)
    element = Element("testcase", name=unique, classname=classname, time=_time(seconds))
    if span.path:
        element.set("file", plain(span.path))
        element.set("line", str(span.line))
    return element


def _result(element: Element, tag: str, kind: str, message: str, text: str) -> None:
    SubElement(element, tag, type=kind, message=clipped(message, _MESSAGE)).text = text or clipped(message)


def _is_of(cause: CauseView, path: str) -> bool:
    return bool(path) and any(case.case.span.path == path for case in cause.cases)


def _output(element: Element, lines: Sequence[str]) -> None:
    if lines:
        SubElement(element, "system-out").text = "\n".join(lines)


def _run_troubles(view: View, names: _Names) -> Iterable[Element]:
    for event in view.target_failures:
        yield _trouble("the server starts", "target", event.message, _target_text(event), names)
    if not view.whole:
        message = "the record is not whole: the run was cut off"
        yield _trouble("the run is complete", "record", message, message, names)
    elif view.finished and view.finished.exit_code not in (0, 1) and not view.target_failures:
        message = view.finished.why or f"the run ended with exit code {view.finished.exit_code}"
        yield _trouble("the run is complete", "run", message, clipped(message), names)
    elif view.counts.total == 0 and not view.nothing_to_do:
        message = "no case was run"
        yield _trouble("cases are run", "run", message, message, names)


def _trouble(name: str, kind: str, message: str, text: str, names: _Names) -> Element:
    classname, unique = names.unique("sockcheck", name)
    element = Element("testcase", name=unique, classname=classname, time=_time(0.0))
    _result(element, "error", kind, message, text)
    return element


def _target_text(event: TargetFailed) -> str:
    return "\n".join(line.plain.rstrip() for line in target_failure(event, WIDTH))


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"
