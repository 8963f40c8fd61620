"""What happened, in the past tense: the facts that a record holds and that every report is made from.

`at` is seconds on the run's monotonic clock, 0 at the start of the run, read right beside the call that it stamps.
`began`, where there is one, was read right before that call: what the server saw cannot be older. `attempt` numbers the
performances of cases within a run, `target` the instances of servers. `step` is the position of the action in its
client.
"""

from __future__ import annotations

from typing import Literal

from sockcheck.case import Case
from sockcheck.client_events import ClientEvent
from sockcheck.frozen import dataclass
from sockcheck.server_events import ServerEvent
from sockcheck.verdict import Verdict

RECORD_VERSION = 1


@dataclass(frozen=True, slots=True)
class PlannedServer:
    """A server: `contracts` are the names of those that it is tried with; `command` as it was given, or its address."""

    contracts: tuple[str, ...]
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the run as a whole tries, and how, whichever share of it this is: shards of one run have the same.

    `digest` is a SHA-256 of everything that it follows from: the files, the ids of the cases, the servers, the options.
    `options` are those that bear on what is tried and what it comes to.
    """

    digest: str
    options: tuple[str, ...]
    servers: tuple[PlannedServer, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """The shards, of so many in all, whose cases are here: one of a run with `--shard`, several where it was merged."""

    numbers: tuple[int, ...]
    of: int


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first line of every record. `observe` is False where `--no-observe` forced the fall-backs.

    `total` cases are to be run. `share` is null where these are all that there are.
    `flaky`: whether a case that failed, and did not when it was tried again, counts as failed (`--flaky`).
    """

    at: float
    version: int
    sockcheck: str
    started: str
    command: tuple[str, ...]
    directory: str
    seed: int
    stretch: float
    observe: bool
    platform: str
    total: int
    plan: Plan | None = None
    share: Share | None = None
    flaky: Literal["fail", "pass"] = "fail"


@dataclass(frozen=True, slots=True)
class SourceRead:
    """The text of a file of the plan, so that a report can show the failing line without the file."""

    at: float
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class TargetStarted:
    """A server is ready. `pid` is 0 and `command` empty for one that was running already (`--connect`).

    `isolated`: in a network of its own (`--isolate net`), in which `address` is.
    """

    at: float
    target: int
    command: tuple[str, ...]
    address: str
    pid: int
    took: float
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class NotIsolated:
    """The server does not do in a network of its own (`--isolate net`) what it does without; `why` says what ailed.

    `target` was the first without; all that are started from here on are.
    """

    at: float
    target: int
    why: str


@dataclass(frozen=True, slots=True)
class TargetFailed:
    """A server could not be started or reached. `fault` says whose that is, as for TargetError."""

    at: float
    target: int
    message: str
    hint: str
    output: bytes
    fault: Literal["server", "unknown"] = "unknown"


@dataclass(frozen=True, slots=True)
class TargetOutput:
    """What the server wrote. `dropped` bytes of it, before these, were drained but not kept."""

    at: float
    target: int
    stream: Literal["stdout", "stderr"]
    data: bytes
    dropped: int


@dataclass(frozen=True, slots=True)
class TargetExited:
    """No process of the server's tree is left. `status` is the first process's: negative for a signal."""

    at: float
    target: int
    status: int


@dataclass(frozen=True, slots=True)
class TargetStopped:
    """sockcheck stopped the server. `status` as in TargetExited; `killed`: it did not end by SIGTERM in time."""

    at: float
    target: int
    status: int
    killed: bool


Role = Literal["first", "shared", "alone", "outside", "predecessor", "after", "probe"]


@dataclass(frozen=True, slots=True)
class CaseStarted:
    """An attempt at `case` begins, on the server `target`.

    `unique` is what `${unique}` stands for in this attempt, and in no other. `trial` numbers the cases of a run: all
    attempts at one case, and what was done for its sake, have the same.

    `role` says what the attempt is for: the `first`; the first, `shared`: on a server that serves other cases at the
    same time, so that only a pass of it counts; `alone`: again, on a server that has served nothing before; `outside`:
    the same, without the network of its own that it had before; a `predecessor`, which went before the failing case and
    is performed again, to see whether the failure comes of it; `after` that, the case itself; `probe`: a fresh client's
    plain exchange, to see whether the server still serves.
    """

    at: float
    attempt: int
    target: int
    case: Case
    unique: str = ""
    trial: int = 0
    role: Role = "first"


@dataclass(frozen=True, slots=True)
class CaseTimedOut:
    """The case took longer than it may. `late` and `starved` as in DeadlinePassed."""

    at: float
    attempt: int
    late: float = 0.0
    starved: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """The server's processes together, as the kernel counts them; None for what cannot be seen.

    `cpu` and `delay` are seconds since they began: used, and waited for by threads that were ready to run.
    """

    open_files: int | None
    threads: int | None
    children: int | None
    cpu: float | None
    delay: float | None


@dataclass(frozen=True, slots=True)
class Growth:
    """A figure that grew by `each` with every one of the last `connections`, at the least."""

    what: Literal["open_files", "threads", "children"]
    each: float
    connections: int


@dataclass(frozen=True, slots=True)
class HealthRead:
    """The server after the case: is a process of it left, does it listen?

    `why` where one of them is not so, or cannot be seen: what cannot be seen counts as being so. `share` is what the
    server's threads used of a CPU, or waited for, while it was given a long time to come to rest, 1.0 for one CPU; None
    where it came to rest, or was not given the time. `growths`: what grew with the connections it has served so far.
    `late` and `starved`: for how many seconds of the case we were late, and its threads waited for a CPU.
    """

    at: float
    attempt: int
    alive: bool
    listening: bool
    why: str
    figures: Figures | None = None
    share: float | None = None
    growths: tuple[Growth, ...] = ()
    late: float = 0.0
    starved: float = 0.0


@dataclass(frozen=True, slots=True)
class Troubled:
    """Something of ours or of the machine's went wrong: no descriptors, no ports. The case is no evidence."""

    at: float
    attempt: int
    message: str


NotRun = Literal["skipped", "pointless", "broken", "such", "no-server", "stopped"]


@dataclass(frozen=True, slots=True)
class CaseNotRun:
    """The case was not run, and `why`, in a sentence.

    `reason` sorts these: it is `skipped`, as its file, its contract or the way the server is reached says; it is
    `pointless`, since the exchange itself does not work; its law is `broken` already; it cannot be tested with `such` a
    server; the server could not be had (any more), `no-server`; or the run was `stopped` before.
    """

    at: float
    case: Case
    why: str
    reason: NotRun = "stopped"


@dataclass(frozen=True, slots=True)
class CaseFinished:
    """The attempt has ended with this verdict."""

    at: float
    attempt: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class CaseJudged:
    """What the attempts at a case come to, `attempts` by number, those of predecessors not among them.

    `after` are the ids of the cases without which it does not fail: on a fresh server, with those before it, it does.
    """

    at: float
    trial: int
    attempts: tuple[int, ...]
    verdict: Verdict
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CauseNamed:
    """The fault behind failing cases of one server, as the pattern of what fails and what passes shows it.

    `id` is `unknown` where no known pattern fits: then only the law is told that the cases break. `title` says what the
    server does, as the rest of a sentence; `why` is the sentence of the law that it breaks first. `thought` is the
    likely line of thought that led to it; `mend_python` and `mend_c` say how it is mended, in lines. `cases` are the
    ids of the cases that it explains, `smallest` is the one to begin with, `evidence` what was found there. `advice`:
    all of them break what was not promised.
    """

    at: float
    id: str
    title: str
    law: str
    advice: bool
    why: str
    thought: str
    mend_python: str
    mend_c: str
    cases: tuple[str, ...]
    smallest: str
    evidence: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last line of a record that is whole. `why` is empty, or why this is not all of the run."""

    at: float
    exit_code: int
    why: str


AttemptEvent = ClientEvent | ServerEvent | CaseStarted | CaseTimedOut | HealthRead | Troubled | CaseFinished

TargetEvent = TargetStarted | NotIsolated | TargetFailed | TargetOutput | TargetExited | TargetStopped

Event = RunStarted | SourceRead | TargetEvent | AttemptEvent | CaseJudged | CaseNotRun | CauseNamed | RunFinished
