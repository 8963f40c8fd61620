"""What a client of a case did and saw, in the past tense: the facts on its connection.

What `at`, `began`, `attempt` and `step` are stands in `sockcheck.events`.
"""

from __future__ import annotations

from typing import Literal

from sockcheck.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Elided:
    """Received bytes that were exactly the expected ones, too many to keep: their number, digest and two ends."""

    size: int
    sha256: str
    head: bytes
    tail: bytes


Data = bytes | Elided


@dataclass(frozen=True, slots=True)
class Connected:
    """`unobserved` is why the server's end cannot be seen in the kernel, or "" where it can."""

    at: float
    began: float
    attempt: int
    client: str
    step: int
    local: str
    peer: str
    unobserved: str


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """`error` is the name of the errno: ECONNREFUSED, …"""

    at: float
    attempt: int
    client: str
    step: int
    error: str


Barrier = Literal["read", "gone", "not-read", "gap", "none"]


@dataclass(frozen=True, slots=True)
class Sent:
    """One segment was handed to the kernel whole. It begins at byte `offset` of the send.

    `barrier` says how it was parted from the next segment: the server `read` it; its end was `gone`; it was `not-read`
    in time; by a `gap`; or `none`, since it was the last. `waited` is how long that took.
    """

    at: float
    began: float
    attempt: int
    client: str
    step: int
    offset: int
    size: int
    barrier: Barrier
    waited: float


@dataclass(frozen=True, slots=True)
class SendFailed:
    """The kernel refused the rest after `sent` bytes of the send. It is recorded, not judged: the next step decides."""

    at: float
    began: float
    attempt: int
    client: str
    step: int
    sent: int
    error: str


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes came, in one recv(); the connection's stream is what all of them make together."""

    at: float
    attempt: int
    client: str
    data: Data


@dataclass(frozen=True, slots=True)
class PeerClosed:
    """The stream from the server ended. `error` is the first error that the kernel told, `state` TCP_INFO's, or "".

    `late`: the longest time, in seconds, that sockcheck itself was kept from running since the connection was begun.
    """

    at: float
    attempt: int
    client: str
    how: Literal["eof", "reset", "error"]
    error: str
    state: str
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The deadline of this step passed. `progress`: bytes of the current send that the kernel had taken.

    `late`: the longest time, in seconds, that sockcheck itself was kept from running since the wait began. `starved`:
    how long, in seconds, threads of the server that were ready to run had to wait for a CPU since the attempt began.
    """

    at: float
    attempt: int
    client: str
    step: int
    progress: int
    late: float = 0.0
    starved: float = 0.0


@dataclass(frozen=True, slots=True)
class ShutDown:
    at: float
    began: float
    attempt: int
    client: str
    step: int
    how: Literal["write", "read", "both"]
    error: str


@dataclass(frozen=True, slots=True)
class Closed:
    """Our socket was closed. `how` is `reset` where it was closed with SO_LINGER 0."""

    at: float
    attempt: int
    client: str
    step: int
    how: Literal["close", "reset"]


@dataclass(frozen=True, slots=True)
class Awaited:
    """`outcome`: `seen`; `gone`: the server's end is no more; `unobservable`: the kernel cannot be asked."""

    at: float
    attempt: int
    client: str
    step: int
    state: str
    outcome: Literal["seen", "gone", "unobservable"]


@dataclass(frozen=True, slots=True)
class Blocked:
    """A send `until: blocked` has ended: the server took `sent` bytes of it and takes no more."""

    at: float
    began: float
    attempt: int
    client: str
    step: int
    sent: int


@dataclass(frozen=True, slots=True)
class Marked:
    """A mark was set, or a meeting was come to. `client` is `server` for the server's own steps."""

    at: float
    attempt: int
    client: str
    step: int
    mark: str


@dataclass(frozen=True, slots=True)
class Waited:
    """The mark that was waited for is set, or the meeting complete."""

    at: float
    attempt: int
    client: str
    step: int
    mark: str


@dataclass(frozen=True, slots=True)
class Released:
    """The mark that was waited for can no longer be set, since who should set it has ended before: no judgement."""

    at: float
    attempt: int
    client: str
    step: int
    mark: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The server was waited for until it had nothing more to do with this client's connection.

    `settled`: what we sent was read, what it had written had come, and all its threads slept at one moment. `late`: not
    within the limit. `gap`: it cannot be observed, so a gap of `waited` seconds stood for it, and the claim that
    nothing more came is as weak as that.
    """

    at: float
    attempt: int
    client: str
    outcome: Literal["settled", "late", "gap"]
    waited: float


ClientEvent = (
    Connected
    | ConnectFailed
    | Sent
    | SendFailed
    | Received
    | PeerClosed
    | DeadlinePassed
    | ShutDown
    | Closed
    | Awaited
    | Settled
    | Blocked
    | Marked
    | Waited
    | Released
)
"""What a client saw or did. Marks may be the server's own steps' too: their `client` is `server` then."""
