"""Sharing out the cases of a run, so that several machines do it together.

Which case is in which shard follows from the cases alone. All cases of one scenario, with one row of its matrix, stay
together: what the plain one comes to decides whether the others are tried, and some that fail decide for others of
their law. So do the laws about the server as a whole, which are tried with one scenario of a contract.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sockcheck.case import Case
from sockcheck.errors import UsageError
from sockcheck.events import Share
from sockcheck.idling import effort

MOST = 1000
_FORM = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


def parse(text: str) -> Share:
    """What `--shard` says: `2/5` is the second of five. Raises UsageError."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise UsageError(f"--shard: {text!r} is no share", "write 2/5 for the second of five")
    number, of = int(form[1]), int(form[2])
    if not 1 <= of <= MOST:
        raise UsageError(f"--shard: a run is shared out among 1 to {MOST} shards, not {of}", "write 2/5")
    if not 1 <= number <= of:
        raise UsageError(f"--shard: there is no shard {number} of {of}", f"they are 1/{of} to {of}/{of}")
    return Share((number,), of)


def stem(case: Case) -> str:
    """The scenario that it is a case of, with its row of the matrix: `echo/greets[size=1023]`."""
    return case.id.partition("::")[0]


def shard_of(cases: Sequence[Case], of: int) -> dict[str, int]:
    """In which of so many shards the cases of each scenario are, by its `stem`; all about as much work.

    The same cases give the same shards, wherever and in whatever order.
    """
    work: dict[str, float] = {}
    for case in cases:
        work[stem(case)] = work.get(stem(case), 0.0) + effort(case)
    loads = [0.0] * of
    found: dict[str, int] = {}
    # The largest first, each to whoever has the least: no shard has then a third more than it need have.
    for name in sorted(work, key=lambda name: (-round(work[name], 6), name)):
        least = min(range(of), key=lambda shard: (round(loads[shard], 6), shard))
        loads[least] += work[name]
        found[name] = least + 1
    return found


def missing(share: Share | None) -> tuple[int, ...]:
    """The shards that are not there."""
    return () if share is None else tuple(number for number in range(1, share.of + 1) if number not in share.numbers)
