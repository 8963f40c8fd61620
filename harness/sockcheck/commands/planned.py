"""What a run as a whole tries, and the share of it that `--shard` asks for."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from sockcheck import __version__
from sockcheck.events import Plan, PlannedServer, Share
from sockcheck.place import Server
from sockcheck.queues import Item
from sockcheck.sharding import shard_of, stem
from sockcheck.suite import CONTRACT
from sockcheck.target import Command

# What bears on which cases there are and what they come to, by the name that argparse gives it, and its default.
_BEARING: Mapping[str, object] = {
    "select": [],
    "conditions": None,
    "strict": False,
    "exhaustive": False,
    "repeat": 1,
    "fail_fast": False,
    "flaky": "fail",
    "stretch": 1.0,
    "timeout": None,
    "no_observe": False,
    "seed": 0,
    "port": None,
    "isolate": None,
}


def read_for(items: Sequence[Item], sources: Mapping[str, str]) -> dict[str, str]:
    """The texts of the files that the items come from, their contracts among them, by path and in its order."""
    scenarios = {item.case.span.path for item in items}
    return {path: sources[path] for path in sorted(sources) if path in scenarios or PurePath(path).name == CONTRACT}


def plan_of(items: Sequence[Item], sources: Mapping[str, str], options: argparse.Namespace) -> Plan:
    """What all the items, before any are left to other shards, and `options` come to; `sources` as by `read_for`.

    Paths do not count, since they may differ from one machine to the next.
    """
    words = tuple(_words(options))
    servers = _servers(items)
    facts = [
        __version__,
        words,
        [(tested.contracts, tested.command) for tested in servers],
        sorted(hashlib.sha256(text.encode()).hexdigest() for text in sources.values()),
        sorted(item.case.id for item in items),
    ]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    return Plan(digest, words, servers)


def shared(items: list[Item], share: Share | None) -> list[Item]:
    """Those that this run performs, in their order."""
    if share is None:
        return items
    shards = shard_of([item.case for item in items], share.of)
    return [item for item in items if shards[stem(item.case)] in share.numbers]


def _words(options: argparse.Namespace) -> list[str]:
    words: list[str] = []
    for name, default in _BEARING.items():
        value = getattr(options, name)
        option = f"--{name.replace('_', '-')}"
        if value == default:
            continue
        for each in value if isinstance(value, list) else [value]:
            words.append(option if each is True else f"{option} {each}")
    return words


def _servers(items: Sequence[Item]) -> tuple[PlannedServer, ...]:
    found: list[tuple[Server, dict[str, None]]] = []
    for item in items:
        contracts = next((contracts for server, contracts in found if server == item.server), None)
        if contracts is None:
            found.append((item.server, contracts := {}))
        contracts[item.case.contract] = None
    return tuple(
        PlannedServer(tuple(contracts), server.argv if isinstance(server, Command) else (str(server),))
        for server, contracts in found
    )
