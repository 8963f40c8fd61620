"""What students may see of a run: nothing of a hidden scenario, not even its name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_builder import LAWS, Stream, case
from report_causes import cut, fails, named
from report_streams import STREAMS, view

from sockcheck.case import Case
from sockcheck.events import CaseNotRun, SourceRead
from sockcheck.verdict import Outcome
from sockcheck_reports import html, terminal
from sockcheck_reports.view import View, fold
from sockcheck_reports.visible import is_visible, visible


def secret(number: int) -> Case:
    made = replace(case(f"secret-{number}"), visibility="hidden", title="A secret")
    return replace(made, span=replace(made.span, path="secret.sock.yaml"))


def run(outcome: Outcome) -> View:
    """A cause with a visible smallest case, one with a hidden one, and hidden cases of every sort."""
    made = Stream().start(total=8).serve().passes()
    made.add(SourceRead(made.at, "secret.sock.yaml", "scenario: A secret\n"))
    shown, hidden = fails(made, cut(1)), fails(made, secret(1))
    other, found = fails(made, secret(2)), fails(made, cut(2))
    made.begin(secret(3)).verdict(outcome, *([made.finding()] if outcome != "pass" else []), reason="a secret reason")
    made.add(CaseNotRun(made.at, secret(4), "a secret reason", "such"))
    made.add(CaseNotRun(made.at, replace(secret(5), skip="a secret reason"), "a secret reason", "skipped"))
    made.add(named(made, shown, hidden))
    made.add(named(made, other, found, id="secret-cause", title="keeps a secret"))
    return fold(made.finish())


@pytest.mark.parametrize("outcome", ["pass", "fail", "flaky", "error", "busy", "advice", "skip"])
def test_nothing_of_a_hidden_scenario_is_told(outcome: Outcome) -> None:
    whole = run(outcome)
    shown = visible(whole)
    assert "secret" in terminal.render(whole, LAWS, verbosity=1).casefold()
    assert "secret" not in terminal.render(shown, LAWS, verbosity=1).casefold()
    assert "secret" not in html.render(shown, LAWS).casefold()
    assert shown.counts.total == len(shown.cases) == 3
    assert (shown.counts.passed, shown.counts.failed) == (1, 2)
    assert [cause.named.id for cause in shown.causes] == ["one-recv"]
    assert len(shown.failures) == 2


def test_a_case_that_fails_after_hidden_ones_does_not_name_them() -> None:
    whole = run("fail")
    seen = next(each for each in whole.failures if is_visible(each.case.visibility))
    after = (seen.case.id, secret(1).id)
    told = visible(replace(whole, cases=(replace(seen, after=after), *whole.cases[1:])))
    assert told.cases[0].after == (seen.case.id,)


@pytest.mark.parametrize("name", STREAMS)
def test_where_nothing_is_hidden_it_is_the_whole(name: str) -> None:
    whole = view(name)
    assert visible(whole) is whole


def test_what_is_seen_later_is_hidden_now() -> None:
    assert [is_visible(each) for each in ("", "visible", "hidden", "after_due_date", "after_published")] == [
        *(True, True, False, False, False)
    ]
