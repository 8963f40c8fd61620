"""Verdicts from events: of the clients, of the server, of what is nobody's fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sockcheck.case import Action, Actor, Case, Connect, Exact, Expect, Kill, Mark, Send, Start, WaitFor
from sockcheck.client_events import (
    Connected,
    Marked,
    PeerClosed,
    Received,
    Released,
    Sent,
    Waited,
)
from sockcheck.events import (
    CaseFinished,
    CaseNotRun,
    CaseStarted,
    CaseTimedOut,
    Event,
    Growth,
    HealthRead,
    TargetExited,
    Troubled,
)
from sockcheck.facts import KEPT_WHOLE, Facts
from sockcheck.forms import (
    Span,
)
from sockcheck.judging import Bench, rejudge
from sockcheck.server_events import (
    ServerSignalled,
    ServerStarted,
)
from sockcheck.verdict import Verdict

FIRST, SECOND = Span("x.sock.yaml", 3, 5, 12), Span("x.sock.yaml", 4, 5, 20)


def started(attempt: int = 1, target: int = 1, reply: bytes = b"hello") -> CaseStarted:
    actions: tuple[Action, ...] = (Connect(FIRST, 5.0), Expect(SECOND, Exact((reply,)), 2.0, None))
    actors = (Actor("client", actions),)
    return CaseStarted(0.0, attempt, target, Case("c/s::plain", "c", "s", "", "plain", "do this", actors, 30.0, FIRST))


def connected(attempt: int = 1) -> Connected:
    return Connected(0.1, 0.1, attempt, "client", 0, "", "", "")


def received(data: bytes = b"hello", attempt: int = 1) -> Received:
    return Received(0.2, attempt, "client", data)


def verdict(*events: Event) -> Verdict:
    bench = Bench()
    for event in (started(), *events):
        bench.tell(event)
    return bench.judge(1).verdict()


HEALTHY = HealthRead(0.5, 1, True, True, "")


def test_all_is_well() -> None:
    assert verdict(connected(), received(), HEALTHY) == Verdict("pass")


def test_a_server_that_exits_is_told_before_what_its_clients_saw() -> None:
    found = verdict(connected(), PeerClosed(0.2, 1, "client", "eof", "", ""), TargetExited(0.3, 1, 0), HEALTHY)
    assert [finding.kind for finding in found.findings] == ["exited", "missing-bytes"]
    assert found.findings[0].message == "the server exited with status 0 during this case"


@pytest.mark.parametrize(
    ("health", "kind", "message"),
    [
        (HealthRead(0.5, 1, True, False, ""), "deaf", "after this case the server is alive but listens no more"),
        (HealthRead(0.5, 1, False, False, "no"), "exited", "after this case the server is gone: no"),
    ],
)
def test_the_health_behind_a_case(health: HealthRead, kind: str, message: str) -> None:
    (finding,) = verdict(connected(), received(), health).findings
    assert (finding.kind, finding.message) == (kind, message)
    # The exchange itself was over: the finding points at its last step.
    assert (finding.step, finding.span, finding.hint) == (1, SECOND, "do this")


def test_a_server_that_works_with_nothing_to_do_spins() -> None:
    def shared(share: float | None) -> Verdict:
        return verdict(connected(), received(), HealthRead(0.5, 1, True, True, "", None, share))

    (finding,) = shared(0.97).findings
    assert (finding.kind, finding.law) == ("spinning", "churn.spin")
    assert finding.message == "with nothing to do, the server used 97% of a CPU"
    assert shared(0.5) == shared(None) == Verdict("pass")


def test_a_server_that_keeps_something_of_each_connection_leaks() -> None:
    grown = (Growth("children", 1.0, 250),)
    (finding,) = verdict(connected(), received(), HealthRead(0.5, 1, True, True, "", growths=grown)).findings
    assert (finding.kind, finding.law) == ("leaking", "churn.leak")
    assert finding.message == "the server keeps 1 child processes of each connection that it has served"
    assert finding.actual == "1 more child processes with each of the last 250 connections"


def prompt(times: list[float], *events: Event, law: str = "time.prompt") -> Verdict:
    """What small requests come to whose replies take so long, in seconds, one behind the other."""
    turn = (Send(SECOND, (b"hi",), (), None, 2.0), Expect(SECOND, Exact((b"hello",)), 2.0, None))
    actions: tuple[Action, ...] = (Connect(FIRST, 5.0), *(turn * len(times)))
    case = replace(started().case, law=law, actors=(Actor("client", actions),))
    bench = Bench()
    bench.tell(replace(started(), case=case))
    bench.tell(connected())
    for number, took in enumerate(times):
        bench.tell(Sent(number + 1.0, number + 1.0, 1, "client", 2 * number + 1, 0, 2, "none", 0.0))
        bench.tell(Received(number + 1.0 + took, 1, "client", b"hello"))
    for event in events:
        bench.tell(event)
    return bench.judge(1).verdict()


SLOW = [0.04] * 8 + [0.001] * 4


def test_small_replies_of_which_most_come_late_are_held_back() -> None:
    (finding,) = prompt(SLOW, HEALTHY).findings
    assert (finding.kind, finding.law) == ("held-back", "time.prompt")
    assert finding.message == "8 of 12 small replies were held back, half of them for 40.0 ms or more"


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ([0.04] * 6 + [0.001] * 6, "half of them are not most"),
        ([0.02] * 12, "none waited for a delayed ACK"),
        ([0.04] * 9, "so few may be an exception"),
    ],
)
def test_fewer_late_replies_are_no_rule(times: list[float], why: str) -> None:
    assert prompt(times, HEALTHY) == Verdict("pass"), why


@pytest.mark.parametrize("events", [(), (replace(HEALTHY, late=0.2),), (replace(HEALTHY, starved=0.2),)])
def test_late_replies_on_a_machine_that_had_no_time_accuse_nobody(events: tuple[Event, ...]) -> None:
    assert prompt(SLOW, *events) == Verdict("pass")


def test_only_where_replies_are_asked_for_at_once_are_they_held_back() -> None:
    assert prompt(SLOW, HEALTHY, law="plain") == Verdict("pass")


def test_an_exit_before_any_client_came_may_be_the_doing_of_the_case_before() -> None:
    (finding,) = verdict(TargetExited(0.3, 1, 3), HEALTHY).findings
    assert finding.message.endswith("before this case had come to it: the cause may lie in the case before")


@pytest.mark.parametrize(("starved", "outcome"), [(0.0, "skip"), (7.0, "busy")])
def test_who_is_slow_with_an_endless_message_is_accused_of_nothing(starved: float, outcome: str) -> None:
    bench = Bench()
    bench.tell(replace(started(), case=replace(started().case, law="limit.endless")))
    bench.tell(CaseTimedOut(15.0, 1, starved=starved))
    assert bench.judge(1).verdict().outcome == outcome


def test_a_case_that_ran_out_of_time_while_we_did_not_run_is_no_evidence() -> None:
    assert verdict(CaseTimedOut(30.0, 1, late=4.0)).outcome == "busy"


def test_a_case_that_takes_too_long_points_at_the_step_under_way() -> None:
    (finding,) = verdict(CaseTimedOut(30.0, 1)).findings
    assert (finding.kind, finding.step, finding.span) == ("case-timeout", 0, FIRST)
    wrong = verdict(connected(), received(b"wrong"), CaseTimedOut(30.0, 1))
    assert [finding.kind for finding in wrong.findings] == ["wrong-bytes"]


def test_trouble_is_no_evidence() -> None:
    assert verdict(connected(), received(b"x"), Troubled(0.3, 1, "no ports")) == Verdict("error", reason="no ports")
    digest = next(iter(rejudge([started(), CaseFinished(1.0, 1, Verdict("pass"))])))
    assert digest == (1, Verdict("pass"))


def test_an_exchange_that_cannot_be_judged_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.tell(started())
    bench.judge(1).exchanges["client"].trouble = "a pattern took too long"
    assert bench.judge(1).verdict() == Verdict("error", reason="a pattern took too long")


def test_an_exit_counts_however_late_we_were() -> None:
    late_end = PeerClosed(0.2, 1, "client", "eof", "", "", late=0.6)
    assert verdict(connected(), late_end, HEALTHY).outcome == "busy"
    (finding,) = verdict(connected(), late_end, TargetExited(0.3, 1, 0), HEALTHY).findings
    assert finding.kind == "exited"


def judged(case: Case, *events: Event) -> Verdict:
    bench = Bench()
    for event in (CaseStarted(0.0, 1, 1, case, "u"), *events):
        bench.tell(event)
    return bench.judge(1).verdict()


def test_a_known_failure_is_excused_and_a_pass_of_it_is_not() -> None:
    known = replace(started().case, known_failure="issue 7")
    failed = judged(known, connected(), received(b"wrong"), HEALTHY)
    assert (failed.outcome, failed.reason) == ("skip", "known failure: issue 7")
    assert [finding.kind for finding in failed.findings] == ["wrong-bytes"]
    passed = judged(known, connected(), received(), HEALTHY)
    assert [finding.kind for finding in passed.findings] == ["not-known-to-fail"]
    assert judged(known, Troubled(0.1, 1, "no ports")).outcome == "error"


def test_an_exit_that_the_servers_own_steps_ask_for_is_none_to_be_told() -> None:
    ends = replace(started().case, server=(WaitFor(FIRST, "n"), Kill(FIRST), Mark(FIRST, "m"), Start(FIRST)))
    steps = (
        Waited(0.3, 1, "server", 0, "n"),
        ServerSignalled(0.3, 1, 1, 9, 1),
        TargetExited(0.4, 1, -9),
        Marked(0.5, 1, "server", 2, "m"),
        ServerStarted(0.7, 1, 3, 42, 0.1),
    )
    assert judged(ends, connected(), received(), *steps, HEALTHY) == Verdict("pass")
    # One that comes before is.
    early = judged(ends, connected(), received(), TargetExited(0.2, 1, 1), *steps, HEALTHY)
    assert [finding.kind for finding in early.findings] == ["exited"]
    gone = replace(started().case, server=(Mark(FIRST, "n"), Kill(FIRST)))
    dead = HealthRead(0.5, 1, False, False, "")
    assert judged(gone, connected(), received(), Marked(0.3, 1, "server", 0, "n"), *steps[1:3], dead) == Verdict("pass")


def test_a_finding_of_a_case_without_clients_points_at_the_servers_steps() -> None:
    alone = replace(started().case, actors=(), server=(Mark(FIRST, "n"), Mark(SECOND, "m")))
    (finding,) = judged(alone, Marked(0.2, 1, "server", 0, "n"), TargetExited(0.3, 1, 1), HEALTHY).findings
    assert (finding.client, finding.step, finding.span) == ("server", 1, SECOND)


def test_who_was_released_is_not_judged_where_nobody_failed() -> None:
    case = started().case
    waits = replace(case, actors=(Actor("client", (WaitFor(FIRST, "m"),)),))
    assert judged(waits, Released(0.3, 1, "client", 0, "m")).outcome == "error"


def test_events_find_their_judge() -> None:
    bench = Bench()
    for event in (
        started(1, target=1),
        started(2, target=2),
        connected(1),
        connected(2),
        received(b"wrong", 2),
        received(b"hello", 1),
        TargetExited(0.4, 2, -11),
        CaseNotRun(0.4, started().case, "why"),
        connected(3),
        Connected(0.1, 0.1, 1, "nobody", 0, "", "", ""),
    ):
        bench.tell(event)
    assert bench.judge(1).verdict().outcome == "pass"
    assert [finding.kind for finding in bench.judge(2).verdict().findings] == ["exited", "wrong-bytes"]
    bench.tell(CaseFinished(1.0, 1, Verdict("pass")))
    with pytest.raises(KeyError):
        bench.judge(1)


def test_facts_shorten_what_was_expected_and_nothing_else() -> None:
    told: list[Event] = []
    facts = Facts([told.append])
    right = bytes(KEPT_WHOLE)
    facts.emit(started(reply=right * 3))
    facts.emit(connected())
    for data in (right, right, b"wrong"):
        facts.emit(received(data))
    kept = [event.data for event in told if isinstance(event, Received)]
    assert kept[0] == right
    assert not isinstance(kept[1], bytes)
    assert kept[2] == b"wrong"
    (finding,) = facts.bench.judge(1).verdict().findings
    facts.emit(CaseFinished(1.0, 1, facts.bench.judge(1).verdict()))
    assert list(rejudge(told)) == [(1, Verdict("fail", (finding,)))]
    # An event that is shortened already, as from another record, stays as it is.
    facts.emit(started())
    facts.emit(Received(0.3, 1, "client", kept[1]))
    assert told[-1] == Received(0.3, 1, "client", kept[1])
