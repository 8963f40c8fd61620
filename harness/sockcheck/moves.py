"""What a client is to do next: an exchange says it, a client on a real socket does it."""

from __future__ import annotations

from typing import Literal

from sockcheck.case import Connect, Send
from sockcheck.frozen import dataclass
from sockcheck.steps import (
    State,
)


@dataclass(frozen=True, slots=True)
class DoConnect:
    """Connect; `host` and `port` are None where they are the target's."""

    step: int
    action: Connect
    host: str | None
    port: int | None


@dataclass(frozen=True, slots=True)
class DoSend:
    """Hand the bytes from `begin` to `end` of `data` to the kernel, and part them from the next ones, if any."""

    step: int
    action: Send
    data: bytes
    begin: int
    end: int
    with_end: bool = False
    """Whether our end of stream follows at once: the last bytes wait for it, so that both arrive together."""

    @property
    def last(self) -> bool:
        return self.end == len(self.data)


@dataclass(frozen=True, slots=True)
class DoWait:
    """Read until the command changes; DeadlinePassed when it has not by `deadline` (seconds on the run's clock).

    `reads` is False where nothing is to be read until then.
    """

    step: int
    deadline: float
    reads: bool = True


@dataclass(frozen=True, slots=True)
class DoAwait:
    step: int
    state: State
    deadline: float


@dataclass(frozen=True, slots=True)
class DoShutdown:
    step: int
    how: Literal["write", "read", "both"]


@dataclass(frozen=True, slots=True)
class DoMark:
    step: int
    mark: str


@dataclass(frozen=True, slots=True)
class DoWaitFor:
    """Wait for a mark, or for a meeting: come to it first where `comes`. What arrives meanwhile waits as well."""

    step: int
    mark: str
    comes: bool


@dataclass(frozen=True, slots=True)
class DoSettle:
    """Wait until the server is settled, read what is there, say Settled."""

    step: int


@dataclass(frozen=True, slots=True)
class DoClose:
    step: int
    how: Literal["close", "reset"]


Move = DoConnect | DoSend | DoWait | DoAwait | DoShutdown | DoMark | DoWaitFor | DoSettle | DoClose
