"""What a scenario file and a contract say, as data: nothing resolved, every value with its place.

`sockcheck.reading` makes these from YAML; `sockcheck.planning` makes a `sockcheck.case.Case` of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from sockcheck.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file. Lines and columns count from 1, in characters; `end_column` is exclusive.

    A span never goes beyond its first line: it is what a caret can be drawn under.
    """

    path: str
    line: int
    column: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Reference:
    """`${name}`: a parameter of the contract, a value of the matrix, `index`, `turn`, `unique`, or a capture."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: `seconds` and the sum of the references, as in `${idle} + 1s`."""

    seconds: float
    references: tuple[Reference, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Fixed:
    """Bytes that are known once the file has been read: `{hex: …}`, `{base64: …}`, `{file: …}`, `{u32be: 7}`."""

    data: bytes
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A text as UTF-8, with the references that stand in it: `"hi ${name}"` is `(b"hi ", Reference(name))`."""

    pieces: tuple[bytes | Reference, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PayloadSlice:
    """`{payload: name}`, or only its `first` bytes."""

    name: str
    first: int | Reference | None
    span: Span


@dataclass(frozen=True, slots=True)
class Number:
    """`{u32be: "${name}"}`: an integer of that kind, known later than the file is read. The value is in digits."""

    kind: str
    value: Reference
    span: Span


@dataclass(frozen=True, slots=True)
class Framed:
    """`{frame: u32be, of: PARTS}`: the length of the parts as an integer of that kind, then the parts."""

    kind: str
    parts: tuple[Part, ...]
    span: Span


Part = Fixed | Text | PayloadSlice | Number | Framed


@dataclass(frozen=True, slots=True)
class Payload:
    """An entry under `payloads:`: bytes made from a recipe, so that megabytes never stand in a file or a record.

    `random`: `size` bytes that follow from `seed` alone. `repeat`: `of`, over and over, `size` bytes in all.
    """

    kind: Literal["random", "repeat"]
    size: int | Reference
    seed: int
    of: bytes
    span: Span


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression on bytes, known to be well-formed. A reference in it stands for its value, to the letter."""

    pieces: tuple[bytes | Reference, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ExactForm:
    """`expect: "text"`: exactly these bytes come next, however they are segmented."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class LineForm:
    """`{line: REGEX}`: one line, matched whole and without its ending. `ends`: crlf demands `\\r\\n`, lf forbids it."""

    pattern: Pattern
    ends: Literal["any", "crlf", "lf"]


@dataclass(frozen=True, slots=True)
class LinesForm:
    """`{lines: REGEX, last: REGEX}`: lines that match, up to and with one that matches `last`, which is tried first."""

    pattern: Pattern
    last: Pattern
    ends: Literal["any", "crlf", "lf"]


@dataclass(frozen=True, slots=True)
class UntilForm:
    """`{until: DELIMITER, matches: …}`: all up to and with the delimiter; every pattern is found in it."""

    delimiter: Part
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class BytesForm:
    """`{bytes: N, sha256: …}`: N bytes, whatever they are, or those with this digest (lower-case hex)."""

    count: int | Reference
    sha256: str | None


@dataclass(frozen=True, slots=True)
class FrameForm:
    """`{frame: u32be, equals: PARTS}` or `matches:`: a length and as many bytes; the bytes are those, or hold these."""

    kind: str
    equals: tuple[Part, ...] | None
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class UnorderedForm:
    """`{unordered: [FORM, …]}`: all of them, one behind the other, in any order."""

    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class AnyForm:
    """`{any: [FORM, …]}`: the one that is complete with the fewest bytes; of several, the first that is written."""

    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class NotForm:
    """`{not: FORM, for: TIME}`: it does not come for that long. What comes instead is left for the steps behind it."""

    form: ExactForm | LineForm
    duration: Duration


Form = ExactForm | LineForm | LinesForm | UntilForm | BytesForm | FrameForm | UnorderedForm | AnyForm | NotForm


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


@dataclass(frozen=True, slots=True)
class Client:
    """One client of an exchange: a name (`client` where the file has only one) and its steps, in order.

    `count` clients do the same; `${index}` counts from 0. `pushes`: the server may send what no step asks for.
    """

    name: str
    steps: tuple[Step, ...]
    span: Span
    count: int | Reference | None = None
    pushes: bool = False


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Default deadlines, in seconds. `case` bounds a whole case, `ready` the start of a target."""

    expect: float = 2.0
    connect: float = 5.0
    ready: float = 10.0
    case: float = 30.0


@dataclass(frozen=True, slots=True)
class Contract:
    """What the servers of one folder promise, and how they are started when the user names no server.

    `path` is the file's, or the folder's where there is no contract.yaml. `promises` are as written, not judged.
    `target` is a command line with placeholders, or "".
    """

    name: str
    path: str
    about: str = ""
    promises: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    timeouts: Timeouts = Timeouts()
    target: str = ""
    pushes: bool = False
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One `*.sock.yaml` file.

    `name` is the file's stem: stable, and what case ids are made of; `title` is for people. `law` is the id of the law
    that the exchange tests, `plain` where the file names none. `source` is the file's whole text. `matrix` has a case
    for each combination of values, as they are written. `state: own`: the exchange leaves something behind on the
    server. `known_failure` is why it is known to fail, or "". `gate`: unless it passes, no other points are earned.
    """

    name: str
    title: str
    about: str
    law: str
    hint: str
    needs: tuple[str, ...]
    tags: tuple[str, ...]
    skip: str
    payloads: Mapping[str, Payload]
    clients: tuple[Client, ...]
    contract: Contract
    span: Span
    source: str
    server: tuple[ServerStep, ...] = ()
    matrix: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    state: Literal["none", "own"] = "none"
    conditions: tuple[str, ...] | None = None
    points: float | None = None
    visibility: str = ""
    known_failure: str = ""
    gate: bool = False
