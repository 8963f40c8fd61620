"""`sockcheck list`: what a run would have, and what of it would not run. Nothing is started, and trio is not loaded."""

from __future__ import annotations

import argparse
import json

from sockcheck.addresses import parse as parse_address
from sockcheck.case import Capabilities
from sockcheck.commands.outputs import width
from sockcheck.planning import plan
from sockcheck.selection import nothing_selected, selected
from sockcheck.suite import load
from sockcheck_reports import listing


def list_cases(options: argparse.Namespace) -> int:
    """Print them; 0. UsageError and MistakesError for what cannot be read or chosen."""
    if options.connect is not None:
        parse_address(options.connect)
    capabilities = Capabilities(started=options.connect is None, observable=True)
    planned = [
        (scenario, plan(scenario, seed=0, capabilities=capabilities)) for scenario in load(options.paths).scenarios
    ]
    chosen = [
        (scenario, tuple(case for case in cases if selected(case.id, options.select))) for scenario, cases in planned
    ]
    rows = [(scenario, cases) for scenario, cases in chosen if cases]
    if not rows:
        raise nothing_selected(options.select, [case.id for _, cases in planned for case in cases])
    if options.cases:
        print("".join(f"{case.id}\n" for _, cases in rows for case in cases), end="")
    elif options.json:
        print(json.dumps(listing.data(rows), indent=2))
    else:
        print(listing.render(rows, width=width()), end="")
    return 0
