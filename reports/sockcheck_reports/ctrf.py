"""The run in the Common Test Report Format (https://ctrf.io), which keeps more of what happened than JUnit XML."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from sockcheck.case import Case
from sockcheck.events import CaseNotRun
from sockcheck.verdict import Outcome

from .accounts import Accounts
from .excerpt import clipped, plain
from .view import CaseView, View, place

SPECIFICATION = "0.1.0"
SIZE_LIMIT = 16_000_000
"""So many bytes of failures are told in full."""

Status = Literal["passed", "failed", "skipped", "pending", "other"]

_STATUS: Mapping[Outcome, Status] = {
    "pass": "passed",
    "fail": "failed",
    "flaky": "failed",
    "advice": "passed",
    "error": "other",
    "busy": "other",
    "skip": "skipped",
}


def render(view: View, laws: Mapping[str, str]) -> str:
    """The whole file. `laws` gives each law's sentence by its id.

    What went wrong for the run as a whole (no server, a record that was cut off) is a test of its own.
    """
    accounts = Accounts(view, laws, SIZE_LIMIT)
    began = _began(view)
    tests = [
        *(_case(case, view, accounts, began) for case in view.cases),
        *(_not_run(event) for event in view.not_run),
        *_troubles(view),
    ]
    return _file(tests, began, view.duration, view)


def unfinished(sentences: Sequence[str]) -> str:
    """What is to be found where the run never came to its end."""
    return _file([_trouble("the run is complete", "\n".join(map(clipped, sentences)))], 0, 0.0, None)


def _file(tests: Sequence[Mapping[str, Any]], began: int, seconds: float, view: View | None) -> str:
    counted = Counter(test["status"] for test in tests)
    tool: dict[str, Any] = {"name": "sockcheck"}
    environment: dict[str, Any] = {}
    if view and view.run:
        tool["version"] = plain(view.run.sockcheck)
        environment["osPlatform"] = plain(view.run.platform)
    causes = [] if view is None else [cause.named for cause in view.causes if cause.known]
    results = {
        "tool": tool,
        "summary": {
            "tests": len(tests),
            **{status: counted[status] for status in ("passed", "failed", "skipped", "pending", "other")},
            "flaky": sum(bool(test.get("flaky")) for test in tests),
            "start": began,
            "stop": began + _milliseconds(seconds),
        },
        "tests": tests,
        "environment": environment,
        "extra": {"causes": [{"id": plain(cause.id), "law": plain(cause.law)} for cause in causes]},
    }
    return json.dumps({"reportFormat": "CTRF", "specVersion": SPECIFICATION, "results": results}, indent=1) + "\n"


def _case(case: CaseView, view: View, accounts: Accounts, began: int) -> dict[str, Any]:
    span = place(case, case.findings[0] if case.findings else None)
    start = began + _milliseconds(case.began)
    duration = _milliseconds(case.duration)
    test = _test(case.case, case.label, _status(case.outcome, view), case.outcome, duration, span.line)
    test |= {"start": start, "stop": start + duration, "flaky": case.outcome == "flaky"}
    if case.said:
        test["message"] = clipped(case.said, 500)
    if case.findings or case.outcome in ("error", "busy"):
        test["trace"] = accounts.of(case)
        test["stdout"] = accounts.output(case)
    if case.tries:
        test["retries"] = len(case.tries) - 1
        test["retryAttempts"] = [_attempt(number, each, accounts) for number, each in enumerate(case.tries, 1)]
    return test


def _status(outcome: Outcome, view: View) -> Status:
    passes = outcome == "flaky" and view.run is not None and view.run.flaky == "pass"
    return "passed" if passes else _STATUS[outcome]


def _attempt(number: int, case: CaseView, accounts: Accounts) -> dict[str, Any]:
    attempt: dict[str, Any] = {
        "attempt": number,
        "status": _STATUS[case.outcome],
        "duration": _milliseconds(case.duration),
    }
    return attempt | ({"message": clipped(case.said, 500), "trace": accounts.of(case)} if case.said else {})


def _not_run(event: CaseNotRun) -> dict[str, Any]:
    case = event.case
    stopped = event.reason in ("stopped", "no-server")
    test = _test(case, case.id, "pending" if stopped else "skipped", "not run", 0, case.span.line)
    return test | {"message": clipped(event.why, 500)}


def _test(case: Case, name: str, status: Status, raw: str, milliseconds: int, line: int) -> dict[str, Any]:
    return {
        "name": plain(name) or "?",
        "status": status,
        "rawStatus": raw,
        "duration": milliseconds,
        "suite": [plain(case.contract), plain(case.scenario)],
        "filePath": plain(case.span.path),
        "line": line,
        "tags": [plain(case.law)],
    }


def _troubles(view: View) -> Iterator[dict[str, Any]]:
    for event in view.target_failures:
        yield _trouble("the server starts", event.message)
    if not view.whole:
        yield _trouble("the run is complete", "the record is not whole: the run was cut off")


def _trouble(name: str, message: str) -> dict[str, Any]:
    text = "\n".join(clipped(line) for line in message.split("\n"))
    return {"name": name, "status": "other", "rawStatus": "error", "duration": 0, "message": text}


def _began(view: View) -> int:
    """When the run began, in milliseconds since 1970, or 0 where that is not known."""
    try:
        return _milliseconds(datetime.datetime.fromisoformat(view.run.started).timestamp()) if view.run else 0
    except (ValueError, OverflowError, OSError):
        return 0


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))
