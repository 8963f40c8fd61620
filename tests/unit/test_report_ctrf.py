"""The Common Test Report Format: valid whatever came, and all that happened is in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builder import LAWS, PATH, Stream, case
from report_streams import STREAMS, view

from sockcheck.events import CaseNotRun, RunStarted, TargetFailed
from sockcheck_reports import ctrf
from sockcheck_reports.view import View, fold

SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "ctrf.schema.json").read_text())


def checked(text: str) -> Any:
    report = json.loads(text)
    jsonschema.validate(report, SCHEMA, cls=jsonschema.Draft202012Validator)
    counts = report["results"]["summary"]
    assert counts["tests"] == len(report["results"]["tests"])
    assert counts["tests"] == sum(counts[each] for each in ("passed", "failed", "skipped", "pending", "other"))
    return report["results"]


def results(view: View) -> Any:
    return checked(ctrf.render(view, LAWS))


@pytest.mark.parametrize("name", STREAMS)
def test_every_report_is_valid(name: str) -> None:
    results(view(name))


@given(st.binary(), st.text())
def test_whatever_bytes_and_texts_come(data: bytes, text: str) -> None:
    run = Stream().start(total=2, started=text).serve().output(data).begin(case(text, title=text)).received(data)
    run.verdict("fail", run.finding(message=text, expected=text, actual=text, law=text))
    run.begin(case(text)).verdict("error", reason=text).add(CaseNotRun(run.at, case(text), text))
    results(fold(run.add(TargetFailed(run.at, 2, text, text, data)).finish(3, text)))


def test_a_failure_has_its_place_its_time_and_all_that_is_known() -> None:
    found = results(view("classic"))
    assert found["summary"]["start"] == 1763644500000
    failed = next(test for test in found["tests"] if test["status"] == "failed")
    assert (failed["filePath"], failed["line"], failed["suite"]) == (PATH, 8, ["echo", "pieces"])
    assert failed["message"].endswith("7 of 12 bytes did not come")
    assert "Timeline" in failed["trace"]
    assert failed["stdout"][0] == "listening on port 41731"
    assert failed["rawStatus"] == "fail"


def test_attempts_are_kept() -> None:
    tests = {test["name"]: test for test in results(view("attempts"))["tests"]}
    seldom = tests["echo/seldom::cut.at-k"]
    assert (seldom["status"], seldom["flaky"], seldom["retries"]) == ("failed", True, 2)
    assert [each["status"] for each in seldom["retryAttempts"]] == ["failed", "passed", "passed"]
    assert "Timeline" in seldom["retryAttempts"][0]["trace"]
    assert tests["echo/busy::cut.at-k"]["status"] == "other"
    passing = [replace(each, flaky="pass") if isinstance(each, RunStarted) else each for each in STREAMS["attempts"]()]
    tests = {test["name"]: test for test in results(fold(passing))["tests"]}
    assert tests["echo/seldom::cut.at-k"]["status"] == "passed"


def test_what_was_not_run_is_skipped_or_still_to_come() -> None:
    run = Stream().start(total=2).add(CaseNotRun(0.1, case("a"), "so says the file", "skipped"))
    tests = results(fold(run.add(CaseNotRun(0.1, case("b"), "interrupted", "stopped")).finish(130)))["tests"]
    assert [(test["status"], test["message"]) for test in tests] == [
        ("skipped", "so says the file"),
        ("pending", "interrupted"),
    ]


def test_a_run_without_a_server_or_an_end_is_not_green() -> None:
    assert "the server starts" in [test["name"] for test in results(view("mixed"))["tests"]]
    assert results(view("empty"))["tests"][0]["status"] == "other"
    [draft] = checked(ctrf.unfinished(("2 of 9", "\x1b[2J")))["tests"]
    assert (draft["status"], draft["message"]) == ("other", "2 of 9\n\\x1b[2J")
