"""Can a client take its steps in this order?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sockcheck.reading.mistakes import listed, quoted
from sockcheck.reading.page import Page
from sockcheck.reading.verbs import Verb
from sockcheck.steps import (
    AwaitStep,
    CloseStep,
    ConnectStep,
    EndStep,
    ExpectStep,
    MarkStep,
    MeetStep,
    QuietStep,
    RepeatStep,
    ResetStep,
    SendStep,
    ShutdownStep,
    Step,
    WaitForStep,
    WaitStep,
)

# `end: eof` may have been a half-close of the server's: a client may go on sending, but nothing more can be read.
_AFTER_EOF = ("send", "shutdown", "await", "close", "reset")
_READING = ("expect", "end", "quiet")
# What is done by these decides what can be done behind them.
_LASTING = ("connect", "end", "shutdown", "close", "reset")
# These have nothing to do with the connection, and may stand before it and behind its end.
_ANYWHERE = ("mark", "wait-for", "meet", "wait")

_VERBS: Mapping[type[Step], str] = {
    ConnectStep: "connect",
    SendStep: "send",
    ExpectStep: "expect",
    EndStep: "end",
    QuietStep: "quiet",
    ShutdownStep: "shutdown",
    CloseStep: "close",
    ResetStep: "reset",
    AwaitStep: "await",
    MarkStep: "mark",
    WaitForStep: "wait-for",
    MeetStep: "meet",
    WaitStep: "wait",
    RepeatStep: "repeat",
}


def check_order(page: Page, verbs: Sequence[Verb[Step]]) -> None:
    """Notes the steps that cannot be taken where they stand."""
    client = None
    for verb in _in_turn(verbs):
        if verb.name in _ANYWHERE:
            continue
        if client is None:
            if verb.name != "connect":
                page.note(page.mistake(verb.span, "the first step must be 'connect'", "put `- connect` before it"))
                return
            client = _Client()
        objection = client.objection(verb)
        if objection:
            page.note(page.mistake(verb.span, *objection))
            if client.over:
                return
        client.take(verb)
    # A `repeat` that could not be read holds one, perhaps, and is a mistake anyway.
    if client is None and not any(verb.name == "repeat" and verb.step is None for verb in verbs):
        page.note(page.mistake(verbs[0].span, "there is no 'connect'", "put `- connect` before it"))


def _in_turn(verbs: Sequence[Verb[Step]], turns: int = 2) -> list[Verb[Step]]:
    """The steps one after the other, those of a `repeat` twice: what is wrong in a later turn is so in the second."""
    steps: list[Verb[Step]] = []
    for verb in verbs:
        if verb.name != "repeat":
            steps.append(verb)
        elif isinstance(verb.step, RepeatStep):
            inner: list[Verb[Step]] = [Verb(_VERBS[type(step)], step.span, step) for step in verb.step.steps]
            # What is repeated within it comes twice by that already.
            steps += _in_turn(inner, turns=1) * turns
    return steps


class _Client:
    """What was done to the connection so far. `over` names the step after which there is none, or is empty."""

    def __init__(self) -> None:
        self.over = ""
        self._connected = False
        self._writes = True
        self._reads = True
        self._ended = False

    def objection(self, verb: Verb[Step]) -> tuple[str, str] | None:
        """Why the step cannot be taken now, and a hint; None where it can."""
        name = verb.name
        if self.over:
            hint = "a client has one connection" if name == "connect" else ""
            return f"nothing can come after {self.over}", hint
        if name == "connect" and self._connected:
            return "this client is connected already", "a client has one connection"
        if self._ended and name not in _AFTER_EOF:
            return f"{quoted(name)} cannot come after 'end'", f"only {listed(_AFTER_EOF, 'or')} can"
        if name == "send" and not self._writes:
            return "nothing can be sent after the shutdown of writing", "put the send before the shutdown"
        if self._writes and isinstance(verb.step, AwaitStep) and verb.step.state == "end-read":
            return "our end of stream cannot be read before it is sent", "put `- shutdown: write` before it"
        if name in _READING and not self._reads:
            return f"{quoted(name)} can see nothing after the shutdown of reading", "`shutdown: write` goes on reading"
        return None

    def take(self, verb: Verb[Step]) -> None:
        if verb.name in _LASTING:
            self._change(verb)

    def _change(self, verb: Verb[Step]) -> None:
        self._connected = True
        match verb.step:
            case ConnectStep(outcome="refused" | "timeout" as outcome):
                self.over = f"'connect: {outcome}'"
            case EndStep(how="reset"):
                self.over = "'end: reset'"
            case EndStep():
                self._ended = True
            case ShutdownStep(how=how):
                self._writes = self._writes and how == "read"
                self._reads = self._reads and how == "write"
        if verb.name in ("close", "reset"):
            self.over = quoted(verb.name)
