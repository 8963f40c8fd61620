"""Cases of scenarios: references filled in, defaults resolved, cuts placed. Nothing is built that a recipe can name."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from sockcheck import case, payloads
from sockcheck.case import Action, Actor, Case, Generated, Piece
from sockcheck.reading.durations import resolve
from sockcheck.scenario import (
    AwaitStep,
    BytesForm,
    CloseStep,
    ConnectStep,
    Cut,
    Duration,
    EndStep,
    ExactForm,
    ExpectStep,
    Fixed,
    Form,
    LineForm,
    Part,
    PayloadSlice,
    QuietStep,
    Reference,
    ResetStep,
    Scenario,
    SendStep,
    ShutdownStep,
    Step,
    Text,
    UntilForm,
)
from sockcheck.segments import FALLBACK_GAP, random_cuts

# A promise with one of these values is not made.
_NOT_PROMISED = ("no", "false", "0", "")
_TIMED = ConnectStep | SendStep | ExpectStep | EndStep | AwaitStep


def plan(
    scenario: Scenario,
    *,
    seed: int,
    stretch: float = 1.0,
    case_timeout: float | None = None,
    parameters: Mapping[str, str] | None = None,
) -> tuple[Case, ...]:
    """The cases of a scenario, with stable ids.

    `seed` places random cuts that have no seed of their own. `stretch` multiplies every deadline, but neither `after`,
    `quiet` nor `gap`, which say what a server does and not how fast the machine is. `case_timeout`, in seconds, takes
    the place of the contract's; `parameters` take the place of its parameters of the same names.

    The deadline of a case is the time that must pass in it (`quiet`, `after`, gaps, also those that stand for a barrier
    where the server cannot be observed), and on top of it the case timeout,
    or all the explicit `within` together where those are longer: no step is cut short of what its author gave it.

    Raises UsageError where a duration names a parameter whose value is none.
    """
    contract = scenario.contract
    id = f"{contract.name}/{scenario.name}::plain"
    timeout = contract.timeouts.case if case_timeout is None else case_timeout
    values = _Values(
        id=id,
        scenario=scenario,
        parameters={**contract.parameters, **(parameters or {})},
        stretch=stretch,
        seed=seed,
    )
    actors = tuple(
        Actor(client.name, tuple(_action(values, step, number) for number, step in enumerate(client.steps)))
        for client in scenario.clients
    )
    return (
        Case(
            id=id,
            contract=contract.name,
            scenario=scenario.name,
            title=scenario.title,
            law=scenario.law,
            hint=scenario.hint,
            actors=actors,
            deadline=_passing(actors) + max(timeout * stretch, _given(values)),
            span=scenario.span,
            skip=scenario.skip or _unmet_need(scenario),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Values:
    """What the names and the gaps in a scenario stand for."""

    id: str
    scenario: Scenario
    parameters: Mapping[str, str]
    stretch: float
    seed: int

    def seconds(self, duration: Duration) -> float:
        return resolve(duration, self.parameters)

    def optional(self, duration: Duration | None) -> float | None:
        return None if duration is None else self.seconds(duration)

    def deadline(self, within: Duration | None, default: float, after: Duration | None = None) -> float:
        """Seconds from the end of the previous step. What lies behind `after` is stretched, never taken away."""
        earliest = 0.0 if after is None else self.seconds(after)
        latest = earliest + default if within is None else self.seconds(within)
        return max(latest * self.stretch, earliest + (latest - earliest) * self.stretch)


def _action(values: _Values, step: Step, number: int) -> Action:
    timeouts = values.scenario.contract.timeouts
    match step:
        case ConnectStep():
            return case.Connect(
                span=step.span,
                within=values.deadline(step.within, timeouts.connect),
                outcome=step.outcome,
                receive_buffer=step.receive_buffer,
                send_buffer=step.send_buffer,
                segment_size=step.segment_size,
                no_delay=step.no_delay,
            )
        case SendStep():
            pieces = _pieces(values, step.parts)
            return case.Send(
                span=step.span,
                pieces=pieces,
                cuts=_cuts(values, step.cut, payloads.size(pieces), number),
                gap=values.optional(step.gap),
                within=values.deadline(step.within, timeouts.expect),
            )
        case ExpectStep():
            return case.Expect(
                span=step.span,
                form=_form(values, step.form),
                within=values.deadline(step.within, timeouts.expect, step.after),
                after=values.optional(step.after),
            )
        case EndStep():
            return case.End(
                span=step.span,
                how=step.how,
                within=values.deadline(step.within, timeouts.expect, step.after),
                after=values.optional(step.after),
            )
        case QuietStep():
            return case.Quiet(step.span, values.seconds(step.duration))
        case ShutdownStep():
            return case.Shutdown(step.span, step.how)
        case CloseStep():
            return case.Close(step.span, step.unread)
        case ResetStep():
            return case.Reset(step.span)
        case AwaitStep():
            return case.Await(step.span, step.state, values.deadline(step.within, timeouts.expect))
        case _:
            assert_never(step)


def _form(values: _Values, form: Form) -> case.Form:
    match form:
        case ExactForm():
            return case.Exact(_pieces(values, form.parts))
        case LineForm():
            return case.Line(form.pattern.source, form.ends)
        case UntilForm():
            delimiter = payloads.join(_pieces(values, (form.delimiter,)))
            return case.Until(delimiter, tuple(pattern.source for pattern in form.patterns))
        case BytesForm():
            return case.Count(form.count, form.sha256)
        case _:
            assert_never(form)


def _pieces(values: _Values, parts: Iterable[Part]) -> tuple[Piece, ...]:
    """Literal bytes that touch are one piece, and pieces of no bytes are none."""
    pieces: list[Piece] = []
    run: list[bytes] = []
    for part in parts:
        match part:
            case Fixed():
                run.append(part.data)
            case Text():
                run.extend(
                    values.parameters[piece.name].encode() if isinstance(piece, Reference) else piece
                    for piece in part.pieces
                )
            case PayloadSlice():
                _end_run(pieces, run)
                recipe = values.scenario.payloads[part.name]
                size = recipe.size if part.first is None else part.first
                if size:
                    pieces.append(Generated(recipe.kind, size, recipe.seed, recipe.of))
            case _:
                assert_never(part)
    _end_run(pieces, run)
    return tuple(pieces)


def _end_run(pieces: list[Piece], run: list[bytes]) -> None:
    data = b"".join(run)
    run.clear()
    if data:
        pieces.append(data)


def _cuts(values: _Values, cut: Cut | None, size: int, number: int) -> tuple[int, ...]:
    if cut is None:
        return ()
    match cut.kind:
        case "at":
            return cut.at
        case "every-byte":
            return tuple(range(1, size))
        case "random":
            # Mixed with the place, so that the sends of a run are not all cut alike.
            seed = zlib.crc32(f"{values.seed} {values.id} {number}".encode()) if cut.seed is None else cut.seed
            return random_cuts(size, cut.count, seed)
        case _:
            assert_never(cut.kind)


def _passing(actors: Iterable[Actor]) -> float:
    """The seconds that must pass, however fast the server is."""
    total = 0.0
    for action in (action for actor in actors for action in actor.actions):
        match action:
            case case.Quiet():
                total += action.duration
            case case.Expect() | case.End():
                total += action.after or 0.0
            case case.Send():
                total += (FALLBACK_GAP if action.gap is None else action.gap) * len(action.cuts)
    return total


def _given(values: _Values) -> float:
    """All the explicit deadlines of the scenario together, in seconds, stretched."""
    steps = [step for client in values.scenario.clients for step in client.steps]
    explicit = [step.within for step in steps if isinstance(step, _TIMED) and step.within is not None]
    return sum(map(values.seconds, explicit)) * values.stretch


def _unmet_need(scenario: Scenario) -> str:
    """Why the contract makes this scenario pointless, or "". Where there is no contract, everything is asked."""
    contract = scenario.contract
    if not contract.path.endswith("contract.yaml"):
        return ""
    for need in scenario.needs:
        if contract.promises.get(need, "") in _NOT_PROMISED:
            return f"it needs {need!r}, which the contract {contract.name!r} does not promise"
    return ""
