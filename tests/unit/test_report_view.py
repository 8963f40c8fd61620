"""The fold of a run's facts."""

import gc
import tracemalloc
from dataclasses import replace

import pytest
from report_builder import HOSTILE, Stream, case, span
from report_streams import CLASSIC, STREAMS, classic, cut_off, mixed, view

from sockcheck.case import Actor, Send
from sockcheck.client_events import (
    Awaited,
    Sent,
)
from sockcheck.events import (
    CaseFinished,
    CaseNotRun,
    CaseStarted,
    Figures,
    HealthRead,
    NotIsolated,
    RunFinished,
    TargetExited,
    TargetOutput,
    TargetStopped,
    Troubled,
)
from sockcheck.forms import (
    Span,
)
from sockcheck.server_events import (
    ServerChecked,
    ServerExited,
    ServerNotStarted,
    ServerStarted,
)
from sockcheck.verdict import Verdict
from sockcheck_reports.view import OUTPUT_KEPT, Counts, Folder, fold, place


def test_the_classic_failure() -> None:
    view = fold(classic())
    assert view.counts == Counts(passed=2, failed=1)
    assert view.whole
    assert view.weaker == ()
    assert view.targets == 1
    [failed] = view.failures
    assert failed.label == "echo/pieces::cut.at-k"
    assert failed.target is not None
    assert failed.target.ended == ""
    assert [row.what for row in failed.rows if row.decisive] == ["end of stream (recv() gave b''), after 5 bytes"]
    assert b"".join(event.data for event in failed.output).endswith(b"connection closed\n")


def test_each_case_has_one_cause_and_what_is_not_in_the_record_has_none() -> None:
    folded = view("causes")
    assert [(cause.named.id, cause.known, len(cause.cases), len(cause.failing)) for cause in folded.causes] == [
        ("one-recv", True, 11, 11),
        ("hard-close", True, 1, 1),
        ("unknown", False, 2, 2),
        ("tail-dropped", True, 1, 0),
        ("unknown", False, 1, 0),
    ]
    assert folded.counts == Counts(passed=1, failed=14, advice=2)
    assert folded.counts.total == 17
    assert [case.label for case in folded.advice] == ["echo/piped::merge.pipeline", "echo/half::merge.pipeline"]


def test_counts_and_order() -> None:
    view = fold(mixed())
    assert view.counts == Counts(passed=3, failed=1, errors=1, skipped=2, not_run=2)
    assert view.counts.total == 9
    assert [case.label for case in view.cases][:3] == [
        "echo/greets::plain",
        "echo/greets::plain (time 2)",
        "echo/pieces::cut.at-k",
    ]
    assert [event.why for event in view.not_run] == [
        "the author says so",
        "it needs half-close, which the contract does not promise",
    ]
    assert view.never_reached == 1
    assert len(view.target_failures) == 1
    assert [case.reason for case in view.errors] == ["no descriptors are left (EMFILE)"]


def test_a_case_that_passed_keeps_only_its_summary() -> None:
    passed = fold(Stream().start().serve().output(b"hello\n").passes().finish(0)).cases[0]
    assert (passed.rows, passed.output, passed.findings, passed.target) == ((), (), (), None)
    assert passed.duration == pytest.approx(0.0005)


def test_memory_does_not_grow_with_the_bytes_of_cases_that_pass() -> None:
    folder = Folder()
    run = Stream().start(total=200)

    def feed(cases: int) -> None:
        for _ in range(cases):
            run.serve().output(b"o" * 10_000)
            run.begin(case("big")).connect().received(bytes(100_000)).verdict()
            run.add(TargetStopped(run.after(1), run.target, 0, False))
            for event in run.events:
                folder.add(event)
            run.events.clear()

    feed(10)
    tracemalloc.start()
    feed(90)
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 500_000


def test_a_record_that_was_cut_off() -> None:
    view = fold(cut_off())
    assert not view.whole
    assert view.counts == Counts(passed=1, errors=1, not_run=3)
    assert view.errors[0].reason == "the record ends in the middle of this case"
    assert [row.what for row in view.errors[0].rows][-1] == "read by the server after 0.03 ms"


def test_no_facts_at_all() -> None:
    view = fold([])
    assert (view.run, view.whole, view.counts.total, view.duration) == (None, False, 0, 0.0)


def test_output_belongs_to_the_case_until_the_next_begins() -> None:
    run = Stream().start(total=2).serve().output(b"start\n").begin(case("one")).verdict("fail", Stream().finding())
    run.output(b"late\n").begin(case("two")).output(b"next\n").verdict("fail", run.finding()).output(b"last\n")
    one, two = fold(run.finish()).cases
    assert b"".join(event.data for event in one.output) == b"start\nlate\n"
    assert [row.data for row in one.rows] == [b"late\n"]
    assert [row.data for row in two.rows] == [b"next\nlast\n"]


def test_a_crash_that_is_seen_late_still_belongs_to_the_case() -> None:
    run = Stream().start().serve().begin(case()).verdict("fail", Stream().finding())
    run.add(TargetExited(run.after(1), run.target, -11)).output(b"Segmentation fault\n", "stderr")
    [crashed] = fold(run.finish()).cases
    assert [row.what for row in crashed.rows] == ["the server was killed by SIGSEGV", "stderr"]
    assert crashed.target is not None
    assert crashed.target.ended == "was killed by SIGSEGV"
    assert crashed.output[-1].data == b"Segmentation fault\n"


@pytest.mark.parametrize(
    ("killed", "ended"), [(False, "was stopped by sockcheck"), (True, "was killed, since it did not stop on SIGTERM")]
)
def test_a_server_that_sockcheck_stopped(killed: bool, ended: str) -> None:
    run = Stream().start().serve().begin(case()).verdict("fail", Stream().finding())
    run.add(TargetStopped(run.after(1), run.target, -15, killed))
    [failed] = fold(run.finish()).cases
    assert failed.target is not None
    assert failed.target.ended == ended
    assert failed.rows == ()


def test_a_server_that_ends_while_a_case_passes() -> None:
    run = Stream().start().serve().begin(case())
    run.add(TargetStopped(run.after(1), run.target, 0, False)).verdict().output(b"nobody hears this\n")
    assert fold(run.finish(0)).counts == Counts(passed=1)


def test_old_output_is_dropped_and_counted() -> None:
    run = Stream().start().serve().output(b"a" * OUTPUT_KEPT, dropped=7).output(b"b" * 10)
    [failed] = fold(run.begin(case()).verdict("fail", run.finding()).finish()).cases
    assert [event.data for event in failed.output] == [b"b" * 10]
    assert failed.dropped == OUTPUT_KEPT + 7


def test_cases_that_share_a_server() -> None:
    run = Stream().start(total=2).serve(()).begin(case("one")).begin(case("two"))
    run.add(CaseFinished(run.after(1), 1, Verdict("pass"))).output(b"x")
    run.add(CaseFinished(run.after(1), 2, Verdict("fail", (run.finding(),))))
    one, two = fold(run.finish()).cases
    assert one.outcome == "pass"
    assert [row.what for row in two.rows] == ["stdout"]


def test_facts_of_what_never_began_are_passed_over() -> None:
    run = Stream().start(total=0)
    run.add(Troubled(1.0, 9, "x")).add(CaseFinished(1.0, 9, Verdict("pass"))).add(TargetExited(1.0, 9, 0))
    run.add(TargetOutput(1.0, 9, "stdout", b"x", 0))
    assert fold(run.finish()).counts.total == 0


def test_a_case_without_a_known_server() -> None:
    [failed] = fold(Stream().start().begin(case()).verdict("fail", Stream().finding()).finish()).cases
    assert (failed.target, failed.output) == (None, ())


def test_what_is_weaker_is_said_with_the_number_of_cases() -> None:
    assert fold(mixed()).weaker == (
        "All deadlines were stretched by a factor of 3.",
        "In 1 case a short wait had to do: that nothing more came is less certain.",
        "In 1 case segments were parted by a gap, not by what the server had read.",
        "In 1 case the server did not read a segment in time, and the rest was sent all the same.",
        "In 1 case the server did not settle: that nothing more came is less certain.",
        "In 1 case the server's end of a connection could not be observed (no netlink here).",
        "In 1 case the server's health could not be seen (no /proc here).",
    )


def test_without_observing_one_sentence_says_it_all() -> None:
    run = Stream().start(observe=False).serve().begin(case()).connect("--no-observe").sent(0, 5, "gap", 0.02)
    run.settled("gap", 0.1).add(Awaited(run.after(1), run.attempt, "client", 1, "read", "unobservable")).verdict()
    [sentence] = fold(run.finish(0)).weaker
    assert sentence.startswith("The server was not observed (--no-observe)")


def test_a_server_that_needs_another_network_is_weaker_and_told_once_for_each_reason() -> None:
    run = Stream().start()
    for number, why in enumerate(["the server exited", "the server exited", "a\nb"], 1):
        run.add(NotIsolated(run.after(1), number, why))
    said = "The server was not isolated (--isolate net): it does less in a network of its own"
    sentences = fold(run.finish(0)).weaker
    assert [sentence.startswith(said) for sentence in sentences] == [True, True]
    assert sentences[0].endswith(" There, the server exited.")
    assert sentences[1].endswith(" There, a\\nb.")


def test_a_gap_that_the_scenario_asks_for_is_not_weaker() -> None:
    asked = case()
    actions = tuple(replace(a, gap=0.02) if isinstance(a, Send) else a for a in asked.actors[0].actions)
    asked = replace(asked, actors=(Actor("client", actions),))
    run = Stream().start().serve().begin(asked).sent(0, 5, "gap", 0.02)
    run.add(Sent(run.after(1), run.at, run.attempt, "nobody", 9, 0, 1, "none", 0.0)).verdict()
    assert fold(run.finish(0)).weaker == ()


def test_what_is_weak_in_a_case_that_is_under_way_counts_too() -> None:
    run = Stream().start().serve().begin(case())
    run.add(Awaited(run.after(1), run.attempt, "client", 1, "read", "unobservable"))
    assert fold(run.events).weaker == ("In 1 case an await could not be observed (read).",)


def test_the_place_of_a_finding_is_its_line_or_else_the_scenario() -> None:
    run = Stream()
    shown = fold(
        Stream().start().begin(case()).verdict("fail", run.finding(), run.finding(span=Span("", 0, 0, 0))).finish()
    ).cases[0]
    assert [place(shown, finding) for finding in shown.findings] == [span(8, '"hello world\\n"'), case().span]
    assert place(shown) == case().span


def test_the_difference_and_hostile_bytes_are_kept_as_they_are() -> None:
    assert view("classic").failures[0].findings[0].difference == CLASSIC
    assert view("hostile").failures[0].output[0].data == HOSTILE


@pytest.mark.parametrize("name", STREAMS)
def test_the_fold_is_the_same_at_once_and_event_by_event(name: str) -> None:
    folder = Folder()
    for event in STREAMS[name]():
        folder.add(event)
        if isinstance(event, CaseStarted | CaseFinished | CaseNotRun | RunFinished):
            folder.view()
    assert folder.view() == view(name)


def test_known_failures_are_counted_apart_and_kept() -> None:
    shown = view("known")
    assert shown.counts == Counts(passed=1, failed=1, known=3)
    assert shown.counts.total == 5
    assert [case.reason for case in shown.known_failures][::2] == [
        "known failure: issue 12",
        "known failure: the server of week 3",
    ]
    assert all(case.rows and case.findings for case in shown.known_failures)


def test_how_the_server_ended_by_a_step_of_its_own() -> None:
    run = Stream().start().serve().begin(case())
    run.add(ServerExited(run.after(1), run.attempt, 0, -15))
    [failed] = fold(run.verdict("fail", run.finding()).events).cases
    assert failed.target is not None
    assert failed.target.ended == "was killed by SIGTERM"
    run.attempt += 1
    run.begin(case()).add(ServerExited(run.after(1), run.attempt, 0, 0))
    run.add(ServerStarted(run.after(1), run.attempt, 1, 7, 0.04))
    failed = fold(run.verdict("fail", run.finding()).events).cases[-1]
    assert failed.target is not None
    assert failed.target.ended == ""


def test_what_a_server_wrote_that_did_not_start_again_is_its_last_output() -> None:
    run = Stream().start().serve().output(b"one\n").begin(case())
    run.add(ServerNotStarted(run.after(1), run.attempt, 0, "it exited", b"two\n"))
    run.add(ServerNotStarted(run.after(1), run.attempt, 0, "it exited", b"two\n"))
    [failed] = fold(run.verdict("fail", run.finding()).finish()).cases
    assert [event.data for event in failed.output] == [b"one\n", b"two\n"]


def test_figures_that_cannot_be_seen_are_weaker() -> None:
    run = Stream().start().serve().begin(case())
    run.add(ServerChecked(run.after(1), run.attempt, 0, (None,), "no /proc here")).verdict()
    assert fold(run.finish(0)).weaker == ("In 1 case a figure of the server could not be seen (no /proc here).",)


def test_why_clients_were_not_judged() -> None:
    [case] = view("stalled").cases
    assert case.not_judged == {"stalled": "bob failed first"}
    [first, second] = view("backlog").cases
    assert set(first.not_judged.values()) == {"crowd[2] failed first"}
    assert second.not_judged == {}


def test_the_figures_of_each_server_are_kept_also_of_cases_that_pass() -> None:
    run = Stream().start(total=3)
    figures = [Figures(files, 1, 0, 0.1, 0.0) for files in (5, 6, 7)]
    for number, seen in enumerate(figures):
        if number < 2:
            run.serve()
        run.begin(case(f"{number}")).add(HealthRead(run.after(1), run.attempt, True, True, "", seen)).verdict()
    run.begin(case("none")).healthy().verdict()
    view = fold(run.finish(0))
    assert {target: [reading.figures for reading in readings] for target, readings in view.readings.items()} == {
        1: figures[:1],
        2: figures[1:],
    }
    assert [reading.at for reading in view.readings[2]] == sorted(reading.at for reading in view.readings[2])


def test_attempts_keep_what_happened_where_they_are_told() -> None:
    flaky = next(each for each in view("attempts").failures if each.outcome == "flaky")
    assert [(attempt.outcome, bool(attempt.rows)) for attempt in flaky.attempts] == [
        ("fail", True),
        ("pass", False),
        ("pass", False),
    ]
