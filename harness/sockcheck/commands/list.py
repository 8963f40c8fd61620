"""`sockcheck list`: what a run would have, and what of it would not run. Nothing is started, and trio is not loaded."""

from __future__ import annotations

import argparse
import json

from sockcheck.addresses import parse as parse_address
from sockcheck.case import Capabilities, Case
from sockcheck.commands.outputs import uncollected, width
from sockcheck.deriving import NotDerived, Planned, Wish, conditions_of, derive
from sockcheck.scenario import Scenario
from sockcheck.selection import nothing_selected, selected
from sockcheck.suite import load
from sockcheck_reports import listing


def list_cases(options: argparse.Namespace) -> int:
    """Print them; 0. UsageError and MistakesError for what cannot be read or chosen."""
    if options.connect is not None:
        parse_address(options.connect)
    capabilities = Capabilities(started=options.connect is None, observable=True)
    conditions = None if options.conditions is None else conditions_of(options.conditions)
    wish = Wish(seed=options.seed, conditions=conditions, capabilities=capabilities)
    rows: dict[str, tuple[Scenario, list[Case]]] = {}
    everything: list[str] = []
    lines: list[str] = []
    for planned in uncollected(derive(load(options.paths).scenarios, wish)):
        if isinstance(planned, NotDerived):
            identifier, why = f"{planned.stem}::{planned.law}", planned.why
        else:
            identifier, why = planned.case.id, planned.case.skip
            everything.append(identifier)
        if selected(identifier, options.select):
            lines.append(f"# {identifier}: not run: {why}" if why else identifier)
            if isinstance(planned, Planned):
                rows.setdefault(planned.scenario.span.path, (planned.scenario, []))[1].append(planned.case)
    if not rows:
        raise nothing_selected(options.select, everything)
    listed = [(scenario, tuple(cases)) for scenario, cases in rows.values()]
    if options.cases:
        print("".join(f"{line}\n" for line in lines), end="")
    elif options.json:
        print(json.dumps(listing.data(listed), indent=2))
    else:
        print(listing.render(listed, width=width()), end="")
    return 0
