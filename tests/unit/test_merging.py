"""Records of shards become one: numbers that do not collide, one clock, causes of all cases; and what is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from report_builder import Stream, case

from sockcheck.client_events import (
    Received,
)
from sockcheck.codec import decode, encode
from sockcheck.errors import RecordError
from sockcheck.events import (
    CaseFinished,
    CaseJudged,
    CaseStarted,
    CauseNamed,
    Event,
    Plan,
    PlannedServer,
    RunFinished,
    RunStarted,
    Share,
    SourceRead,
    TargetStarted,
)
from sockcheck.merging import merged

PLAN = Plan("d" * 64, ("--strict",), (PlannedServer(("echo",), ("python", "my_server.py", "{port}")),))
STARTS = ("2025-11-20T13:15:00+00:00", "2025-11-20T14:15:02.500+01:00", "2025-11-20T13:14:59+00:00")


def shard(number: int, of: int = 3, *, plan: Plan | None = PLAN, code: int = 0, why: str = "", **facts: Any) -> Stream:
    """A record of one case that passes and, in the second shard, one that fails."""
    facts = {"started": STARTS[(number - 1) % 3], **facts}
    run = Stream().start(plan=plan, share=Share((number,), of), total=1 + (number == 2), **facts)
    run.serve().passes(f"greets-{number}")
    if number == 2:
        run.begin(case()).connect().received(b"hel").verdict("fail", run.finding())
        code = 1
    run.finish(code, why)
    return run


def merge(*runs: Stream | Sequence[Event]) -> list[Event]:
    lists = [run.events if isinstance(run, Stream) else run for run in runs]
    return list(merged([(f"{letter}.jsonl", events) for letter, events in zip("abcd", lists, strict=False)]))


def of_kind(events: Sequence[Event], *kinds: type) -> list[Any]:
    return [event for event in events if isinstance(event, kinds)]


def test_one_run_comes_of_its_shards_in_whatever_order_they_are_given() -> None:
    events = merge(shard(2), shard(3), shard(1))
    started, finished = events[0], events[-1]
    assert isinstance(started, RunStarted)
    assert (started.share, started.total, started.plan) == (Share((1, 2, 3), 3), 4, PLAN)
    assert started.started == STARTS[2], "it began when the first of them did"
    assert isinstance(finished, RunFinished)
    assert (finished.exit_code, finished.why) == (1, "")
    assert len(of_kind(events, SourceRead)) == 1
    names = [event.case.id for event in of_kind(events, CaseStarted)]
    assert sorted(names) == [
        "echo/greets-1::plain",
        "echo/greets-2::plain",
        "echo/greets-3::plain",
        "echo/pieces::cut.at-k",
    ]


def test_no_two_attempts_servers_or_cases_have_the_same_number() -> None:
    events = merge(shard(1), shard(2), shard(3))
    started = of_kind(events, CaseStarted)
    assert len({event.attempt for event in started}) == len({event.trial for event in started}) == 4
    assert len({event.target for event in of_kind(events, TargetStarted)}) == 3
    assert all(event.attempt > 0 and event.trial > 0 for event in started)
    attempts = {event.attempt: event.case.id for event in started}
    trials = {event.trial: event.case.id for event in started}
    for judged in of_kind(events, CaseJudged):
        assert {attempts[number] for number in judged.attempts} == {trials[judged.trial]}
    [failed] = [event for event in of_kind(events, CaseFinished) if event.verdict.outcome == "fail"]
    assert attempts[failed.attempt] == "echo/pieces::cut.at-k"
    assert [event.data for event in of_kind(events, Received) if event.attempt == failed.attempt] == [b"hel"]


def test_what_has_no_number_gets_none() -> None:
    first = shard(1)
    first.events = [replace(event, trial=0) if isinstance(event, CaseStarted) else event for event in first.events]
    assert [event.trial for event in of_kind(merge(first), CaseStarted)] == [0]


def test_all_times_are_on_one_clock() -> None:
    events = merge(shard(1), shard(2), shard(3))
    times = [event.at for event in events]
    assert times == sorted(times)
    alone = {event.case.id: event.at for run in (1, 2, 3) for event in of_kind(shard(run).events, CaseStarted)}
    moved = {event.case.id: event.at for event in of_kind(events, CaseStarted)}
    assert {name: round(moved[name] - alone[name], 6) for name in moved} == {
        "echo/greets-1::plain": 1.0,
        "echo/greets-2::plain": 3.5,
        "echo/pieces::cut.at-k": 3.5,
        "echo/greets-3::plain": 0.0,
    }
    [failed] = [event for event in of_kind(events, CaseFinished) if event.verdict.outcome == "fail"]
    assert 3.5 < failed.verdict.findings[0].at < failed.at
    assert all(getattr(event, "began", event.at) <= event.at for event in events)


def test_causes_are_named_of_all_cases_together() -> None:
    second = shard(2)
    second.events.insert(-1, CauseNamed(1.0, "old", "", "plain", False, "", "", "", "", (), "", ""))
    events = merge(shard(1), second, shard(3))
    assert [event.id for event in of_kind(events, CauseNamed)] == ["one-turn"]
    [cause] = of_kind(events, CauseNamed)
    assert cause.cases == ("echo/pieces::cut.at-k",)
    assert events.index(cause) == len(events) - 2


def test_causes_of_different_servers_are_named_apart() -> None:
    servers = (PlannedServer(("echo",), ("a",)), PlannedServer(("other",), ("b",)))
    runs = []
    for number, contract in ((1, "echo"), (2, "other"), (3, "strange")):
        run = Stream().start(plan=replace(PLAN, servers=servers), share=Share((number,), 3)).serve()
        run.begin(replace(case(), id=f"{contract}/pieces::cut.at-k", contract=contract))
        run.verdict("fail", run.finding()).finish(1)
        runs.append(run)
    assert len(of_kind(merge(*runs), CauseNamed)) == 3
    same = replace(PLAN, servers=(PlannedServer(("echo", "other", "strange"), ("a",)),))
    together = [
        [replace(event, plan=same) if isinstance(event, RunStarted) else event for event in run.events] for run in runs
    ]
    assert len(of_kind(merge(*together), CauseNamed)) == 1


def test_a_missing_shard_is_said_and_what_is_there_is_not_the_whole() -> None:
    finished = merge(shard(1), shard(3))[-1]
    assert isinstance(finished, RunFinished)
    assert (finished.exit_code, finished.why) == (4, "shard 2/3 is missing")
    finished = merge(shard(2))[-1]
    assert isinstance(finished, RunFinished)
    assert (finished.exit_code, finished.why) == (4, "shards 1/3, 3/3 are missing")


def test_a_shard_that_was_cut_off_is_said() -> None:
    cut = shard(2).events[:-4]
    finished = merge(shard(1), cut, shard(3))[-1]
    assert isinstance(finished, RunFinished)
    assert (finished.exit_code, finished.why) == (4, "shard 2/3: its record ends before the run did")
    # One that ends behind its sources, or has none, is read too.
    assert merge(shard(1), cut[:2], shard(3))[-1] == replace(finished, at=merge(shard(1), cut[:2], shard(3))[-1].at)
    assert isinstance(merge([cut[0]])[-1], RunFinished)


@pytest.mark.parametrize(("code", "worst"), [(130, 130), (5, 1), (3, 1), (4, 4)])
def test_the_exit_code_is_the_worst_and_its_reason_is_kept(code: int, worst: int) -> None:
    finished = merge(shard(1, code=code, why="interrupted by SIGINT"), shard(2), shard(3, code=5))[-1]
    assert isinstance(finished, RunFinished)
    assert (finished.exit_code, finished.why) == (worst, "shard 1/3: interrupted by SIGINT")


def test_a_record_alone_that_is_whole_comes_back_as_it_is() -> None:
    whole = Stream().start().serve().passes().finish(0)
    assert merge(whole) == whole
    together = merge(shard(1), shard(2), shard(3))
    assert merge(together) == together
    partly = merge(shard(1), shard(3))
    assert merge(partly) == partly
    cut = whole[:-1]
    assert merge(cut) == cut
    only = Stream().start(share=Share((1,), 1)).passes().finish(0)
    assert merge(only) == only


def test_a_merged_record_is_a_record() -> None:
    events = merge(shard(1), shard(2), shard(3))
    assert [decode(encode(event)) for event in events] == events


def other(**changes: Any) -> Stream:
    return shard(2, plan=replace(PLAN, digest="e" * 64, **changes))


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (shard(1), "shard 1/3 is here twice: a.jsonl and b.jsonl"),
        (shard(2, 5), "a.jsonl is one of 3 shards, b.jsonl one of 5"),
        (Stream().start().passes().finish(), "b.jsonl is not a shard: it is a whole run, made without --shard"),
        (merge(shard(2), shard(3)), "b.jsonl was merged already"),
        (shard(2, sockcheck="0.2.0", plan=replace(PLAN, digest="e")), "sockcheck 0.1.0 and sockcheck 0.2.0"),
        (shard(2, plan=None), "one of them does not say what was planned"),
        (other(options=("--strict", "--seed 3")), "the options differ: none and --seed 3"),
        (other(options=()), "the options differ: --strict and none"),
        (other(servers=()), "the server's command, or its address, differs"),
        (other(), "they were not made from the same scenario files"),
    ],
)
def test_records_that_do_not_belong_together_are_refused(second: Stream | list[Event], said: str) -> None:
    with pytest.raises(RecordError, match=re.escape(said)) as caught:
        merge(shard(1), second)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("more", "said"), [(0, "x.sock.yaml is not the same"), (2, "x.sock.yaml is not the same, nor are 2 more files")]
)
def test_a_file_that_differs_is_named(more: int, said: str) -> None:
    first, second = shard(1), other()
    for number, name in enumerate(["x.sock.yaml", "y.sock.yaml", "z.sock.yaml"][: more + 1]):
        first.events.insert(1 + number, SourceRead(0.0, name, "scenario: one"))
        second.events.insert(1 + number, SourceRead(0.0, name, "scenario: another"))
    with pytest.raises(RecordError, match=f"are of different runs: {re.escape(said)}$"):
        merge(first, second)


def test_a_record_that_began_at_no_time_is_refused() -> None:
    with pytest.raises(RecordError, match=re.escape("b.jsonl: it began at 'noon', which is no time")):
        merge(shard(1), shard(2, started="noon"))


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(RecordError, match=re.escape("a.jsonl: a record begins with RunStarted")):
        merge(shard(1).events[1:])
