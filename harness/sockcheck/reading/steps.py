"""The steps of a client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sockcheck.forms import (
    Duration,
    NotForm,
    Reference,
    Span,
)
from sockcheck.reading.cuts import cut
from sockcheck.reading.durations import combinations, duration, resolve
from sockcheck.reading.forms import form
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.numbers import only_name, whole_or_name
from sockcheck.reading.page import Page
from sockcheck.reading.parts import parts
from sockcheck.reading.scope import Scope
from sockcheck.reading.tree import Entry, MappingNode, Node, SequenceNode
from sockcheck.reading.values import choice, flag, known, mapping, place_of, scalar, size
from sockcheck.reading.verbs import (
    SHARED_VERBS,
    Grammar,
    check_bare,
    inner_duration,
    is_bare,
    optional_duration,
    read_mark,
    read_step,
    read_wait,
    read_wait_for,
    sign,
)
from sockcheck.steps import (
    AwaitStep,
    CloseStep,
    ConnectStep,
    EndStep,
    ExpectStep,
    MeetStep,
    QuietStep,
    RepeatStep,
    ResetStep,
    SendStep,
    ShutdownStep,
    State,
    Step,
)

# TCP_MAXSEG takes no other values (linux/net/ipv4/tcp.c: TCP_MIN_MSS, MAX_TCP_WINDOW).
SEGMENT_SIZES = (88, 32767)
LARGEST_BUFFER = 2**30
PORTS = (1, 65535)
# More turns than this would be too many actions for any case (`sockcheck.planning`).
MOST_TURNS = 100_000

VERBS: Mapping[str, tuple[str, ...]] = {
    "connect": ("within",),
    "send": ("cut", "gap", "within", "read", "until"),
    "expect": ("within", "after"),
    "end": ("within", "after"),
    "quiet": (),
    "shutdown": (),
    "close": (),
    "reset": (),
    "await": ("within",),
    **SHARED_VERBS,
    "meet": (),
    "repeat": (),
}
"""The verbs, and the keys that may stand beside them."""

BARE = ("connect", "close", "reset")
"""The verbs that may stand alone."""

CONNECT_OPTIONS = (
    "within",
    "port",
    "host",
    "from",
    "receive-buffer",
    "send-buffer",
    "segment-size",
    "no-delay",
)
REPEAT_KEYS = ("times", "steps")

OUTCOMES: tuple[Literal["refused", "timeout"], ...] = ("refused", "timeout")
ENDINGS: tuple[Literal["eof", "reset", "any"], ...] = ("eof", "reset", "any")
DIRECTIONS: tuple[Literal["write", "read", "both"], ...] = ("write", "read", "both")
STATES: tuple[State, ...] = ("accepted", "read", "end-read", "settled", "rest")
CLOSINGS: tuple[Literal["unread"]] = ("unread",)
UNTIL: tuple[Literal["blocked"]] = ("blocked",)
_SERVER_ONLY = frozenset(
    {"pause", "resume", "signal", "exits", "kill", "start", "restart", "check", "rests", "limit", "taken"}
)


def _connect(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> ConnectStep:
    page = scope.page
    node = entry.value
    if scope.place.turns:
        raise page.mistake(entry.key, "'connect' cannot be repeated", "a client has one connection; `count` makes many")
    if is_bare(node):
        return ConnectStep(span, optional_duration(scope, options, "within"))
    if not isinstance(node, MappingNode):
        return ConnectStep(span, optional_duration(scope, options, "within"), choice(page, node, OUTCOMES))
    inner = known(page, node.entries, CONNECT_OPTIONS, "option", "connect")

    def buffer(name: str, lowest: int = 1, highest: int = LARGEST_BUFFER) -> int | None:
        return page.attempt(size, page, inner[name].value, lowest, highest) if name in inner else None

    return ConnectStep(
        span,
        inner_duration(scope, options, inner, "within"),
        receive_buffer=buffer("receive-buffer"),
        send_buffer=buffer("send-buffer"),
        segment_size=buffer("segment-size", *SEGMENT_SIZES),
        no_delay=flag(page, inner["no-delay"].value) if "no-delay" in inner else True,
        host=page.attempt(_host, scope, inner["host"].value) if "host" in inner else None,
        port=page.attempt(_port, scope, inner["port"].value) if "port" in inner else None,
        source=page.attempt(_address, page, inner["from"].value) if "from" in inner else None,
    )


def _port(scope: Scope, node: Node) -> int | Reference:
    return whole_or_name(scope, node, *PORTS, "", captured=True)


def _host(scope: Scope, node: Node) -> str | Reference:
    name = only_name(scope, node, "an address")
    if name is None:
        text = scalar(scope.page, node, "an address").value
        return text if text == "localhost" else _address(scope.page, node)
    error = scope.names.use(name)
    if error is not None:
        raise error
    return name


def _address(page: Page, node: Node) -> str:
    # Only who asks for an address pays for the import.
    import ipaddress

    text = scalar(page, node, "an address").value
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise page.mistake(node, f"{quoted(text)} is not an IP address", "as in 127.0.0.2 or '::1'") from None


def _send(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> SendStep:
    page = scope.page
    if len(options) == 1:
        return SendStep(span, parts(scope, entry.value))
    gap = optional_duration(scope, options, "gap")
    if "gap" in options and "cut" not in options:
        message = "'gap' parts the segments of a send, and this send is not cut"
        page.note(page.mistake(options["gap"].key, message, "say where with `cut:`"))
    within = optional_duration(scope, options, "within")
    until = page.attempt(choice, page, options["until"].value, UNTIL) if "until" in options else None
    if "until" in options and "cut" in options:
        message = "'cut' waits until the server has read, and 'until: blocked' until it no longer does"
        page.note(page.mistake(options["until"].key, message, "leave one of them out"))
    found = page.attempt(parts, scope, entry.value)
    where = page.attempt(cut, scope, options["cut"].value, found) if "cut" in options else None
    read = page.attempt(flag, page, options["read"].value) if "read" in options else True
    return SendStep(span, found or (), where, gap, within, read is not False, until is not None)


def _expect(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> ExpectStep:
    within, after = _window(scope, options)
    wanted = form(scope, entry.value)
    if isinstance(wanted, NotForm) and len(options) > 1:
        message = "'not' lasts as long as its 'for' says: neither 'within' nor 'after' belong to it"
        raise scope.page.mistake(next(options[name].key for name in VERBS["expect"] if name in options), message)
    return ExpectStep(span, wanted, within, after)


def _end(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> EndStep:
    within, after = _window(scope, options)
    return EndStep(span, choice(scope.page, entry.value, ENDINGS), within, after)


def _quiet(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> QuietStep:
    return QuietStep(span, duration(scope.page, entry.value, scope.names))


def _shutdown(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> ShutdownStep:
    return ShutdownStep(span, choice(scope.page, entry.value, DIRECTIONS))


def _close(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> CloseStep:
    return CloseStep(span, not is_bare(entry.value) and choice(scope.page, entry.value, CLOSINGS) == "unread")


def _reset(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> ResetStep:
    check_bare(scope.page, entry)
    return ResetStep(span)


def _await(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> AwaitStep:
    within = optional_duration(scope, options, "within")
    return AwaitStep(span, choice(scope.page, entry.value, STATES), within)


def _meet(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> MeetStep:
    if not scope.place.counted:
        hint = "it takes all of a `count`; `mark` and `wait-for` are for clients of different names"
        raise scope.page.mistake(entry.key, "'meet' is for a client with 'count'", hint)
    return MeetStep(span, sign(scope, "meet", entry.value))


def _repeat(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> RepeatStep | None:
    page, place = scope.page, scope.place
    node = mapping(page, entry.value, "a mapping with 'times' and 'steps'")
    inner = known(page, node.entries, REPEAT_KEYS, of="repeat")
    for name in REPEAT_KEYS:
        if name not in inner:
            raise page.mistake(place_of(node), f"'repeat' needs {quoted(name)}", "as in `{times: 3, steps: […]}`")
    times = page.attempt(whole_or_name, scope, inner["times"].value, 1, MOST_TURNS, "the number of turns")
    steps = inner["steps"].value
    if not isinstance(steps, SequenceNode) or not steps.items:
        raise page.mistake(steps, "'steps' must be a list of steps")
    place.turns += 1
    verbs = [read_step(scope, item, GRAMMAR) for item in steps.items]
    place.turns -= 1
    read = tuple(verb.step for verb in verbs if verb is not None and verb.step is not None)
    return RepeatStep(span, times, read) if times is not None and len(read) == len(verbs) else None


def _window(scope: Scope, options: dict[str, Entry]) -> tuple[Duration | None, Duration | None]:
    """The deadline and the earliest time, which must leave something between them."""
    if len(options) == 1:
        return None, None
    within = optional_duration(scope, options, "within")
    after = optional_duration(scope, options, "after")
    if within is not None and after is not None:
        for values in combinations(scope.names, within, after):
            if resolve(within, values) <= resolve(after, values):
                message = "the deadline is not later than `after`, the earliest time"
                scope.page.note(scope.page.mistake(within.span, message))
    return within, after


GRAMMAR: Grammar[Step] = Grammar(
    VERBS,
    {
        "connect": _connect,
        "send": _send,
        "expect": _expect,
        "end": _end,
        "quiet": _quiet,
        "shutdown": _shutdown,
        "close": _close,
        "reset": _reset,
        "await": _await,
        "mark": read_mark,
        "wait-for": read_wait_for,
        "wait": read_wait,
        "meet": _meet,
        "repeat": _repeat,
    },
    (_SERVER_ONLY, "it is a step of the server's: put it under `server:`"),
)
