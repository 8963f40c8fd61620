"""Failures that are known: what they excuse, when an entry is out of date, and how the file is read and written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from report_builder import Stream, case

from sockcheck.baseline import Baseline, Entry, Failures, family, gone
from sockcheck.case import Case
from sockcheck.errors import MistakesError
from sockcheck.events import CaseFinished, CaseJudged, CaseStarted, Event
from sockcheck.facts import Facts
from sockcheck.forms import (
    Span,
)
from sockcheck.reading.baseline import read_baseline
from sockcheck.reading.mistakes import render
from sockcheck.verdict import Kind, Outcome, Verdict

PATH = "known.yaml"
FAMILY, ONE = "echo/pieces::cut.at-k", "echo/pieces::cut.at-k(client.2:3)"


def entry(name: str = FAMILY, *kinds: str, fresh: str = "", flaky: bool = False, why: str = "") -> Entry:
    return Entry("" if fresh else name, fresh, kinds or ("silence",), flaky, why, Span(PATH, 7, 11, 20))


def cut(byte: int) -> Case:
    label = f"client.2:{byte}"
    return replace(case(), id=f"{FAMILY}({label})", variation=label)


def failed(kind: Kind = "silence", outcome: Outcome = "fail") -> Verdict:
    return Verdict(outcome, (Stream().finding(kind, hint="a hint"),))


def judged(trial: int, outcome: Outcome = "pass") -> CaseJudged:
    return CaseJudged(1.0, trial, (trial,), Verdict(outcome))


def test_what_the_variations_of_a_law_have_in_common() -> None:
    assert family(cut(3)) == FAMILY
    assert family(case("greets", law="plain")) == "echo/greets::plain"


@pytest.mark.parametrize("name", [FAMILY, ONE])
@pytest.mark.parametrize("outcome", ["fail", "flaky"])
def test_what_fails_as_is_known_is_no_failure(name: str, outcome: Outcome) -> None:
    excused = Baseline([entry(name)]).excused(cut(3), failed(outcome=outcome), fresh=False)
    assert excused == Verdict("skip", failed().findings, "in the baseline (known.yaml:7)")


def test_which_way_an_early_end_is_seen_does_not_matter() -> None:
    baseline = Baseline([entry(FAMILY, "missing-bytes")])
    assert baseline.excused(cut(3), failed("reset"), fresh=False).outcome == "skip"
    assert Baseline([entry()]).excused(cut(3), failed("reset"), fresh=False).outcome == "fail"


def test_why_it_is_known_is_told() -> None:
    excused = Baseline([entry(why="issue 12")]).excused(cut(3), failed(), fresh=False)
    assert excused.reason == "in the baseline (known.yaml:7): issue 12"


def test_what_fails_otherwise_is_a_failure_that_says_so() -> None:
    verdict = Baseline([entry(FAMILY, "silence", "reset")]).excused(cut(3), failed("exited"), fresh=False)
    assert verdict.outcome == "fail"
    assert verdict.findings[0].kind == "exited"
    assert verdict.findings[0].hint == "The baseline knows it to fail otherwise, by silence or reset (known.yaml:7)."


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict("pass"),
        Verdict("error", reason="no descriptors"),
        Verdict("busy", reason="busy"),
        Verdict("advice", failed().findings, "nobody promised it"),
        Verdict("fail"),
    ],
)
def test_all_else_stays_what_it_is(verdict: Verdict) -> None:
    assert Baseline([entry()]).excused(cut(3), verdict, fresh=False) == verdict


def test_what_is_not_in_the_baseline_is_a_failure() -> None:
    for known in ([], [entry("echo/other::plain")], [entry(ONE)]):
        assert Baseline(known).excused(cut(4), failed(), fresh=False) == failed()


def test_a_fresh_client_has_an_entry_of_its_own() -> None:
    baseline = Baseline([entry(fresh="echo"), entry("echo/other::plain")])
    assert baseline.excused(cut(3), failed(), fresh=True).outcome == "skip"
    assert baseline.excused(cut(3), failed(), fresh=False).outcome == "fail"
    assert Baseline([entry()]).excused(cut(3), failed(), fresh=True).outcome == "fail"


def test_an_entry_of_which_all_cases_pass_is_out_of_date() -> None:
    cases = [cut(1), cut(2), case("greets", law="plain")]
    baseline = Baseline([entry()], cases)
    held = [baseline.holds(each, judged(number)) for number, each in enumerate(cases, 1)]
    assert held == [True, False, False], "one of them, until the end"
    [event] = baseline.ended(9.0)
    assert (event.at, event.trial, event.verdict.outcome) == (9.0, 1, "fail")
    [finding] = event.verdict.findings
    assert (finding.kind, finding.span.line, finding.client) == ("not-known-to-fail", 7, "client")
    assert finding.message == f"{FAMILY} is in the baseline, and does not fail any more; take this entry out"
    assert (finding.expected, finding.actual) == ("a failure, since it is known: silence", "all 2 passed")


def test_of_one_case_it_is_said_that_it_passed() -> None:
    alone = replace(cut(3), actors=())
    baseline = Baseline([entry(ONE)], [alone, cut(4)])
    assert baseline.holds(alone, judged(1))
    [event] = baseline.ended(9.0)
    assert (event.verdict.findings[0].actual, event.verdict.findings[0].client) == ("it passed", "server")


@pytest.mark.parametrize("other", ["fail", "error", "busy", "skip", "flaky"])
def test_an_entry_of_which_not_all_pass_is_not_out_of_date(other: Outcome) -> None:
    baseline = Baseline([entry()], [cut(1), cut(2)])
    assert baseline.holds(cut(1), judged(1))
    assert not baseline.holds(cut(2), judged(2, other))
    [event] = baseline.ended(9.0)
    assert event.verdict.outcome == "pass"


def test_of_what_was_not_all_run_it_is_not_said() -> None:
    baseline = Baseline([entry()], [cut(1), cut(2)])
    assert baseline.holds(cut(1), judged(1))
    assert [event.verdict.outcome for event in baseline.ended(9.0)] == ["pass"]


def test_what_is_skipped_need_not_pass() -> None:
    baseline = Baseline([entry()], [cut(1), replace(cut(2), skip="not here")])
    assert baseline.holds(cut(1), judged(1))
    assert [event.verdict.outcome for event in baseline.ended(9.0)] == ["fail"]


def test_what_is_flaky_may_pass() -> None:
    baseline = Baseline([entry(flaky=True)], [cut(1)])
    assert not baseline.holds(cut(1), judged(1))
    assert list(baseline.ended(9.0)) == []


def test_of_a_case_that_never_began_nothing_is_kept_back() -> None:
    assert not Baseline([entry()], [cut(1)]).holds(None, judged(1))


def test_the_facts_of_a_run_keep_back_what_may_be_known_to_fail() -> None:
    told: list[Event] = []
    facts = Facts([told.append], Baseline([entry()], [cut(1), cut(2)]))
    for trial, each in ((1, cut(1)), (2, cut(2)), (3, case("greets", law="plain"))):
        facts.emit(CaseStarted(0.1 * trial, trial, 1, each, trial=trial))
        facts.emit(CaseFinished(0.1 * trial, trial, Verdict("pass")))
        facts.emit(judged(trial))
    assert [event.trial for event in told if isinstance(event, CaseJudged)] == [2, 3]
    assert facts.outcomes == {"pass"}
    facts.end_baseline(2.0)
    assert [event.trial for event in told if isinstance(event, CaseJudged)] == [2, 3, 1]
    assert facts.outcomes == {"pass", "fail"}
    assert facts.excused(cut(1), failed(), fresh=False).outcome == "skip"


def test_what_passed_and_is_not_out_of_date_is_told_as_it_was() -> None:
    told: list[Event] = []
    facts = Facts([told.append], Baseline([entry()], [cut(1), cut(2)]))
    facts.emit(CaseStarted(0.1, 1, 1, cut(1), trial=1))
    facts.emit(judged(1))
    facts.end_baseline(2.0)
    assert [event.verdict for event in told if isinstance(event, CaseJudged)] == [Verdict("pass")]


CASES = [cut(1), cut(2), case("greets", law="plain")]


@pytest.mark.parametrize(
    ("name", "whole", "derived", "is_gone"),
    [
        (FAMILY, True, True, False),
        ("echo/pieces::cut.at-k(client.2:1)", True, True, False),
        (ONE, True, True, True),
        ("echo/pieces::end.half", True, True, True),
        ("echo/pieces::end.half", False, True, True),
        ("echo/pieces::end.half", True, False, False),
        ("echo/renamed::plain", True, False, True),
        ("echo/renamed::plain", False, True, False),
        ("kv/set::plain", True, True, False),
    ],
)
def test_an_entry_without_a_case_is_gone_if_that_can_be_known(
    name: str, whole: bool, derived: bool, is_gone: bool
) -> None:
    known = entry(name)
    found = gone([known, entry(fresh="kv")], CASES, {"echo"} if whole else set(), derived=derived)
    assert found == ((known,) if is_gone else ())


def run_of(*cases: tuple[Case, Verdict], role: Any = "first") -> Failures:
    failures = Failures()
    for trial, (each, verdict) in enumerate(cases, 1):
        failures.tell(CaseStarted(0.0, trial, 1, each, trial=trial, role=role))
        failures.tell(CaseJudged(0.0, trial, (trial,), verdict))
    failures.tell(CaseJudged(0.0, 99, (), failed()))
    return failures


def test_what_fails_is_written_one_entry_a_law_in_order() -> None:
    known = Verdict("skip", failed("reset").findings, "in the baseline (known.yaml:7)")
    greets = case("greets", law="plain")
    failures = run_of(
        (greets, failed("exited")),
        (cut(1), failed()),
        (cut(2), failed("reset", "flaky")),
        (cut(3), known),
        (case("now and then", law="plain"), failed("silence", "flaky")),
        (case("good", law="plain"), Verdict("pass")),
        (case("advised", law="plain"), Verdict("advice", failed().findings, "nobody promised it")),
        (case("authors", law="plain"), Verdict("skip", failed().findings, "known failure: issue 1")),
        (case("mended", law="plain"), failed("not-known-to-fail")),
    )
    assert failures.number == 3
    text = failures.text({"echo/greets::plain": 'since "May"', "echo/gone::plain": "gone"})
    assert text.partition("\n\n")[2] == (
        "failures:\n"
        "  - case: echo/greets::plain\n"
        "    kinds: [exited]\n"
        '    why: "since \\"May\\""\n'
        '  - case: "echo/now and then::plain"\n'
        "    kinds: [silence]\n"
        "    flaky: yes\n"
        "  - case: echo/pieces::cut.at-k\n"
        "    kinds: [reset, silence]\n"
    )
    assert text.startswith("# ")
    entries = read_baseline(PATH, text)
    assert [(known.case, known.kinds, known.flaky, known.why) for known in entries] == [
        ("echo/greets::plain", ("exited",), False, 'since "May"'),
        ("echo/now and then::plain", ("silence",), True, ""),
        (FAMILY, ("reset", "silence"), False, ""),
    ]
    assert entries[2].place == f"{PATH}:{entries[2].span.line}"


def test_what_a_fresh_client_met_is_written_for_the_contract() -> None:
    text = run_of((case("greets", law="plain"), failed("spinning")), role="probe").text({})
    assert text.endswith("failures:\n  - fresh-client: echo\n    kinds: [spinning]\n")
    [known] = read_baseline(PATH, text)
    assert (known.case, known.fresh_client) == ("", "echo")


def test_where_nothing_fails_the_baseline_is_empty() -> None:
    text = run_of().text({})
    assert text.endswith("\nfailures: []\n")
    assert read_baseline(PATH, text) == ()


@pytest.mark.parametrize("name", ["a/b[x=1: 2]::plain", "a/b[x=#]::plain", "a/b[x='\"]::plain", "é/ü[x=\\n]::plain"])
def test_whatever_the_id_is_it_comes_back(name: str) -> None:
    strange = replace(case(), id=name)
    [known] = read_baseline(PATH, run_of((strange, failed())).text({}))
    assert known.case == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"{PATH}:1:1: the file is empty"),
        ("failure: []\n", f"{PATH}:1:1: unknown key 'failure'"),
        ("\nother: []\n", f"{PATH}:1:1: 'failures', a list, is missing"),
        ("failures: echo\n", f"{PATH}:1:11: expected a list of failures"),
        ("failures:\n  - echo\n", f"{PATH}:2:5: expected a failure, such as"),
        ("failures:\n  - case: a/b::plain\n", f"{PATH}:2:5: 'kinds' is missing"),
        ("failures:\n  - kinds: [silence]\n", f"{PATH}:2:5: expected either 'case' or 'fresh-client'"),
        (
            "failures:\n  - case: a/b::plain\n    fresh-client: a\n    kinds: [silence]\n",
            f"{PATH}:2:5: expected either 'case' or 'fresh-client'",
        ),
        ("failures:\n  - case: a/b\n    kinds: [silence]\n", f"{PATH}:2:11: 'a/b' is not the id of a case"),
        ("failures:\n  - case: a/b::c\n    kinds: [silenc]\n", f"{PATH}:3:13: unknown kind 'silenc'"),
        ("failures:\n  - case: a/b::c\n    kinds: [not-known-to-fail]\n", "unknown kind 'not-known-to-fail'"),
        ("failures:\n  - case: a/b::c\n    kinds: [silence]\n    flaky: perhaps\n", f"{PATH}:4:12: expected 'yes'"),
        ("failures:\n  - case: a/b::c\n    kinds: [silence]\n    line: 3\n", f"{PATH}:4:5: unknown key 'line'"),
        (
            "failures:\n  - {case: a/b::c, kinds: silence}\n  - {case: a/b::c, kinds: reset}\n",
            f"{PATH}:3:12: 'a/b::c' stands here twice; first in line 2",
        ),
    ],
)
def test_mistakes_have_their_line(text: str, said: str) -> None:
    with pytest.raises(MistakesError) as caught:
        read_baseline(PATH, text)
    assert "in the baseline" in caught.value.message
    told = [render(mistake, text) for mistake in caught.value.errors]
    assert any(said in each for each in told), told


def test_a_word_for_a_list_of_one_will_do() -> None:
    [known] = read_baseline(PATH, "failures:\n  - {fresh-client: echo, kinds: spinning, flaky: yes, why: issue 3}\n")
    assert known == Entry("", "echo", ("spinning",), True, "issue 3", Span(PATH, 2, 20, 24))
