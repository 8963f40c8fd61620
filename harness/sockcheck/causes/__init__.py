"""From the pattern of failing and passing cases to the fault behind them.

`table` is the data: for each cause what speaks for it, how it came about and how it is mended. What no entry of it
explains is said to be unknown, one for each law; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sockcheck.causes.answers import CLOSED, LOST, MIXED
from sockcheck.causes.patterns import Result, Seen, explained, is_silent, is_stripped, is_written, seen
from sockcheck.causes.table import TABLE
from sockcheck.events import CauseNamed
from sockcheck.frozen import dataclass
from sockcheck.laws import LAWS

__all__ = ["UNKNOWN", "Cause", "Result", "name_causes", "told"]

UNKNOWN = "unknown"
_PLAIN = "::plain"
# These break whatever the exchange does, or ask for less: an exchange that fails anyhow is no reason for them.
_OWN = ("life.", "churn.", "host.", "limit.", "size.edges")
# Whatever is sent, the kernel may cut it: where a cut fails each time, any case of that exchange may now and then.
_CUTS = ("cut.", "pace.")
# Where it takes a longer row of cases before one fails, it is their number or chance, not what they do.
_TELLING = 2
# What a variation of a law does besides, by its trait: where that alone fails, it is no evidence for the law.
_CONTAINS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("crowd.interleaved", "by-halves"): ("cut.at-k", "cut.every-byte"),
    ("end.half", "many-replies"): ("size.large", "merge.pipeline"),
    ("churn.leak", "half-close"): ("end.half", "merge.with-end"),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why cases of one server fail. `results` are those that it explains, the smallest first.

    `advice`: all of them break what was not promised. `why` is the sentence of the law that is broken. `evidence` is
    what was found in the smallest, in a sentence.
    """

    id: str
    title: str
    law: str
    advice: bool
    why: str
    thought: str
    python: str
    c: str
    results: tuple[Result, ...]
    evidence: str


def name_causes(results: Iterable[Result]) -> tuple[Cause, ...]:
    """The causes of what fails among all judged cases of one server; the one that explains most comes first.

    Every failing case is explained by at most one. Those that count come before advice, and what is unknown comes last.
    """
    everything = list(results)
    passing = [seen(each) for each in everything if each.passed]
    failing, following = _follow(everything)
    anyhow = _anyhow(failing, _never_works(everything))
    following += [(leader, each.result) for leader, each in anyhow]
    open_ = [each for each in failing if all(each is not one for _, one in anyhow)]
    causes: list[Cause] = []
    for entry in TABLE:
        mine: list[Seen] = []
        for pattern in entry.patterns:
            found = explained(pattern, failing, open_, passing)
            mine += found
            taken = set(map(id, found))
            open_ = [each for each in open_ if id(each) not in taken]
        if mine:
            members = _members(mine, following)
            why = LAWS.get(entry.law, "")
            facts = entry.title, entry.law, why, entry.thought, entry.python, entry.c
            causes.append(_cause(entry.id, *facts, members))
    for law in dict.fromkeys(_broken(each) for each in open_):
        members = _members([each for each in open_ if _broken(each) == law], following)
        why = LAWS.get(law, "")
        causes.append(_cause(UNKNOWN, f"no known pattern: {law}", law, why, "", "", "", members))
    causes.sort(key=lambda cause: (cause.advice, cause.id == UNKNOWN, -len(cause.results)))
    return tuple(causes)


def told(cause: Cause, at: float) -> CauseNamed:
    """The cause as an event, named `at` seconds on the run's clock."""
    return CauseNamed(
        at=at,
        id=cause.id,
        title=cause.title,
        law=cause.law,
        advice=cause.advice,
        why=cause.why,
        thought=cause.thought,
        mend_python=cause.python,
        mend_c=cause.c,
        cases=tuple(dict.fromkeys(each.case.id for each in cause.results)),
        smallest=cause.results[0].case.id,
        evidence=cause.evidence,
    )


def _follow(results: Sequence[Result]) -> tuple[list[Seen], list[tuple[Result, Result]]]:
    """The failing cases that speak for themselves, and those that follow from another, which comes first."""
    last = {each.case.id: each for each in results}
    failing: list[Seen] = []
    following: list[tuple[Result, Result]] = []
    place = {id(each): position for position, each in enumerate(results)}
    for position, each in enumerate(results):
        if not each.failed:
            continue
        before = [last[name] for name in each.after if name in last]
        # One that follows from others leads only those that were judged behind it, so that no two lead each other.
        leaders = (one for one in reversed(before) if one.failed and (not one.after or place[id(one)] < position))
        leader = next(leaders, None) or _plain(each, last) or _simpler(each, results) or _sure(each, results)
        if leader is None:
            told = before if len(before) <= _TELLING else []
            failing.append(seen(each, [one for one in told if one.passed]))
        else:
            following.append((leader, each))
    return failing, following


def _plain(result: Result, results: dict[str, Result]) -> Result | None:
    """The exchange as it is written, where it fails in the same way: its variations say no more than it does."""
    case = result.case
    plain = results.get(case.id.partition("::")[0] + _PLAIN)
    if plain is None or not plain.failed or plain.after or is_written(case) or case.law.startswith(_OWN):
        return None
    if plain.by_chance and not result.by_chance:
        return None  # What fails each time says more than what fails now and then.
    return plain if _alike(plain, result) else None


def _simpler(result: Result, results: Sequence[Result]) -> Result | None:
    """One that fails for less: this one does the same, and something more.

    It is one of the same exchange, or of any where the law is one about the server as a whole.
    """
    laws = {law for trait in result.case.traits for law in _CONTAINS.get((result.case.law, trait), ())}
    stem = "" if result.case.law.startswith(_OWN) else f"{result.case.id.partition('::')[0]}::"
    return next(
        (each for each in results if each.failed and each.case.law in laws and each.case.id.startswith(stem)),
        None,
    )


def _sure(result: Result, results: Sequence[Result]) -> Result | None:
    """A cut of the same exchange that fails each time in the way in which this case fails now and then."""
    if not result.by_chance:
        return None
    stem = f"{result.case.id.partition('::')[0]}::"
    sure = (each for each in results if each.failed and not each.by_chance and not each.after)
    cuts = (each for each in sure if each.case.law.startswith(_CUTS) and each.case.id.startswith(stem))
    return next((each for each in cuts if _alike(each, result)), None)


def _never_works(results: Sequence[Result]) -> list[Result]:
    """The exchanges that only show that the server does what it is there for, where none of them works.

    One that works but for white space is no reason for others to fail.
    """
    simple = [each for each in results if each.case.law == "plain" and is_written(each.case)]
    if any(each.passed for each in simple):
        return []
    return [each for each in simple if each.failed and not each.after and not is_stripped(each)]


def _anyhow(failing: Sequence[Seen], never: Sequence[Result]) -> list[tuple[Result, Seen]]:
    """Other exchanges that somebody wrote, and that fail in the way of one that never works, which comes first."""
    found = []
    for each in failing:
        case, ways = each.result.case, _ways(each.result)
        leader = next((one for one in never if not ways.isdisjoint(_ways(one))), None)
        # Who speaks to those who have said nothing does that, whatever it answers.
        unasked = is_silent(case) and "bytes" in ways
        if leader and case.law != "plain" and is_written(case) and not unasked:
            found.append((leader, each))
    return found


def _ways(result: Result) -> set[str]:
    """How an answer fails: nothing of it comes, or it comes to an early end, or its bytes are others."""
    found = set()
    for finding in result.verdict.findings:
        if finding.kind in LOST and not finding.received:
            found.add("nothing")
        elif finding.kind in CLOSED:
            found.add("end")
        elif finding.kind in (*MIXED, "silence"):
            found.add("bytes")
    return found


def _alike(one: Result, other: Result) -> bool:
    """Whether a finding of the one is of the same kind as one of the other."""
    kinds = {finding.kind for finding in one.verdict.findings}
    return any(finding.kind in kinds for finding in other.verdict.findings)


def _members(mine: Sequence[Seen], following: Sequence[tuple[Result, Result]]) -> list[Result]:
    """These, and whatever follows from them."""
    members = [each.result for each in mine]
    waiting = list(following)
    while True:
        known = set(map(id, members))
        found = [result for leader, result in waiting if id(leader) in known]
        if not found:
            return members
        members += found
        waiting = [pair for pair in waiting if id(pair[0]) not in known]


def _broken(one: Seen) -> str:
    """The law that a case shows to be broken: what its first finding says."""
    return next((finding.law for finding in one.result.verdict.findings), one.result.case.law)


def _cause(
    name: str, title: str, law: str, why: str, thought: str, python: str, c: str, members: Sequence[Result]
) -> Cause:
    advice = all(each.verdict.outcome == "advice" for each in members)
    # What breaks the law of the cause shows it best.
    ordered = sorted(members, key=lambda each: (each.verdict.outcome == "advice", each.case.law != law, *_size(each)))
    findings = ordered[0].verdict.findings
    evidence = findings[0].message if findings else ordered[0].verdict.reason
    return Cause(name, title, law, advice, why, thought, python, c, tuple(ordered), evidence)


def _size(result: Result) -> tuple[bool, int, int, str]:
    """What counts comes before advice; then the fewest actions, then the shortest id."""
    case = result.case
    actions = len(case.server) + sum(len(actor.actions) for actor in case.actors)
    return result.verdict.outcome == "advice", actions, len(case.id), case.id
