"""`sockcheck diff OLD NEW`: what has changed from one recorded run to another."""

from __future__ import annotations

import argparse
import sys

from sockcheck import recording
from sockcheck.commands.outputs import coloured, say, width
from sockcheck.errors import RecordError, UsageError
from sockcheck_reports import difference, difference_text
from sockcheck_reports.view import Folder, View


def diff(options: argparse.Namespace) -> int:
    """0 where nothing fails newly, 1 where something does; else NEW's own code where not all of it could be judged."""
    if options.old == options.new == "-":
        raise UsageError("standard input is named twice", "name one record as -, the other as a file")
    old, new = _view(options.old), _view(options.new)
    found = difference.compare(old, new)
    if options.json:
        say(difference_text.to_json(found, old, new))
    else:
        names = (options.old, options.new)
        say(difference_text.render(found, old, new, names=names, width=width(), colour=coloured(options)))
    return found.exit_code


def _view(name: str) -> View:
    """What a record comes to. What a damaged one holds before the damage is taken, and the damage told."""
    folder = Folder()
    told = 0
    try:
        for event in recording.read(name):
            folder.add(event)
            told += 1
    except RecordError as error:
        if not told:
            raise
        print(f"sockcheck: {error.message}\nhint: {error.hint}", file=sys.stderr)
    return folder.view()
