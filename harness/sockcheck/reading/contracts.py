"""contract.yaml: what the servers of a folder promise, and how they are started."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sockcheck.reading.conditions import conditions
from sockcheck.reading.durations import fixed_duration
from sockcheck.reading.mistakes import quoted
from sockcheck.reading.names import NAME, RESERVED
from sockcheck.reading.page import Page
from sockcheck.reading.tree import Entry, Node, grow
from sockcheck.reading.values import choice, flag, known, lacks, line, mapping, place_of, scalar
from sockcheck.scenario import Contract, Timeouts

_T = TypeVar("_T")

PROMISES = (
    "clients",
    "half-close",
    "orderly-close",
    "survives-reset",
    "pipelining",
    "restart",
    "backlog",
    "idle-close",
    "stops-on-sigterm",
    "drains",
    "reports-bind-error",
    "all-interfaces",
    "ipv6",
    "datagram",
    "prompt",
    "bounded-input",
)
KEYS = (
    "contract",
    "about",
    "transport",
    "promises",
    "parameters",
    "pushes",
    "conditions",
    "target",
    "timeouts",
)
"""The keys of a contract. The first must be there."""

TRANSPORTS = ("tcp", "udp", "unix", "unix-datagram")
SUPPORTED_TRANSPORTS = ("tcp",)
TARGET_KEYS = ("command",)
TIMEOUTS = ("expect", "connect", "ready", "case")

# These stand for the server's address and its scratch folder in the command that starts it.
PLACEHOLDERS = ("host", "port", "path", "dir", "python")


def contract(page: Page, folder: str) -> Contract:
    """The contract, as far as it could be read; mistakes are noted. `folder` is the name of the folder that it is in.

    Raises ScenarioError where the file is not even YAML with keys and values.
    """
    root = grow(page)
    entries = known(page, root.entries, KEYS)

    def read(key: str, reader: Callable[[Page, Node], _T], default: _T) -> _T:
        value = page.attempt(reader, page, entries[key].value) if key in entries else None
        return default if value is None else value

    name = read("contract", _text, folder)
    if lacks(root.entries, "contract", KEYS):
        page.note(page.mistake(root, "'contract', its name, is missing", f"write `contract: {folder}`"))
    if name != folder:
        message = f"the contract is called {quoted(name)}, its folder {quoted(folder)}"
        page.note(page.mistake(entries["contract"].value, message, "the two must be the same"))
    read("transport", _transport, "tcp")
    return Contract(
        name=folder,
        path=page.path,
        about=read("about", _text, ""),
        promises=read("promises", _promises, {}),
        parameters=read("parameters", _parameters, {}),
        timeouts=read("timeouts", _timeouts, Timeouts()),
        target=read("target", _target, ""),
        pushes=read("pushes", flag, False),
        conditions=read("conditions", conditions, ()),
    )


def _text(page: Page, node: Node) -> str:
    return line(page, node, "a text")


def _transport(page: Page, node: Node) -> str:
    transport = choice(page, node, TRANSPORTS)
    if transport not in SUPPORTED_TRANSPORTS:
        raise page.mistake(
            node, f"the transport {quoted(transport)} is not supported by this version", "write tcp, or leave it out"
        )
    return transport


def _promises(page: Page, node: Node) -> dict[str, str]:
    entries = known(page, mapping(page, node, "a mapping of promises").entries, PROMISES, "promise")
    return _texts(page, entries, "what is promised")


def _parameters(page: Page, node: Node) -> dict[str, str]:
    entries = mapping(page, node, "a mapping of names and values").entries
    for name, entry in entries.items():
        if not NAME.fullmatch(name):
            page.note(page.mistake(entry.key, f"{quoted(name)} is not a name", "letters, digits, - and _"))
        elif name in PLACEHOLDERS:
            page.note(page.mistake(entry.key, f"{quoted(name)} is taken: sockcheck fills in {{{name}}}", "rename it"))
        elif name in RESERVED:
            page.note(page.mistake(entry.key, f"{quoted(name)} is taken: it is {RESERVED[name]}", "rename it"))
    return _texts(page, entries, "a value")


def _texts(page: Page, entries: dict[str, Entry], wanted: str) -> dict[str, str]:
    """The values as they are written. One that is no text is noted and left empty, so that its name stays known."""
    found = {name: page.attempt(scalar, page, entry.value, wanted) for name, entry in entries.items()}
    return {name: value.value if value is not None else "" for name, value in found.items()}


def _target(page: Page, node: Node) -> str:
    target = mapping(page, node, "a mapping with 'command'")
    entries = known(page, target.entries, TARGET_KEYS)
    if "command" not in entries:
        raise page.mistake(place_of(target), "'command', which starts the server, is missing")
    value = entries["command"].value
    command = line(page, value, "a command line")
    try:
        shlex.split(command)
    except ValueError as error:
        raise page.mistake(value, f"the command line cannot be split into words: {str(error).lower()}") from None
    return command


def _timeouts(page: Page, node: Node) -> Timeouts:
    entries = known(page, mapping(page, node, "a mapping of deadlines").entries, TIMEOUTS, "timeout")
    found = {name: page.attempt(fixed_duration, page, entry.value) for name, entry in entries.items()}
    return replace(Timeouts(), **{name: seconds for name, seconds in found.items() if seconds is not None})
