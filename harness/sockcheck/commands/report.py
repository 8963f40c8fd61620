"""`sockcheck report RECORD`: the reports of a run that was recorded."""

from __future__ import annotations

import argparse
import sys

from sockcheck import recording
from sockcheck.commands.outputs import check_writable, write_reports
from sockcheck.errors import RecordError
from sockcheck.events import RunFinished
from sockcheck_reports.view import Folder

_NOT_WHOLE = 4


def report(options: argparse.Namespace) -> int:
    """The exit code of the recorded run; 4 where the record ends before the run did.

    What a damaged record holds before the damage is reported, then the damage is told.
    """
    check_writable(junit=options.junit, html=options.html)
    folder = Folder()
    code = _NOT_WHOLE
    damage: RecordError | None = None
    told = 0
    try:
        for event in recording.read(options.record):
            folder.add(event)
            told += 1
            if isinstance(event, RunFinished):
                code = event.exit_code
    except RecordError as error:
        if not told:
            raise
        damage, code = error, _NOT_WHOLE
    write_reports(folder.view(), options, [])
    if damage is not None:
        print(f"sockcheck: {damage.message}\nhint: {damage.hint}", file=sys.stderr)
    return code
