"""What a case that is under way waits for, as far as its events tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sockcheck.case import SERVER, Action, Case, Meet, ServerAction, WaitFor
from sockcheck.client_events import (
    Sent,
    Settled,
)
from sockcheck.events import (
    Event,
    HealthRead,
)

from .wording import plain


@dataclass(slots=True)
class UnderWay:
    """An attempt at a case. `since` is when something happened in it last, in seconds on the run's clock.

    `_step` is the step that each actor has come to. Nothing is recorded when an `expect` is content, so an actor may be
    a step further.
    """

    case: Case
    since: float
    _step: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return plain(self.case.id)

    def happened(self, event: Event) -> None:
        """Something has happened in it."""
        self.since = event.at
        if isinstance(event, HealthRead):
            self._step = {who: len(actions) for who, actions in self._actors()}
        elif isinstance(event, Settled):
            self._step[event.client] = len(dict(self._actors()).get(event.client, ()))
        else:
            step: int | None = getattr(event, "step", None)
            if step is not None:
                more = isinstance(event, Sent) and event.barrier != "none"
                self._step[getattr(event, "client", SERVER)] = step + (not more)

    def waits_for(self) -> str:
        """`expect`, `alice's expect`, `the server's rests`; or `the end` where all steps are done.

        Whoever waits for a mark waits for another actor, which is the one to be named.
        """
        open_ = [
            (who, actions[self._step.get(who, 0)])
            for who, actions in self._actors()
            if self._step.get(who, 0) < len(actions)
        ]
        told = next((each for each in open_ if not isinstance(each[1], WaitFor | Meet)), open_[0] if open_ else None)
        if told is None:
            return "the end"
        who, action = told
        verb = re.sub("(?<=[a-z])(?=[A-Z])", "-", type(action).__name__).lower()
        if who == SERVER:
            return f"the server's {verb}"
        return verb if len(self.case.actors) == 1 else f"{plain(who)}'s {verb}"

    def _actors(self) -> Sequence[tuple[str, Sequence[Action | ServerAction]]]:
        return [*((actor.name, actor.actions) for actor in self.case.actors), (SERVER, self.case.server)]
