"""The steps that look at what a server does with its CPU, its descriptors and its address: read, planned, judged."""

from __future__ import annotations

import signal

import pytest
from varied import contract, scenario

from sockcheck.case import Case, Check, Comparison, Limit, Pause, Rests, ServerAction, Signal, Taken
from sockcheck.errors import MistakesError
from sockcheck.forms import (
    Duration,
    Span,
)
from sockcheck.planning import plan
from sockcheck.segments import REST_LIMIT
from sockcheck.server_events import (
    SecondEnded,
    ServerChecked,
    ServerDeadlinePassed,
    ServerLimited,
    ServerRested,
    ServerSignalled,
)
from sockcheck.serving import DoLimit, DoRest, DoSecond, DoSignal, Serving
from sockcheck.steps import (
    Check as WrittenCheck,
)
from sockcheck.steps import (
    CheckStep,
    LimitStep,
    RestsStep,
    ServerStep,
    SignalStep,
    TakenStep,
)
from sockcheck.verdict import Finding

HERE = Span("x.sock.yaml", 1, 1, 2)


def case_of(steps: str) -> Case:
    (case,) = plan(scenario(f"client: [connect]\nserver: [{steps}]", contract()), seed=0)
    return case


def step(written: str) -> ServerStep:
    return scenario(f"client: [connect]\nserver: [{written}]", contract()).server[-1]


def mistakes(steps: str) -> list[str]:
    with pytest.raises(MistakesError) as caught:
        scenario(f"client: [connect]\nserver: [{steps}]", contract())
    return [f"{error.message}: {error.hint}" for error in caught.value.errors]


def begin(action: ServerAction) -> Serving:
    return Serving((action,), "churn.spin", "a hint", 1.0)


def finding(serving: Serving) -> Finding:
    assert serving.finding is not None
    return serving.finding


def test_what_is_read() -> None:
    rests, limit, least, taken, soon = map(
        step, ("rests", "limit: {open-files: '+8'}", "limit: {open-files: 2000}", "taken", "{taken: , within: 1s}")
    )
    assert isinstance(rests, RestsStep)
    assert isinstance(limit, LimitStep)
    assert isinstance(least, LimitStep)
    assert isinstance(taken, TakenStep)
    assert isinstance(soon, TakenStep)
    assert (limit.files, limit.least) == (8, False)
    assert (least.files, least.least) == (2000, True)
    assert taken.within is None
    assert isinstance(soon.within, Duration)
    assert soon.within.seconds == 1.0


@pytest.mark.parametrize(("written", "everyone"), [("", False), (", everyone: yes", True), (", everyone: no", False)])
def test_a_signal_goes_to_the_first_process_or_to_all(written: str, everyone: bool) -> None:
    read = step(f"{{signal: TERM{written}}}")
    assert isinstance(read, SignalStep)
    assert read.everyone is everyone
    (action,) = case_of(f"{{signal: TERM{written}}}").server
    assert isinstance(action, Signal)
    assert begin(action).command == DoSignal(0, signal.SIGTERM, everyone)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("limit: {}", "'limit' needs 'open-files': as in `{open-files: \"+8\"}`, or 2000"),
        (
            "limit: {open-files: '-8'}",
            "'-8' is no number of descriptors up to 1,048,576: as in `{open-files: \"+8\"}`, or 2000",
        ),
        (
            "limit: {open-files: 0}",
            "'0' is no number of descriptors up to 1,048,576: as in `{open-files: \"+8\"}`, or 2000",
        ),
        (
            "limit: {open-files: 1048577}",
            "'1048577' is no number of descriptors up to 1,048,576: as in `{open-files: \"+8\"}`, or 2000",
        ),
        ("pause, rests, resume", "'rests' while the server is paused: put `- resume` before it"),
        ("pause, taken, resume", "'taken' while the server is paused: put `- resume` before it"),
        ("signal: TERM, exits: {status: 0}, rests", "'rests' when the server has ended: put `- start` before it"),
        ("kill, limit: {open-files: 9}", "'limit' when the server has ended: put `- start` before it"),
        ("kill, taken", "'taken' when the server has ended: put `- start` before it"),
        ("check: {memory: some}", "'some' is no comparison with 'memory': as in 5 or \"< 16\""),
    ],
)
def test_what_makes_no_sense_is_told_with_a_way_out(steps: str, told: str) -> None:
    assert mistakes(steps) == [told]


@pytest.mark.parametrize("verb", ["rests", "taken", "limit: {open-files: 9}"])
def test_a_client_has_none_of_them(verb: str) -> None:
    with pytest.raises(MistakesError) as caught:
        scenario(f"client: [connect, {verb}]", contract())
    assert caught.value.errors[0].hint == "it is a step of the server's: put it under `server:`"


def test_what_is_planned() -> None:
    case = case_of("rests, limit: {open-files: '+8'}, limit: {open-files: 9}, taken, {taken: , within: 1s}")
    rests, limit, least, taken, soon = case.server
    assert isinstance(rests, Rests)
    assert isinstance(taken, Taken)
    assert isinstance(soon, Taken)
    assert limit == Limit(limit.span, 8, least=False)
    assert least == Limit(least.span, 9, least=True)
    assert (taken.within, soon.within) == (10.0, 1.0)


def test_a_case_has_the_time_that_a_server_is_given_to_come_to_rest() -> None:
    one, two = (case_of(", ".join(["rests"] * number)).deadline for number in (1, 2))
    assert two - one == pytest.approx(REST_LIMIT)


def test_memory_is_compared_in_mib() -> None:
    read = step("check: {memory: < 16}")
    assert isinstance(read, CheckStep)
    (check,) = read.checks
    assert check == WrittenCheck("memory", "<", 16.0, check.span)
    serving = begin(Check(HERE, (Comparison("memory", "<", 16.0, HERE),), 2.0))
    serving.tell(ServerChecked(3.0, 1, 0, (20.25,), ""))
    serving.tell(ServerDeadlinePassed(3.1, 1, 0))
    assert "20.2 MiB" in finding(serving).actual


def test_what_cannot_be_seen_ends_no_case_that_can_do_without() -> None:
    for lenient in (False, True):
        serving = begin(Check(HERE, (Comparison("memory", "<", 16.0, HERE),), 2.0, lenient=lenient))
        serving.tell(ServerChecked(3.0, 1, 0, (None,), "it is kept from us"))
        assert serving.completed is lenient
        assert bool(serving.trouble) is not lenient


@pytest.mark.parametrize("share", [None, 0.79])
def test_a_server_that_rests_or_uses_little_is_not_accused(share: float | None) -> None:
    serving = begin(Rests(HERE))
    assert serving.command == DoRest(0, REST_LIMIT)
    serving.tell(ServerRested(2.0, 1, 0, share))
    assert serving.completed


def test_a_server_that_uses_a_cpu_with_nothing_to_do_spins() -> None:
    serving = begin(Rests(HERE))
    serving.tell(ServerRested(2.0, 1, 0, 0.8))
    assert finding(serving).kind == "spinning"
    assert finding(serving).message == "with nothing to do, the server used 80% of a CPU"


def test_a_server_that_spins_in_a_case_about_its_life_breaks_that_law_and_not_its_own() -> None:
    laws = {}
    for law in ("life.restart", "limit.files", "churn.spin"):
        serving = Serving((Rests(HERE),), law, "a hint", 1.0)
        serving.tell(ServerRested(2.0, 1, 0, 0.8))
        laws[law] = finding(serving).law
    assert laws == {"life.restart": "churn.spin", "limit.files": "limit.files", "churn.spin": "churn.spin"}


def test_a_limit_that_cannot_be_set_accuses_nobody() -> None:
    serving = begin(Limit(HERE, 8, least=False))
    assert serving.command == DoLimit(0, 8, least=False)
    serving.tell(ServerLimited(2.0, 1, 0, 8, "its limit of open files cannot be set here: no"))
    assert serving.finding is None
    assert serving.trouble == "its limit of open files cannot be set here: no"
    fine = begin(Limit(HERE, 8, least=False))
    fine.tell(ServerLimited(2.0, 1, 0, 14))
    assert fine.completed


@pytest.mark.parametrize(
    ("status", "output", "kind", "message"),
    [
        (None, b"", "no-exit", "started once more at an address that is taken, the server did not end"),
        (0, b"ok", "wrong-exit", "started once more at an address that is taken, the server ended as if all were well"),
        (
            1,
            b" \n",
            "wrong-exit",
            "started once more at an address that is taken, the server exited with status 1 without a word",
        ),
    ],
)
def test_a_second_server_fails_and_says_so(status: int | None, output: bytes, kind: str, message: str) -> None:
    serving = begin(Taken(HERE, 10.0))
    assert serving.command == DoSecond(0, 11.0)
    serving.tell(SecondEnded(2.0, 1, 0, status, output))
    assert (finding(serving).kind, finding(serving).message) == (kind, message)


def test_a_second_server_that_ends_with_a_reason_is_right() -> None:
    serving = begin(Taken(HERE, 10.0))
    serving.tell(SecondEnded(2.0, 1, 0, 1, b"bind: address already in use\n"))
    assert serving.completed


def test_a_second_server_that_shares_the_address_is_told_by_that() -> None:
    serving = begin(Taken(HERE, 10.0))
    serving.tell(SecondEnded(2.0, 1, 0, None, b"", listens=True))
    message = "started once more at an address that is taken, the server listens there too (SO_REUSEPORT)"
    assert (finding(serving).kind, finding(serving).message) == ("no-exit", message)


def test_a_pause_is_still_for_everyone() -> None:
    serving = begin(Pause(HERE))
    assert serving.command == DoSignal(0, signal.SIGSTOP, everyone=True)
    serving.tell(ServerSignalled(2.0, 1, 0, signal.SIGSTOP, 1))
    assert serving.completed
