"""The cases that conditions make of a small exchange, and what is done in them, in words that a test can compare."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sockcheck import case as case_data
from sockcheck.case import Action, Actor, Capabilities, Case, Form, Piece, ServerAction
from sockcheck.deriving import NotDerived, Planned, Wish, derive
from sockcheck.reading import read_scenario
from sockcheck.scenario import Contract, Scenario

ECHO = """
client:
  - connect
  - send: "ping\\n"
  - expect: "ping\\n"
"""
"""The smallest exchange."""

PROMISES: Mapping[str, str] = {
    "clients": "4",
    "half-close": "yes",
    "orderly-close": "yes",
    "survives-reset": "yes",
    "pipelining": "yes",
    "bounded-input": "yes",
    "prompt": "yes",
    "restart": "yes",
    "backlog": "5",
    "idle-close": "1s",
    "stops-on-sigterm": "2s",
    "reports-bind-error": "yes",
    "drains": "yes",
    "all-interfaces": "yes",
    "ipv6": "yes",
}
"""All that can be promised."""

# Of longer payloads only the size is told.
_LONG = 40


@dataclass(frozen=True)
class Varied:
    """What became of one law: its cases by their variation, or why there are none."""

    cases: Mapping[str, Case]
    why: str

    @property
    def variations(self) -> list[str]:
        return list(self.cases)

    @property
    def traits(self) -> dict[str, tuple[str, ...]]:
        return {variation: case.traits for variation, case in self.cases.items()}

    def steps(self, variation: str = "") -> dict[str, list[str]]:
        """What each actor does in this case, and the server under `server`."""
        case = self.cases[variation]
        found = {actor.name: told(actor.actions) for actor in case.actors}
        return {**found, "server": told(case.server)} if case.server else found


def contract(promises: Mapping[str, str] | None = PROMISES, without: Iterable[str] = ()) -> Contract:
    """A contract with these promises; where they are None, what stands for a contract where there is none."""
    if promises is None:
        return Contract(name="talk", path="talk")
    kept = {name: value for name, value in promises.items() if name not in without}
    return Contract(name="talk", path="talk/contract.yaml", promises=kept)


def scenario(text: str, about: Contract, name: str = "hello") -> Scenario:
    return read_scenario(f"talk/{name}.sock.yaml", f"scenario: S\n{text}", about, lambda path: b"")


def varied(
    law: str,
    text: str = ECHO,
    *,
    promises: Mapping[str, str] | None = PROMISES,
    without: Iterable[str] = (),
    thorough: bool = False,
    seed: int = 1,
    observable: bool = True,
) -> Varied:
    """What the condition makes of an exchange.

    `thorough`: as much as is of any use, as with `--conditions thorough`.
    """
    conditions = ("thorough",) if thorough else (law,)
    if thorough:
        text = f"conditions: [{law}]\n{text}"
    wish = Wish(seed=seed, conditions=conditions, capabilities=Capabilities(started=True, observable=observable))
    cases: dict[str, Case] = {}
    why = ""
    for found in derive([scenario(text, contract(promises, without))], wish):
        match found:
            case Planned(case=case) if case.id.partition("::")[2].partition("(")[0] == law:
                cases[case.variation] = case
                assert not case.skip, case.skip
            case NotDerived(law=of, why=reason) if of == law:
                why = reason
    assert bool(cases) != bool(why)
    return Varied(cases, why)


def why_not(law: str, text: str, *, without: Iterable[str] = ()) -> str:
    """Why the condition makes nothing of an exchange."""
    found = varied(law, text, without=without)
    assert not found.cases, found.variations
    return found.why


def told(actions: Iterable[Action | ServerAction]) -> list[str]:
    """What is done, in words; `leave`: in order, with nothing unread."""
    found: list[str] = []
    for action in actions:
        found.append(_told(action))
        if found[-2:] == ["await settled", "close unread"]:
            found[-2:] = ["leave"]
    return found


def actor(actors: Iterable[Actor], name: str) -> Actor:
    return next(actor for actor in actors if actor.name == name)


def _told(action: Action | ServerAction) -> str:
    match action:
        case case_data.Connect():
            return "".join(
                (
                    "connect",
                    f" {action.host}" if action.host is not None else "",
                    " small" if action.receive_buffer is not None else "",
                    f", {action.outcome}" if action.outcome != "connected" else "",
                )
            )
        case case_data.Send():
            cuts = "each byte" if action.cuts is None else " ".join(map(str, action.cuts))
            return "".join(
                (
                    f"send {_payload(action.pieces)}",
                    f" cut {cuts}" if cuts else "",
                    f" gap {action.gap:g}" if action.gap is not None else "",
                    "" if action.read else " unread",
                    " until blocked" if action.until_blocked else "",
                )
            )
        case case_data.Expect():
            return f"expect {_form(action.form)}"
        case case_data.Close():
            return "close unread" if action.unread else "close"
        case case_data.Await():
            return f"await {action.state}"
        case case_data.End():
            return f"end {action.how}" + (f" after {action.after:g}" if action.after is not None else "")
        case case_data.Wait() | case_data.Quiet():
            return f"{type(action).__name__.lower()} {action.duration:g}"
        case case_data.Shutdown():
            return f"shutdown {action.how}"
        case case_data.Mark():
            return f"mark {action.name}"
        case case_data.WaitFor():
            return f"wait for {action.name}"
        case case_data.Meet():
            return f"meet {action.parties}: {action.name}"
        case case_data.Signal():
            return f"signal {signal.Signals(action.signal).name}" + (" everyone" if action.everyone else "")
        case case_data.Check():
            return "check " + ", ".join(f"{each.what} {each.operator} {each.value:g}" for each in action.checks)
        case case_data.Limit():
            return f"limit {'' if action.least else '+'}{action.files}"
        case _:
            return type(action).__name__.lower()


def _form(form: Form) -> str:
    match form:
        case case_data.Exact():
            return _payload(form.pieces)
        case case_data.Frame(equals=equals) if equals is not None:
            return f"{form.kind}+{_payload(equals)}"
        case case_data.Count():
            return f"{form.count} bytes"
        case _:
            return type(form).__name__.lower()


def _payload(pieces: Iterable[Piece]) -> str:
    found = []
    for piece in pieces:
        match piece:
            case bytes() if len(piece) > _LONG:
                found.append(f"<{len(piece)} bytes>")
            case bytes():
                found.append(piece.decode("latin-1").encode("unicode_escape").decode())
            case case_data.Generated(kind="repeat"):
                found.append(f"<{piece.size} of {_payload((piece.of[:_LONG],))}>")
            case case_data.Generated():
                found.append(f"<{piece.size} by {piece.seed}>")
            case case_data.Value():
                found.append(f"${{{piece.name}}}")
            case case_data.Integer():
                found.append(f"<{piece.kind}>")
            case case_data.Prefixed():
                found.append(f"{piece.kind}+{_payload(piece.pieces)}")
    return "".join(found)
