"""What a scenario file and a contract say, as data: nothing resolved, every value with its place.

`sockcheck.reading` makes these from YAML; `sockcheck.planning` makes a `sockcheck.case.Case` of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from sockcheck.forms import Payload, Reference, Span
from sockcheck.frozen import dataclass
from sockcheck.steps import ServerStep, Step


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
