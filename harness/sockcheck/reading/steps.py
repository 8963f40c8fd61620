"""The steps of a client: a verb, what it takes, and options beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from sockcheck.errors import ScenarioError
from sockcheck.reading.durations import duration, resolve
from sockcheck.reading.forms import form
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.page import Page
from sockcheck.reading.parts import Scope, least_size, parts
from sockcheck.reading.tree import Entry, MappingNode, Node, ScalarNode, SequenceNode
from sockcheck.reading.values import LARGEST_SIZE, choice, flag, known, place_of, size, unknown, whole
from sockcheck.scenario import (
    AwaitStep,
    CloseStep,
    ConnectStep,
    Cut,
    Duration,
    EndStep,
    ExpectStep,
    Part,
    QuietStep,
    ResetStep,
    SendStep,
    ShutdownStep,
    Span,
    Step,
)
from sockcheck.show import count

# Every byte of more than this would be a thousand round trips to the kernel for nothing that fewer do not show.
MOST_CUTS = 4096

# TCP_MAXSEG takes no other values (linux/net/ipv4/tcp.c: TCP_MIN_MSS, MAX_TCP_WINDOW).
_SEGMENT_SIZES = (88, 32767)
_LARGEST_BUFFER = 2**30

# The verbs, and the keys that may stand beside them.
_VERBS: Mapping[str, tuple[str, ...]] = {
    "connect": ("within",),
    "send": ("cut", "gap", "within"),
    "expect": ("within", "after"),
    "end": ("within", "after"),
    "quiet": (),
    "shutdown": (),
    "close": (),
    "reset": (),
    "await": ("within",),
}
_BARE = ("connect", "close", "reset")
_CONNECT_OPTIONS = ("within", "receive-buffer", "send-buffer", "segment-size", "no-delay")

_OUTCOMES: tuple[Literal["refused", "timeout"], ...] = ("refused", "timeout")
_ENDINGS: tuple[Literal["eof", "reset", "any"], ...] = ("eof", "reset", "any")
_DIRECTIONS: tuple[Literal["write", "read", "both"], ...] = ("write", "read", "both")
_STATES: tuple[Literal["accepted", "read", "end-read"], ...] = ("accepted", "read", "end-read")


@dataclass(slots=True)
class Verb:
    """A step as far as it could be read: `step` is None where its verb is known but what it takes is wrong."""

    name: str
    span: Span
    step: Step | None


def step(scope: Scope, node: Node) -> Verb:
    """One step. Raises ScenarioError where not even its verb can be told."""
    page = scope.page
    match node:
        case ScalarNode(value=name) if name in _VERBS:
            entries = {name: Entry(node, ScalarNode("", "", node.end, node.end))}
        case ScalarNode(value=name) if name:
            raise unknown(page, node, "step", name, tuple(_VERBS))
        case MappingNode():
            name = _verb(page, node)
            entries = node.entries
        case _:
            raise page.mistake(node, "expected a step", f"the steps are {', '.join(_VERBS)}")
    entry = entries[name]
    span = page.between(entry.key.start, entry.value.end)
    options = known(page, entries, (name, *_VERBS[name]), of=name)
    return Verb(name, span, page.attempt(_READERS[name], scope, options, entry, span))


def _verb(page: Page, node: MappingNode) -> str:
    verbs = [name for name in node.entries if name in _VERBS]
    if len(verbs) == 1:
        return verbs[0]
    if verbs:
        message = f"{quoted(verbs[0])} and {quoted(verbs[1])} are two steps"
        raise page.mistake(node.entries[verbs[1]].key, message, "each step begins with a dash of its own")
    options = {option for keys in _VERBS.values() for option in keys}
    for entry in node.entries.values():
        if entry.key.value not in options:
            raise unknown(page, entry.key, "step", entry.key.value, tuple(_VERBS))
    raise page.mistake(node, "this step has no verb", f"the steps are {', '.join(_VERBS)}")


def _connect(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> ConnectStep:
    page = scope.page
    within = _duration(scope, options, "within")
    node = entry.value
    if _bare(node):
        return ConnectStep(span, within)
    if not isinstance(node, MappingNode):
        return ConnectStep(span, within, choice(page, node, _OUTCOMES))
    inner = known(page, node.entries, _CONNECT_OPTIONS, "option", "connect")
    if "within" in inner and "within" in options:
        page.note(page.mistake(inner["within"].key, "'within' is given twice for this step"))

    def buffer(name: str) -> int | None:
        return page.attempt(size, page, inner[name].value, 1, _LARGEST_BUFFER) if name in inner else None

    segment_size = None
    if "segment-size" in inner:
        segment_size = page.attempt(size, page, inner["segment-size"].value, *_SEGMENT_SIZES)
    return ConnectStep(
        span,
        _duration(scope, inner, "within") or within,
        receive_buffer=buffer("receive-buffer"),
        send_buffer=buffer("send-buffer"),
        segment_size=segment_size,
        no_delay=flag(page, inner["no-delay"].value) if "no-delay" in inner else True,
    )


def _send(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> SendStep:
    page = scope.page
    gap = _duration(scope, options, "gap")
    if "gap" in options and "cut" not in options:
        message = "'gap' parts the segments of a send, and this send is not cut"
        page.note(page.mistake(options["gap"].key, message, "say where with `cut:`"))
    within = _duration(scope, options, "within")
    found = page.attempt(parts, scope, entry.value)
    cut = page.attempt(_cut, scope, options["cut"].value, found) if "cut" in options else None
    return SendStep(span, found or (), cut, gap, within)


def _expect(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> ExpectStep:
    within, after = _window(scope, options)
    return ExpectStep(span, form(scope, entry.value), within, after)


def _end(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> EndStep:
    within, after = _window(scope, options)
    return EndStep(span, choice(scope.page, entry.value, _ENDINGS), within, after)


def _quiet(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> QuietStep:
    return QuietStep(span, duration(scope.page, entry.value, scope.parameters))


def _shutdown(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> ShutdownStep:
    return ShutdownStep(span, choice(scope.page, entry.value, _DIRECTIONS))


def _close(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> CloseStep:
    return CloseStep(span, not _bare(entry.value) and choice(scope.page, entry.value, ("unread",)) == "unread")


def _reset(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> ResetStep:
    if not _bare(entry.value):
        raise scope.page.mistake(entry.value, "'reset' takes nothing", "write only `- reset`")
    return ResetStep(span)


def _await(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> AwaitStep:
    within = _duration(scope, options, "within")
    return AwaitStep(span, choice(scope.page, entry.value, _STATES), within)


_READERS: Mapping[str, Callable[[Scope, dict[str, Entry], Entry, Span], Step]] = {
    "connect": _connect,
    "send": _send,
    "expect": _expect,
    "end": _end,
    "quiet": _quiet,
    "shutdown": _shutdown,
    "close": _close,
    "reset": _reset,
    "await": _await,
}


def _bare(node: Node) -> bool:
    return isinstance(node, ScalarNode) and not node.value and not node.style


def _duration(scope: Scope, options: Mapping[str, Entry], name: str) -> Duration | None:
    if name not in options:
        return None
    return scope.page.attempt(duration, scope.page, options[name].value, scope.parameters)


def _window(scope: Scope, options: dict[str, Entry]) -> tuple[Duration | None, Duration | None]:
    """The deadline and the earliest time, which must leave something between them."""
    within = _duration(scope, options, "within")
    after = _duration(scope, options, "after")
    if within and after and resolve(within, scope.parameters) <= resolve(after, scope.parameters):
        scope.page.note(scope.page.mistake(within.span, "the deadline is not later than `after`, the earliest time"))
    return within, after


def _cut(scope: Scope, node: Node, data: tuple[Part, ...] | None) -> Cut:
    """Where the data is cut: strictly inside it, whatever the parameters are. None: the data is not known."""
    page = scope.page
    span = page.span(node)
    least, sure = (LARGEST_SIZE, False) if data is None else least_size(scope, data)
    if sure and least < 2:
        raise page.mistake(node, f"{count(least)} cannot be cut")
    match node:
        case ScalarNode(value="every-byte"):
            if data is not None and least > MOST_CUTS:
                message = f"{count(least)} are too many to be sent one by one"
                raise page.mistake(node, message, f"the most is {MOST_CUTS:,}; `{{random: 100}}` cuts in 100 places")
            return Cut("every-byte", (), 0, None, span)
        case MappingNode():
            return _random_cut(page, node, least - 1 if sure else MOST_CUTS)
        case _:
            return Cut("at", _positions(page, node, least, sure), 0, None, span)


def _random_cut(page: Page, node: MappingNode, places: int) -> Cut:
    entries = known(page, node.entries, ("random", "seed"), of="cut")
    if "random" not in entries:
        raise page.mistake(place_of(node), "a cut is a list of positions, every-byte, or {random: how many}")
    seed = page.attempt(whole, page, entries["seed"].value, 0, 2**63) if "seed" in entries else None
    times = whole(page, entries["random"].value, 1, min(places, MOST_CUTS))
    return Cut("random", (), times, seed, page.span(node))


def _positions(page: Page, node: Node, least: int, sure: bool) -> tuple[int, ...]:
    items = node.items if isinstance(node, SequenceNode) else [node]
    if not 0 < len(items) <= MOST_CUTS:
        raise page.mistake(node, f"a send is cut in at least one place and at most {MOST_CUTS:,}")
    positions: list[int] = []
    for item in items:
        position = page.attempt(whole, page, item, 0, LARGEST_SIZE)
        if position is None:
            continue
        if not 0 < position < least:
            page.note(_outside(page, item, position, least, sure))
        elif positions and position <= positions[-1]:
            page.note(page.mistake(item, f"cuts ascend, and {position:,} does not come after {positions[-1]:,}"))
        positions.append(position)
    return tuple(positions)


def _outside(page: Page, item: Node, position: int, least: int, sure: bool) -> ScenarioError:
    if sure:
        hint = f"a cut lies between two bytes: here 1 to {least - 1:,}"
        return page.mistake(item, f"a cut at {position:,} is not inside {count(least)}", hint)
    hint = f"only {count(least)} are certain before `${{…}}` is filled in"
    return page.mistake(item, f"a cut at {position:,} may lie outside the data", hint)
