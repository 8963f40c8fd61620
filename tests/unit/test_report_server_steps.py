"""What the server's own steps did and saw, in words."""

from typing import Literal

import pytest
from report_builder import span

from sockcheck.case import Check, Comparison, Exits, Kill, Pause, Restart, Resume, ServerAction, Signal, Start, Wait
from sockcheck.server_events import (
    SecondEnded,
    ServerChecked,
    ServerDeadlinePassed,
    ServerEvent,
    ServerExited,
    ServerNotStarted,
    ServerSignalled,
    ServerStarted,
    ServerWaited,
)
from sockcheck.steps import (
    Measure,
)
from sockcheck_reports.server_steps import in_words

SPAN = span(5, "connect")
PAST = ServerDeadlinePassed(1.0, 1, 0)


@pytest.mark.parametrize(
    ("event", "action", "words"),
    [
        (ServerSignalled(1.0, 1, 0, 19, 3), Pause(SPAN), "paused (SIGSTOP, 3 processes)"),
        (ServerSignalled(1.0, 1, 0, 18, 1), Resume(SPAN), "resumed (SIGCONT, 1 process)"),
        (ServerSignalled(1.0, 1, 0, 9, 2), Kill(SPAN), "killed (SIGKILL, 2 processes)"),
        (ServerSignalled(1.0, 1, 0, 15, 1), Signal(SPAN, 15), "signalled SIGTERM"),
        (ServerSignalled(1.0, 1, 0, 15, 1), None, "signalled SIGTERM"),
        (ServerSignalled(1.0, 1, 0, 15, 0), Signal(SPAN, 15), "no process is left to send SIGTERM to"),
        (ServerExited(1.0, 1, 0, 0), Exits(SPAN, (0,), 2.0), "exited with status 0, and no process of it is left"),
        (ServerExited(1.0, 1, 0, -15), None, "was killed by SIGTERM, and no process of it is left"),
        (ServerStarted(1.0, 1, 0, 7, 0.04), Start(SPAN), "started again; it listens after 40 ms"),
        (ServerStarted(1.0, 1, 0, 7, 0.04), Restart(SPAN), "restarted; it listens after 40 ms"),
        (ServerNotStarted(1.0, 1, 0, "it exited\x07", b""), None, "not started again: it exited\\x07"),
        (
            SecondEnded(1.0, 1, 0, 1, b"taken"),
            None,
            "the same command once more exited with status 1; it wrote 5 bytes",
        ),
        (SecondEnded(1.0, 1, 0, None, b""), None, "the same command once more is still there; it wrote 0 bytes"),
        (
            SecondEnded(1.0, 1, 0, None, b"", listens=True),
            None,
            "the same command once more listens at the same address too; it wrote 0 bytes",
        ),
        (ServerWaited(1.0, 1, 0), Wait(SPAN, 0.3), "waited 300 ms, as the scenario says"),
        (ServerChecked(1.0, 1, 0, (1.0,), ""), None, "checked: nothing"),
        (PAST, Check(SPAN, (), 2.0), "not so within 2.00 s"),
        (PAST, Exits(SPAN, (0,), 2.0), "still running after 2.00 s"),
        (PAST, Start(SPAN), "not started again in time"),
        (PAST, None, "the deadline passed"),
    ],
)
def test_in_words(event: ServerEvent, action: ServerAction | None, words: str) -> None:
    assert in_words(event, action) == words


@pytest.mark.parametrize(
    ("what", "operator", "asked", "seen", "words"),
    [
        ("queue", ">=", 5.0, 6.0, "queue is 6 (>= 5)"),
        ("queue", ">=", 5.0, 4.0, "queue is 4, not >= 5"),
        ("threads", "==", 1200.0, 1200.0, "threads is 1,200"),
        ("children", "!=", 0.0, 0.0, "children is 0, not != 0"),
        ("alive", "==", 1.0, 0.0, "alive is no, not yes"),
        ("listening", "==", 0.0, 0.0, "listening is no"),
        ("cpu", "<", 0.2, 0.013, "cpu is 13 ms (< 200 ms)"),
        ("open-files", "<=", 9.5, None, "open-files cannot be seen (<= 9.5) (no /proc)"),
    ],
)
def test_what_was_seen_stands_beside_what_was_asked(
    what: Measure,
    operator: Literal["==", "!=", "<", "<=", ">", ">="],
    asked: float,
    seen: float | None,
    words: str,
) -> None:
    action = Check(SPAN, (Comparison(what, operator, asked, SPAN),), 2.0)
    event = ServerChecked(1.0, 1, 0, (seen,), "no /proc" if seen is None else "")
    assert in_words(event, action) == f"checked: {words}"
