"""The steps of a scenario file, as data: those of its clients, and those of the server."""

from __future__ import annotations

from typing import Literal

from sockcheck.forms import Duration, Form, Part, Reference, Span
from sockcheck.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Cut:
    """How a send is cut into segments, each read by the server before the next is sent.

    `at`: byte positions, ascending, each strictly inside the data. `random`: that many cuts, placed by `seed`.
    """

    kind: Literal["at", "every-byte", "random"]
    at: tuple[int, ...]
    count: int
    seed: int | None
    span: Span


Outcome = Literal["connected", "refused", "timeout"]


@dataclass(frozen=True, slots=True)
class ConnectStep:
    """`connect`. Buffers and segment size are in bytes, set before the handshake; None leaves the kernel's own.

    `host` and `port` take the place of the target's; `source` is the address that we connect from (`from:`).
    """

    span: Span
    within: Duration | None = None
    outcome: Outcome = "connected"
    receive_buffer: int | None = None
    send_buffer: int | None = None
    segment_size: int | None = None
    no_delay: bool = True
    host: str | Reference | None = None
    port: int | Reference | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class SendStep:
    """`send`: hand these bytes to the kernel, in one send() where it can be, or cut into segments.

    `gap` takes the place of the read barrier between segments. `within` is how long the server may take nothing.
    `read: no` leaves unread what comes meanwhile; `until: blocked` ends the send when the server takes no more.
    """

    span: Span
    parts: tuple[Part, ...]
    cut: Cut | None = None
    gap: Duration | None = None
    within: Duration | None = None
    read: bool = True
    until_blocked: bool = False


@dataclass(frozen=True, slots=True)
class ExpectStep:
    """`expect`: these bytes come next. `within` is the deadline, `after` the earliest time."""

    span: Span
    form: Form
    within: Duration | None = None
    after: Duration | None = None


@dataclass(frozen=True, slots=True)
class EndStep:
    """`end`: how the connection ends. `eof`: recv() gives `b''`. `reset`: ECONNRESET. `any`: either."""

    span: Span
    how: Literal["eof", "reset", "any"]
    within: Duration | None = None
    after: Duration | None = None


@dataclass(frozen=True, slots=True)
class QuietStep:
    """`quiet`: neither byte nor ending for that long."""

    span: Span
    duration: Duration


@dataclass(frozen=True, slots=True)
class ShutdownStep:
    """`shutdown: write` is a half-close: our end of stream, while we go on reading."""

    span: Span
    how: Literal["write", "read", "both"]


@dataclass(frozen=True, slots=True)
class CloseStep:
    """`close`: end in order; what has come is read first. `close: unread` closes as it is, which may send a reset."""

    span: Span
    unread: bool = False


@dataclass(frozen=True, slots=True)
class ResetStep:
    """`reset`: SO_LINGER 0 and close(): RST."""

    span: Span


State = Literal["accepted", "read", "end-read", "settled", "rest"]
"""`settled`: the server has taken what it was sent, all that it sent has come, and its threads sleep. `rest`: they
sleep, though perhaps since nobody reads what they send: it is not read meanwhile."""


@dataclass(frozen=True, slots=True)
class AwaitStep:
    """`await`: a state of the server's end of this connection, asked of the kernel, without sleeping."""

    span: Span
    state: State
    within: Duration | None = None


@dataclass(frozen=True, slots=True)
class MarkStep:
    """`mark: name`: never blocks; the mark stays set."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class WaitForStep:
    """`wait-for: name`: until that mark is set, or the meeting of that name is complete."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class MeetStep:
    """`meet: name`: until all of this client's `count` are here."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class WaitStep:
    """`wait: TIME`: the only sleep in the language. What comes meanwhile is kept for later steps."""

    span: Span
    duration: Duration


@dataclass(frozen=True, slots=True)
class RepeatStep:
    """`repeat: {times: N, steps: …}`; `${turn}` counts from 0."""

    span: Span
    times: int | Reference
    steps: tuple[Step, ...]


Step = (
    ConnectStep
    | SendStep
    | ExpectStep
    | EndStep
    | QuietStep
    | ShutdownStep
    | CloseStep
    | ResetStep
    | AwaitStep
    | MarkStep
    | WaitForStep
    | MeetStep
    | WaitStep
    | RepeatStep
)


@dataclass(frozen=True, slots=True)
class PauseStep:
    """`pause`: SIGSTOP to all processes of the server."""

    span: Span


@dataclass(frozen=True, slots=True)
class ResumeStep:
    """`resume`: SIGCONT."""

    span: Span


@dataclass(frozen=True, slots=True)
class SignalStep:
    """`signal: TERM`: to the first process of the server, or to `everyone` of them. `signal` is the number."""

    span: Span
    signal: int
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class RestsStep:
    """`rests`: all threads of the server sleep, or use next to no CPU."""

    span: Span


@dataclass(frozen=True, slots=True)
class LimitStep:
    """`limit: {open-files: +8}`: so many more than the server has; `{open-files: 2000}`: so many at the least."""

    span: Span
    files: int
    least: bool


@dataclass(frozen=True, slots=True)
class TakenStep:
    """`taken`: the same command once more, at the same address, while the server runs."""

    span: Span
    within: Duration | None = None


@dataclass(frozen=True, slots=True)
class ExitsStep:
    """`exits`: no process of the server is left in time, and the first ended so: a status, or minus a signal."""

    span: Span
    statuses: tuple[int, ...]
    within: Duration | None = None


@dataclass(frozen=True, slots=True)
class KillStep:
    """`kill`: SIGKILL to all processes of the server."""

    span: Span


@dataclass(frozen=True, slots=True)
class StartStep:
    """`start`: the same command again, at the same address; the server must not be running."""

    span: Span


@dataclass(frozen=True, slots=True)
class RestartStep:
    """`restart`: stopped as at the end of a run (SIGTERM, then SIGKILL), and started again at the same address."""

    span: Span


Measure = Literal["open-files", "threads", "children", "cpu", "memory", "alive", "listening", "queue", "backlog"]


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: `alive` and `listening` are 1 or 0, all others are numbers.

    `cpu` (seconds) and `memory` (MiB) are what has been added since the case began.
    """

    what: Measure
    operator: Literal["==", "!=", "<", "<=", ">", ">="]
    value: float
    span: Span


@dataclass(frozen=True, slots=True)
class CheckStep:
    """`check: {queue: ">= 5"}`: asked of the kernel until it is so, or not within the deadline."""

    span: Span
    checks: tuple[Check, ...]
    within: Duration | None = None


ServerStep = (
    PauseStep
    | ResumeStep
    | SignalStep
    | ExitsStep
    | KillStep
    | StartStep
    | RestartStep
    | CheckStep
    | RestsStep
    | LimitStep
    | TakenStep
    | MarkStep
    | WaitForStep
    | WaitStep
)
