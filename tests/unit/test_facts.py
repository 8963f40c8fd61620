"""What is made of the facts of a run on their way: the causes, for each server by itself."""

from __future__ import annotations

from dataclasses import replace

from report_attempts import PASSED, Trials
from report_builder import Stream, case

from sockcheck.case import Case
from sockcheck.events import CaseStarted, Event
from sockcheck.facts import Facts
from sockcheck.verdict import Verdict


def facts_of(events: list[Event]) -> Facts:
    facts = Facts([])
    for event in events:
        facts.emit(event)
    return facts


def failing(run: Stream, name: str, law: str) -> None:
    run.begin(case(name, law=law)).verdict("fail", run.finding("silence", law=law))


def server(case: Case) -> int:
    return int(case.scenario.startswith("other"))


def test_where_all_pass_nothing_is_named() -> None:
    assert facts_of(Stream().start().serve().passes().events).causes(1.0, server) == []


def test_each_server_has_causes_of_its_own() -> None:
    run = Stream().start().serve().passes("greets").passes("other")
    failing(run, "pieces", "cut.at-k")
    failing(run, "other-crowd", "crowd.at-once")
    predecessor = CaseStarted(run.at, 9, 1, case("other-before"), trial=4, role="predecessor")
    told = facts_of([*run.events[:-2], predecessor, *run.events[-2:]]).causes(2.0, server)
    assert [(cause.id, cause.cases) for cause in told] == [
        ("one-recv", ("echo/pieces::cut.at-k",)),
        ("one-at-a-time", ("echo/other-crowd::crowd.at-once",)),
    ]
    assert {cause.at for cause in told} == {2.0}


def test_what_only_advises_is_named_too() -> None:
    run = Stream().start().serve().passes()
    run.begin(replace(case(), advice="pipelining")).verdict("advice", run.finding(), reason="it is not promised")
    [cause] = facts_of(run.events).causes(0.0, server)
    assert cause.advice


def test_what_passes_when_it_is_tried_again_follows_from_a_cut_that_fails_each_time() -> None:
    run = Trials()
    run.start().serve().passes("greets")
    run.trial = run.attempt
    cut = replace(case(), id="echo/pieces::cut.at-k(client.1:1)")
    leaver = replace(case(law="leave.reset-at-k"), id="echo/pieces::leave.reset-at-k(connected)")
    wrong = Verdict("fail", (run.finding("wrong-bytes"),))
    run.first(cut, wrong).comes_to(wrong, run.attempt)
    run.first(leaver, wrong).again(leaver, PASSED, "alone").comes_to(wrong, run.attempt - 1, run.attempt)
    assert [(cause.id, len(cause.cases)) for cause in facts_of(run.events).causes(0.0, server)] == [("one-recv", 2)]
