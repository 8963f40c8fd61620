"""The steps under `server:`: what is done to the server's processes, and asked of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from sockcheck.errors import ScenarioError
from sockcheck.forms import (
    Span,
)
from sockcheck.reading.durations import seconds
from sockcheck.reading.mistakes import nearest, quoted
from sockcheck.reading.page import Page
from sockcheck.reading.scope import Scope
from sockcheck.reading.tree import Entry, Node, SequenceNode
from sockcheck.reading.values import flag, known, mapping, place_of, scalar, unknown, whole_of
from sockcheck.reading.verbs import (
    SHARED_VERBS,
    Grammar,
    Verb,
    check_bare,
    inner_duration,
    optional_duration,
    read_mark,
    read_step,
    read_wait,
    read_wait_for,
)
from sockcheck.steps import (
    Check,
    CheckStep,
    ExitsStep,
    KillStep,
    LimitStep,
    Measure,
    PauseStep,
    RestartStep,
    RestsStep,
    ResumeStep,
    ServerStep,
    SignalStep,
    StartStep,
    TakenStep,
)

VERBS: Mapping[str, tuple[str, ...]] = {
    "pause": (),
    "resume": (),
    "signal": ("everyone",),
    "exits": ("within",),
    "kill": (),
    "start": (),
    "restart": (),
    "check": ("within",),
    "rests": (),
    "limit": (),
    "taken": ("within",),
    **SHARED_VERBS,
}
"""The verbs, and the keys that may stand beside them."""

BARE = ("pause", "resume", "kill", "start", "restart", "rests", "taken")
"""The verbs that stand alone."""

EXITS_KEYS = ("status", "within")
LIMIT_KEYS = ("open-files",)

FLAGS: tuple[Measure, ...] = ("alive", "listening")
NUMBERS: tuple[Measure, ...] = ("open-files", "threads", "children", "cpu", "memory", "queue", "backlog")
MEASURES: tuple[Measure, ...] = (*NUMBERS, *FLAGS)

Operator = Literal["==", "!=", "<", "<=", ">", ">="]
OPERATORS: tuple[Operator, ...] = ("==", "!=", "<=", ">=", "<", ">")

# Linux has signals 1 to 64 (signal(7)); a process ends with a status of 0 to 255 (wait(2)).
LAST_SIGNAL, LAST_STATUS = 64, 255
# Linux lets nobody have more, unless its fs.nr_open is changed.
MOST_FILES = 1 << 20

_COMPARISON = re.compile(r"\s*(==|!=|<=|>=|<|>)?\s*(.*?)\s*")
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_CLIENT_ONLY = frozenset(
    {"connect", "send", "expect", "end", "quiet", "shutdown", "close", "reset", "await", "meet", "repeat"}
)


def server_steps(scope: Scope, entry: Entry) -> tuple[ServerStep, ...] | None:
    """The server's steps, each wrong one noted. None where there are not even steps."""
    page = scope.page
    node = entry.value
    if not isinstance(node, SequenceNode) or not node.items:
        page.note(page.mistake(entry.key, "'server' must be a list of steps", "as in `[pause, wait: 1s, resume]`"))
        return None
    verbs = [read_step(scope, item, _GRAMMAR) for item in node.items]
    read = [verb for verb in verbs if verb is not None]
    steps = tuple(verb.step for verb in read if verb.step is not None)
    if len(steps) < len(verbs):
        return None
    _check_order(page, read)
    return steps


def signal_number(text: str) -> int | None:
    """The number of a signal: `TERM`, `SIGTERM` or `15`."""
    number = whole_of(text)
    if number is not None:
        return number if 0 < number <= LAST_SIGNAL else None
    return _signals().get(text.removeprefix("SIG"))


def signal_names() -> list[str]:
    """The names of all signals, without SIG."""
    return list(_signals())


def _signals() -> dict[str, int]:
    # Only who names a signal needs their names.
    import signal

    return {each.name.removeprefix("SIG"): each.value for each in signal.Signals}


def _pause(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> PauseStep:
    check_bare(scope.page, entry)
    return PauseStep(span)


def _resume(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> ResumeStep:
    check_bare(scope.page, entry)
    return ResumeStep(span)


def _kill(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> KillStep:
    check_bare(scope.page, entry)
    return KillStep(span)


def _start(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> StartStep:
    check_bare(scope.page, entry)
    return StartStep(span)


def _restart(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> RestartStep:
    check_bare(scope.page, entry)
    return RestartStep(span)


def _rests(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> RestsStep:
    check_bare(scope.page, entry)
    return RestsStep(span)


def _taken(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> TakenStep:
    check_bare(scope.page, entry)
    return TakenStep(span, optional_duration(scope, options, "within"))


def _limit(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> LimitStep:
    page = scope.page
    node = mapping(page, entry.value, "a mapping with 'open-files'")
    inner = known(page, node.entries, LIMIT_KEYS, of="limit")
    example = 'as in `{open-files: "+8"}`, or 2000'
    if not inner:
        raise page.mistake(place_of(node), "'limit' needs 'open-files'", example)
    value = inner["open-files"].value
    text = scalar(page, value, "a number of descriptors").value
    number = whole_of(text.removeprefix("+"))
    if number is None or not 0 < number <= MOST_FILES:
        raise page.mistake(value, f"{quoted(text)} is no number of descriptors up to {MOST_FILES:,}", example)
    return LimitStep(span, number, least=not text.startswith("+"))


def _signal(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> SignalStep:
    text = scalar(scope.page, entry.value, "a signal").value
    number = signal_number(text)
    if number is None:
        raise _unknown_signal(scope.page, entry.value, text)
    everyone = "everyone" in options and flag(scope.page, options["everyone"].value)
    return SignalStep(span, number, everyone)


def _exits(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> ExitsStep:
    page = scope.page
    node = mapping(page, entry.value, "a mapping with 'status'")
    inner = known(page, node.entries, EXITS_KEYS, of="exits")
    within = inner_duration(scope, options, inner, "within")
    if "status" not in inner:
        raise page.mistake(place_of(node), "'exits' needs 'status'", "as in `{status: [0, TERM], within: 2s}`")
    written = inner["status"].value
    items = written.items if isinstance(written, SequenceNode) else [written]
    if not items:
        raise page.mistake(written, "no status is named here", "as in `[0, TERM]`")
    statuses = [page.attempt(_status, page, item) for item in items]
    return ExitsStep(span, tuple(status for status in statuses if status is not None), within)


def _status(page: Page, node: Node) -> int:
    """A status, or minus a signal."""
    text = scalar(page, node, "a status or a signal").value
    status = whole_of(text)
    if status is None:
        number = signal_number(text)
        if number is None:
            raise _unknown_signal(page, node, text)
        return -number
    if status > LAST_STATUS:
        raise page.mistake(node, f"{status:,} is not a status: they are 0 to {LAST_STATUS}")
    return status


def _unknown_signal(page: Page, node: Node, text: str) -> ScenarioError:
    near = nearest(text.upper().removeprefix("SIG"), [name.lower() for name in signal_names()])
    hint = f"did you mean {quoted(near.upper())}?" if near else "a signal is TERM, SIGTERM or 15; see signal(7)"
    return page.mistake(node, f"{quoted(text)} is not a signal", hint)


def _check(scope: Scope, options: dict[str, Entry], entry: Entry, span: Span) -> CheckStep:
    page = scope.page
    node = mapping(page, entry.value, "a mapping of what is checked")
    if not node.entries:
        raise page.mistake(node, "nothing is checked here", 'as in `{open-files: "<= 20"}`')
    within = optional_duration(scope, options, "within")
    checks: list[Check | None] = []
    for name, inner in node.entries.items():
        measure = next((each for each in MEASURES if each == name), None)
        if measure is None:
            page.note(unknown(page, inner.key, "measure", name, MEASURES, "check"))
        else:
            checks.append(page.attempt(_comparison, page, measure, inner.value))
    return CheckStep(span, tuple(check for check in checks if check is not None), within)


def _comparison(page: Page, what: Measure, node: Node) -> Check:
    span = page.span(node)
    if what in FLAGS:
        return Check(what, "==", float(flag(page, node)), span)
    text = scalar(page, node, "a number or a comparison").value
    found = _COMPARISON.fullmatch(text)
    amount = None if found is None else _amount(what, found[2])
    if found is None or amount is None:
        example = {"cpu": "< 500ms", "memory": "< 16"}.get(what, ">= 5")
        raise page.mistake(node, f"{quoted(text)} is no comparison with {quoted(what)}", f'as in 5 or "{example}"')
    operator: Operator = next((each for each in OPERATORS if each == found[1]), "==")
    return Check(what, operator, amount, span)


def _amount(what: Measure, text: str) -> float | None:
    """A number; seconds of CPU time also as a duration."""
    if not _AMOUNT.fullmatch(text):
        return seconds(text) if what == "cpu" else None
    return None if "." in text and what != "cpu" else float(text)


def _check_order(page: Page, verbs: Sequence[Verb[ServerStep]]) -> None:
    """Notes the steps that make no sense in the state in which those before them leave the server."""
    state: Literal["running", "paused", "told", "ended"] = "running"
    for verb in verbs:
        name = verb.name
        objection: tuple[str, str] | None = None
        match name, state:
            case "resume", "running" | "told" | "ended":
                objection = "'resume' without 'pause'", "put `- pause` before it"
            case "start", "told":
                objection = "the server may still be running here", "put `- exits: {status: …}` before it"
            case "start", "running" | "paused":
                objection = "the server is running here", "`restart` stops it first"
            case "pause" | "restart" | "exits" | "rests" | "taken", "paused":
                objection = f"{quoted(name)} while the server is paused", "put `- resume` before it"
            case "pause" | "signal" | "kill" | "restart" | "rests" | "limit" | "taken", "ended":
                objection = f"{quoted(name)} when the server has ended", "put `- start` before it"
        if objection is not None:
            page.note(page.mistake(verb.span, *objection))
            return
        match name:
            case "pause":
                state = "paused"
            case "resume" | "start" | "restart":
                state = "running"
            case "signal" if state == "running":
                state = "told"
            case "kill" | "exits":
                state = "ended"


_GRAMMAR: Grammar[ServerStep] = Grammar(
    VERBS,
    {
        "pause": _pause,
        "resume": _resume,
        "signal": _signal,
        "exits": _exits,
        "kill": _kill,
        "start": _start,
        "restart": _restart,
        "check": _check,
        "rests": _rests,
        "limit": _limit,
        "taken": _taken,
        "mark": read_mark,
        "wait-for": read_wait_for,
        "wait": read_wait,
    },
    (_CLIENT_ONLY, "it is a step of a client's"),
)
