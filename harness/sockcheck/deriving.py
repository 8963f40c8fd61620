"""All the cases of some scenarios: as they are written, and under the conditions that are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from sockcheck.case import Action, Capabilities, Case, Connect
from sockcheck.conditions.base import Base, Condition, NotDerivedError, Variation
from sockcheck.conditions.table import TABLE
from sockcheck.errors import UsageError
from sockcheck.frozen import dataclass
from sockcheck.laws import LAWS
from sockcheck.planning import plan
from sockcheck.reading.conditions import SETS
from sockcheck.reading.mistakes import nearest
from sockcheck.scenario import Scenario

STANDARD = ("standard",)
"""What is tried where nobody says what is."""

_PLAIN = "::plain"
_NOT_STARTED = "it needs a server that sockcheck starts, and this one was running already"


@dataclass(frozen=True, slots=True)
class NotDerived:
    """There is no case of this law for a scenario, since that would change what it means; `why` says how.

    `stem` is what the ids of its cases begin with: `echo/hello`.
    """

    stem: str
    law: str
    why: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A case of a scenario."""

    scenario: Scenario
    case: Case


@dataclass(frozen=True, slots=True)
class Wish:
    """How cases are wanted. `conditions`: names of sets or laws, also with `*`, or None for what the files say.

    `strict`: what nobody promised counts as well. All else is as for `sockcheck.planning.plan`.
    """

    seed: int
    conditions: tuple[str, ...] | None = None
    strict: bool = False
    stretch: float = 1.0
    case_timeout: float | None = None
    capabilities: Capabilities = Capabilities(started=True, observable=True)


def conditions_of(text: str) -> tuple[str, ...]:
    """What `--conditions` says: names with commas between them. Raises UsageError for one that there is not."""
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in SETS and not any(fnmatchcase(law, name) for law in LAWS):
            near = nearest(name, (*SETS, *LAWS))
            hint = f"did you mean {near!r}? " if near else ""
            raise UsageError(f"--conditions: there is no condition {name!r}", f"{hint}`sockcheck explain` lists them")
    return names


Tried = dict[tuple[str, str], str]
"""With which scenario a law about the server as a whole is tried, by contract and law."""


def derive(scenarios: Iterable[Scenario], wish: Wish, tried: Tried | None = None) -> Iterator[Planned | NotDerived]:
    """The cases of all scenarios, in their order, each as it is written and then under one condition after the other.

    The same scenarios and the same wish give the same cases with the same ids. Laws about the server as a whole are
    tried with the first scenario of a contract that they can be tried with; `tried` says with which, where scenarios
    come bit by bit. Raises UsageError as `plan` does.
    """
    tried = {} if tried is None else tried
    for scenario in scenarios:
        cases = plan(
            scenario,
            seed=wish.seed,
            stretch=wish.stretch,
            case_timeout=wish.case_timeout,
            capabilities=wish.capabilities,
        )
        for case in cases:
            yield Planned(scenario, case)
        conditions, thorough = _wanted(scenario, wish.conditions)
        for case in cases:
            if conditions and not case.skip:
                yield from _Deriving(scenario, case, wish, thorough, tried).cases(conditions)


def _wanted(scenario: Scenario, named: Sequence[str] | None) -> tuple[tuple[Condition, ...], bool]:
    """The conditions for a scenario, and whether to be thorough. What its own file leaves out is never tried."""
    own = scenario.conditions
    if own is None and not _is_happy_path(scenario):
        return (), False
    first = own if named is None else named
    if first is None:
        first = scenario.contract.conditions or STANDARD
    found = [condition for condition in TABLE if _is_named(condition, first)]
    if own is not None:
        found = [condition for condition in found if _is_named(condition, own)]
    return tuple(found), "thorough" in first


def _is_happy_path(scenario: Scenario) -> bool:
    """Whether cases may be derived from it: it names no law of its own, and does nothing to the server.

    A scenario that does is a case of a law already, written by hand.
    """
    return scenario.law == "plain" and not scenario.server and not scenario.known_failure


def _is_named(condition: Condition, names: Sequence[str]) -> bool:
    return any(
        name == "thorough" or (condition.standard if name == "standard" else fnmatchcase(condition.law, name))
        for name in names
    )


class _Deriving:
    """From one plain case."""

    def __init__(self, scenario: Scenario, case: Case, wish: Wish, thorough: bool, tried: Tried) -> None:
        contract = scenario.contract
        self._scenario = scenario
        self._plain = case
        self._stem = case.id.removesuffix(_PLAIN)
        self._wish = wish
        self._tried = tried
        self._base = Base(
            case,
            contract,
            seed=wish.seed,
            thorough=thorough,
            observable=wish.capabilities.observable,
            stretch=wish.stretch,
            parameters=contract.parameters,
        )

    def cases(self, conditions: Iterable[Condition]) -> Iterator[Planned | NotDerived]:
        for condition in conditions:
            try:
                yield from self._of(condition)
            except NotDerivedError as error:
                yield NotDerived(self._stem, condition.law, str(error))

    def _of(self, condition: Condition) -> Iterator[Planned]:
        key = (self._scenario.contract.path, condition.law)
        if condition.once and key in self._tried:
            raise NotDerivedError(f"it is about the server as a whole, and tried with {self._tried[key]}")
        if not all(_connects(actor.actions) for actor in self._plain.actors):
            raise NotDerivedError("not all of its clients connect once, and successfully")
        lacking = next((promise for promise in condition.needs if not self._is_promised(promise)), "")
        skip = ""
        if lacking and self._base.has_contract:
            skip = f"{lacking!r} is needed, which the contract {self._scenario.contract.name!r} does not promise"
        elif condition.starts and not self._wish.capabilities.started:
            skip = _NOT_STARTED
        if skip:
            yield self._planned(condition, "", skip=skip)
            return
        advice = "" if self._wish.strict else lacking
        for variation in condition.make(self._base):
            if condition.once:
                self._tried[key] = self._stem
            yield self._planned(condition, advice, variation)

    def _is_promised(self, promise: str) -> bool:
        if promise == "clients":
            return self._base.has_contract and self._base.most_clients > 1
        return self._base.promises(promise)

    def _planned(
        self, condition: Condition, advice: str, variation: Variation | None = None, *, skip: str = ""
    ) -> Planned:
        plain, law = self._plain, condition.law
        label = variation.label if variation is not None else ""
        server = variation.server if variation is not None else ()
        if server and not self._wish.capabilities.started:
            skip = skip or _NOT_STARTED
        case = Case(
            id=f"{self._stem}::{law}({label})" if label else f"{self._stem}::{law}",
            contract=plain.contract,
            scenario=plain.scenario,
            title=plain.title,
            law=law,
            hint=f"`sockcheck explain {law}` says why this is a law, and how to keep it.",
            actors=plain.actors if variation is None else variation.actors,
            deadline=_deadline(plain, variation),
            span=plain.span,
            skip=skip,
            server=server,
            state="own" if plain.state == "own" or (variation is not None and variation.state == "own") else "none",
            points=plain.points,
            visibility=plain.visibility,
            variation=label,
            traits=() if variation is None else variation.traits,
            advice=advice,
        )
        return Planned(self._scenario, case)


def _deadline(plain: Case, variation: Variation | None) -> float:
    if variation is None:
        return plain.deadline
    return plain.deadline + variation.passing if variation.most is None else variation.most


def _connects(actions: Iterable[Action]) -> bool:
    connects = [action for action in actions if isinstance(action, Connect)]
    return len(connects) == 1 and connects[0].outcome == "connected"
