"""The events of one performance of a case as rows: when, which way, what, and the first bytes.

`rows` decides what is said; how wide it may be is decided where it is printed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from sockcheck.case import Action, Await, Case, Connect, End, Expect, Generated, Piece, Quiet, Send
from sockcheck.events import (
    Awaited,
    CaseFinished,
    CaseStarted,
    CaseTimedOut,
    Closed,
    Connected,
    ConnectFailed,
    DeadlinePassed,
    Elided,
    HealthRead,
    PeerClosed,
    Received,
    SendFailed,
    Sent,
    Settled,
    ShutDown,
    TargetExited,
    TargetOutput,
    Troubled,
)

from .excerpt import plain, quoted
from .wording import count, duration, size, status

Mark = Literal["->", "<-", "--", " |", ".."]
TimelineEvent = (
    CaseStarted
    | Connected
    | ConnectFailed
    | Sent
    | SendFailed
    | Received
    | PeerClosed
    | DeadlinePassed
    | ShutDown
    | Closed
    | Awaited
    | Settled
    | CaseTimedOut
    | HealthRead
    | Troubled
    | CaseFinished
    | TargetOutput
    | TargetExited
)

_KEPT = 256
_LONGEST_RUN = 14
_RUN_ENDS = 5
_MOST_ROWS = 120


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a timeline. `at` is milliseconds since the case began.

    `mark`: `->` sent, `<-` received, `--` the kernel or sockcheck, ` |` the server's own output, `..` a row that stands
    for many. `data` is the first of
    `size` bytes, to be shown as an excerpt; it is empty where they are not known. `client` is "" for what concerns no
    client. `decisive` marks what the verdict rests on.
    """

    at: float
    mark: Mark
    client: str
    what: str
    data: bytes = b""
    size: int = 0
    kind: Literal["sent", "parted", "received", "output", "landmark"] = "landmark"
    decisive: bool = False

    def excerpt(self, columns: int) -> str:
        """The first bytes, in quotes and within `columns`, or "" where there are none."""
        return quoted(self.data, columns, self.size) if self.data else ""


class _Teller:
    """Puts the events of one case into words; knows what has been received and when each client last did something."""

    def __init__(self, case: Case, began: float, observe: bool) -> None:
        self._steps = {actor.name: actor.actions for actor in case.actors}
        self._began = began
        self._observe = observe
        self._received: dict[str, int] = {}
        self._active: dict[str, float] = {}
        self._unobserved: dict[str, str] = {}

    def tell(self, event: TimelineEvent, decisive: Collection[float]) -> list[Row]:
        """The row of one event, if it has one; a segment that was parted from the next has two."""
        row = self._row(event)
        if row is None:
            return []
        rests = event.at in decisive or isinstance(event, CaseTimedOut | Troubled | TargetExited)
        rows = [replace(row, decisive=rests)]
        if isinstance(event, Sent):
            parted = self._parted(event)
            rows += [Row(row.at + event.waited * 1000, "--", event.client, parted, kind="parted")] if parted else []
        if isinstance(event, Received | Sent | Connected | ShutDown | Awaited | DeadlinePassed):
            self._active[event.client] = event.at
        return rows

    def _row(self, event: TimelineEvent) -> Row | None:
        at = (event.at - self._began) * 1000
        match event:
            case CaseStarted() | CaseFinished():
                return None
            case Connected():
                self._unobserved[event.client] = event.unobserved
                return Row(at, "--", event.client, f"connected to {plain(event.peer)} from {plain(event.local)}")
            case ConnectFailed():
                return Row(at, "--", event.client, f"no connection: {plain(event.error)}")
            case Sent():
                data = self._data(event)
                return Row(at, "->", event.client, f"sent {size(event.size)}", data, event.size, "sent")
            case SendFailed():
                return Row(at, "--", event.client, f"send failed ({plain(event.error)}) after {size(event.sent)}")
            case Received():
                octets, head = _extent(event)
                self._received[event.client] = self._received.get(event.client, 0) + octets
                what = f"received {size(octets)}" + (", as expected" if isinstance(event.data, Elided) else "")
                return Row(at, "<-", event.client, what, head, octets, "received")
            case PeerClosed():
                return Row(at, "<-", event.client, self._ending(event))
            case DeadlinePassed():
                return Row(at, "--", event.client, self._deadline(event))
            case ShutDown():
                return Row(at, "->", event.client, _shutdown(event))
            case Closed():
                what = "closed our socket" if event.how == "close" else "reset by us (SO_LINGER 0, close)"
                return Row(at, "->", event.client, what)
            case Awaited():
                return Row(at, "--", event.client, f"await {plain(event.state)}: {_AWAITED[event.outcome]}")
            case Settled():
                return Row(at, "--", event.client, _settled(event))
            case CaseTimedOut():
                return Row(at, "--", "", f"the case took longer than it may ({duration(at / 1000)})")
            case HealthRead():
                return Row(at, "--", "", _health(event))
            case Troubled():
                return Row(at, "--", "", f"trouble on our side: {plain(event.message)}")
            case TargetOutput():
                return Row(at, " |", "", event.stream, event.data[:_KEPT], len(event.data), "output")
            case TargetExited():
                return Row(at, "--", "", f"the server {status(event.status)}")
            case _:
                assert_never(event)

    def _data(self, event: Sent) -> bytes:
        action = self._action(event.client, event.step)
        return sent_bytes(action.pieces, event.offset, min(event.size, _KEPT)) if isinstance(action, Send) else b""

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
            case Connect():
                return f"no answer to connect() within {duration(action.within)}"
            case Send():
                total = sum(len(piece) if isinstance(piece, bytes) else piece.size for piece in action.pieces)
                return f"the server takes no more: {size(event.progress)} of {size(total)} sent, nothing for {nothing}"
            case Await():
                return f"await {action.state}: not within {duration(action.within)}"
            case Expect() | End():
                return f"nothing for {nothing}: the deadline of {duration(action.within)} passed"
            case _:
                return f"nothing for {nothing}: the deadline passed"

    def _action(self, client: str, step: int) -> Action | None:
        actions = self._steps.get(client, ())
        return actions[step] if 0 <= step < len(actions) else None


_AWAITED = {"seen": "seen", "gone": "the server's end is gone", "unobservable": "cannot be observed here"}


def _extent(event: Received) -> tuple[int, bytes]:
    """How many bytes were received, and the first of them."""
    if isinstance(event.data, Elided):
        return event.data.size, event.data.head[:_KEPT]
    return len(event.data), event.data[:_KEPT]


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


def sent_bytes(pieces: Sequence[Piece], offset: int, limit: int) -> bytes:
    """The first `limit` bytes of a send from `offset` on, as far as they are known without making random payloads."""
    data = b""
    for piece in pieces:
        length = len(piece) if isinstance(piece, bytes) else piece.size
        if offset >= length:
            offset -= length
            continue
        wanted = limit - len(data)
        if isinstance(piece, Generated):
            if piece.kind == "random" or not piece.of:
                break
            phase = offset % len(piece.of)
            wanted = min(wanted, length - offset)
            data += (piece.of * (wanted // len(piece.of) + 2))[phase : phase + wanted]
        else:
            data += piece[offset : offset + wanted]
        offset = 0
        if len(data) >= limit:
            break
    return data


def tell(
    case: Case,
    began: float,
    events: Iterable[TimelineEvent],
    *,
    decisive: Collection[float] = (),
    observe: bool = True,
) -> tuple[Row, ...]:
    """The rows of a case that began at `began` seconds on the run's clock, in the order of time; long runs are folded.

    `decisive` are the times on the run's clock of the events that the verdict rests on. `observe` is False where the
    run was told not to look at the server's end of connections.
    """
    teller = _Teller(case, began, observe)
    rows = [row for event in events for row in teller.tell(event, decisive)]
    rows.sort(key=lambda row: row.at)
    return fold_rows(_joined(rows))


def _joined(rows: Iterable[Row]) -> list[Row]:
    """`rows` with output that was written piece by piece, and nothing in between, put together."""
    joined: list[Row] = []
    for row in rows:
        last = joined[-1] if joined else None
        if last and row.kind == last.kind == "output" and row.what == last.what:
            data = last.data + row.data if last.size == len(last.data) else last.data
            joined[-1] = replace(last, data=data[:_KEPT], size=last.size + row.size)
        else:
            joined.append(row)
    return joined


def fold_rows(rows: Sequence[Row]) -> tuple[Row, ...]:
    """`rows` with the middle of every long run of sends, receipts and output put into one row that counts them."""
    folded: list[Row] = []
    run: list[Row] = []
    for row in rows:
        if row.kind == "landmark" or row.decisive:
            folded += _fold(run, _LONGEST_RUN, _RUN_ENDS)
            folded.append(row)
            run = []
        else:
            run.append(row)
    folded += _fold(run, _LONGEST_RUN, _RUN_ENDS)
    return tuple(_fold(folded, _MOST_ROWS, _MOST_ROWS // 2))


def _fold(run: list[Row], longest: int, ends: int) -> list[Row]:
    if len(run) <= longest:
        return run
    middle = run[ends:-ends]
    parts = []
    for kind, noun in (("sent", "more segment"), ("received", "more piece")):
        those = [row for row in middle if row.kind == kind]
        if those:
            parts.append(f"{count(len(those), noun)} {kind}, {size(sum(row.size for row in those))}")
    others = sum(row.kind in ("output", "landmark") for row in middle)
    if others:
        parts.append(count(others, "other event"))
    return [*run[:ends], Row(middle[0].at, "..", "", "; ".join(parts)), *run[-ends:]]
