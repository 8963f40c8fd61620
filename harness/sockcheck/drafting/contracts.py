"""The contract of a server: what was seen kept, what was not, and how the server is started."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from sockcheck.drafting.writing import command_line, comment, quoted
from sockcheck.reading.contracts import PROMISES

# Programs that run another one, which is named behind their options.
_INTERPRETERS = re.compile(r"(?:python|pypy|ruby|perl|php|lua|node|nodejs|deno|bun|java|env|npx)[\d.]*|\{python\}")
_NO_NAME = re.compile(r"[^A-Za-z0-9_]+")
# The value of a promise, and the comment behind it, begin in these columns.
_COLUMN = 28

UNNAMED = "my-server"
"""What a server is called of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a promise: `kept`, with its `value`, or not, or None where it could not be tried. `why` says it."""

    promise: str
    kept: bool | None
    why: str
    value: str = "yes"


def name_of(command: Sequence[str]) -> str:
    """What the server is called that this command starts: `server` for `python src/server.py {port}`."""
    words = list(command)
    if words and _INTERPRETERS.fullmatch(_base(words[0])):
        del words[0]
        while words and words[0].startswith("-") and words[0] != "-m":
            # The program itself may follow as a text.
            if words.pop(0) in ("-c", "-e", "-r"):
                return UNNAMED
        if words[:1] == ["-m"]:
            del words[0]
            words[:1] = [f"{word.rpartition('.')[2]}.py" for word in words[:1]]
    name, dot, suffix = _base(words[0]).rpartition(".") if words else ("", "", "")
    return _NO_NAME.sub("-", name or f"{dot}{suffix}").strip("-") or UNNAMED


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def contract(name: str, server: str, command: Sequence[str], tried: Sequence[Tried], *, pushes: bool) -> str:
    """The text of a contract.yaml. `server` names it in a sentence; `command` starts it, empty where nothing does."""
    kept = [each for each in tried if each.kept]
    lines = [
        "# Drafted by `sockcheck init`, which saw each of these promises kept, several times. It is yours to edit:",
        "# promise what the server is meant to keep, and the scenarios that need it are run.",
        f"contract: {quoted(name)}",
        f"about: {quoted(f'What {server} promises, as far as it was seen.')}",
        "transport: tcp",
        "promises:" if kept else "promises: {}",
    ]
    lines += [_beside(f"  {each.promise}: {each.value}", each.why) for each in kept]
    for each in tried:
        if not each.kept:
            lines.append(
                _beside(f"  # {each.promise}:", f"{'not tried' if each.kept is None else 'not seen'}: {each.why}")
            )
    never = [promise for promise in PROMISES if promise not in {each.promise for each in tried}]
    lines += wrap(
        f"`sockcheck init` does not try {', '.join(never)}.", 100, initial_indent="  # ", subsequent_indent="  # "
    )
    if pushes:
        lines.append(_beside("pushes: yes", "clients are sent more than they ask for"))
    if command:
        lines += ["target:", f"  command: {quoted(command_line(command))}"]
    return "\n".join(lines) + "\n"


def _beside(text: str, why: str) -> str:
    return f"{text:<{_COLUMN}} # {comment(why)}"


STARTING_CONTRACT = """\
# A starting point by `sockcheck init`: a contract says what a server promises. Every line is yours to edit.
contract: {name}
about: Every byte that is received is sent back, to many clients at once.
transport: tcp
promises:                  # a scenario that `needs` a promise that is not made is skipped
  clients: 64              # so many at once, and none waits for another
  half-close: yes          # after the client's end of stream the answer still comes, whole
  orderly-close: yes       # connections end by b'', not by a reset
  survives-reset: yes      # a client that vanishes costs the others nothing
  # pipelining: yes        # requests may come before the answers to earlier ones are read
  # prompt: yes            # small answers come at once
  # restart: yes           # stopped, it can be started again at once on the same address
  # backlog: 5             # so many clients may wait in the accept queue
  # stops-on-sigterm: 2s   # SIGTERM ends it in this time
target:
  # How your server is started: `sockcheck run` fills in {{host}}, {{port}}, {{dir}} and {{python}}. For now it is a
  # reference server that comes with sockcheck.
  command: "{{python}} -m sockcheck.servers.echo {{host}} {{port}}"
"""

STARTING_SCENARIO = """\
# A starting point by `sockcheck init`: a scenario says what a client does and what must come back.
scenario: A line comes back, and the connection ends in order
law: end.half              # what a failure is about; without this line: plain
needs: half-close          # skipped where the contract does not promise it
client:
  - connect
  - send: "hello world\\n"
    cut: [5, 6]            # three segments; each is read by the server before the next is sent
  - expect: "hello world\\n"
    within: 1s
  - shutdown: write        # our end of stream; we go on reading
  - end: eof               # the server ends in order: recv() returns b''
hint: >-
  One recv() is not one message: read until the line is whole. When recv() returns b'', send what is left, then close.
"""


def starting_contract(name: str) -> str:
    """A contract to begin with, where there is no server yet. It holds with the server that it names."""
    return STARTING_CONTRACT.format(name=quoted(name))
