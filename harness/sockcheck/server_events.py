"""What the steps under `server:` did and saw, in the past tense.

What `at`, `attempt` and `step` are stands in `sockcheck.events`.
"""

from __future__ import annotations

from sockcheck.frozen import dataclass


@dataclass(frozen=True, slots=True)
class ServerSignalled:
    """Processes of the server were signalled: by `pause` (SIGSTOP), `resume` (SIGCONT), `signal` or `kill`."""

    at: float
    attempt: int
    step: int
    signal: int
    processes: int


@dataclass(frozen=True, slots=True)
class ServerExited:
    """`exits` was waited for, and no process of the server is left."""

    at: float
    attempt: int
    step: int
    status: int


@dataclass(frozen=True, slots=True)
class ServerStarted:
    """`start` or `restart` has succeeded. `took` seconds from the start to listening."""

    at: float
    attempt: int
    step: int
    pid: int
    took: float


@dataclass(frozen=True, slots=True)
class ServerNotStarted:
    """`start` or `restart` has failed: the server did not come to listen again."""

    at: float
    attempt: int
    step: int
    message: str
    output: bytes


@dataclass(frozen=True, slots=True)
class ServerChecked:
    """What `check` saw last, in the order of its comparisons. None, with `why`, for what cannot be seen."""

    at: float
    attempt: int
    step: int
    values: tuple[float | None, ...]
    why: str


@dataclass(frozen=True, slots=True)
class ServerRested:
    """The server came to rest, or was given the time to. `share` as in HealthRead: None where it did."""

    at: float
    attempt: int
    step: int
    share: float | None


@dataclass(frozen=True, slots=True)
class ServerLimited:
    """From here on the server may have `files` descriptors; or why that cannot be brought about, in `why`."""

    at: float
    attempt: int
    step: int
    files: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class SecondEnded:
    """The same command, started once more while the server ran, has ended, or is still there: `status` is None then.

    `output` is what it wrote. `listens`: it does so at the same address, beside the first (SO_REUSEPORT).
    """

    at: float
    attempt: int
    step: int
    status: int | None
    output: bytes
    listens: bool = False


@dataclass(frozen=True, slots=True)
class ServerDeadlinePassed:
    """The deadline of a step of the server passed. `late` and `starved` as in DeadlinePassed.

    `orphaned`: its first process has ended, and others of it are still there.
    """

    at: float
    attempt: int
    step: int
    late: float = 0.0
    starved: float = 0.0
    orphaned: bool = False


@dataclass(frozen=True, slots=True)
class ServerWaited:
    """The time of a `wait` of the server's steps is over."""

    at: float
    attempt: int
    step: int


ServerEvent = (
    ServerSignalled
    | ServerRested
    | ServerLimited
    | SecondEnded
    | ServerExited
    | ServerStarted
    | ServerNotStarted
    | ServerChecked
    | ServerDeadlinePassed
    | ServerWaited
)
"""What the steps under `server:` did and saw."""
