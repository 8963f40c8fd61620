"""`sockcheck doctor`: what can be cut, seen, paused and isolated here, and why not."""

from __future__ import annotations

import argparse
import dataclasses
import json

import trio

from sockcheck.addresses import parse as parse_address
from sockcheck.commands.outputs import coloured, say, width
from sockcheck.doctor import examine
from sockcheck.errors import UsageError
from sockcheck.run import UNAVAILABLE, Server
from sockcheck.target import Command
from sockcheck_reports import diagnosis

_READY = 10.0


def doctor(options: argparse.Namespace) -> int:
    """Try everything and tell it; 0 whatever is lacking, 3 where the server that is named cannot be had."""
    found = trio.run(examine, _server(options), strict_exception_groups=True)
    if options.json:
        print(json.dumps(dataclasses.asdict(found), indent=2))
    else:
        say(diagnosis.render(found, width=width(), colour=coloured(options)))
    lost = any(each.id == "given-start" and each.state == "no" for each in found.techniques)
    return UNAVAILABLE if lost else 0


def _server(options: argparse.Namespace) -> Server | None:
    if options.connect is None:
        return Command(options.command, {}, None, _READY) if options.command else None
    if options.command:
        raise UsageError("both --connect and a command were given", "give one of them")
    return parse_address(options.connect)
