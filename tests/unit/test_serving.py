"""The server's own steps are told what was seen; they say what to do and what was wrong. No process, no clock."""

from __future__ import annotations

import signal

import pytest

from sockcheck.case import (
    SERVER,
    Check,
    Comparison,
    Exits,
    Kill,
    Mark,
    Pause,
    Restart,
    Resume,
    ServerAction,
    Signal,
    Start,
    Wait,
    WaitFor,
)
from sockcheck.client_events import (
    Marked,
    Released,
    Waited,
)
from sockcheck.forms import (
    Span,
)
from sockcheck.server_events import (
    ServerChecked,
    ServerDeadlinePassed,
    ServerExited,
    ServerNotStarted,
    ServerSignalled,
    ServerStarted,
    ServerWaited,
)
from sockcheck.serving import (
    Command,
    DoAwaitExit,
    DoCheck,
    DoKill,
    DoMark,
    DoRestart,
    DoSignal,
    DoStart,
    DoWaitFor,
    DoWaitUntil,
    Serving,
    holds,
    statuses_text,
)
from sockcheck.steps import (
    Measure,
)
from sockcheck.verdict import Finding

HERE = Span("x.sock.yaml", 1, 1, 2)
TERM, HUP = Signal(HERE, signal.SIGTERM), Signal(HERE, signal.SIGHUP)
WAIT_FOR = WaitFor(HERE, "gone")
MARK = Mark(HERE, "told")


def exits(*statuses: int, within: float = 2.0) -> Exits:
    return Exits(HERE, statuses, within)


def comparison(what: Measure, operator: str, value: float) -> Comparison:
    return Comparison(what, operator, value, HERE)  # type: ignore[arg-type]  # one of six strings


def check(*checks: Comparison, within: float = 2.0) -> Check:
    return Check(HERE, checks, within)


def begin(*actions: ServerAction) -> Serving:
    """Steps that began at 1.0."""
    return Serving(actions, "life.stop", "a hint", 1.0)


def todo(serving: Serving) -> Command | None:
    """What is to be done now; mypy would remember what it was before."""
    return serving.command


def found(serving: Serving) -> Finding:
    assert serving.command is None
    assert not serving.completed
    assert serving.finding is not None
    assert serving.finding.client == SERVER
    assert serving.finding.law == "life.stop"
    assert serving.finding.hint == "a hint"
    assert serving.finding.span == HERE
    assert serving.finding.step == serving.position
    return serving.finding


def test_all_steps_in_turn_each_from_the_end_of_the_one_before() -> None:
    queue = comparison("queue", ">=", 5)
    serving = begin(
        Pause(HERE),
        MARK,
        WAIT_FOR,
        check(queue),
        Resume(HERE),
        Wait(HERE, 0.5),
        TERM,
        exits(0),
        Start(HERE),
        Kill(HERE),
    )
    assert todo(serving) == DoSignal(0, signal.SIGSTOP, everyone=True)
    serving.tell(ServerSignalled(1.1, 1, 0, signal.SIGSTOP, 2))
    assert todo(serving) == DoMark(1, "told")
    serving.tell(Marked(1.2, 1, SERVER, 1, "told"))
    assert todo(serving) == DoWaitFor(2, "gone")
    serving.tell(Waited(3.0, 1, SERVER, 2, "gone"))
    assert todo(serving) == DoCheck(3, (queue,), 5.0)
    serving.tell(ServerChecked(3.5, 1, 3, (5.0,), ""))
    assert todo(serving) == DoSignal(4, signal.SIGCONT, everyone=True)
    serving.tell(ServerSignalled(3.6, 1, 4, signal.SIGCONT, 2))
    assert todo(serving) == DoWaitUntil(5, 4.1)
    serving.tell(ServerWaited(4.2, 1, 5))
    assert todo(serving) == DoSignal(6, signal.SIGTERM, everyone=False)
    serving.tell(ServerSignalled(5.0, 1, 6, signal.SIGTERM, 1))
    assert todo(serving) == DoAwaitExit(7, 7.0)
    serving.tell(ServerExited(6.0, 1, 7, 0))
    assert todo(serving) == DoStart(8)
    serving.tell(ServerStarted(6.5, 1, 8, 77, 0.1))
    assert todo(serving) == DoKill(9)
    serving.tell(ServerSignalled(6.6, 1, 9, signal.SIGKILL, 1))
    assert todo(serving) is None
    assert serving.completed
    assert serving.position == 10
    assert (serving.finding, serving.trouble, serving.unjudged) == (None, "", False)
    serving.tell(ServerDeadlinePassed(9.0, 1, 9))
    assert serving.completed


def test_the_first_deadline_counts_from_the_beginning() -> None:
    assert todo(begin(exits(0))) == DoAwaitExit(0, 3.0)


def test_no_steps_are_done_at_once() -> None:
    assert begin().completed
    assert not begin().exit_asked


@pytest.mark.parametrize(
    ("statuses", "text"),
    [
        ((0,), "status 0"),
        ((0, 143), "status 0 or 143"),
        ((-15,), "death by SIGTERM"),
        ((0, -15, 143), "status 0 or 143, or death by SIGTERM"),
        ((-2, -40), "death by SIGINT or signal 40"),
        ((), "any status"),
    ],
)
def test_the_ways_to_end_are_told(statuses: tuple[int, ...], text: str) -> None:
    assert statuses_text(statuses) == text


@pytest.mark.parametrize(("statuses", "status"), [((0, -15), 0), ((0, -15), -15), ((), 7)])
def test_an_end_that_is_as_it_should_be(statuses: tuple[int, ...], status: int) -> None:
    serving = begin(exits(*statuses))
    serving.tell(ServerExited(1.5, 1, 0, status))
    assert serving.completed


def test_a_wrong_end() -> None:
    serving = begin(TERM, exits(0, -15))
    serving.tell(ServerSignalled(1.1, 1, 0, signal.SIGTERM, 1))
    serving.tell(ServerExited(1.5, 1, 1, 3))
    finding = found(serving)
    assert finding.kind == "wrong-exit"
    assert finding.message == (
        "the server exited with status 3, and should have ended with status 0, or death by SIGTERM"
    )
    assert finding.expected == "status 0, or death by SIGTERM, within 2.00 s"
    assert finding.actual == "it exited with status 3"
    assert finding.at == 1.5


def test_no_end() -> None:
    serving = begin(exits(0))
    serving.tell(ServerDeadlinePassed(3.1, 1, 0))
    finding = found(serving)
    assert finding.kind == "no-exit"
    assert finding.message == "the server did not end within 2.00 s"
    assert finding.expected == "status 0, within 2.00 s"
    assert finding.actual == "at least one of its processes was still there"


def test_an_end_of_the_first_process_alone_is_no_end() -> None:
    serving = begin(exits(0))
    serving.tell(ServerDeadlinePassed(3.1, 1, 0, orphaned=True))
    finding = found(serving)
    assert finding.kind == "no-exit"
    assert finding.message == "the server's first process ended, and left others behind, which did not within 2.00 s"
    assert finding.actual == "its first process had ended, and others were still there"


def test_a_deadline_that_sockcheck_itself_was_late_for_is_no_evidence() -> None:
    for action in (exits(0), check(comparison("queue", ">=", 5))):
        serving = begin(action)
        serving.tell(ServerDeadlinePassed(3.1, 1, 0, late=2.5))
        assert todo(serving) is None
        assert serving.finding is None
        assert "sockcheck itself was kept from running for 2.50 s" in serving.busy
    # A little late is not late.
    serving = begin(exits(0))
    serving.tell(ServerDeadlinePassed(3.1, 1, 0, late=0.2))
    assert found(serving).kind == "no-exit"


@pytest.mark.parametrize(
    ("output", "actual"),
    [
        (b"bind: in use\n", 'its last output: "bind: in use\\n"'),
        (b"x" * 301, f'its last output: "{"x" * 300}"'),
        (b"", "it wrote nothing"),
    ],
)
def test_no_start(output: bytes, actual: str) -> None:
    serving = begin(Restart(HERE))
    assert todo(serving) == DoRestart(0)
    serving.tell(ServerNotStarted(2.0, 1, 0, "it is as it is", output))
    finding = found(serving)
    assert finding.kind == "no-start"
    assert finding.message == "the server could not be started again: it is as it is"
    assert finding.expected == "it starts again, and listens at the same address"
    assert finding.actual == actual


def test_a_figure_that_stays_wrong() -> None:
    serving = begin(
        check(
            comparison("queue", ">=", 5),
            comparison("cpu", "<", 0.5),
            comparison("alive", "==", 1),
            comparison("listening", "==", 0),
            comparison("threads", "<", 3),
        )
    )
    command = todo(serving)
    serving.tell(ServerChecked(3.0, 1, 0, (3.0, 0.52, 1.0, 1.0, 2.0), ""))
    assert todo(serving) is command
    assert serving.finding is None
    serving.tell(ServerDeadlinePassed(3.1, 1, 0))
    finding = found(serving)
    assert finding.kind == "wrong-measure"
    assert finding.message == "queue 3, not >= 5, cpu 0.52 s, not < 0.50 s, listening true, not false, after 2.00 s"
    assert finding.expected == "queue >= 5 and cpu < 0.50 s and alive true and listening false and threads < 3"
    assert finding.actual == "queue 3, cpu 0.52 s, alive true, listening true, threads 2"


def test_a_process_that_is_gone() -> None:
    serving = begin(check(comparison("alive", "==", 1)))
    serving.tell(ServerChecked(3.0, 1, 0, (0.0,), ""))
    serving.tell(ServerDeadlinePassed(3.1, 1, 0))
    assert found(serving).message == "alive false, not true, after 2.00 s"


@pytest.mark.parametrize(("why", "tail"), [("nobody tells", ": nobody tells"), ("", "")])
def test_what_cannot_be_seen_accuses_nobody(why: str, tail: str) -> None:
    serving = begin(
        check(comparison("open-files", "<", 9), comparison("alive", "==", 1), comparison("backlog", ">", 1))
    )
    serving.tell(ServerChecked(1.1, 1, 0, (None, 1.0, None), why))
    assert serving.command is None
    assert serving.finding is None
    assert serving.trouble == "open-files and backlog of the server cannot be seen here" + tail


def test_a_mark_that_can_no_longer_be_set() -> None:
    serving = begin(WAIT_FOR, TERM)
    serving.tell(Released(1.1, 1, SERVER, 0, "gone"))
    assert serving.command is None
    assert serving.unjudged
    assert not serving.completed
    assert serving.position == 0


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("==", 5, True),
        ("!=", 5, False),
        ("<", 4, True),
        ("<", 5, False),
        ("<=", 5, True),
        (">", 5, False),
        (">=", 5, True),
        (">=", None, False),
    ],
)
def test_comparisons(operator: str, value: float | None, expected: bool) -> None:
    assert holds(comparison("queue", operator, 5), value) is expected


ALIVE, DEAD = check(comparison("alive", "==", 1)), check(comparison("alive", "==", 0))


@pytest.mark.parametrize(
    ("actions", "asked"),
    [
        # A signal that ends servers asks from then on, whether or not anybody waits for the end.
        ((WAIT_FOR, TERM, MARK), (False, True, True, True)),
        ((WAIT_FOR, TERM, exits(0)), (False, True, True, True)),
        ((WAIT_FOR, Kill(HERE)), (False, True, True)),
        # Another one does so only where the end is waited for.
        ((WAIT_FOR, HUP, MARK), (False, False, False, False)),
        ((WAIT_FOR, HUP, DEAD), (False, True, True, True)),
        ((WAIT_FOR, HUP, Start(HERE), MARK), (False, True, True, False, False)),
        # Without one, a client asks.
        ((WAIT_FOR, exits(0)), (True, True, True)),
        ((WAIT_FOR, DEAD), (True, True, True)),
        ((WAIT_FOR, ALIVE), (False, False, False)),
        ((WAIT_FOR, Start(HERE), WAIT_FOR, exits(0)), (True, True, True, True, True)),
        # A start begins a new life.
        ((Kill(HERE), Start(HERE), WAIT_FOR), (True, True, False, False)),
        ((TERM, exits(0), Start(HERE), Pause(HERE)), (True, True, True, False, False)),
        ((WAIT_FOR, Restart(HERE), MARK), (False, True, False, False)),
    ],
)
def test_when_an_exit_is_no_crash(actions: tuple[ServerAction, ...], asked: tuple[bool, ...]) -> None:
    serving = begin(*actions)
    told = [serving.exit_asked]
    while (command := serving.command) is not None:
        if isinstance(command, DoAwaitExit):
            serving.tell(ServerExited(2.0, 1, command.step, 0))
        elif isinstance(command, DoCheck):
            serving.tell(ServerChecked(2.0, 1, command.step, (command.checks[0].value,), ""))
        else:
            serving.tell(ServerWaited(2.0, 1, command.step))
        told.append(serving.exit_asked)
    assert tuple(told) == asked
