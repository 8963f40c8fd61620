"""What a case comes to after several attempts: when to try it again, and on what, and when that is enough.

Hard evidence is what no busy machine can make: the server died, other bytes came, it reset where it should end in
order. It counts at first sight. Soft evidence is that something did not happen in time: it counts only when it repeats
on a fresh server. What does not repeat there may come of what the server went through before, so that is tried next.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace

from sockcheck.verdict import Finding, Kind, Verdict

SOFT: frozenset[Kind] = frozenset(
    {
        "silence",
        "no-connection",
        "stalled",
        "deaf",
        "no-exit",
        "no-start",
        "wrong-measure",
        "spinning",
        "leaking",
        "held-back",
        "case-timeout",
    }
)

# How often a case is tried on a machine that is too busy to judge.
_BUSY_TRIES = 3
# How many replays may be spent on finding what a failure comes of. Soft ones each wait for a deadline.
_SEARCH, _SOFT_SEARCH = 12, 5


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at the case, and how many other cases the same server had served before it.

    `shared`: together with others, so that only a pass of it counts.
    """

    verdict: Verdict
    predecessors: int = 0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Alone:
    """Perform the case again on a server that has served nothing before. `exclusive`: with nothing else running.

    `outside`: on one that has no network of its own.
    """

    exclusive: bool = False
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Replay:
    """On a fresh server perform these predecessors of the first attempt, by position, and then the case."""

    predecessors: Sequence[int]


Move = Alone | Replay


@dataclass(frozen=True, slots=True)
class Judged:
    """What all the attempts come to. `after`: the predecessors, by position, without which the case does not fail.

    `needs_outside`: it does not pass in a network of the server's own, and does without.
    """

    verdict: Verdict
    after: tuple[int, ...] = ()
    needs_outside: bool = False


Weighing = Generator[Move, Attempt, Judged]
"""It asks for attempts and is sent them, and returns what they come to."""


def is_hard(findings: Iterable[Finding]) -> bool:
    """Whether they count at first sight."""
    return any(finding.kind not in SOFT for finding in findings)


def weigh(first: Attempt, *, replaceable: bool, suspects: Sequence[int] = (), isolated: bool = False) -> Weighing:
    """What `first`, and whatever more is needed, comes to.

    `replaceable`: whether there can be a fresh server. Where there cannot, the case is tried again on the same.
    `suspects` are predecessors, by position, after which other cases failed: they are tried first. `isolated`: the
    server had a network of its own, so that it may have failed for want of another.
    """
    judged = yield from _weigh(first, replaceable, suspects)
    if isolated and judged.verdict.outcome in ("fail", "flaky") and (yield from _passes_outside_only()):
        return Judged(Verdict("pass"), needs_outside=True)
    return judged


def _passes_outside_only() -> Generator[Move, Attempt, bool]:
    """Whether it passes outside, fails inside, and passes outside once more: chance would not alternate like that."""
    for outside in (True, False, True):
        attempt = yield Alone(outside=outside)
        if attempt.verdict.outcome != ("pass" if outside else "fail"):
            return False
    return True


def _weigh(first: Attempt, replaceable: bool, suspects: Sequence[int]) -> Weighing:
    tally = _Tally()
    attempt = tally.count(first)
    if first.shared and attempt.verdict.outcome not in ("pass", "skip"):
        tally.forget()
        hard = attempt.verdict.outcome == "fail" and is_hard(attempt.verdict.findings)
        attempt = tally.count((yield Alone()))
        if hard and attempt.verdict.outcome == "pass":
            # It may have been lucky: what fails by chance passes now and then.
            attempt = tally.count((yield Alone()))
    attempt = yield from _undisturbed(attempt, tally)
    verdict = attempt.verdict
    predecessors = attempt.predecessors if replaceable else 0
    if verdict.outcome != "fail" or (is_hard(verdict.findings) and not predecessors):
        return Judged(verdict)

    again = (yield from _undisturbed(tally.count((yield Alone())), tally)).verdict
    if again.outcome == "fail":
        return Judged(verdict if is_hard(verdict.findings) and not is_hard(again.findings) else again)
    if again.outcome == "pass":
        if predecessors:
            budget = _SEARCH if is_hard(verdict.findings) else _SOFT_SEARCH
            found = yield from _search(predecessors, suspects, budget, tally)
            if found is not None:
                return found
        else:
            yield from _undisturbed(tally.count((yield Alone())), tally)
    if is_hard(verdict.findings):
        return Judged(replace(verdict, reason=tally.text()))
    if again.outcome == "pass":
        return Judged(replace(verdict, outcome="flaky", reason=tally.text()))
    if again.outcome == "skip":
        return Judged(again)
    return Judged(replace(again, findings=verdict.findings))


def cut_short(verdicts: Sequence[Verdict], why: str) -> Verdict:
    """What the attempts so far come to, at least one, when no more can be made, and `why`."""
    last = verdicts[-1]
    for verdict in verdicts:
        if verdict.outcome == "fail":
            if is_hard(verdict.findings):
                return verdict
            return Verdict("error", verdict.findings, f"it failed once, and could not be tried again: {why}")
    return last


class _Tally:
    """How many of the attempts failed."""

    def __init__(self) -> None:
        self._failed = self._all = 0

    def count(self, attempt: Attempt) -> Attempt:
        if attempt.verdict.outcome in ("pass", "fail"):
            self._all += 1
            self._failed += attempt.verdict.outcome == "fail"
        return attempt

    def forget(self) -> None:
        self._failed = self._all = 0

    def text(self) -> str:
        return f"it failed in {self._failed} of {self._all} attempts"


def _undisturbed(attempt: Attempt, tally: _Tally) -> Generator[Move, Attempt, Attempt]:
    """An attempt that the machine was not too busy for, if there is one."""
    tries = 1
    while attempt.verdict.outcome == "busy" and tries < _BUSY_TRIES:
        attempt = tally.count((yield Alone(exclusive=True)))
        tries += 1
    return attempt


def _search(
    predecessors: int, suspects: Sequence[int], budget: int, tally: _Tally
) -> Generator[Move, Attempt, Judged | None]:
    """Which of the predecessors it takes for the case to fail; None where it does not fail after all of them.

    Where the suspects are not enough, the whole sequence is shortened from its beginning: by the last predecessor alone
    first, then by halves. Then the first of what is left is tried alone, since all that it takes may be one of them and
    time. What is found so has to fail once more, or it is luck.
    """
    failing: dict[tuple[int, ...], Verdict] = {}

    def fails(chosen: tuple[int, ...]) -> Generator[Move, Attempt, bool]:
        nonlocal budget
        budget -= 1
        verdict = tally.count((yield Replay(chosen))).verdict
        if verdict.outcome == "fail":
            failing[chosen] = verdict
        return verdict.outcome == "fail"

    everything = tuple(range(predecessors))
    found = tuple(suspects)
    if found and (yield from fails(found)):
        return Judged(failing[found], found)
    if not (yield from fails(everything)):
        return None
    enough, too_few = predecessors, 0
    tried = 1
    while enough - too_few > 1 and budget > 1:
        if (yield from fails(everything[-tried:])):
            enough = tried
        else:
            too_few = tried
        tried = (enough + too_few) // 2
    found = everything[-enough:]
    if enough > 1 and budget > 1 and (yield from fails(found[:1])):
        found = found[:1]
    if (yield from fails(found)):
        return Judged(failing[found], found)
    return None
