"""The run as JUnit XML, as pytest, Maven Surefire, Jenkins and GitLab read it.

The schema is the one of the Jenkins xUnit plugin (junit-10.xsd). It knows no `file` on a test case, so each scenario
file is a suite of its own that bears the file; the place of a finding stands in the text of the failure as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from sockcheck.case import Case
from sockcheck.events import CaseNotRun, TargetFailed

from .excerpt import clipped, output_lines, plain
from .failure import account, caused, target_failure
from .view import CaseView, CauseView, View
from .wording import size

OUTPUT_LIMIT = 8 * 1024
_WIDTH = 100


def render(view: View, laws: Mapping[str, str]) -> str:
    """The whole document. `laws` gives each law's sentence by its id.

    Whatever has gone wrong for the run as a whole (no server, a record that was cut off) is an error of a test case of
    its own, so that a run in which nothing was judged is never green.
    """
    root = Element("testsuites", name="sockcheck", time=_time(view.duration))
    names = _Names()
    for path, entries in _by_file(view).items():
        _suite(root, view, path, [_entry(entry, view, laws, names) for entry in entries])
    troubles = list(_run_troubles(view, names))
    if troubles:
        _suite(root, view, "", troubles)
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


def _entry(entry: CaseView | CaseNotRun, view: View, laws: Mapping[str, str], names: _Names) -> Element:
    if isinstance(entry, CaseNotRun):
        element = _case(entry.case, entry.case.id, 0.0, names)
        _result(element, "skipped", "not-run", entry.why, "")
        return element
    element = _case(entry.case, entry.label, entry.duration, names)
    if entry.outcome == "pass":
        return element
    if entry.outcome == "skip" and not entry.known_failure:
        _result(element, "skipped", "skip", entry.reason, "")
        return element
    text = "\n".join(line.plain.rstrip() for line in account(entry, view, laws, _WIDTH))
    if entry.outcome == "advice":
        # It passed as far as anybody counts: what was found is only said.
        _output(element, entry, f"advice, which does not count: {clipped(entry.reason)}\n\n{text}")
        return element
    if entry.known_failure:
        _result(element, "skipped", "baseline" if entry.in_baseline else "known-failure", entry.reason, text)
    elif entry.outcome in ("fail", "flaky"):
        first = entry.findings[0] if entry.findings else None
        kind = "flaky" if entry.outcome == "flaky" else first.kind if first else "fail"
        _result(element, "failure", kind, first.message if first else entry.reason, text)
    else:
        _result(element, "error", entry.outcome, entry.reason, text)
    _output(element, entry)
    return element


def _case(case: Case, name: str, seconds: float, names: _Names) -> Element:
    classname, unique = names.unique(case.contract, name)
    return Element("testcase", name=unique, classname=classname, time=_time(seconds))


def _result(element: Element, tag: str, kind: str, message: str, text: str) -> None:
    SubElement(element, tag, type=kind, message=clipped(message)).text = text or clipped(message)


def _is_of(cause: CauseView, path: str) -> bool:
    return bool(path) and any(case.case.span.path == path for case in cause.cases)


def _output(element: Element, case: CaseView, lead: str = "") -> None:
    """`lead`, then the last that the server wrote."""
    lines, left = output_lines([event.data for event in case.output], OUTPUT_LIMIT)
    left += case.dropped
    note = [f"({size(left)} before this are not shown)"] if left and lines else []
    said = [lead] if lead else []
    if said or lines:
        SubElement(element, "system-out").text = "\n".join([*said, *note, *lines])


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
    return "\n".join(line.plain.rstrip() for line in target_failure(event, _WIDTH))


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"
