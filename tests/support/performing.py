"""Performing a case of one's own against a real server, inside a test."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import trio
from tools import CHECKOUT, cc, node

from sockcheck.case import Action, Actor, Case
from sockcheck.events import AttemptEvent, CaseStarted, Event
from sockcheck.facts import Facts
from sockcheck.forms import (
    Span,
)
from sockcheck.place import Server
from sockcheck.queues import Item
from sockcheck.run import Options, Run
from sockcheck.target import Command

HERE = Span("here.sock.yaml", 1, 1, 2)
GOOD = CHECKOUT / "tests" / "zoo" / "good"


def case(*actions: Action, name: str = "case", deadline: float = 60.0) -> Case:
    """A case with one client."""
    return Case(f"test/{name}::plain", "test", name, name, "plain", "", (Actor("client", actions),), deadline, HERE)


def command(*words: str) -> Command:
    return Command(words, {}, None, ready=30.0)


def perform(cases: Sequence[Case], server: Server, *, observe: bool = True) -> list[Event]:
    """Run the cases, one after the other; all events of the first attempt at each, but those of the server."""
    events: list[Event] = []
    facts = Facts([events.append])
    items = [Item(case, server) for case in cases]
    trio.run(Run(items, Options(jobs=1, observe=observe), facts, time.monotonic()).execute)
    first = {event.attempt for event in events if isinstance(event, CaseStarted) and event.role == "first"}
    return [event for event in events if isinstance(event, AttemptEvent) and event.attempt in first]


def counting_server(language: str, folder: Path) -> Command:
    """A server that answers each recv() with the number of bytes that it returned, as four bytes."""
    source = GOOD / f"recvcount.{language}"
    if language == "py":
        return command("{python}", str(source), "{host}", "{port}")
    if language == "js":
        return command(node(), str(source), "{host}", "{port}")
    return command(compiled(source, folder), "{host}", "{port}")


def compiled(source: Path, folder: Path, *options: str) -> str:
    """The path of the program that a C source makes."""
    import subprocess

    program = folder / source.stem
    subprocess.run([*cc(), "-O1", "-Wall", *options, "-o", str(program), str(source)], check=True, capture_output=True)
    return str(program)
