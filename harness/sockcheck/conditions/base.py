"""What conditions are made of: an exchange to vary, variations of it, and the reasons why there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Literal

from sockcheck.case import Action, Actor, Case, Connect, ServerAction
from sockcheck.conditions.copying import Copies, is_unique, prefix, span, uses_captures
from sockcheck.forms import (
    Span,
)
from sockcheck.frozen import dataclass
from sockcheck.idling import idle
from sockcheck.reading.durations import seconds
from sockcheck.scenario import (
    Contract,
)

# A promise with one of these values is not made.
_NOT_PROMISED = ("no", "false", "0", "")
# What is asked, as advice, of a server that nobody promised anything of.
_ASSUMED: Mapping[str, str] = {"clients": "8", "backlog": "5", "stops-on-sigterm": "5s"}


class NotDerivedError(Exception):
    """A condition has no variation of this exchange, since that would change what it means; the message says why."""


@dataclass(frozen=True, slots=True)
class Variation:
    """An exchange under a law: what is done in place of that which its author wrote.

    `label` stands in brackets behind the law in the case's id, where there is more than one. `passing`: the seconds by
    which it must take longer than the exchange as written, however fast the server is. `most`: the seconds that it may
    take at the most, where that is not for its contract to say.
    """

    actors: tuple[Actor, ...]
    label: str = ""
    traits: tuple[str, ...] = ()
    server: tuple[ServerAction, ...] = ()
    passing: float = 0.0
    most: float | None = None
    state: Literal["none", "own"] = "none"


class Base:
    """The exchange of a plain case, to be varied, and what its contract says.

    `seed` chooses where there is too much to try it all. `thorough`: as much as is of any use, not as much as is quick.
    `observable`: whether segments can be parted without gaps. Reaches into nothing but these values.
    """

    def __init__(
        self,
        case: Case,
        contract: Contract,
        *,
        seed: int,
        thorough: bool,
        observable: bool,
        stretch: float,
        parameters: Mapping[str, str],
    ) -> None:
        self.case = case
        self.contract = contract
        self.seed = seed
        self.stretch = stretch
        self.parameters = parameters
        self.thorough = thorough
        self.observable = observable
        self.actors = case.actors

    @property
    def has_contract(self) -> bool:
        """Whether anybody has said what the server promises."""
        return self.contract.path.endswith("contract.yaml")

    def promises(self, promise: str) -> bool:
        """Whether it is promised. Where there is no contract, nothing is."""
        return self.contract.promises.get(promise, "") not in _NOT_PROMISED

    def promised(self, promise: str) -> str:
        """What exactly is promised, as it is written; what advice supposes where there is no contract."""
        return self.contract.promises.get(promise, "") if self.has_contract else _ASSUMED.get(promise, "")

    @property
    def may_pipeline(self) -> bool:
        """Whether its requests stand for themselves: sent again, or before a reply is read, each is answered alike."""
        return self.case.state == "none" and (self.promises("pipelining") or not self.has_contract)

    @property
    def expect_within(self) -> float:
        """The contract's deadline for a reply, in seconds."""
        return self.contract.timeouts.expect * self.stretch

    @property
    def ready_within(self) -> float:
        """The contract's deadline for a server that starts, in seconds."""
        return self.contract.timeouts.ready * self.stretch

    def time_of(self, promise: str) -> float | None:
        """The seconds that are promised; None where it is no length of time, or none is promised."""
        written = self.promised(promise)
        if written.startswith("${") and written.endswith("}"):
            written = self.parameters.get(written[2:-1], "")
        return seconds(written)

    @property
    def shortest_idle(self) -> float:
        """The seconds for which a client may be silent."""
        return self.time_of("idle-close") or float("inf")

    @property
    def most_clients(self) -> int:
        """How many clients the server is asked to serve at once."""
        promised = self.promised("clients")
        return int(promised) if promised.isdecimal() else 1

    @cached_property
    def connects(self) -> tuple[Connect, ...]:
        """How each client connects."""
        return tuple(next(action for action in actor.actions if isinstance(action, Connect)) for actor in self.actors)

    @cached_property
    def _copies(self) -> Copies:
        return Copies(self.actors)

    def copy(self, number: int) -> tuple[Actor, ...]:
        """The exchange once more, by other clients."""
        return self._copies.copy(number)

    @cached_property
    def steps(self) -> tuple[Action, ...]:
        """What the first client of a copy does by itself."""
        return prefix(self.copy(1)[0])

    @cached_property
    def where(self) -> Span:
        """Where the first client connects: steps that are nobody's point there."""
        return span(self.actors[0])

    @cached_property
    def idle(self) -> float:
        """The seconds that all clients together are told to wait."""
        return sum(idle(action) for actor in self.actors for action in actor.actions)

    @cached_property
    def unique(self) -> bool:
        """Whether `${unique}` keeps one run of the exchange from meeting another."""
        return any(is_unique(action) for actor in self.actors for action in actor.actions)

    @property
    def single(self) -> Actor:
        """The client, where there is only one. Raises NotDerivedError."""
        self.by_itself()
        return self.actors[0]

    def by_itself(self) -> None:
        """Raises NotDerivedError where several clients wait for each other, and cannot go one behind the other."""
        if len(self.actors) > 1:
            raise NotDerivedError("it has several clients, each with something to say to the others")

    def repeatable(self) -> None:
        """Raises NotDerivedError where the exchange can be had only once on one server."""
        if self.case.state == "own" and not self.unique:
            raise NotDerivedError(
                "it leaves something behind (state: own), and no ${unique} keeps two runs of it apart"
            )
        if len(self.actors) > 1 and self._captures:
            raise NotDerivedError("its clients tell each other what they captured, so that two of it would mix")

    @property
    def _captures(self) -> bool:
        return any(uses_captures(action) for actor in self.actors for action in actor.actions)

    def quick(self) -> None:
        """Raises NotDerivedError where the exchange waits by itself, so that many of it would take too long."""
        if self.idle:
            raise NotDerivedError("it waits by itself, and this takes it many times")


Make = Callable[[Base], Iterator[Variation]]
"""It yields the variations of an exchange, or raises NotDerivedError."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A law and how it is tried. `needs`: the promises without which it is advice.

    `once`: it is a law about the server as a whole, which one exchange of a contract is enough for.
    """

    law: str
    make: Make
    needs: tuple[str, ...] = ()
    standard: bool = True
    once: bool = False
    starts: bool = False
    """Whether only a server that sockcheck starts itself can be tried so: it is signalled, or looked into."""
