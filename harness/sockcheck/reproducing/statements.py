"""The steps of a case as Python statements."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from sockcheck import payloads
from sockcheck.case import (
    Action,
    Actor,
    Await,
    Check,
    Close,
    Comparison,
    Connect,
    End,
    Exits,
    Expect,
    Kill,
    Limit,
    Mark,
    Meet,
    Not,
    Pause,
    Quiet,
    Reset,
    Restart,
    Rests,
    Resume,
    Send,
    ServerAction,
    Shutdown,
    Signal,
    Start,
    Taken,
    Value,
    Wait,
    WaitFor,
)
from sockcheck.forms import (
    Span,
)
from sockcheck.reproducing.forms import expression
from sockcheck.reproducing.literals import filled, joined, literal, number, text, value, whole
from sockcheck.segments import bounds
from sockcheck.show import signal_name

GAP = 0.1
"""Seconds between two segments."""

# All the gaps of a send together, in seconds, where it is cut so often that this makes them shorter.
_GAPS = 5.0
# What fits into the buffers of both ends, however small they are made by default.
_SMALL = 32768
# A message of so many bytes is written out segment by segment, one of more is cut by positions.
_SHOWN = 200
_SHOWN_SEGMENTS = 12

_AWAITED = {
    "accepted": "until the server has accepted",
    "read": "until the server has read all",
    "end-read": "until the server has read our end of stream",
    "settled": "until the server has nothing more to do with us",
    "rest": "until the server sleeps",
}
# Of these only what is added in the case counts.
_ADDED = ("cpu", "memory")
_SIDES = {"write": "SHUT_WR", "read": "SHUT_RD", "both": "SHUT_RDWR"}


@dataclass(frozen=True, slots=True)
class Statement:
    """`parts` with `arguments` between them; a comment says which line of the scenario it is, and perhaps more."""

    parts: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    comment: str = ""

    def code(self, arguments: Sequence[str]) -> str:
        """The statement with these in place of its arguments."""
        return "".join(part + argument for part, argument in zip(self.parts, (*arguments, ""), strict=True))


def of_client(actor: Actor, unique: str) -> list[Statement]:
    """What a client does, to its end."""
    made = []
    before: Action | None = None
    for action, behind in itertools.zip_longest(actor.actions, actor.actions[1:]):
        for statement in _of_action(action, before, behind, actor.pushes, unique):
            made.append(_placed(statement, action.span))
        before = action
    if not _is_over(actor):
        made += [] if actor.pushes or isinstance(before, End) else [Statement(("expect_nothing_more(c)",))]
        made.append(Statement(("close(c)",)))
    return made


def of_server(actions: Sequence[ServerAction]) -> list[Statement]:
    """What is done to the server. Clients may begin at the first step that waits."""
    made = [Statement((f"{what}_before = {what}()",)) for what in _ADDED if _asks(actions, what)]
    waited = False
    for action in actions:
        if isinstance(action, Wait | WaitFor | Exits | Rests | Taken) and not waited:
            waited = True
            made.append(Statement(("clients_may_begin.set()",)))
        statement = _of_server_action(action)
        made.append(_placed(statement, action.span))
        if isinstance(action, Start | Restart):
            made += [Statement((f"{what}_before = {what}()",)) for what in _ADDED if _asks(actions, what)]
    return made if waited else [*made, Statement(("clients_may_begin.set()",))]


def _placed(statement: Statement, span: Span) -> Statement:
    comment = f"line {span.line}: {statement.comment}" if statement.comment else f"line {span.line}"
    return Statement(statement.parts, statement.arguments, comment)


def _is_over(actor: Actor) -> bool:
    return any(
        isinstance(action, Close | Reset) or (isinstance(action, Connect) and action.outcome != "connected")
        for action in actor.actions
    )


def _of_action(
    action: Action, before: Action | None, behind: Action | None, pushes: bool, unique: str
) -> Iterator[Statement]:
    match action:
        case Connect():
            yield _connect(action, unique)
        case Send():
            ends = isinstance(behind, Shutdown) and behind.how != "read"
            yield _send(action, unique, with_end=ends)
        case Expect(form=Not(duration=seconds)):
            yield Statement(("expect_not(c, ", f", {number(seconds)})"), (expression(action.form, unique),))
        case Expect():
            tail = f", within={number(action.within)}{_after(action.after)})"
            yield Statement(("expect(c, ", tail), (expression(action.form, unique),))
        case End():
            tail = ", pushes=True" if pushes else ""
            within = number(action.within)
            yield Statement((f'expect_end(c, "{action.how}", within={within}{_after(action.after)}{tail})',))
        case Quiet():
            yield Statement((f"expect_quiet(c, {number(action.duration)})",))
        case Shutdown():
            yield Statement((f"shutdown(c, socket.{_SIDES[action.how]})",))
        case Close():
            if not action.unread and not pushes and not isinstance(before, End):
                yield Statement(("expect_nothing_more(c)",))
            yield Statement(("close(c)",))
        case Reset():
            yield Statement(("reset(c)",))
        case Await():
            comment = f"{_AWAITED[action.state]}, which sockcheck asks the kernel"
            yield Statement((f"time.sleep({number(GAP)})",), comment=comment)
        case Meet():
            yield Statement(("meet(", ")"), (text(action.name),))
        case Mark() | WaitFor() | Wait():
            yield _shared(action)
        case _:
            assert_never(action)


def _shared(action: Mark | WaitFor | Wait) -> Statement:
    match action:
        case Mark():
            return Statement(("MARKS[", "].set()"), (text(action.name),))
        case WaitFor():
            return Statement(("wait_for(", ")"), (text(action.name),))
        case Wait():
            return Statement((f"time.sleep({number(action.duration)})",))
        case _:
            assert_never(action)


def _connect(action: Connect, unique: str) -> Statement:
    host = text(action.host) if isinstance(action.host, str) else "HOST"
    if isinstance(action.host, Value):
        host = f"{value(action.host, unique)}.decode()"
    port = str(action.port) if isinstance(action.port, int) else "PORT"
    if isinstance(action.port, Value):
        port = f"int({value(action.port, unique)})"
    address = f", address=({host}, {port})" if action.host is not None or action.port is not None else ""
    within = number(action.within)
    if action.outcome != "connected":
        return Statement((f'no_connect(c, within={within}, how="{action.outcome}"{address})',))
    options = [
        f"(*{option}, {wanted})"
        for option, wanted in (
            ("NO_DELAY", 1 if action.no_delay else None),
            ("RECEIVE_BUFFER", action.receive_buffer),
            ("SEND_BUFFER", action.send_buffer),
            ("SEGMENT_SIZE", action.segment_size),
        )
        if wanted is not None
    ]
    source = "" if action.source is None else f", source={text(action.source)}"
    return Statement((f"connect(c, within={within}, options=[{', '.join(options)}]{address}{source})",))


def _send(action: Send, unique: str, *, with_end: bool) -> Statement:
    pieces = filled(action.pieces, unique)
    size, data = payloads.size(pieces), whole(pieces, _SHOWN)
    cuts = action.cuts if action.cuts is None or size is None else tuple(cut for cut in action.cuts if cut < size)
    everywhere = cuts is None or (size is not None and size > 1 and len(cuts) == size - 1)
    if not cuts and cuts is not None:
        segments = joined(action.pieces, unique)
    elif data is not None and cuts is not None and len(cuts) < _SHOWN_SEGMENTS:
        segments = ", ".join(literal(data[begin:end]) for begin, end in bounds(len(data), cuts))
    elif everywhere:
        segments = f"*cut_everywhere({joined(action.pieces, unique)})"
    else:
        positions = ", ".join(map(str, cuts or ()))
        segments = f"*cut({joined(action.pieces, unique)}, {positions})"
    gap = action.gap
    many = (size or _SHOWN) - 1 if cuts is None else len(cuts)
    if gap is None and many * GAP > _GAPS:
        gap = max(0.01, round(_GAPS / many, 3))
    tail = f", within={number(action.within)}"
    tail += "" if gap is None or not many else f", gap={number(gap)}"
    tail += "" if action.read else ", read=False"
    tail += ", until_blocked=True" if action.until_blocked else ""
    tail += ", with_end=True" if with_end else ""
    plain = size is not None and size <= _SMALL and action.read and not action.until_blocked
    comment = f"in {many + 1} segments" if many else ""
    return Statement((f"{'send' if plain else 'send_while_receiving'}(c, ", f"{tail})"), (segments,), comment)


def _after(after: float | None) -> str:
    return "" if after is None else f", after={number(after)}"


def _of_server_action(action: ServerAction) -> Statement:
    match action:
        case Pause():
            return Statement(("pause_server()",))
        case Resume():
            return Statement(("signal_all(signal.SIGCONT)",))
        case Signal():
            signalled = f"{_signal(action.signal)})"
            return Statement((f"signal_all({signalled}" if action.everyone else f"os.kill(process.pid, {signalled}",))
        case Exits():
            statuses = ", ".join(_status(status) for status in action.statuses)
            return Statement((f"expect_exit([{statuses}], within={number(action.within)})",))
        case Kill():
            return Statement(("kill_server()",))
        case Start():
            return Statement(("start_again()",))
        case Restart():
            return Statement(("stop_server(); start_again()",))
        case Check():
            holds = " and ".join(map(_holds, action.checks))
            told = ", ".join(f"{each.what} {each.operator} {number(each.value)}" for each in action.checks)
            return Statement((f'check("{told}", lambda: {holds}, within={number(action.within)})',))
        case Rests():
            return Statement(("look_for_spinning()",))
        case Limit():
            return Statement((f"limit_files({action.files}, least={action.least})",))
        case Taken():
            return Statement((f"start_second(within={number(action.within)})",))
        case Mark() | WaitFor() | Wait():
            return _shared(action)
        case _:
            assert_never(action)


def unseen_measure(actions: Sequence[ServerAction]) -> bool:
    """Whether a figure is asked for that /proc does not tell: how many connections may wait."""
    return any(each.what == "backlog" for action in actions if isinstance(action, Check) for each in action.checks)


def _asks(actions: Sequence[ServerAction], what: str) -> bool:
    return any(each.what == what for action in actions if isinstance(action, Check) for each in action.checks)


def _holds(check: Comparison) -> str:
    figure = {
        "alive": "bool(members())",
        "listening": "listening()",
        "cpu": "cpu() - cpu_before",
        "memory": "memory() - memory_before",
        "open-files": "open_files()",
    }.get(check.what, f"{check.what}()")
    return f"{figure} {check.operator} {number(check.value)}"


def _status(status: int) -> str:
    return str(status) if status >= 0 else f"-{_signal(-status)}"


def _signal(number: int) -> str:
    name = signal_name(number)
    return f"signal.{name}" if name.startswith("SIG") else str(number)
