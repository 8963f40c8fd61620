"""One client's part of an exchange, as a state machine without a clock.

It is told what was seen (`sockcheck.events`) and says what to do next (`command`). It decides; it never waits, reads a
clock or touches a socket: all times come from the events. So it drives a live client and judges a record alike, and
both come to the same finding.
"""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Callable
from typing import Literal, TypeVar, assert_never

from sockcheck import faults
from sockcheck.case import (
    Action,
    Actor,
    Await,
    Close,
    Connect,
    End,
    Expect,
    Mark,
    Meet,
    Not,
    Quiet,
    Reset,
    Send,
    Shutdown,
    Wait,
    WaitFor,
)
from sockcheck.client_events import (
    Awaited,
    Blocked,
    ClientEvent,
    Closed,
    Connected,
    ConnectFailed,
    Data,
    DeadlinePassed,
    Marked,
    PeerClosed,
    Received,
    Released,
    SendFailed,
    Sent,
    Settled,
    ShutDown,
    Waited,
)
from sockcheck.faults import Fault
from sockcheck.incoming import Incoming
from sockcheck.matching import Mismatch
from sockcheck.moves import (
    DoAwait,
    DoClose,
    DoConnect,
    DoMark,
    DoSend,
    DoSettle,
    DoShutdown,
    DoWait,
    DoWaitFor,
    Move,
)
from sockcheck.payloads import BadValueError, MissingValueError, join, number, value
from sockcheck.segments import bounds
from sockcheck.show import count, seconds
from sockcheck.verdict import Difference, Finding, Kind
from sockcheck.wording import ended, ending_seen, hindered, hindered_end, wanted_end

_T = TypeVar("_T")


class Exchange:
    """Make one for each actor of a case, feed it the actor's events in order with `tell`.

    `values` are what the case has captured so far, by name, and `unique`: the exchanges of a case share them.

    `command`: what to do next; None when there is nothing more to do. The same object as long as nothing changed.
    `finding`: what was wrong; the first thing ends the exchange. `trouble`: why it cannot be judged, or "".
    `busy`: how the machine was too busy for that, or "".
    `released_by`: the mark that could not be set any more, which ended the exchange without a judgement, or "".
    `replies`: the seconds from each send to the end of what was expected right behind it.
    `absorbed`: whether the bytes of the last Received were, all of them, exactly what was expected.
    """

    def __init__(self, actor: Actor, law: str, hint: str, values: dict[str, bytes]) -> None:
        self._client = actor.name
        self._actions = actor.actions
        self._pushes = actor.pushes
        # What this client captured itself goes before what another of the same `count` did by the same name.
        self._values = ChainMap({}, values)
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
        # What came and no expectation has taken: it may be for a step that we have not come to yet.
        self._inbox = bytearray()
        self._inbox_since = 0.0
        self._ending: PeerClosed | None = None
        self._settled = False
        self._reads = True
        self._incoming = Incoming(actor.actions, self._values)
        self.command: Move | None = None
        self.finding: Finding | None = None
        self.trouble = ""
        self.busy = ""
        self.released_by = ""
        self.replies: list[float] = []
        self.absorbed = False
        self._with_values(self._advance, 0.0)

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
        self._with_values(self._hear, event)

    def _hear(self, event: ClientEvent) -> None:
        if isinstance(event, (Received, PeerClosed)):
            self._end_quiet(event.at)
        self._tell(event)
        self._advance(event.at)

    def _with_values(self, do: Callable[[_T], None], what: _T) -> None:
        """Do something that may need a value which is not there, or cannot be used: no judgement then."""
        try:
            do(what)
        except MissingValueError as error:
            self.trouble = f"${{{error.name}}} has no value yet"
            self.command = None
        except BadValueError as error:
            self.trouble = str(error)
            self.command = None

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
            case Blocked():
                self._acted = event.began
                self._segments.clear()
                self._step_done(event.at)
            case Marked():
                # Who comes to a meeting goes on waiting there.
                if isinstance(self._actions[self._position], Mark):
                    self._step_done(event.at)
            case Waited():
                self._step_done(event.at)
            case Released():
                self.released_by = event.mark
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
        if self._inbox and isinstance(data, bytes):
            # It stands behind what waits already, and so it waits as well.
            self._inbox += data
        else:
            self._match(data, at)

    def _match(self, data: Data, at: float) -> None:
        """Have the expectations take `data`, which came at `at`; what they leave waits."""
        answer = self._incoming.feed(data, self._position, at)
        if isinstance(answer, Mismatch):
            step = self._incoming.index
            action = self._actions[step]
            if isinstance(action, Expect) and isinstance(action.form, Not):
                self._fail_mismatch("came", step, answer, at)
            else:
                self._fail_mismatch("wrong-bytes", step, answer, at, "what came is wrong: ")
        elif not answer:
            self.absorbed = self._incoming.was_exact
        elif not self._pushes or self._asks_later():
            self._inbox += answer
            self._inbox_since = at

    def _asks_later(self) -> bool:
        """Whether some step still to come looks at what the server sends."""
        first = max(self._position, self._incoming.index)
        return any(isinstance(action, Expect | Quiet) for action in self._actions[first:])

    def _is_leaving(self) -> bool:
        """Whether no step that is left looks at what comes: it ends by a reset, or by closing as it is.

        What comes is let go then, and not held against the server: kept, it would fill us until we read no more.
        """
        for action in self._actions[self._position :]:
            if isinstance(action, Expect | End | Quiet):
                return False
            if isinstance(action, Reset) or (isinstance(action, Close) and action.unread):
                return True
        return False

    def _was_connected(self, event: Connected) -> None:
        action = self._actions[self._position]
        assert isinstance(action, Connect)
        self._connected = True
        self._acted = event.began
        if action.outcome == "connected":
            self._step_done(event.at)
        else:
            self._fail(faults.connected(action), event.at)

    def _was_refused(self, event: ConnectFailed) -> None:
        action = self._actions[self._position]
        assert isinstance(action, Connect)
        got: Literal["refused", "timeout"] = "timeout" if event.error == "ETIMEDOUT" else "refused"
        if action.outcome == got:
            self._step_done(event.at)
        else:
            message = f"the connection failed: {event.error}"
            self._fail(faults.not_connected(action, got, message), event.at)

    def _deadline_passed(self, event: DeadlinePassed) -> None:
        action = self._actions[self._position]
        if isinstance(action, Expect) and isinstance(action.form, Not):
            self._give_back(event.at)
            return
        if isinstance(action, Connect | Send | Expect | End):
            self.busy = hindered(event.late, event.starved, action.within)
            if self.busy:
                return
        match action:
            case Await() | Quiet() | Wait():
                # That the server did not read in time accuses nobody: a sequential server is busy with another.
                self._step_done(event.at)
            case Connect():
                if action.outcome == "timeout":
                    self._step_done(event.at)
                else:
                    message = f"no connection within {seconds(action.within)}: the handshake was not finished"
                    self._fail(faults.not_connected(action, "timeout", message), event.at)
            case Send():
                self._fail(faults.stalled(action, len(self._data), event.progress), event.at)
            case Expect():
                came = "not all of it came" if self._incoming.has_begun(self._position) else "nothing came"
                lead = f"{came} within {seconds(action.within)}: "
                self._fail_mismatch("silence", self._position, self._incoming.lacking(self._position), event.at, lead)
            case End():
                self._fail(faults.not_ended(action, self._received), event.at)
            case Shutdown() | Close() | Reset() | Mark() | WaitFor() | Meet():
                pass  # these have none
            case _:
                assert_never(action)

    def _advance(self, at: float) -> None:
        """Do what can be done without anything more being seen, and say what is to be done next."""
        command = None
        while not self._over():
            before = self._position
            if self._inbox and self._incoming.wants(before):
                waiting = bytes(self._inbox)
                self._inbox.clear()
                self._match(waiting, self._inbox_since)
                if self._over():
                    break
            command = self._finish(at) if before == len(self._actions) else self._enter(self._actions[before], at)
            if self._position == before:
                break
        if self._over():
            command = None
        if command != self.command:
            self.command = command

    def _over(self) -> bool:
        return self.finding is not None or bool(self.trouble or self.busy or self.released_by)

    def _enter(self, action: Action, at: float) -> Move | None:
        """What `action` needs next; None when it is done, which moves the position, or has failed."""
        step = self._position
        match action:
            case Connect():
                return DoConnect(step, action, self._host(action), self._port(action))
            case Send():
                if not self._segments:
                    self._data = join(action.pieces, self._values)
                    size = len(self._data)
                    self._segments.extend(bounds(size, range(1, size) if action.cuts is None else action.cuts))
                begin, end = self._segments[0]
                return DoSend(step, action, self._data, begin, end, self._ends_at_once(step))
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
            case Mark():
                return DoMark(step, action.name)
            case WaitFor():
                return DoWaitFor(step, action.name, comes=False)
            case Meet():
                return DoWaitFor(step, action.name, comes=True)
            case Wait():
                return DoWait(step, self._since + action.duration, action.reads)
            case Reset():
                return DoClose(step, "reset")
            case Close():
                return DoClose(step, "close") if action.unread else self._settle_and_close(at)
            case _:
                assert_never(action)

    def _ends_at_once(self, step: int) -> bool:
        """Whether our end of stream is the very next thing."""
        behind = self._actions[step + 1] if step + 1 < len(self._actions) else None
        return isinstance(behind, Shutdown) and behind.how != "read"

    def _host(self, action: Connect) -> str | None:
        if action.host is None or isinstance(action.host, str):
            return action.host
        return value(action.host, self._values).decode("ascii", "replace")

    def _port(self, action: Connect) -> int | None:
        if action.port is None or isinstance(action.port, int):
            return action.port
        port = number(action.port, self._values)
        if not 0 < port < 65536:
            raise BadValueError(f"${{{action.port.name}}} is {port}, which is no port")
        return port

    def _expect(self, action: Expect, at: float) -> Move | None:
        if isinstance(action.form, Not):
            return self._expect_not(action.form, at)
        if not self._incoming.matched(self._position):
            if self._ending is None:
                return DoWait(self._position, self._since + action.within)
            if self._ended_late(self._ending):
                return None
            kind: Kind = "missing-bytes" if self._ending.how == "eof" else "reset"
            lead = f"the server {ended(self._ending)} after {count(self._received)}: "
            tail = f", then {ending_seen(self._ending)}"
            self._fail_mismatch(kind, self._position, self._incoming.lacking(self._position), at, lead, tail)
            return None
        first = self._incoming.pop(self._position)
        if action.after is not None and first.at - self._acted < action.after:
            self._fail(faults.too_early(action.after, first.at - self._acted, "the first byte"), at)
            return None
        if self._position and isinstance(self._actions[self._position - 1], Send):
            self.replies.append(first.done - self._acted)
        self._step_done(first.done)
        return None

    def _expect_not(self, form: Not, at: float) -> Move | None:
        if self._ending is None:
            return DoWait(self._position, self._since + form.duration)
        # What has not come by the end of the connection does not come any more.
        self._give_back(self._ending.at)
        return None

    def _give_back(self, at: float) -> None:
        """What came in place of that which must not come is for the steps behind."""
        self._inbox += self._incoming.release(self._position)
        self._inbox_since = at
        self._step_done(at)

    def _end(self, action: End, at: float) -> Move | None:
        if self._inbox and not self._pushes:
            self._fail_surplus("where the connection should end", wanted_end(action), at)
            return None
        if self._ending is None:
            return DoWait(self._position, self._since + action.within)
        ending = self._ending
        fault = faults.ended_otherwise(action, ending, self._received)
        if fault is not None:
            if not self._ended_late(ending):
                self._fail(fault, at)
        elif action.after is not None and ending.at - self._acted < action.after:
            self._fail(faults.too_early(action.after, ending.at - self._acted, "the end of the connection"), at)
        else:
            self._step_done(ending.at)
        return None

    def _quiet(self, action: Quiet, at: float) -> Move | None:
        if self._inbox:
            self._fail_surplus("where the server should be quiet", faults.quiet(action), at)
            return None
        if self._ending is None:
            return DoWait(self._position, self._since + action.duration)
        if not self._ended_late(self._ending):
            self._fail(faults.not_quiet(action, self._ending), at)
        return None

    def _ended_late(self, ending: PeerClosed) -> bool:
        """Whether this ending, which is a wrong one, is no evidence: a server may close on whom it took for idle."""
        self.busy = hindered_end(ending.late)
        return bool(self.busy)

    def _finish(self, at: float) -> Move | None:
        if not self._connected:
            return None
        return self._settle_and_close(at)

    def _settle_and_close(self, at: float) -> Move | None:
        if self._inbox and not self._pushes:
            self._fail_surplus("after all that was expected", "nothing more", at)
            return None
        if self._ending is None and not self._settled:
            return DoSettle(self._position)
        return DoClose(self._position, "close")

    def _fail_surplus(self, where: str, expected: str, at: float) -> None:
        self._fail(faults.surplus(bytes(self._inbox), where, expected), at)

    def _fail_mismatch(
        self, kind: Kind, step: int, mismatch: Mismatch, at: float, lead: str = "", tail: str = ""
    ) -> None:
        if mismatch.trouble:
            self.trouble = mismatch.trouble
            return
        fault = Fault(kind, lead + mismatch.message, mismatch.expected, mismatch.actual + tail)
        self._fail(fault, at, step, mismatch.difference)

    def _fail(self, fault: Fault, at: float, step: int | None = None, difference: Difference | None = None) -> None:
        step = self._position if step is None else step
        # After the last step the finding points at it: that is where the author said the exchange was over.
        span = self._actions[min(step, len(self._actions) - 1)].span
        self.finding = Finding(
            kind=fault.kind,
            law=fault.law or self._law,
            client=self._client,
            step=step,
            span=span,
            message=fault.message,
            expected=fault.expected,
            actual=fault.actual,
            received=self._received,
            at=at,
            difference=difference,
            hint=self._hint,
        )
