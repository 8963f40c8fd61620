"""The events of one performance of a case as rows: when, which way, what, and the first bytes.

`tell` decides what is said; how wide it may be is decided where it is printed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from sockcheck.case import (
    SERVER,
    Action,
    Await,
    Case,
    Connect,
    End,
    Exits,
    Expect,
    Kill,
    Meet,
    Not,
    Quiet,
    Restart,
    Send,
    ServerAction,
    Signal,
    Wait,
)
from sockcheck.client_events import (
    Awaited,
    Blocked,
    ClientEvent,
    Closed,
    Connected,
    ConnectFailed,
    DeadlinePassed,
    Elided,
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
from sockcheck.events import (
    CaseFinished,
    CaseStarted,
    CaseTimedOut,
    HealthRead,
    TargetExited,
    TargetOutput,
    Troubled,
)
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
from sockcheck.verdict import Finding

from . import server_steps
from .clients import bystanders, reasons
from .excerpt import plain
from .pieces import Shown, Values, known_size, sent_bytes
from .rows import KEPT, Drawn, Row, fold_rows, join_rows
from .wording import duration, size, status

TimelineEvent = (
    ClientEvent
    | ServerEvent
    | CaseStarted
    | CaseTimedOut
    | HealthRead
    | Troubled
    | CaseFinished
    | TargetOutput
    | TargetExited
)


class _Teller:
    """Puts the events of one case into words; knows what has been received and when each client last did something."""

    def __init__(self, case: Case, began: float, values: Values, released: Mapping[str, str], observe: bool) -> None:
        self._steps: dict[str, Sequence[Action | ServerAction]] = {actor.name: actor.actions for actor in case.actors}
        self._steps[SERVER] = case.server
        self._end_asked = any(isinstance(step, Signal | Kill | Exits | Restart) for step in case.server)
        # Clients with a count connect one after the other, by marks that no scenario names.
        self._unwritten = {f"{actor.name} connected" for actor in case.actors}
        self._began = began
        self._values = values
        self._released = released
        self._observe = observe
        self._received: dict[str, int] = {}
        self._active: dict[str, float] = {}
        self._unobserved: dict[str, str] = {}
        self._met: dict[str, int] = {}

    def tell(self, event: TimelineEvent, decisive: Mapping[float, Collection[str]]) -> list[Row]:
        """The row of one event, if it has one; a segment that was parted from the next has two."""
        row = self._row(event)
        if row is None:
            return []
        rests = isinstance(event, CaseTimedOut | Troubled | ServerNotStarted)
        rests = rests or (isinstance(event, TargetExited) and not self._end_asked)
        if not rests and event.at in decisive:
            clients = decisive[event.at]
            rests = row.client in ("", SERVER) or row.client in clients or "" in clients
        rows = [replace(row, decisive=rests)]
        if isinstance(event, Sent):
            parted = self._parted(event)
            read: Drawn = "read" if event.barrier == "read" else "note"
            at = row.at + event.waited * 1000
            rows += [Row(at, "--", event.client, parted, kind="parted", drawn=read)] if parted else []
        if isinstance(
            event, Received | Sent | Connected | ShutDown | Awaited | DeadlinePassed | Blocked | Marked | Waited
        ):
            self._active[event.client] = event.at
        return rows

    def _row(self, event: TimelineEvent) -> Row | None:
        at = (event.at - self._began) * 1000
        match event:
            case CaseStarted() | CaseFinished():
                return None
            case Connected():
                self._unobserved[event.client] = event.unobserved
                what = f"connected to {plain(event.peer)} from {plain(event.local)}"
                return Row(at, "--", event.client, what, kind="connected", drawn="connect")
            case ConnectFailed():
                return Row(at, "--", event.client, f"no connection: {plain(event.error)}", drawn="refused")
            case Sent():
                shown = self._shown(event)
                what = f"sent {size(event.size)}"
                return Row(at, "->", event.client, what, shown.data, event.size, "sent", False, shown.known, "data")
            case SendFailed():
                return Row(at, "--", event.client, f"send failed ({plain(event.error)}) after {size(event.sent)}")
            case Received():
                octets, head = _extent(event)
                self._received[event.client] = self._received.get(event.client, 0) + octets
                what = f"received {size(octets)}" + (", as expected" if isinstance(event.data, Elided) else "")
                return Row(at, "<-", event.client, what, head, octets, "received", drawn="data")
            case PeerClosed():
                ending: Drawn = "fin" if event.how == "eof" else "rst"
                return Row(at, "<-", event.client, self._ending(event), kind="ended", drawn=ending)
            case DeadlinePassed():
                return Row(at, "--", event.client, self._deadline(event), drawn=self._silence(event))
            case ShutDown():
                half: Drawn = "note" if event.error or event.how == "read" else "fin"
                return Row(at, "->", event.client, _shutdown(event), drawn=half)
            case Closed():
                what = "closed our socket" if event.how == "close" else "reset by us (SO_LINGER 0, close)"
                return Row(at, "->", event.client, what, drawn="fin" if event.how == "close" else "rst")
            case Awaited():
                return Row(at, "--", event.client, f"await {plain(event.state)}: {_AWAITED[event.outcome]}")
            case Settled():
                return Row(at, "--", event.client, _settled(event))
            case Blocked():
                total = self._total(event.client, event.step)
                return Row(at, "--", event.client, f"the server took {size(event.sent)}{total} and takes no more")
            case Marked():
                what = self._marked(event)
                return Row(at, "--", event.client, what) if what else None
            case Waited():
                what = self._waited(event)
                return Row(at, "--", event.client, what) if what else None
            case Released():
                why = self._released.get(event.client) or f"the mark {plain(event.mark)} can no longer be set"
                if event.client == SERVER:
                    return Row(at, "--", SERVER, f"stops here, since {why}")
                return Row(at, "--", event.client, f"not judged, since {why}", kind="released")
            case ServerSignalled() | ServerStarted():
                drawn = server_steps.drawn(event, self._action(SERVER, event.step))
                return Row(at, "->", SERVER, self._of_server(event), drawn=drawn)
            case ServerExited():
                return Row(at, "--", SERVER, self._of_server(event), drawn="down")
            case (
                ServerNotStarted()
                | ServerChecked()
                | ServerDeadlinePassed()
                | ServerWaited()
                | ServerRested()
                | ServerLimited()
                | SecondEnded()
            ):
                return Row(at, "--", SERVER, self._of_server(event))
            case CaseTimedOut():
                return Row(at, "--", "", f"the case took longer than it may ({duration(at / 1000)})")
            case HealthRead():
                return Row(at, "--", "", _health(event))
            case Troubled():
                return Row(at, "--", "", f"trouble on our side: {plain(event.message)}")
            case TargetOutput():
                return Row(at, " |", "", event.stream, event.data[:KEPT], len(event.data), "output", drawn="output")
            case TargetExited():
                return Row(at, "--", "", f"the server {status(event.status)}", drawn="down")
            case _:
                assert_never(event)

    def _shown(self, event: Sent) -> Shown:
        action = self._action(event.client, event.step)
        if not isinstance(action, Send):
            return Shown(b"", "exact")
        last = event.barrier == "none"
        limit = KEPT if last else min(event.size, KEPT)
        return sent_bytes(action.pieces, self._values, event.offset, limit, last=last)

    def _total(self, client: str, step: int) -> str:
        """` of 8.4 MB`: how much the send of that step is in all, or "" where that is not known."""
        action = self._action(client, step)
        total = known_size(action.pieces, self._values) if isinstance(action, Send) else None
        return "" if total is None else f" of {size(total)}"

    def _marked(self, event: Marked) -> str:
        if event.mark in self._unwritten:
            return ""
        mark = plain(event.mark)
        action = self._action(event.client, event.step)
        if not isinstance(action, Meet):
            return f"mark {mark}"
        self._met[event.mark] = self._met.get(event.mark, 0) + 1
        return f"meet {mark}: {self._met[event.mark]} of {action.parties} are here"

    def _waited(self, event: Waited) -> str:
        if event.mark in self._unwritten:
            return ""
        meeting = isinstance(self._action(event.client, event.step), Meet)
        return f"meet {plain(event.mark)}: all are here" if meeting else f"wait-for {plain(event.mark)}: it is set"

    def _of_server(self, event: ServerEvent) -> str:
        action = self._action(SERVER, event.step)
        return server_steps.in_words(event, action if isinstance(action, ServerAction) else None)

    def _parted(self, event: Sent) -> str:
        action = self._action(event.client, event.step)
        waited = duration(event.waited)
        match event.barrier:
            case "read":
                return f"read by the server after {waited}"
            case "gone":
                return f"the server's end was gone after {waited}; the rest is sent all the same"
            case "not-read":
                return f"not read by the server within {waited}; the rest is sent all the same"
            case "gap":
                if isinstance(action, Send) and action.gap is not None:
                    why = "as the scenario says"
                elif not self._observe:
                    why = "since --no-observe was given"
                else:
                    why = f"since {plain(self._unobserved.get(event.client) or 'the server cannot be observed')}"
                return f"the rest is sent {waited} later by gap, {why}"
            case "none":
                return ""
            case _:
                assert_never(event.barrier)

    def _ending(self, event: PeerClosed) -> str:
        after = f"after {size(self._received.get(event.client, 0))}"
        if event.how == "eof":
            return f"end of stream (recv() gave b''), {after}"
        name = "reset" if event.how == "reset" else "the connection failed"
        state = f", TCP_INFO {plain(event.state)}" if event.state else ""
        return f"{name} ({plain(event.error)}){state}, {after}"

    def _deadline(self, event: DeadlinePassed) -> str:
        action = self._action(event.client, event.step)
        nothing = duration(event.at - self._active.get(event.client, self._began))
        match action:
            case Quiet():
                return f"quiet for {duration(action.duration)}, as it should be"
            case Wait():
                return f"waited {duration(action.duration)}, as the scenario says"
            case Connect():
                return f"no answer to connect() within {duration(action.within)}"
            case Send():
                total = self._total(event.client, event.step)
                return f"the server takes no more: {size(event.progress)}{total} sent, nothing for {nothing}"
            case Await():
                return f"await {action.state}: not within {duration(action.within)}"
            case Expect(form=Not(duration=time)):
                return f"it did not come for {duration(time)}, as it should be"
            case Expect() | End():
                return f"nothing for {nothing}: the deadline of {duration(action.within)} passed"
            case _:
                return f"nothing for {nothing}: the deadline passed"

    def _silence(self, event: DeadlinePassed) -> Drawn:
        """Time that was to pass anyway is no silence."""
        action = self._action(event.client, event.step)
        as_written = isinstance(action, Quiet | Wait) or (isinstance(action, Expect) and isinstance(action.form, Not))
        return "note" if as_written else "silence"

    def _action(self, client: str, step: int) -> Action | ServerAction | None:
        actions = self._steps.get(client, ())
        return actions[step] if 0 <= step < len(actions) else None


_AWAITED = {"seen": "seen", "gone": "the server's end is gone", "unobservable": "cannot be observed here"}


def _extent(event: Received) -> tuple[int, bytes]:
    """How many bytes were received, and the first of them."""
    if isinstance(event.data, Elided):
        return event.data.size, event.data.head[:KEPT]
    return len(event.data), event.data[:KEPT]


def _shutdown(event: ShutDown) -> str:
    how = {"write": "SHUT_WR", "read": "SHUT_RD", "both": "SHUT_RDWR"}[event.how]
    if event.error:
        return f"shutdown({how}) failed: {plain(event.error)}"
    return f"shutdown({how})" + (": our end of stream" if event.how == "write" else "")


def _settled(event: Settled) -> str:
    waited = duration(event.waited)
    match event.outcome:
        case "settled":
            return f"the server has settled ({waited}): nothing more is to come"
        case "late":
            return f"the server did not settle within {waited}"
        case "gap":
            return f"waited {waited} for more, since the server cannot be observed"
        case _:
            assert_never(event.outcome)


def _health(event: HealthRead) -> str:
    if event.why:
        return f"the server's health cannot be seen: {plain(event.why)}"
    if not event.alive:
        return "no process of the server is left"
    return "the server is alive and listens" if event.listening else "the server is alive but listens no more"


def tell(
    case: Case,
    began: float,
    events: Sequence[TimelineEvent],
    *,
    findings: Sequence[Finding] = (),
    unique: str = "",
    observe: bool = True,
) -> tuple[Row, ...]:
    """The rows of a case that began at `began` seconds on the run's clock, in the order of time; long runs are folded.

    `findings` are what the verdict rests on. `unique` is what `${unique}` stands for. `observe` is False where the run
    was told not to look at the server's end of connections.
    """
    values = {"unique": unique.encode()} if unique else {}
    teller = _Teller(case, began, values, not_judged(case, events, findings), observe)
    decisive: dict[float, set[str]] = {}
    for finding in findings:
        decisive.setdefault(finding.at, set()).add(finding.client)
    rows = [row for event in events for row in teller.tell(event, decisive)]
    rows.sort(key=lambda row: row.at)
    _rest_on_what_came(rows)
    return fold_rows(join_rows(rows), bystanders(case, findings))


def _rest_on_what_came(rows: list[Row]) -> None:
    """What came while the client was still sending is judged behind the send: that is not what the verdict rests on."""
    came: dict[str, int] = {}
    for position, row in enumerate(rows):
        if row.mark == "<-":
            came[row.client] = position
        elif row.decisive and row.kind == "sent" and row.client in came:
            rows[position] = replace(row, decisive=False)
            rows[came[row.client]] = replace(rows[came[row.client]], decisive=True)


def not_judged(case: Case, events: Iterable[TimelineEvent], findings: Iterable[Finding]) -> dict[str, str]:
    """Why each of the clients was not judged whose mark can no longer be set."""
    released = {event.client: event.mark for event in events if isinstance(event, Released)}
    return reasons(case, released, findings)
