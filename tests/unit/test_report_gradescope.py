"""results.json of Gradescope: valid whatever came, nothing of a hidden row on top, never an undeserved zero."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builder import LAWS, Stream, case
from report_streams import STREAMS, view

from sockcheck.events import CaseNotRun, TargetFailed
from sockcheck_reports import gradescope
from sockcheck_reports.view import View, fold

SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "gradescope.schema.json").read_text())
FAILED = "the server exited with status 1 before it listened"


def checked(text: str) -> Any:
    results = json.loads(text)
    jsonschema.validate(results, SCHEMA, cls=jsonschema.Draft202012Validator)
    for test in results["tests"]:
        assert test.get("score", 0) <= test["max_score"]
    return results


def results(view: View) -> Any:
    return checked(gradescope.render(view, LAWS))


@pytest.mark.parametrize("name", STREAMS)
def test_every_report_is_valid(name: str) -> None:
    found = results(view(name))
    numbers = [test["number"] for test in found["tests"]]
    assert len(numbers) == len(set(numbers))
    for text in (found["output"], *(test["output"] for test in found["tests"])):
        assert all(character.isprintable() or character == "\n" for character in text)


@given(st.binary(), st.text())
def test_whatever_bytes_and_texts_come(data: bytes, text: str) -> None:
    run = Stream().start(total=3).serve().output(data)
    run.begin(case(text, title=text, hint=text, law=text)).received(data)
    run.verdict("fail", run.finding(message=text, expected=text, actual=text, law=text))
    run.begin(case(text)).verdict("error", reason=text).add(CaseNotRun(run.at, case(text), text))
    run.add(TargetFailed(run.at, 2, text, text, data))
    results(fold(run.finish(3, text)))


def test_a_row_is_a_test_with_its_points_and_what_to_mend() -> None:
    run = Stream().start(total=3).serve().passes("greets")
    run.begin(replace(case(hint="Read on."), points=2.5, visibility="after_due_date")).connect()
    run.verdict("fail", run.finding()).passes("last")
    found = results(fold(run.finish()))
    assert "score" not in found
    assert [(t["number"], t["score"], t["max_score"], t["status"], t["visibility"]) for t in found["tests"]] == [
        ("1.1", 1.0, 1.0, "passed", "visible"),
        ("2.1", 1.0, 1.0, "passed", "visible"),
        ("3.1", 0.0, 2.5, "failed", "after_due_date"),
    ]
    assert [test["name"] for test in found["tests"]][1:] == [
        "A line is echoed",
        "A line in two pieces is echoed whole [cut.at-k]",
    ]
    lost = found["tests"][2]["output"]
    assert lost.startswith("1 of 1 case failed\n\nFAIL  echo/pieces::cut.at-k\n")
    for part in ("7 of 12 bytes did not come", "Law cut.at-k", "Hint: Read on.", "Run just this case again"):
        assert part in lost
    assert found["tests"][0]["output"] == "1 case: all passed"
    assert found["extra_data"]["earned"] == 2.0
    assert found["extra_data"]["total"] == 4.5


def test_what_could_not_be_judged_has_no_score_and_the_top_says_so() -> None:
    run = Stream().start(total=2).serve().passes().begin(case())
    found = results(fold(run.verdict("busy", reason="no CPU").finish(5)))
    assert found["output"].startswith("REGRADE: this is no grade, since 1 row could not be judged.")
    open_ = found["tests"][1]
    assert "score" not in open_
    assert "status" not in open_
    assert open_["max_score"] == 1.0
    assert open_["output"].startswith("REGRADE: this is no grade, since echo/pieces::cut.at-k: no CPU.")
    assert found["extra_data"]["regrade"] is True
    assert results(view("cut-off"))["output"].startswith("REGRADE: this is no grade")


def test_nothing_of_a_hidden_row_stands_on_top() -> None:
    events = STREAMS["causes"]()
    assert "CAUSE  The server takes one recv() for one message" in results(fold(events))["output"]
    secret = json.loads(json.dumps(gradescope.render(hidden(events), LAWS)))
    found = checked(secret)
    assert found["output"] == ""
    assert found["stdout_visibility"] == "hidden"
    assert {test["visibility"] for test in found["tests"]} == {"hidden"}


def hidden(events: list[Any]) -> View:
    """The same run, all of whose scenarios are hidden."""
    return fold(
        replace(event, case=replace(event.case, visibility="hidden")) if hasattr(event, "case") else event
        for event in events
    )


def test_a_server_that_never_started_is_worth_nothing_and_what_it_wrote_is_shown() -> None:
    run = Stream().start(total=1).add(TargetFailed(0.1, 1, FAILED, "", b"NameError: name 'sokcet'\n", "server"))
    found = results(fold(run.add(CaseNotRun(0.1, case(), FAILED, "no-server")).finish(3)))
    assert [(test["score"], test["status"], test["output"]) for test in found["tests"]] == [(0.0, "failed", FAILED)]
    assert "NameError: name 'sokcet'" in found["output"]
    assert "REGRADE" not in found["output"]


def test_what_is_of_no_account_is_named_apart() -> None:
    run = Stream().start(total=2).serve().passes()
    run.add(CaseNotRun(run.at, case("half"), "'half-close' is needed", "skipped"))
    found = results(fold(run.finish(0)))
    assert len(found["tests"]) == 1
    assert found["extra_data"]["left_out"] == [
        {"scenario": "echo/half", "law": "cut.at-k", "why": "'half-close' is needed"}
    ]


def test_output_is_bounded() -> None:
    run = Stream().start(total=400).serve()
    for number in range(400):
        run.begin(case(f"n{number}")).output(b"x" * 60_000).verdict("fail", run.finding(message="m " * 20_000))
    found = results(fold(run.finish()))
    lengths = [len(test["output"]) for test in found["tests"]]
    assert max(lengths) < 17_000
    assert sum(lengths) < gradescope.LIMIT + 30_000


def test_before_the_run_is_finished_there_is_no_grade() -> None:
    found = checked(gradescope.unfinished(("3 of 9 cases were judged", "\x1b[2J")))
    assert found["output"].splitlines()[1:] == ["3 of 9 cases were judged", "\\x1b[2J"]
    assert found["output"].startswith("REGRADE: this is no grade, since the run was not finished.")
    assert found["tests"] == []
