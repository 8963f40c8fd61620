"""A run of many cases, in several contracts, in which every kind of finding occurs again and again."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import get_args

from report_builder import LAWS, Stream, case

from sockcheck.case import Case
from sockcheck.client_events import (
    DeadlinePassed,
)
from sockcheck.events import (
    Event,
    Figures,
    HealthRead,
)
from sockcheck.verdict import Difference, Kind

CONTRACTS = ("echo", "kv", "frames", "chat")
KINDS: tuple[Kind, ...] = get_args(Kind)
_SCENARIOS = 75
_SERVED = 50


def many(number: int, failing: int = 3) -> list[Event]:
    """So many cases in 300 scenarios. One of `failing` fails, and has segments, output and the server's figures."""
    run = Stream().start(total=number)
    events: list[Event] = []
    for position in range(number):
        if position % _SERVED == 0:
            run.serve().output(b"listening\n")
        # What a stream is asked for is looked up in all of its events.
        events += run.events
        run.events = []
        random = Random(position)
        run.begin(_case(position)).connect()
        for segment in range(12):
            run.sent(segment, 1).received(random.randbytes(1))
        run.output(f"request {position} of 127.0.0.1:{40000 + position % 20000}\n".encode())
        fails = position % failing == 0
        if fails:
            run.add(DeadlinePassed(run.after(2000), run.attempt, "client", 2, 0))
        figures = Figures(7 + position % _SERVED, 1, 0, 0.01 * (position % _SERVED), 0.0)
        run.add(HealthRead(run.after(0.04), run.attempt, True, True, "", figures))
        if fails:
            _fail(run, position // failing, random)
        else:
            run.verdict()
    return events + run.finish()


def _case(position: int) -> Case:
    scenario = f"scenario-{position % _SCENARIOS}"
    contract = CONTRACTS[position // _SCENARIOS % len(CONTRACTS)]
    law = tuple(LAWS)[position // 7 % len(LAWS)]
    made = case(scenario, law=law, title=f"The server does what it should, {position % _SCENARIOS}")
    return replace(made, id=f"{contract}/{scenario}::{law}({position})", contract=contract, variation=str(position))


def _fail(run: Stream, position: int, random: Random) -> None:
    kind = KINDS[position % len(KINDS)]
    same = random.randbytes(position % 30)
    difference = Difference(len(same), 0, same + b"expected", same + b"other")
    message = f"this is what {kind} looks like, {position}"
    run.verdict("flaky" if position % 33 == 0 else "fail", run.finding(kind, message=message, difference=difference))
