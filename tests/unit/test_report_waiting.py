"""What a case that is under way waits for."""

from __future__ import annotations

from dataclasses import replace

from report_builder import Stream, case, pieces_actions, span

from sockcheck.case import Actor, Case, Exits, Mark, WaitFor
from sockcheck.client_events import (
    Marked,
    Settled,
)
from sockcheck.server_events import (
    ServerWaited,
)
from sockcheck_reports.waiting import UnderWay


def under(run: Stream, which: Case) -> UnderWay:
    found = UnderWay(which, 0.0)
    for event in run.events:
        found.happened(event)
    return found


def test_a_step_is_done_when_that_is_recorded() -> None:
    run = Stream().begin(case())
    assert under(run, case()).waits_for() == "connect"
    assert under(run.connect(), case()).waits_for() == "send"
    assert under(run.sent(0, 5), case()).waits_for() == "send"
    assert under(run.sent(5, 7, "none", 0.0), case()).waits_for() == "expect"
    assert under(run.received(b"hello"), case()).waits_for() == "expect"
    assert under(run.add(Settled(1.0, 1, "client", "settled", 0.1)), case()).waits_for() == "the end"
    assert under(run.healthy(), case()).since == run.at


def test_of_several_the_one_is_named_that_waits_for_no_mark() -> None:
    here = span(5, "connect")
    two = replace(
        case(),
        actors=(Actor("bob", (WaitFor(here, "go"),)), Actor("ali\nce", pieces_actions())),
        server=(Exits(here, (0,), 2.0),),
    )
    run = Stream().begin(two)
    assert under(run, two).waits_for() == "ali\\nce's connect"
    run.by("ali\nce").add(Settled(1.0, 1, "ali\nce", "settled", 0.1))
    assert under(run, two).waits_for() == "the server's exits"
    assert under(run.add(ServerWaited(2.0, 1, 0)), two).waits_for() == "bob's wait-for"
    assert under(run.add(Marked(2.0, 1, "server", 0, "go")), two).waits_for() == "bob's wait-for"
    assert under(run.healthy(), two).waits_for() == "the end"


def test_what_cannot_be_does_no_harm() -> None:
    run = Stream().begin(case()).add(Marked(1.0, 1, "nobody", 7, "x")).add(Settled(1.0, 1, "nobody", "late", 0.1))
    assert under(run, replace(case(), actors=(Actor("a", (Mark(span(5, "connect"), "x"),)),))).waits_for() == "mark"
