"""Steps into actions: every `repeat` written out, every client of a `count` an actor of its own."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from sockcheck import case, payloads
from sockcheck.case import SERVER, Action, Actor, Piece, ServerAction
from sockcheck.errors import UsageError
from sockcheck.forms import (
    Duration,
)
from sockcheck.planning.pieces import form, least, pieces
from sockcheck.planning.values import Values
from sockcheck.reading.clients import MOST_CLIENTS
from sockcheck.reading.names import INDEX, TURN
from sockcheck.reading.steps import MOST_TURNS, PORTS
from sockcheck.reading.values import whole_of
from sockcheck.scenario import (
    Client,
    Scenario,
)
from sockcheck.segments import random_cuts
from sockcheck.steps import (
    AwaitStep,
    CheckStep,
    CloseStep,
    ConnectStep,
    Cut,
    EndStep,
    ExitsStep,
    ExpectStep,
    KillStep,
    LimitStep,
    MarkStep,
    MeetStep,
    PauseStep,
    QuietStep,
    RepeatStep,
    ResetStep,
    RestartStep,
    RestsStep,
    ResumeStep,
    SendStep,
    ServerStep,
    ShutdownStep,
    SignalStep,
    StartStep,
    Step,
    TakenStep,
    WaitForStep,
    WaitStep,
)

# A case of more actions than this is a slip of the finger; every action is an object in memory and a line in a record.
MOST_ACTIONS = 100_000


@dataclass(frozen=True, slots=True)
class Timed:
    """An action, and the explicit deadline that its author gave it, in seconds, or 0."""

    action: Action | ServerAction
    explicit: float = 0.0


class Planner:
    """Makes the actors of one case. `timed` holds what each of them does, by its name, for the case's deadline."""

    def __init__(self, id: str, scenario: Scenario, texts: Mapping[str, str], stretch: float, seed: int) -> None:
        self._id = id
        self._values = Values(scenario, texts, stretch)
        self._seed = seed
        self._timeouts = scenario.contract.timeouts
        self._made = 0
        self.timed: dict[str, list[Timed]] = {}

    def actors(self) -> tuple[Actor, ...]:
        """The clients. Raises UsageError."""
        return tuple(actor for client in self._values.scenario.clients for actor in self._client(client))

    def server(self) -> tuple[ServerAction, ...]:
        """The server's own actions. Raises UsageError."""
        steps = self._values.scenario.server
        self.timed[SERVER] = [self._server_action(step) for step in steps]
        actions = [timed.action for timed in self.timed[SERVER]]
        return tuple(action for action in actions if isinstance(action, ServerAction))

    def _client(self, client: Client) -> Iterator[Actor]:
        if client.count is None:
            yield self._actor(client, client.name, list(self._actions(self._values, client.steps, "", 1)))
            return
        count = self._values.known(client.count, whole_of, 1, MOST_CLIENTS)
        for index in range(count):
            name = f"{client.name}[{index}]"
            values = self._values.naming(INDEX, index)
            timed = list(self._in_order(client.name, index, self._actions(values, client.steps, "", count)))
            yield self._actor(client, name, timed)

    def _actor(self, client: Client, name: str, timed: list[Timed]) -> Actor:
        self.timed[name] = timed
        actions = [each.action for each in timed]
        return Actor(name, tuple(action for action in actions if isinstance(action, Action)), client.pushes)

    def _in_order(self, name: str, index: int, actions: Iterator[Timed]) -> Iterator[Timed]:
        """The clients of a `count` connect one after the other, so that the first is the first to be accepted."""
        for timed in actions:
            if not isinstance(timed.action, case.Connect):
                yield timed
                continue
            span = timed.action.span
            if index:
                yield self._counted(Timed(case.WaitFor(span, f"{name}[{index - 1}] connected")))
            yield timed
            yield self._counted(Timed(case.Mark(span, f"{name}[{index}] connected")))

    def _actions(self, values: Values, steps: tuple[Step, ...], turn: str, parties: int) -> Iterator[Timed]:
        """`turn` makes of a meeting under `repeat` one for each turn."""
        for step in steps:
            if isinstance(step, RepeatStep):
                for number in range(values.known(step.times, whole_of, 1, MOST_TURNS)):
                    yield from self._actions(values.naming(TURN, number), step.steps, f"{turn}[{number}]", parties)
            elif isinstance(step, MeetStep):
                yield self._counted(Timed(case.Meet(step.span, step.name + turn, parties)))
            else:
                yield self._counted(self._action(values, step))

    def _counted(self, timed: Timed) -> Timed:
        self._made += 1
        if self._made > MOST_ACTIONS:
            message = f"{timed.action.span}: the case {self._id} would have more than {MOST_ACTIONS:,} actions"
            raise UsageError(message, "repeat less often, or with fewer clients")
        return timed

    def _explicit(self, values: Values, within: Duration | None) -> float:
        return 0.0 if within is None else values.seconds(within) * values.stretch

    def _action(
        self,
        values: Values,
        step: ConnectStep
        | SendStep
        | ExpectStep
        | EndStep
        | QuietStep
        | ShutdownStep
        | CloseStep
        | ResetStep
        | AwaitStep
        | MarkStep
        | WaitForStep
        | WaitStep,
    ) -> Timed:
        match step:
            case SendStep():
                return self._send(values, step)
            case ExpectStep():
                return self._expect(values, step)
            case ConnectStep():
                return self._connect(values, step)
            case EndStep():
                within = values.deadline(step.within, self._timeouts.expect, step.after)
                end = case.End(step.span, step.how, within, values.optional(step.after))
                return Timed(end, self._explicit(values, step.within))
            case AwaitStep():
                within = values.deadline(step.within, self._timeouts.expect)
                return Timed(case.Await(step.span, step.state, within), self._explicit(values, step.within))
            case QuietStep():
                return Timed(case.Quiet(step.span, values.seconds(step.duration)))
            case ShutdownStep():
                return Timed(case.Shutdown(step.span, step.how))
            case CloseStep():
                return Timed(case.Close(step.span, step.unread))
            case ResetStep():
                return Timed(case.Reset(step.span))
            case MarkStep() | WaitForStep() | WaitStep():
                return Timed(_shared(values, step))
            case _:
                assert_never(step)

    def _connect(self, values: Values, step: ConnectStep) -> Timed:
        connect = case.Connect(
            span=step.span,
            within=values.deadline(step.within, self._timeouts.connect),
            outcome=step.outcome,
            receive_buffer=step.receive_buffer,
            send_buffer=step.send_buffer,
            segment_size=step.segment_size,
            no_delay=step.no_delay,
            host=values.text(step.host),
            port=None if step.port is None else values.number(step.port, whole_of, *PORTS),
            source=step.source,
        )
        return Timed(connect, self._explicit(values, step.within))

    def _send(self, values: Values, step: SendStep) -> Timed:
        made = pieces(values, step.parts)
        send = case.Send(
            span=step.span,
            pieces=made,
            cuts=() if step.cut is None else self._cuts(step.cut, made),
            gap=values.optional(step.gap),
            within=values.deadline(step.within, self._timeouts.expect),
            read=step.read,
            until_blocked=step.until_blocked,
        )
        return Timed(send, self._explicit(values, step.within))

    def _cuts(self, cut: Cut, made: tuple[Piece, ...]) -> tuple[int, ...] | None:
        match cut.kind:
            case "at":
                return cut.at
            case "every-byte":
                size = payloads.size(made)
                return None if size is None else tuple(range(1, size))
            case "random":
                # Mixed with the place, so that the sends of a run are not all cut alike.
                place = f"{self._seed} {self._id} {self._made}"
                return random_cuts(least(made), cut.count, zlib.crc32(place.encode()) if cut.seed is None else cut.seed)
            case _:
                assert_never(cut.kind)

    def _expect(self, values: Values, step: ExpectStep) -> Timed:
        wanted = form(values, step.form)
        # Time alone decides that something did not come.
        within = wanted.duration if isinstance(wanted, case.Not) else None
        if within is None:
            within = values.deadline(step.within, self._timeouts.expect, step.after)
        expect = case.Expect(step.span, wanted, within, values.optional(step.after))
        return Timed(expect, self._explicit(values, step.within))

    def _server_action(self, step: ServerStep) -> Timed:
        values = self._values
        match step:
            case PauseStep():
                return Timed(case.Pause(step.span))
            case ResumeStep():
                return Timed(case.Resume(step.span))
            case SignalStep():
                return Timed(case.Signal(step.span, step.signal, step.everyone))
            case ExitsStep():
                within = values.deadline(step.within, self._timeouts.expect)
                exits = case.Exits(step.span, step.statuses, within)
                return Timed(exits, self._explicit(values, step.within))
            case KillStep():
                return Timed(case.Kill(step.span))
            case StartStep():
                return Timed(case.Start(step.span), self._timeouts.ready * values.stretch)
            case RestartStep():
                return Timed(case.Restart(step.span), self._timeouts.ready * values.stretch)
            case RestsStep():
                return Timed(case.Rests(step.span))
            case LimitStep():
                return Timed(case.Limit(step.span, step.files, step.least))
            case TakenStep():
                within = values.deadline(step.within, self._timeouts.ready)
                return Timed(case.Taken(step.span, within), within)
            case CheckStep():
                within = values.deadline(step.within, self._timeouts.expect)
                checks = tuple(case.Comparison(each.what, each.operator, each.value, each.span) for each in step.checks)
                return Timed(case.Check(step.span, checks, within), self._explicit(values, step.within))
            case MarkStep() | WaitForStep() | WaitStep():
                return Timed(_shared(values, step))
            case _:
                assert_never(step)


def _shared(values: Values, step: MarkStep | WaitForStep | WaitStep) -> case.Mark | case.WaitFor | case.Wait:
    match step:
        case MarkStep():
            return case.Mark(step.span, step.name)
        case WaitForStep():
            return case.WaitFor(step.span, step.name)
        case _:
            return case.Wait(step.span, values.seconds(step.duration))
