"""What is said in the end: findings, verdicts. Facts only; `sockcheck.judging` makes them."""

from __future__ import annotations

from typing import Literal

from sockcheck.forms import (
    Span,
)
from sockcheck.frozen import dataclass

Kind = Literal[
    "wrong-bytes",  # what came differs from what was expected
    "missing-bytes",  # the connection ended before all of it had come
    "silence",  # a deadline passed and nothing more had come
    "surplus-bytes",  # more came than was expected
    "reset",  # a reset where an orderly end was due, or while bytes were still due
    "no-reset",  # an orderly end where a reset was due
    "early-end",  # an ending where none was due
    "too-early",  # before the time that `after` names
    "refused",  # the connection was refused
    "not-refused",  # it was not, although that was asked for
    "no-connection",  # the handshake was not finished by its deadline
    "stalled",  # the server stopped reading while we had more to send
    "exited",  # the server exited, or died of a signal
    "deaf",  # it is alive but listens no more
    "came",  # what must not come came
    "wrong-exit",  # the server ended otherwise than it should
    "no-exit",  # it did not end in time
    "no-start",  # it could not be started again
    "wrong-measure",  # a figure of the server is not what was asked for
    "not-known-to-fail",  # a known failure passed
    "spinning",  # it uses a CPU with nothing to do
    "leaking",  # something of each connection stays
    "held-back",  # small replies came late, again and again
    "case-timeout",  # the whole case took longer than it may
]

Outcome = Literal["pass", "fail", "flaky", "advice", "error", "busy", "skip"]


IN_BASELINE = "in the baseline"
"""How the reason of a verdict begins that would be a failure, were it not in the baseline."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first byte that differs. `offset` counts from the first byte of the expectation.

    `expected` and `actual` are windows of the two streams that both begin at `start`; either may be shorter, since a
    stream may end. The windows hold the difference and what stands around it, not the whole.
    """

    offset: int
    start: int
    expected: bytes
    actual: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was wrong: where in the scenario, what was expected, what came, and which law says so.

    `client` and `span` are empty for findings about the server as a whole. `received` is the number of bytes that the
    client had got on this connection when it happened; `at` is seconds on the run's clock.
    """

    kind: Kind
    law: str
    client: str
    step: int
    span: Span
    message: str
    expected: str
    actual: str
    received: int
    at: float
    difference: Difference | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """pass; fail: the server's fault; flaky: it failed, and did not when it was tried again; advice: it failed, and
    what it broke was not promised; error: ours or the machine's; busy: the machine was too busy to judge; skip: not
    run. All but the first two give a `reason`."""

    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
