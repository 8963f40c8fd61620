"""One client's part of an exchange, as a state machine without a clock.

It is told what was seen (`sockcheck.events`) and says what to do next (`command`). It decides; it never waits, reads a
clock or touches a socket: all times come from the events. So it drives a live client and judges a record alike, and
both come to the same finding.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal, assert_never

from sockcheck.case import Action, Actor, Await, Close, Connect, End, Expect, Quiet, Reset, Send, Shutdown
from sockcheck.events import (
    Awaited,
    ClientEvent,
    Closed,
    Connected,
    ConnectFailed,
    Data,
    DeadlinePassed,
    PeerClosed,
    Received,
    SendFailed,
    Sent,
    Settled,
    ShutDown,
)
from sockcheck.incoming import Incoming
from sockcheck.matching import Mismatch
from sockcheck.payloads import join
from sockcheck.segments import bounds
from sockcheck.show import count, quoted, seconds
from sockcheck.verdict import Difference, Finding, Kind


@dataclass(frozen=True, slots=True)
class DoConnect:
    step: int
    action: Connect


@dataclass(frozen=True, slots=True)
class DoSend:
    """Hand the bytes from `begin` to `end` of `data` to the kernel, and part them from the next ones, if any."""

    step: int
    action: Send
    data: bytes
    begin: int
    end: int

    @property
    def last(self) -> bool:
        return self.end == len(self.data)


@dataclass(frozen=True, slots=True)
class DoWait:
    """Read until the command changes; DeadlinePassed when it has not by `deadline` (seconds on the run's clock)."""

    step: int
    deadline: float


@dataclass(frozen=True, slots=True)
class DoAwait:
    step: int
    state: Literal["accepted", "read", "end-read"]
    deadline: float


@dataclass(frozen=True, slots=True)
class DoShutdown:
    step: int
    how: Literal["write", "read", "both"]


@dataclass(frozen=True, slots=True)
class DoSettle:
    """Wait until the server is settled, read what is there, say Settled."""

    step: int


@dataclass(frozen=True, slots=True)
class DoClose:
    step: int
    how: Literal["close", "reset"]


Command = DoConnect | DoSend | DoWait | DoAwait | DoShutdown | DoSettle | DoClose

# A deadline is no evidence when sockcheck itself was kept from running for more than this share of it; below the
# floor, in seconds, nobody is kept from anything.
_LATE_SHARE, _LATE_FLOOR = 0.1, 0.25

_ORDERLY = "an orderly end: recv() returns b''"
_RESET = "a reset: recv() raises ECONNRESET"


class Exchange:
    """Make one for each actor of a case, feed it the actor's events in order with `tell`.

    `command`: what to do next; None when there is nothing more to do. The same object as long as nothing changed.
    `finding`: what was wrong; the first thing ends the exchange. `trouble`: why it cannot be judged, or "".
    `absorbed`: whether the bytes of the last Received were, all of them, exactly what was expected.
    """

    def __init__(self, actor: Actor, law: str, hint: str) -> None:
        self._client = actor.name
        self._actions = actor.actions
        self._law = law
        self._hint = hint
        self._position = 0
        self._connected = False
        self._segments: deque[tuple[int, int]] = deque()
        self._data = b""
        # `within` counts from the end of the previous step. `after` counts from when our last action began, since the
        # server may have seen it then: in the server's favour, whatever delays us.
        self._since = 0.0
        self._acted = 0.0
        self._received = 0
        self._inbox = bytearray()
        self._ending: PeerClosed | None = None
        self._settled = False
        self._reads = True
        self._incoming = Incoming(actor.actions)
        self.command: Command | None = None
        self.finding: Finding | None = None
        self.trouble = ""
        self.absorbed = False
        self._advance(0.0)

    @property
    def unread(self) -> int:
        """Bytes that came and that no step asks for. Whoever reads for us stops when they are too many."""
        return len(self._inbox)

    @property
    def received(self) -> int:
        """How many bytes came on this connection."""
        return self._received

    @property
    def position(self) -> int:
        """The step that is under way; the number of steps when all are done."""
        return self._position

    def tell(self, event: ClientEvent) -> None:
        """Something was seen. Events after the exchange has ended change nothing."""
        if self.command is None:
            return
        if isinstance(event, Received | PeerClosed):
            self._end_quiet(event.at)
        self._tell(event)
        self._advance(event.at)

    def _tell(self, event: ClientEvent) -> None:
        match event:
            case Received():
                self._take(event.data, event.at)
            case PeerClosed():
                self._ending = event
            case DeadlinePassed():
                self._deadline_passed(event)
            case Sent():
                self._acted = event.began
                self._segments.popleft()
                if not self._segments:
                    self._step_done(event.at)
            case Connected():
                self._was_connected(event)
            case ConnectFailed():
                self._was_refused(event)
            case SendFailed():
                # Not judged here: the server may have answered and closed. What comes next decides.
                self._acted = event.began
                self._segments.clear()
                self._step_done(event.at)
            case ShutDown():
                self._acted = event.began
                if event.how != "write":
                    self._reads = False
                    self._inbox.clear()
                self._step_done(event.at)
            case Awaited():
                self._step_done(event.at)
            case Settled():
                self._settled = True
            case Closed():
                self._connected = False
                if self._position < len(self._actions):
                    self._step_done(event.at)
            case _:
                assert_never(event)

    def _end_quiet(self, at: float) -> None:
        """A quiet step that was over when something came is done, though we were late to see that it was over."""
        action = self._actions[self._position] if self._position < len(self._actions) else None
        if isinstance(action, Quiet) and at >= self._since + action.duration:
            self._step_done(self._since + action.duration)
            self._advance(at)

    def _step_done(self, at: float) -> None:
        self._position += 1
        self._since = max(self._since, at)

    def _take(self, data: Data, at: float) -> None:
        self._received += len(data) if isinstance(data, bytes) else data.size
        self.absorbed = self._is_leaving()
        if self.absorbed or not self._reads:
            return
        answer = self._incoming.feed(data, self._position, at)
        if isinstance(answer, Mismatch):
            self._fail_mismatch("wrong-bytes", self._incoming.index, answer, at, "what came is wrong: ")
        elif answer:
            self._inbox += answer
        else:
            self.absorbed = self._incoming.was_exact

    def _is_leaving(self) -> bool:
        """Whether no step that is left looks at what comes: it ends by a reset, or by closing as it is.

        What comes is let go then, and not held against the server: kept, it would fill us until we read no more.
        """
        left = self._actions[self._position :]
        last = left[-1] if left else None
        leaves = isinstance(last, Reset) or (isinstance(last, Close) and last.unread)
        return leaves and not any(isinstance(action, Expect | End | Quiet) for action in left)

    def _was_connected(self, event: Connected) -> None:
        action = self._actions[self._position]
        assert isinstance(action, Connect)
        self._connected = True
        self._acted = event.began
        if action.outcome == "connected":
            self._step_done(event.at)
        else:
            self._fail(
                "not-refused",
                f"the connection was made, but it should be {_OUTCOMES[action.outcome]}",
                f"the connection is {_OUTCOMES[action.outcome]}",
                "a connection",
                event.at,
            )

    def _was_refused(self, event: ConnectFailed) -> None:
        action = self._actions[self._position]
        assert isinstance(action, Connect)
        got: Literal["refused", "timeout"] = "timeout" if event.error == "ETIMEDOUT" else "refused"
        if action.outcome == got:
            self._position = len(self._actions)
        else:
            self._fail_connect(action, got, f"the connection failed: {event.error}", event.at)

    def _fail_connect(self, action: Connect, got: Literal["refused", "timeout"], message: str, at: float) -> None:
        kind: Kind = "refused" if got == "refused" else "no-connection"
        wanted = "a connection" if action.outcome == "connected" else f"the connection is {_OUTCOMES[action.outcome]}"
        self._fail(kind, message, wanted, f"the connection is {_OUTCOMES[got]}", at)

    def _deadline_passed(self, event: DeadlinePassed) -> None:
        action = self._actions[self._position]
        if isinstance(action, Connect | Send | Expect | End) and is_late(event.late, action.within):
            self.trouble = late_text(event.late)
            return
        match action:
            case Await() | Quiet():
                # That the server did not read in time accuses nobody: a sequential server is busy with another.
                self._step_done(event.at)
            case Connect():
                if action.outcome == "timeout":
                    self._position = len(self._actions)
                else:
                    message = f"no connection within {seconds(action.within)}: the handshake was not finished"
                    self._fail_connect(action, "timeout", message, event.at)
            case Send():
                self._fail(
                    "stalled",
                    f"the server stopped reading: it took {event.progress:,} of {count(len(self._data))} and then "
                    f"nothing for {seconds(action.within)}",
                    f"the server reads all of {count(len(self._data))}",
                    f"{count(event.progress)} were taken",
                    event.at,
                )
            case Expect():
                came = "not all of it came" if self._incoming.has_begun(self._position) else "nothing came"
                lead = f"{came} within {seconds(action.within)}: "
                self._fail_mismatch("silence", self._position, self._incoming.lacking(self._position), event.at, lead)
            case End():
                self._fail(
                    "silence",
                    f"the connection did not end within {seconds(action.within)}",
                    _wanted_end(action),
                    f"silence after {count(self._received)}; the connection is still open",
                    event.at,
                )
            case Shutdown() | Close() | Reset():
                pass  # these have none
            case _:
                assert_never(action)

    def _advance(self, at: float) -> None:
        """Do what can be done without anything more being seen, and say what is to be done next."""
        command = None
        while self.finding is None and not self.trouble:
            before = self._position
            command = self._finish(at) if before == len(self._actions) else self._enter(self._actions[before], at)
            if self._position == before:
                break
        if self.finding is not None or self.trouble:
            command = None
        if command != self.command:
            self.command = command

    def _enter(self, action: Action, at: float) -> Command | None:
        """What `action` needs next; None when it is done, which moves the position, or has failed."""
        step = self._position
        match action:
            case Connect():
                return DoConnect(step, action)
            case Send():
                if not self._segments:
                    self._data = join(action.pieces)
                    self._segments.extend(bounds(len(self._data), action.cuts))
                begin, end = self._segments[0]
                return DoSend(step, action, self._data, begin, end)
            case Expect():
                return self._expect(action, at)
            case End():
                return self._end(action, at)
            case Quiet():
                return self._quiet(action, at)
            case Shutdown():
                return DoShutdown(step, action.how)
            case Await():
                return DoAwait(step, action.state, self._since + action.within)
            case Reset():
                return DoClose(step, "reset")
            case Close():
                return DoClose(step, "close") if action.unread else self._settle_and_close(at)
            case _:
                assert_never(action)

    def _expect(self, action: Expect, at: float) -> Command | None:
        if not self._incoming.matched(self._position):
            if self._ending is None:
                return DoWait(self._position, self._since + action.within)
            kind: Kind = "missing-bytes" if self._ending.how == "eof" else "reset"
            lead = f"the server {_ended(self._ending)} after {count(self._received)}: "
            tail = f", then {_ending_seen(self._ending)}"
            self._fail_mismatch(kind, self._position, self._incoming.lacking(self._position), at, lead, tail)
            return None
        first = self._incoming.pop(self._position)
        if action.after is not None and first.at - self._acted < action.after:
            self._fail_early(action.after, first.at, "the first byte", at)
            return None
        self._step_done(first.done)
        return None

    def _end(self, action: End, at: float) -> Command | None:
        if self._inbox:
            self._fail_surplus("before the end of the connection", _wanted_end(action), at)
            return None
        if self._ending is None:
            return DoWait(self._position, self._since + action.within)
        ending = self._ending
        if action.how == "eof" and ending.how != "eof":
            self._fail(
                "reset",
                f"the connection ended by a reset ({ending.error}), not in order, after {count(self._received)}",
                _ORDERLY,
                _ending_seen(ending),
                at,
                law="end.orderly",
            )
        elif action.how == "reset" and ending.how == "eof":
            message = f"the connection ended in order, not by a reset, after {count(self._received)}"
            self._fail("no-reset", message, _RESET, _ending_seen(ending), at)
        elif action.after is not None and ending.at - self._acted < action.after:
            self._fail_early(action.after, ending.at, "the end of the connection", at)
        else:
            self._step_done(ending.at)
        return None

    def _quiet(self, action: Quiet, at: float) -> Command | None:
        wanted = f"neither a byte nor an ending for {seconds(action.duration)}"
        if self._inbox:
            self._fail_surplus("where the server should be quiet", wanted, at)
            return None
        if self._ending is None:
            return DoWait(self._position, self._since + action.duration)
        message = f"the server {_ended(self._ending)} where it should be quiet"
        self._fail("early-end", message, wanted, _ending_seen(self._ending), at)
        return None

    def _finish(self, at: float) -> Command | None:
        if not self._connected:
            return None
        return self._settle_and_close(at)

    def _settle_and_close(self, at: float) -> Command | None:
        if self._inbox:
            self._fail_surplus("after all that was expected", "nothing more", at)
            return None
        if self._ending is None and not self._settled:
            return DoSettle(self._position)
        return DoClose(self._position, "close")

    def _fail_surplus(self, where: str, expected: str, at: float) -> None:
        got = bytes(self._inbox)
        message = f"{count(len(got))} came {where}"
        self._fail("surplus-bytes", message, expected, quoted(got), at)

    def _fail_early(self, after: float, when: float, what: str, at: float) -> None:
        took = max(0.0, when - self._acted)
        self._fail(
            "too-early",
            f"{what} came after {seconds(took)}, before the {seconds(after)} were over",
            f"{what} after {seconds(after)} or later",
            f"{what} after {seconds(took)}",
            at,
        )

    def _fail_mismatch(
        self, kind: Kind, step: int, mismatch: Mismatch, at: float, lead: str = "", tail: str = ""
    ) -> None:
        if mismatch.trouble:
            self.trouble = mismatch.trouble
            return
        self._fail(
            kind, lead + mismatch.message, mismatch.expected, mismatch.actual + tail, at, step, mismatch.difference
        )

    def _fail(
        self,
        kind: Kind,
        message: str,
        expected: str,
        actual: str,
        at: float,
        step: int | None = None,
        difference: Difference | None = None,
        law: str | None = None,
    ) -> None:
        step = self._position if step is None else step
        # After the last step the finding points at it: that is where the author said the exchange was over.
        span = self._actions[min(step, len(self._actions) - 1)].span
        self.finding = Finding(
            kind=kind,
            law=law or self._law,
            client=self._client,
            step=step,
            span=span,
            message=message,
            expected=expected,
            actual=actual,
            received=self._received,
            at=at,
            difference=difference,
            hint=self._hint,
        )


def is_late(late: float, deadline: float) -> bool:
    """Whether sockcheck was kept from running for so long, in seconds, that a missed deadline is no evidence."""
    return late > max(_LATE_FLOOR, _LATE_SHARE * deadline)


def late_text(late: float) -> str:
    """Why there is no judgement then."""
    return f"sockcheck itself was kept from running for {seconds(late)}, so the deadline is no evidence"


_OUTCOMES = {"connected": "made", "refused": "refused", "timeout": "left without an answer"}


def _wanted_end(action: End) -> str:
    return {"eof": _ORDERLY, "reset": _RESET, "any": "the end of the connection, in order or by a reset"}[action.how]


def _ended(ending: PeerClosed) -> str:
    return "closed the connection" if ending.how == "eof" else f"reset the connection ({ending.error})"


def _ending_seen(ending: PeerClosed) -> str:
    return "the orderly end (b'')" if ending.how == "eof" else f"a reset ({ending.error})"
