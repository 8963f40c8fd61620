"""Each example of the language judges: a server that does as it says passes, and one that does not is found out.

That the examples of docs/language.md come to what they say is tested with the pages. Here each is turned round: one
that passes is tried on a server that breaks what it is about, and one that fails on a server for which it is right.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from command_line import sockcheck
from doc_pages import Block, blocks, example
from tools import CHECKOUT

from sockcheck.events import CaseFinished, CaseStarted
from sockcheck.recording import read

PAGE = CHECKOUT / "docs" / "language.md"
FAULTY = CHECKOUT / "tests" / "zoo" / "faulty.py"
TUTORIAL = CHECKOUT / "tests" / "zoo" / "tutorial"

# Where a server closes with something unread, or with something on its way to it, either may come of it.
CLOSED = {"missing-bytes", "reset"}
# Replies that come to somebody else, whose connection may be closed by then.
MIXED = {"silence", "wrong-bytes", "surplus-bytes", *CLOSED}
NOTHING: set[str] = set()

# For each example, by its title: a server, and the kinds of finding that it comes to there. A server is a word of
# tests/zoo/faulty.py, a reference server, or a tutorial's.
TURNED_ROUND: Mapping[str, tuple[str, set[str]]] = {
    "A line comes back": ("one-recv", CLOSED),
    "A line is answered": ("sockcheck.servers.echo", {"silence"}),
    "What is stored can be read again": ("sockcheck.servers.echo", {"wrong-bytes"}),
    "A client with a small window": ("wrong", {"wrong-bytes"}),
    "A client from another address of the loopback network": ("stranger", CLOSED),
    "Two lines in one send are two lines": ("ok_prefix.py", {"wrong-bytes"}),
    "A message arrives byte by byte, and one in four pieces": ("one-recv", CLOSED),
    "A slow sender": ("impatient", CLOSED),
    "A megabyte is taken and given back": ("limited", CLOSED),
    "A client that never reads costs the other nothing": ("one-client", {"silence"}),
    "The reply comes soon": ("slow", {"silence"}),
    "The reply does not come at once": ("slow", NOTHING),
    "After our end of stream the server ends too": ("stays", {"silence"}),
    "The server does not speak first": ("speaks", {"surplus-bytes"}),
    "A half-close with nothing before it": ("resets", {"reset"}),
    "A client leaves after its reply": ("more", {"surplus-bytes"}),
    "A client leaves in the middle of its reply": ("wrong", {"wrong-bytes"}),
    "A client vanishes after connecting": ("dies", {"exited"}),
    "Data that have been read, then the end of stream by itself": ("resets", {"reset"}),
    "A reply is left unread until the server can send no more of it": ("wrong", {"wrong-bytes"}),
    "Nothing more comes of a message when the server has nothing more to do": ("more", {"surplus-bytes"}),
    "SIGTERM to all processes ends the server": ("deaf", {"no-exit"}),
    "A client that has left costs no CPU": ("spins", {"spinning"}),
    "A client waits while there is no descriptor for it": ("none", {"exited", *CLOSED}),
    "A second server says that the address is taken, and the first serves on": ("shares", {"no-exit"}),
    "Two clients take turns": ("others", MIXED),
    "All are connected before the first of them sends": ("others", MIXED),
    "A reply that is read late": ("five", {"silence"}),
    "Ten small replies, one after the other": ("one-recv", CLOSED),
    "A greeting and an answer, byte by byte as they must be": ("welcome", {"wrong-bytes"}),
    "The answer is not the one that was expected": ("welcome", NOTHING),
    "A date comes back in some form": ("newlines", {"wrong-bytes"}),
    "A header block has a length and a type": ("wrong", {"wrong-bytes"}),
    "Five bytes with this digest, then six of any kind": ("wrong", {"wrong-bytes"}),
    "A reply of several lines, as SMTP has them": ("newlines", {"wrong-bytes"}),
    "A frame comes back in reverse": ("sockcheck.servers.echo", {"wrong-bytes"}),
    "Two lines in any order": ("wrong", {"wrong-bytes"}),
    "One answer or the other": ("errors", {"wrong-bytes"}),
    "No error comes, but something else does": ("errors", {"came"}),
    "What must not come comes": ("mute", NOTHING),
    "Numbers, frames and other bytes come back": ("wrong", {"wrong-bytes"}),
    "A mail as SMTP sends it": ("newlines", {"wrong-bytes"}),
    "Eight kilobytes of lines, and a kilobyte of noise": ("limited", CLOSED),
    "Clients that say nothing cost the others nothing": ("one-client", {"silence"}),
    "Ann hears no more than she wants to": ("sockcheck.servers.reply", {"wrong-bytes"}),
    "Data and the end of the stream are there before the connection is accepted": ("stays", {"silence"}),
    "SIGTERM ends an idle server, and it can be started again": ("deaf", {"no-exit"}),
    "A restart ends the connections, and clients can come back": ("no-reuse", {"no-start"}),
    "After a crash with a client connected the server starts at the same address": ("no-reuse", {"no-start"}),
    "Three wait in the queue, and every one of them is served": ("short-queue", {"no-connection"}),
    "What three clients used is given back when they have left": ("keeps", {"wrong-measure"}),
    "A number that the server tells is sent back to it": ("wrong", {"wrong-bytes"}),
    "No size is special": ("limited", CLOSED),
    "Letters come back in capitals": ("capitals", {"not-known-to-fail"}),
    "It was mended, and the file still says that it fails": ("mute", {"silence"}),
    "More comes than was expected": ("five", NOTHING),
    # Those that belong to a contract, or to a server of their own.
    "The server is reached at another address of this machine, too": ("none", {"refused"}),
    "A file is handed out on a connection of its own": ("speaks", {"wrong-bytes"}),
    "Who comes in is welcome, whatever the others say": ("sockcheck.servers.reply", {"wrong-bytes"}),
    "The world is greeted, and there is a pause": ("more", {"surplus-bytes"}),
}

# Examples that cannot be turned round, and why.
AS_THEY_ARE = {
    "Nobody is there": "a server that is there refuses nobody; DRAINED below does",
    "Two requests before the first reply": "what its contract does not promise is not run",
    "Nothing here is right": "it has mistakes",
}

DRAINED = """
scenario: SIGTERM lets the request in flight finish
server:
  - wait-for: in-flight
  - signal: TERM
  - check: {listening: no}
    within: 5s
  - mark: told
  - exits: {status: 0, within: 5s}
clients:
  busy: [connect, send: "par", await: read, mark: in-flight, expect: "par", wait-for: closed, send: "tial\\n",
         expect: "tial\\n", shutdown: write, end: any]
  late: [wait-for: told, connect: refused, mark: closed]
"""
IDLE = """
scenario: An idle connection is closed after the promised time, not before
client:
  - connect
  - end: eof
    after: 300ms
    within: 5s
"""
RUDE = """
scenario: A client that resets in mid-reply costs only itself
payloads:
  big: {random: 8MiB, seed: 7}
clients:
  rude:
    - connect: {receive-buffer: 4KiB}
    - send: {payload: big}
      read: no
      until: blocked
    - reset
    - mark: gone
  polite:
    - wait-for: gone
    - connect
    - send: "still there?\\n"
    - expect: "still there?\\n"
"""
KV = "sockcheck.servers.kv"

# A scenario, a server, and the kinds of finding that it comes to there.
OTHERS = [
    (DRAINED, "drains", NOTHING),
    (DRAINED, "none", {"reset", "missing-bytes", "wrong-exit"}),
    (DRAINED, "deaf", {"wrong-measure"}),
    (IDLE, f"{KV} --idle 300ms", NOTHING),
    (IDLE, f"{KV} --idle 100ms", {"too-early"}),
    (IDLE, f"{KV} --idle 30s", {"silence"}),
    (RUDE, "none", NOTHING),
    (RUDE, "dies", {"exited", "missing-bytes", "refused", "reset"}),
]


def title(text: str) -> str:
    found = re.search("^scenario: (.*)$", text, re.MULTILINE)
    assert found is not None, text
    return found[1]


def shown() -> dict[str, Block]:
    """All scenarios of the page, by their titles."""
    found = [block for block in blocks(PAGE) if re.search("^scenario:", block.text, re.MULTILINE)]
    titles = {title(block.text): block for block in found}
    assert len(titles) == len(found), "two examples have one title"
    return titles


def command(server: str) -> list[str]:
    if server.startswith("sockcheck."):
        name, *options = server.split()
        return [sys.executable, "-m", name, "{host}", "{port}", *options]
    if server.endswith(".py"):
        return [sys.executable, str(TUTORIAL / server), "{host}", "{port}"]
    return [sys.executable, "-S", str(FAULTY), "{host}", "{port}", server]


def findings(texts: Mapping[str, str], server: str, folder: Path) -> dict[str, set[str]]:
    """Run scenarios, by title, against a server; the kinds of all findings of each."""
    scenarios = folder / "examples"
    scenarios.mkdir()
    contract = "contract: examples\npromises: {half-close: yes}\nparameters: {name: World, pause: 100ms}\n"
    (scenarios / "contract.yaml").write_text(contract)
    for number, text in enumerate(texts.values()):
        (scenarios / f"example-{number}.sock.yaml").write_text(text)
    record = folder / "run.jsonl"
    ran = sockcheck("run", scenarios, "--conditions", "none", "--record", record, "--", *command(server))
    assert ran.code in (0, 1), ran.everything
    titles: dict[int, str] = {}
    found: dict[str, set[str]] = {}
    for event in read(record):
        if isinstance(event, CaseStarted):
            titles[event.attempt] = event.case.title
        elif isinstance(event, CaseFinished):
            verdict = event.verdict
            assert verdict.outcome != "error", ran.everything
            found.setdefault(titles[event.attempt], set()).update(finding.kind for finding in verdict.findings)
    assert set(found) == set(texts), ran.everything
    return found


def test_each_example_is_turned_round() -> None:
    assert {*TURNED_ROUND, *AS_THEY_ARE} == set(shown())
    assert not TURNED_ROUND.keys() & AS_THEY_ARE.keys()


def test_only_what_passes_where_it_should_fails_elsewhere() -> None:
    fails = {title(found.block.text) for found in map(example, blocks(PAGE)) if found and found.kind}
    right = {name for name, (_, kinds) in TURNED_ROUND.items() if not kinds}
    known = {"Letters come back in capitals", "It was mended, and the file still says that it fails"}
    assert right | known == fails - AS_THEY_ARE.keys()


@pytest.mark.parametrize("server", sorted({server for server, _ in TURNED_ROUND.values()}))
def test_an_example_finds_out_who_does_not_do_as_it_says(server: str, tmp_path: Path) -> None:
    examples = shown()
    rows = {name: kinds for name, (broken, kinds) in TURNED_ROUND.items() if broken == server}
    found = findings({name: examples[name].text for name in rows}, server, tmp_path)
    assert {name: kinds for name, kinds in found.items() if not kinds <= rows[name]} == {}
    assert {name for name, kinds in rows.items() if kinds and not found[name]} == set()


@pytest.mark.parametrize(("text", "server", "kinds"), OTHERS, ids=[f"{title(row[0])}-{row[1]}" for row in OTHERS])
def test_what_else_the_language_can_say(text: str, server: str, kinds: set[str], tmp_path: Path) -> None:
    found = findings({title(text): text}, server, tmp_path)[title(text)]
    assert found <= kinds
    assert bool(found) == bool(kinds)
