"""What is run: a scenario under one variation of one condition, with everything resolved.

Times are seconds, sizes are bytes. A case holds no references and no defaults, so that it can be performed,
recorded and judged again without the files that it came from.
"""

from __future__ import annotations

from typing import Literal

from sockcheck.forms import (
    Span,
)
from sockcheck.frozen import dataclass
from sockcheck.steps import (
    Measure,
    Outcome,
    State,
)


@dataclass(frozen=True, slots=True)
class Generated:
    """Bytes that `sockcheck.payloads.make` makes from a recipe: records hold the recipe, not the megabytes."""

    kind: Literal["random", "repeat"]
    size: int
    seed: int
    of: bytes


@dataclass(frozen=True, slots=True)
class Value:
    """What is known only while the case runs: a capture, or `unique`."""

    name: str


@dataclass(frozen=True, slots=True)
class Integer:
    """A value, written in digits, as an integer of `kind`: u8, u16be, u16le, u32be, u32le, u64be, u64le."""

    kind: str
    value: Value


@dataclass(frozen=True, slots=True)
class Prefixed:
    """The length of the pieces as an integer of `kind`, then the pieces."""

    kind: str
    pieces: tuple[Piece, ...]


Piece = bytes | Generated | Value | Integer | Prefixed

Pattern = tuple[bytes | Value, ...]
"""A regular expression; a value in it stands for itself, to the letter."""


@dataclass(frozen=True, slots=True)
class Exact:
    """These bytes come next."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line, matched whole and without its ending."""

    pattern: Pattern
    ends: Literal["any", "crlf", "lf"]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that match, up to and with one that matches `last`, which is tried first."""

    pattern: Pattern
    last: Pattern
    ends: Literal["any", "crlf", "lf"]


@dataclass(frozen=True, slots=True)
class Until:
    """Everything up to and with the delimiter. Every pattern is found in it."""

    delimiter: bytes
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """So many bytes, whatever they are, or those with this digest (lower-case hex)."""

    count: int | Value
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Frame:
    """A length, as an integer of `kind`, and as many bytes: `equals`, or those in which every pattern is found."""

    kind: str
    equals: tuple[Piece, ...] | None
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Unordered:
    """All of them, one behind the other, in any order. Which one comes next is found as for AnyOf."""

    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The one that is complete with the fewest bytes; of several, the first."""

    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not come for `duration` seconds."""

    form: Exact | Line
    duration: float


Form = Exact | Line | Lines | Until | Count | Frame | Unordered | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Connect:
    span: Span
    within: float
    outcome: Outcome = "connected"
    receive_buffer: int | None = None
    send_buffer: int | None = None
    segment_size: int | None = None
    no_delay: bool = True
    host: str | Value | None = None
    port: int | Value | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """`cuts` are ascending positions strictly inside the data; None cuts between any two bytes.

    `gap` is None where the read barrier parts segments.
    """

    span: Span
    pieces: tuple[Piece, ...]
    cuts: tuple[int, ...] | None
    gap: float | None
    within: float
    read: bool = True
    until_blocked: bool = False


@dataclass(frozen=True, slots=True)
class Expect:
    span: Span
    form: Form
    within: float
    after: float | None


@dataclass(frozen=True, slots=True)
class End:
    span: Span
    how: Literal["eof", "reset", "any"]
    within: float
    after: float | None


@dataclass(frozen=True, slots=True)
class Quiet:
    span: Span
    duration: float


@dataclass(frozen=True, slots=True)
class Shutdown:
    span: Span
    how: Literal["write", "read", "both"]


@dataclass(frozen=True, slots=True)
class Close:
    span: Span
    unread: bool


@dataclass(frozen=True, slots=True)
class Reset:
    span: Span


@dataclass(frozen=True, slots=True)
class Await:
    span: Span
    state: State
    within: float


@dataclass(frozen=True, slots=True)
class Mark:
    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class WaitFor:
    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class Meet:
    """Sets the mark once `parties` have come to it, and waits for that."""

    span: Span
    name: str
    parties: int


@dataclass(frozen=True, slots=True)
class Wait:
    """`reads`: what comes meanwhile is read, and kept for later steps."""

    span: Span
    duration: float
    reads: bool = True


Action = Connect | Send | Expect | End | Quiet | Shutdown | Close | Reset | Await | Mark | WaitFor | Meet | Wait


@dataclass(frozen=True, slots=True)
class Actor:
    """One client and what it does, in order. `pushes`: bytes that no action asks for are no finding."""

    name: str
    actions: tuple[Action, ...]
    pushes: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    span: Span


@dataclass(frozen=True, slots=True)
class Resume:
    span: Span


@dataclass(frozen=True, slots=True)
class Signal:
    """To the first process, or to `everyone`: all processes of the server."""

    span: Span
    signal: int
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Exits:
    span: Span
    statuses: tuple[int, ...]
    within: float


@dataclass(frozen=True, slots=True)
class Kill:
    span: Span


@dataclass(frozen=True, slots=True)
class Start:
    span: Span


@dataclass(frozen=True, slots=True)
class Restart:
    span: Span


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison: `alive` and `listening` are 1 or 0, `cpu` is seconds of CPU time, all others are numbers."""

    what: Measure
    operator: Literal["==", "!=", "<", "<=", ">", ">="]
    value: float
    span: Span


@dataclass(frozen=True, slots=True)
class Check:
    """All of the comparisons hold at once, at some moment within the deadline.

    `lenient`: what cannot be seen is let be, and does not end the case.
    """

    span: Span
    checks: tuple[Comparison, ...]
    within: float
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Rests:
    """The server comes to rest: it waits for its clients, and uses no CPU meanwhile."""

    span: Span


@dataclass(frozen=True, slots=True)
class Limit:
    """How many descriptors the server may have open: so many more than it has, or so many at the `least`."""

    span: Span
    files: int
    least: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """The same command once more while the server runs: it ends by itself, not with status 0, and says why."""

    span: Span
    within: float


ServerAction = (
    Pause | Resume | Signal | Exits | Kill | Start | Restart | Check | Rests | Limit | Taken | Mark | WaitFor | Wait
)

SERVER = "server"
"""The name by which the server's own steps go among the actors: no client is called so."""


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario under one variation of one condition.

    `id` is stable: `echo/greets::plain`. `law` is what a finding of this case breaks unless the finding names another.
    `deadline` bounds the whole case, in seconds. `skip` is why it is not run, or "". `variation` is what stands in
    brackets behind the law in the id, and `traits` say of what sort it is, for whoever looks for a common cause.
    `advice` is the promise that the law needs and that nobody made: a failure is advice then, and does not count.
    `gate`: where results are graded, no other points of its contract are earned unless it passes.
    """

    id: str
    contract: str
    scenario: str
    title: str
    law: str
    hint: str
    actors: tuple[Actor, ...]
    deadline: float
    span: Span
    skip: str = ""
    server: tuple[ServerAction, ...] = ()
    state: Literal["none", "own"] = "none"
    points: float | None = None
    visibility: str = ""
    known_failure: str = ""
    variation: str = ""
    traits: tuple[str, ...] = ()
    advice: str = ""
    gate: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What planning must know of the world. `started`: sockcheck starts the target itself, so it may signal it."""

    started: bool
    observable: bool
