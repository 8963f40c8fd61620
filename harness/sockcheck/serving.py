"""The server's own steps, as a state machine without a clock.

As `sockcheck.exchange` does for a client, it is told what was seen and says what to do next, so that it drives live and
judges a record alike.
"""

from __future__ import annotations

import operator
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from sockcheck.case import (
    SERVER,
    Check,
    Comparison,
    Exits,
    Kill,
    Limit,
    Mark,
    Pause,
    Restart,
    Rests,
    Resume,
    ServerAction,
    Signal,
    Start,
    Taken,
    Wait,
    WaitFor,
)
from sockcheck.client_events import (
    Marked,
    Released,
    Waited,
)
from sockcheck.frozen import dataclass
from sockcheck.segments import REST_LIMIT
from sockcheck.server_events import (
    SecondEnded,
    ServerChecked,
    ServerDeadlinePassed,
    ServerEvent,
    ServerExited,
    ServerLimited,
    ServerNotStarted,
    ServerRested,
    ServerSignalled,
    ServerStarted,
    ServerWaited,
)
from sockcheck.show import quoted, seconds, signal_name, status_text
from sockcheck.verdict import Finding, Kind
from sockcheck.wording import hindered


@dataclass(frozen=True, slots=True)
class DoSignal:
    """Signal the first process, or `everyone`: all processes of the server."""

    step: int
    signal: int
    everyone: bool


@dataclass(frozen=True, slots=True)
class DoKill:
    """SIGKILL to all processes, until none is left."""

    step: int


@dataclass(frozen=True, slots=True)
class DoAwaitExit:
    """Wait until no process is left, or until `deadline` (seconds on the run's clock, as all times are)."""

    step: int
    deadline: float


@dataclass(frozen=True, slots=True)
class DoStart:
    step: int


@dataclass(frozen=True, slots=True)
class DoRestart:
    step: int


@dataclass(frozen=True, slots=True)
class DoCheck:
    """Look until all of `checks` hold at once (see `holds`), at least once, until `deadline` at the most."""

    step: int
    checks: tuple[Comparison, ...]
    deadline: float


@dataclass(frozen=True, slots=True)
class DoRest:
    """Wait until the server rests; where it does not, look for `limit` seconds what it does instead."""

    step: int
    limit: float


@dataclass(frozen=True, slots=True)
class DoLimit:
    """Let the server have so many more descriptors than it has, or so many at the `least`."""

    step: int
    files: int
    least: bool


@dataclass(frozen=True, slots=True)
class DoSecond:
    """Start the same command once more, and wait for its end, until `deadline` at the most."""

    step: int
    deadline: float


@dataclass(frozen=True, slots=True)
class DoMark:
    step: int
    mark: str


@dataclass(frozen=True, slots=True)
class DoWaitFor:
    step: int
    mark: str


@dataclass(frozen=True, slots=True)
class DoWaitUntil:
    step: int
    at: float


Command = (
    DoSignal
    | DoKill
    | DoAwaitExit
    | DoStart
    | DoRestart
    | DoCheck
    | DoRest
    | DoLimit
    | DoSecond
    | DoMark
    | DoWaitFor
    | DoWaitUntil
)

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
SPIN = 0.8
"""From this share of a CPU on a server does not wait for anything: it spins."""

# So many bytes of the output of a server that did not start are shown.
_SHOWN = 300
# By these a server is told to end, whatever else is said of it. SIGHUP tells most daemons to read their configuration.
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL})


def holds(comparison: Comparison, value: float | None) -> bool:
    """Whether a figure is as asked for. One that cannot be seen is not."""
    return value is not None and _OPERATORS[comparison.operator](value, comparison.value)


class Serving:
    """Make one for the server's steps of a case, feed it their events in order with `tell`.

    `began` is when the steps began: deadlines count from the end of the previous step, those of the first from here.
    `command`: what to do next; None when there is nothing more to do. The same object as long as nothing changed.
    `finding`: what was wrong; the first thing ends the steps. `trouble`: why they cannot be judged, or "".
    `busy`: how the machine was too busy for that, or "".
    `unjudged`: they ended because who should have set a mark for them had ended before.
    """

    def __init__(self, actions: tuple[ServerAction, ...], law: str, hint: str, began: float) -> None:
        self._actions = actions
        self._law = law
        self._hint = hint
        self._position = 0
        self._since = began
        self._seen: tuple[float | None, ...] = ()
        self.finding: Finding | None = None
        self.trouble = ""
        self.busy = ""
        self.unjudged = False
        self.command: Command | None = None
        self._advance()

    @property
    def position(self) -> int:
        """The step that is under way; the number of steps when all are done."""
        return self._position

    @property
    def completed(self) -> bool:
        """Whether all steps are done."""
        return self._position == len(self._actions)

    @property
    def exit_asked(self) -> bool:
        """Whether these steps ask the server to end, so that its end now is no crash."""
        return _exit_asked(self._actions, self._position)

    def tell(self, event: ServerEvent | Marked | Waited | Released) -> None:
        """Something was done or seen. Events after the steps have ended change nothing."""
        if self.command is None:
            return
        match event:
            case ServerSignalled() | ServerStarted() | ServerWaited() | Marked() | Waited():
                self._step_done(event.at)
            case ServerExited():
                self._exited(event)
            case ServerRested():
                self._rested(event)
            case ServerLimited():
                self.trouble = event.why
                self._step_done(event.at)
            case SecondEnded():
                self._second_ended(event)
            case ServerNotStarted():
                self._not_started(event)
            case ServerChecked():
                self._checked(event)
            case ServerDeadlinePassed():
                self._deadline_passed(event)
            case Released():
                self.unjudged = True
            case _:
                assert_never(event)
        self._advance()

    def _step_done(self, at: float) -> None:
        self._position += 1
        self._since = max(self._since, at)

    def _advance(self) -> None:
        command = self._next()
        if command != self.command:
            self.command = command

    def _next(self) -> Command | None:
        step = self._position
        if self.finding is not None or self.trouble or self.busy or self.unjudged or step == len(self._actions):
            return None
        action = self._actions[step]
        match action:
            case Pause():
                return DoSignal(step, signal.SIGSTOP, everyone=True)
            case Resume():
                return DoSignal(step, signal.SIGCONT, everyone=True)
            case Signal():
                return DoSignal(step, action.signal, action.everyone)
            case Kill():
                return DoKill(step)
            case Exits():
                return DoAwaitExit(step, self._since + action.within)
            case Start():
                return DoStart(step)
            case Restart():
                return DoRestart(step)
            case Check():
                return DoCheck(step, action.checks, self._since + action.within)
            case Rests():
                return DoRest(step, REST_LIMIT)
            case Limit():
                return DoLimit(step, action.files, action.least)
            case Taken():
                return DoSecond(step, self._since + action.within)
            case Mark():
                return DoMark(step, action.name)
            case WaitFor():
                return DoWaitFor(step, action.name)
            case Wait():
                return DoWaitUntil(step, self._since + action.duration)
            case _:
                assert_never(action)

    def _exited(self, event: ServerExited) -> None:
        action = self._actions[self._position]
        assert isinstance(action, Exits)
        if not action.statuses or event.status in action.statuses:
            self._step_done(event.at)
            return
        wanted = statuses_text(action.statuses)
        how = status_text(event.status)
        message = f"the server {how}, and should have ended with {wanted}"
        self._fail("wrong-exit", message, f"{wanted}, within {seconds(action.within)}", f"it {how}", event.at)

    def _rested(self, event: ServerRested) -> None:
        if event.share is None or event.share < SPIN:
            self._step_done(event.at)
            return
        message = f"with nothing to do, the server used {event.share:.0%} of a CPU"
        wanted = "a server that waits, without using a CPU, for its clients to do something"
        if self._law.startswith("life."):
            self._law = "churn.spin"
        self._fail("spinning", message, wanted, f"{event.share:.0%} of a CPU, used or waited for", event.at)

    def _second_ended(self, event: SecondEnded) -> None:
        """A second server that cannot have the address has to say so, to whoever started it and to who reads it."""
        wanted = "it ends by itself, not with status 0, and says why"
        wrote = quoted(event.output[-_SHOWN:], _SHOWN) if event.output else "nothing"
        if event.listens:
            message = "started once more at an address that is taken, the server listens there too (SO_REUSEPORT)"
            self._fail("no-exit", message, wanted, "the kernel deals out clients to both of them", event.at)
        elif event.status is None:
            message = "started once more at an address that is taken, the server did not end"
            self._fail("no-exit", message, wanted, f"it was still there; it wrote {wrote}", event.at)
        elif event.status == 0:
            message = "started once more at an address that is taken, the server ended as if all were well"
            self._fail("wrong-exit", message, wanted, f"it exited with status 0; it wrote {wrote}", event.at)
        elif not event.output.strip():
            how = status_text(event.status)
            message = f"started once more at an address that is taken, the server {how} without a word"
            self._fail("wrong-exit", message, wanted, f"it {how}, and wrote nothing", event.at)
        else:
            self._step_done(event.at)

    def _not_started(self, event: ServerNotStarted) -> None:
        self._fail(
            "no-start",
            f"the server could not be started again: {event.message}",
            "it starts again, and listens at the same address",
            f"its last output: {quoted(event.output[-_SHOWN:], _SHOWN)}" if event.output else "it wrote nothing",
            event.at,
        )

    def _checked(self, event: ServerChecked) -> None:
        action = self._actions[self._position]
        assert isinstance(action, Check)
        self._seen = event.values
        if None in event.values and action.lenient:
            self._step_done(event.at)
        elif None in event.values:
            unseen = [check.what for check, value in zip(action.checks, event.values, strict=True) if value is None]
            self.trouble = f"{' and '.join(unseen)} of the server cannot be seen here" + _because(event.why)
        elif _all_hold(action.checks, event.values):
            self._step_done(event.at)

    def _deadline_passed(self, event: ServerDeadlinePassed) -> None:
        action = self._actions[self._position]
        assert isinstance(action, Exits | Check)
        self.busy = hindered(event.late, event.starved, action.within)
        if self.busy:
            return
        if isinstance(action, Exits):
            within = seconds(action.within)
            message = f"the server did not end within {within}"
            actual = "at least one of its processes was still there"
            if event.orphaned:
                message = f"the server's first process ended, and left others behind, which did not within {within}"
                actual = "its first process had ended, and others were still there"
            wanted = f"{statuses_text(action.statuses)}, within {within}"
            self._fail("no-exit", message, wanted, actual, event.at)
            return
        seen = list(zip(action.checks, self._seen, strict=True))
        wrong = [(check, value) for check, value in seen if not holds(check, value)]
        expected = " and ".join(f"{check.what} {_wanted(check)}" for check, _ in seen)
        actual = ", ".join(_figure(check, value) for check, value in seen)
        message = ", ".join(f"{_figure(check, value)}, not {_wanted(check)}" for check, value in wrong)
        self._fail("wrong-measure", f"{message}, after {seconds(action.within)}", expected, actual, event.at)

    def _fail(self, kind: Kind, message: str, expected: str, actual: str, at: float) -> None:
        self.finding = Finding(
            kind=kind,
            law=self._law,
            client=SERVER,
            step=self._position,
            span=self._actions[self._position].span,
            message=message,
            expected=expected,
            actual=actual,
            received=0,
            at=at,
            hint=self._hint,
        )


def statuses_text(statuses: Sequence[int]) -> str:
    """How a server may end: `status 0 or 143, or death by SIGTERM`. Negative numbers are signals; none is any way."""
    numbers = [str(status) for status in statuses if status >= 0]
    signals = [signal_name(-status) for status in statuses if status < 0]
    ways = [f"status {' or '.join(numbers)}"] if numbers else []
    ways += [f"death by {' or '.join(signals)}"] if signals else []
    return ", or ".join(ways) or "any status"


def _exit_asked(actions: Sequence[ServerAction], position: int) -> bool:
    """Whether the end of the server is asked for while the step at `position` is under way.

    Only the steps between two starts matter. A signal that need not end a server asks for its end if the steps behind
    it do; where there is no signal, it is a client that asks, at a moment that only the client knows.
    """
    starts = [step for step, action in enumerate(actions) if isinstance(action, Start | Restart)]
    begin = max((step + 1 for step in starts if step < position), default=0)
    end = min((step for step in starts if step >= position), default=len(actions))
    if position == end < len(actions):
        return True
    causes = [step for step in range(begin, end) if isinstance(actions[step], Signal | Kill)]
    if any(step <= position and _ends(actions[step]) for step in causes):
        return True
    awaited = any(_awaits_end(action) for action in actions[begin : end + 1])
    return awaited and (not causes or causes[0] <= position)


def _ends(action: ServerAction) -> bool:
    return isinstance(action, Kill) or (isinstance(action, Signal) and action.signal in _ENDING)


def _awaits_end(action: ServerAction) -> bool:
    if isinstance(action, Check):
        return any(check.what == "alive" and holds(check, 0) for check in action.checks)
    return isinstance(action, Exits | Start)


def _all_hold(checks: Sequence[Comparison], values: Sequence[float | None]) -> bool:
    return all(holds(check, value) for check, value in zip(checks, values, strict=True))


def _wanted(check: Comparison) -> str:
    """`>= 5`, `< 0.5 s`, `true`."""
    if check.what in ("alive", "listening"):
        return "true" if holds(check, 1) else "false"
    return f"{check.operator} {_number(check, check.value)}"


def _figure(check: Comparison, value: float | None) -> str:
    """`queue 3`, `cpu 0.52 s`, `listening false`."""
    assert value is not None
    if check.what in ("alive", "listening"):
        return f"{check.what} {'true' if value else 'false'}"
    return f"{check.what} {_number(check, value)}"


def _number(check: Comparison, value: float) -> str:
    if check.what == "memory":
        return f"{value:.1f} MiB"
    return f"{value:.2f} s" if check.what == "cpu" else f"{value:g}"


def _because(why: str) -> str:
    return f": {why}" if why else ""
