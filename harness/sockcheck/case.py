"""What is run: a scenario under one variation of one condition, with everything resolved.

Times are seconds, sizes are bytes. A case holds no references and no defaults, so that it can be performed,
recorded and judged again without the files that it came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sockcheck.scenario import Outcome, Span


@dataclass(frozen=True, slots=True)
class Generated:
    """Bytes that `sockcheck.payloads.make` makes from a recipe: records hold the recipe, not the megabytes."""

    kind: Literal["random", "repeat"]
    size: int
    seed: int
    of: bytes


Piece = bytes | Generated


@dataclass(frozen=True, slots=True)
class Exact:
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Line:
    pattern: bytes
    ends: Literal["any", "crlf", "lf"]


@dataclass(frozen=True, slots=True)
class Until:
    delimiter: bytes
    patterns: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Count:
    count: int
    sha256: str | None


Form = Exact | Line | Until | Count


@dataclass(frozen=True, slots=True)
class Connect:
    span: Span
    within: float
    outcome: Outcome = "connected"
    receive_buffer: int | None = None
    send_buffer: int | None = None
    segment_size: int | None = None
    no_delay: bool = True


@dataclass(frozen=True, slots=True)
class Send:
    """`cuts` are ascending positions strictly inside the data. `gap` is None where the read barrier parts segments."""

    span: Span
    pieces: tuple[Piece, ...]
    cuts: tuple[int, ...]
    gap: float | None
    within: float


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
    state: Literal["accepted", "read", "end-read"]
    within: float


Action = Connect | Send | Expect | End | Quiet | Shutdown | Close | Reset | Await


@dataclass(frozen=True, slots=True)
class Actor:
    """One client and what it does, in order."""

    name: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario under one variation of one condition.

    `id` is stable: `echo/greets::plain`. `law` is what a finding of this case breaks unless the finding names another.
    `deadline` bounds the whole case, in seconds. `skip` is why it is not run, or "".
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


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What planning must know of the world. `started`: sockcheck starts the target itself, so it may signal it."""

    started: bool
    observable: bool
