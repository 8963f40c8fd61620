"""What a scenario file and a contract say, as data: nothing resolved, every value with its place.

`sockcheck.reading` makes these from YAML; `sockcheck.planning` makes a `sockcheck.case.Case` of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


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
    """`${name}` in a text or a duration: a parameter of the contract."""

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
    first: int | None
    span: Span


Part = Fixed | Text | PayloadSlice


@dataclass(frozen=True, slots=True)
class Payload:
    """An entry under `payloads:`: bytes made from a recipe, so that megabytes never stand in a file or a record.

    `random`: `size` bytes that follow from `seed` alone. `repeat`: `of`, over and over, `size` bytes in all.
    """

    kind: Literal["random", "repeat"]
    size: int
    seed: int
    of: bytes
    span: Span


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression on bytes. It has been compiled once, so it is known to be well-formed."""

    source: bytes
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
class UntilForm:
    """`{until: DELIMITER, matches: …}`: all up to and with the delimiter; every pattern is found in it."""

    delimiter: Part
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class BytesForm:
    """`{bytes: N, sha256: …}`: N bytes, whatever they are, or those with this digest (lower-case hex)."""

    count: int
    sha256: str | None


Form = ExactForm | LineForm | UntilForm | BytesForm


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
    """`connect`. Buffers and segment size are in bytes, set before the handshake; None leaves the kernel's own."""

    span: Span
    within: Duration | None = None
    outcome: Outcome = "connected"
    receive_buffer: int | None = None
    send_buffer: int | None = None
    segment_size: int | None = None
    no_delay: bool = True


@dataclass(frozen=True, slots=True)
class SendStep:
    """`send`: hand these bytes to the kernel, in one send() where it can be, or cut into segments.

    `gap` takes the place of the read barrier between segments. `within` is how long the server may take nothing.
    """

    span: Span
    parts: tuple[Part, ...]
    cut: Cut | None = None
    gap: Duration | None = None
    within: Duration | None = None


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


@dataclass(frozen=True, slots=True)
class AwaitStep:
    """`await`: a state of the server's end of this connection, asked of the kernel, without sleeping."""

    span: Span
    state: Literal["accepted", "read", "end-read"]
    within: Duration | None = None


Step = ConnectStep | SendStep | ExpectStep | EndStep | QuietStep | ShutdownStep | CloseStep | ResetStep | AwaitStep


@dataclass(frozen=True, slots=True)
class Client:
    """One client of an exchange: a name (`client` where the file has only one) and its steps, in order."""

    name: str
    steps: tuple[Step, ...]
    span: Span


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


@dataclass(frozen=True, slots=True)
class Scenario:
    """One `*.sock.yaml` file.

    `name` is the file's stem: stable, and what case ids are made of; `title` is for people. `law` is the id of the law
    that the exchange tests, `plain` where the file names none. `source` is the file's whole text.
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
