"""JUnit XML: valid by the schema, whatever came."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junit_schema import junit_schema
from lxml import etree
from report_attempts import BUSY, PASSED, Trials
from report_builder import HOSTILE, LAWS, PATH, Stream, case
from report_streams import STREAMS, view

from sockcheck.events import CaseNotRun, RunStarted, Share
from sockcheck_reports import accounts, junit
from sockcheck_reports.view import View, fold

SCHEMA = junit_schema()


def document(view: View) -> etree._Element:
    """The report, parsed by a strict parser and found valid."""
    root = etree.fromstring(junit.render(view, LAWS).encode())
    SCHEMA.assertValid(root)
    return root


def texts(root: etree._Element, path: str) -> list[str]:
    found = root.xpath(path)
    assert isinstance(found, list)
    return [str(text) for text in found]


@pytest.mark.parametrize("name", STREAMS)
def test_every_report_is_valid_and_every_name_is_unique(name: str) -> None:
    root = document(view(name))
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(names) == len(set(names))
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        assert root.get(attribute) == str(len(list(root.iter(tag))))


@given(st.binary(), st.text())
def test_whatever_bytes_and_texts_come(data: bytes, text: str) -> None:
    run = Stream().start(total=2).serve().output(data).begin(case(text, title=text)).received(data)
    run.verdict("fail", run.finding(message=text, expected=text, actual=text, law=text))
    run.begin(case(text)).verdict("error", reason=text).add(CaseNotRun(run.at, case(text), text))
    document(fold(run.finish(3, text)))


def test_a_failure_carries_the_whole_message_its_place_and_the_output() -> None:
    root = document(view("classic"))
    [suite] = root.iter("testsuite")
    assert suite.get("file") == PATH
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "0")
    failed = root.find(".//failure/..")
    assert failed is not None
    assert (failed.get("classname"), failed.get("name")) == ("echo", "echo/pieces::cut.at-k")
    assert failed.get("time") == "0.000"
    failure = failed.find("failure")
    assert failure is not None
    assert failure.get("type") == "missing-bytes"
    assert failure.get("message") == "the server closed the connection after 5 bytes: 7 of 12 bytes did not come"
    text = failure.text or ""
    for part in (f"{PATH}:8", '"hello world\\n"', "Law cut.at-k: A stream", "Timeline", "--select", "Hint: recv()"):
        assert part in text
    assert failed.findtext("system-out") == (
        "listening on port 41731\nconnection from 127.0.0.1:50524\ngot b'hello'\nconnection closed"
    )


def test_the_causes_are_properties_of_the_suite_and_stand_in_each_failure() -> None:
    root = document(view("causes"))
    assert [(each.get("name"), each.get("value")) for each in root.iter("property")] == [
        ("cause one-recv", "one-recv: the server takes one recv() for one message"),
        ("cause hard-close", "hard-close: the server closes by a reset"),
        ("cause tail-dropped", "tail-dropped: the server drops what comes behind a message in one recv()"),
    ]
    failures = texts(root, "//failure/text()")
    assert sum("\n  Cause one-recv: the server takes one recv() for one message\n" in text for text in failures) == 11


def test_advice_is_a_test_case_that_passed_and_says_what_was_found() -> None:
    root = document(view("causes"))
    advice = root.find(".//testcase[@name='echo/half::merge.pipeline']")
    assert advice is not None
    [said] = list(advice)
    assert said.tag == "system-out"
    assert said.text is not None
    assert said.text.startswith(
        "advice, which does not count: the contract does not promise half-close\n\nADVICE  echo/half"
    )
    assert root.get("failures") == "14"


def test_long_output_is_clipped_and_says_so() -> None:
    [out, *_] = texts(document(view("huge")), "//system-out/text()")
    assert len(out) < accounts.OUTPUT_LIMIT + 100
    assert out.startswith("(101.8 kB before this are not shown)\ny\n")


def test_hostile_bytes_arrive_as_visible_escapes() -> None:
    [out, *_] = texts(document(view("hostile")), "//system-out/text()")
    assert "\\x00\\x01\\x02" in out
    assert "]]><![CDATA[ --> \\x1b[31mred\\x1b[0m" in out
    assert HOSTILE[256:300].decode() in out


@pytest.mark.parametrize(
    ("exit_code", "why", "messages"),
    [
        (0, "", []),
        (1, "stopped after the first failure", []),
        (130, "interrupted", ["interrupted"]),
        (5, "", ["the run ended with exit code 5"]),
    ],
)
def test_what_went_wrong_with_the_run_is_an_error(exit_code: int, why: str, messages: list[str]) -> None:
    root = document(fold(Stream().start().serve().passes().finish(exit_code, why)))
    assert texts(root, "//error/@message") == messages


def test_a_run_that_judged_nothing_is_not_green() -> None:
    assert texts(document(view("empty")), "//error/@message") == ["the record is not whole: the run was cut off"]
    nothing = fold(Stream().start(total=0).finish(0))
    assert texts(document(nothing), "//error/@message") == ["no case was run"]
    assert texts(document(view("mixed")), "//testcase[@classname='sockcheck']/@name") == ["the server starts"]


def test_skips_give_their_reasons() -> None:
    assert texts(document(view("mixed")), "//skipped/text()") == [
        "it cannot be tested here",
        "the author says so",
        "it needs half-close, which the contract does not promise",
    ]


def test_a_failure_without_findings_still_has_a_message() -> None:
    root = document(fold(Stream().start().begin(case()).verdict("fail", reason="it is so").finish()))
    assert texts(root, "//failure/@message") == ["it is so"]


def test_two_cases_of_one_name_are_told_apart() -> None:
    run = Stream().start(total=3)
    for _ in range(3):
        run.add(CaseNotRun(run.at, case(), "why"))
    root = document(fold(run.finish()))
    assert texts(root, "//testcase[@classname='echo']/@name") == [
        "echo/pieces::cut.at-k",
        "echo/pieces::cut.at-k (2)",
        "echo/pieces::cut.at-k (3)",
    ]


def test_known_failures_are_skipped_with_all_that_is_known_of_them() -> None:
    root = document(view("known"))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "1", "0")
    assert texts(root, "//skipped/@message") == [
        "known failure: issue 12",
        "known failure: issue 12",
        "known failure: the server of week 3",
    ]
    for text in texts(root, "//skipped/text()"):
        assert text.startswith("KNOWN  echo/")
        assert "the server closed the connection after 5 bytes" in text
    assert texts(root, "//failure/@type") == ["not-known-to-fail"]


def test_what_is_in_the_baseline_is_skipped_and_told_apart() -> None:
    run = Stream().start().serve().begin(case())
    run.verdict("skip", run.finding(), reason="in the baseline (known.yaml:3)")
    root = document(fold(run.finish(0)))
    assert texts(root, "//skipped/@type") == ["baseline"]
    assert texts(root, "//skipped/@message") == ["in the baseline (known.yaml:3)"]
    assert root.get("failures") == "0"


def test_a_shard_without_a_case_is_no_error() -> None:
    root = document(fold(Stream().start(share=Share((7,), 9), total=0).finish(0)))
    assert (root.get("tests"), root.get("errors")) == ("0", "0")


def test_a_missing_shard_is_an_error() -> None:
    run = Stream().start(share=Share((1, 3), 3)).serve().passes()
    root = document(fold(run.finish(4, "shard 2/3 is missing")))
    assert texts(root, "//error/@message") == ["shard 2/3 is missing"]


def test_a_test_case_names_the_file_and_the_line_that_it_is_about() -> None:
    root = document(view("classic"))
    assert [(each.get("file"), each.get("line")) for each in root.iter("testcase")] == [
        (PATH, "1"),
        (PATH, "8"),
        (PATH, "1"),
    ]


def test_what_failed_again_is_told_as_a_rerun_with_all_that_is_known_of_it() -> None:
    root = document(view("attempts"))
    poisoned = root.find(".//testcase[@name='echo/poisoned::cut.at-k']")
    assert poisoned is not None
    assert [each.tag for each in poisoned] == ["failure", "rerunFailure"]
    [trace] = texts(poisoned, "rerunFailure/stackTrace/text()")
    assert "nothing came within 2.00 s" in trace
    assert "Timeline" in trace
    busy = root.find(".//testcase[@name='echo/busy::cut.at-k']")
    assert busy is not None
    assert [each.tag for each in busy] == ["error", "rerunError", "rerunError"]


def test_where_flaky_passes_it_is_no_failure_and_each_failed_attempt_is_kept() -> None:
    events = [
        replace(event, flaky="pass") if isinstance(event, RunStarted) else event for event in STREAMS["attempts"]()
    ]
    seldom = document(fold(events)).find(".//testcase[@name='echo/seldom::cut.at-k']")
    assert seldom is not None
    assert [each.tag for each in seldom] == ["flakyFailure"]
    assert "nothing came within 2.00 s" in (seldom.findtext("flakyFailure/stackTrace") or "")
    alone = Stream().start(flaky="pass").serve().begin(case())
    root = document(fold(alone.verdict("flaky", alone.finding()).finish(0)))
    assert texts(root, "//flakyFailure/@type") == ["missing-bytes"]


def test_an_attempt_that_the_machine_was_too_busy_for_is_told_where_the_case_passed() -> None:
    run = Trials()
    run.start(total=1)
    run.first(case(), BUSY).again(case(), PASSED, "alone").comes_to(PASSED, 1, 2)
    root = document(fold(run.finish(0)))
    assert texts(root, "//flakyError/@type") == ["busy"]
    assert (root.get("failures"), root.get("errors")) == ("0", "0")


def test_a_file_of_thousands_of_failures_is_smaller_than_its_readers_allow() -> None:
    run = Stream().start(total=3000).serve()
    for number in range(3000):
        run.begin(case(f"n{number}")).output(b"<&>" * 4000 + b"\n")
        run.verdict("fail", run.finding(message=f"number {number}"))
    text = junit.render(fold(run.finish()), LAWS)
    assert junit.SIZE_LIMIT < len(text) < 30_000_000
    assert "number 2999\nAll in full would be too long for the readers of this file" in text


def test_before_the_run_is_finished_the_file_says_that_it_was_not() -> None:
    root = etree.fromstring(junit.unfinished(("2 of 9 cases were judged", "\x1b[31m<b>")).encode())
    SCHEMA.assertValid(root)
    assert (root.get("tests"), root.get("errors")) == ("1", "1")
    assert texts(root, "//error/@message") == ["the run was not finished"]
    assert texts(root, "//error/text()") == ["the run was not finished\n2 of 9 cases were judged\n\\x1b[31m<b>"]
