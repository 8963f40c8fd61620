"""`sockcheck doctor`: what can be cut, seen, paused and isolated here, and why not."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys

import trio

from sockcheck.addresses import parse as parse_address
from sockcheck.commands import actions
from sockcheck.commands.outputs import coloured, say, width
from sockcheck.diagnosis import Diagnosis
from sockcheck.doctor import examine
from sockcheck.errors import UsageError
from sockcheck.exit_codes import INTERRUPTED, UNAVAILABLE
from sockcheck.place import Server
from sockcheck.target import Command
from sockcheck_reports import diagnosis

_READY = 10.0


def doctor(options: argparse.Namespace) -> int:
    """Try everything and tell it; 0 whatever is lacking, 3 where the server that is named cannot be had.

    SIGINT and SIGTERM end it early: nothing is told then, and no server is left running.
    """
    found = trio.run(_examined, _server(options), strict_exception_groups=True)
    if found is None:
        return INTERRUPTED
    if options.json:
        print(json.dumps(dataclasses.asdict(found), indent=2))
    else:
        with actions.fenced(options, sys.stdout):
            say(diagnosis.render(found, width=width(), colour=coloured(options)))
    lost = any(each.id == "given-start" and each.state == "no" for each in found.techniques)
    return UNAVAILABLE if lost else 0


async def _examined(server: Server | None) -> Diagnosis | None:
    """None where a signal ended it."""
    found = None
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as work:
            await nursery.start(_watch_signals, work)
            found = await examine(server)
        nursery.cancel_scope.cancel()
    return found


async def _watch_signals(
    scope: trio.CancelScope, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()


def _server(options: argparse.Namespace) -> Server | None:
    if options.connect is None:
        return Command(options.command, {}, None, _READY) if options.command else None
    if options.command:
        raise UsageError("both --connect and a command were given", "give one of them")
    return parse_address(options.connect)
