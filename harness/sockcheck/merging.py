"""Records of the shards of one run become one record, as if one machine had run them all."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

from sockcheck.case import Case
from sockcheck.errors import RecordError
from sockcheck.events import CauseNamed, Event, Plan, RunFinished, RunStarted, Share, SourceRead
from sockcheck.exit_codes import INTERNAL, worst
from sockcheck.frozen import replace
from sockcheck.sharding import missing
from sockcheck.tallying import Tally
from sockcheck.verdict import Verdict

_TIMES = frozenset({"at", "began"})
_NUMBERS = frozenset({"attempt", "target", "trial"})
_CONCERNED = _TIMES | _NUMBERS | {"attempts", "verdict"}
_DIFFERENT = "merge the shards of one run; `sockcheck diff OLD NEW` compares two runs"
_CUT_OFF = "its record ends before the run did"


@dataclass(slots=True)
class _Part:
    """A record: how it begins, the rest, and how it ended, which is known when the rest has been gone through."""

    name: str
    started: RunStarted
    sources: tuple[SourceRead, ...]
    rest: Iterator[Event]
    finished: RunFinished | None = None


def merged(records: Sequence[tuple[str, Iterable[Event]]]) -> Iterator[Event]:
    """The events of all `records`, each with its name, in the order of their times; read once, and not kept.

    A record alone that is not one of several shards comes back as it is. Otherwise attempts, servers and cases are
    numbered anew, the times are on one clock, by when each run began, and the causes are named of all cases together.
    The exit code is the worst. 4, where a shard is missing or a record is not whole, and in the end `why` says which.

    Raises RecordError, before the first event, where the records are not different shards of one run.
    """
    parts = [_part(name, iter(events)) for name, events in records]
    if len(parts) == 1 and not _is_one_of_several(parts[0].started.share):
        yield parts[0].started
        yield from parts[0].sources
        yield from parts[0].rest
        return
    share = _together(parts)
    first = min(parts, key=_began)
    yield replace(
        first.started,
        total=sum(part.started.total for part in parts),
        platform="; ".join(dict.fromkeys(part.started.platform for part in parts)),
        share=share,
    )
    texts: dict[str, SourceRead] = {}
    for part in parts:
        for source in part.sources:
            texts.setdefault(source.path, source)
    yield from texts.values()
    tally = Tally()
    last = 0.0
    positions = range(len(parts))
    offsets = [_began(part) - _began(first) for part in parts]
    streams = [_moved(parts[position], offsets[position], len(parts), position) for position in positions]
    for event in heapq.merge(*streams, key=lambda event: event.at):
        tally.tell(event)
        last = max(last, event.at)
        yield event
    yield from tally.causes(last, _server(first.started.plan))
    yield _finished(parts, share, last, offsets)


def _is_one_of_several(share: Share | None) -> bool:
    return share is not None and len(share.numbers) == 1 < share.of


def _part(name: str, events: Iterator[Event]) -> _Part:
    started = next(events)
    if not isinstance(started, RunStarted):
        raise RecordError(f"{name}: a record begins with RunStarted")
    sources: list[SourceRead] = []
    for event in events:
        if not isinstance(event, SourceRead):
            return _Part(name, started, tuple(sources), _with_first(event, events))
        sources.append(event)
    return _Part(name, started, tuple(sources), events)


def _with_first(first: Event, rest: Iterator[Event]) -> Iterator[Event]:
    yield first
    yield from rest


def _together(parts: Sequence[_Part]) -> Share:
    """Which shards they are, if they are different ones of the same run."""
    of: dict[int, str] = {}
    first = parts[0]
    for part in parts:
        share = part.started.share
        if share is None:
            raise RecordError(f"{part.name} is not a shard: it is a whole run, made without --shard", _DIFFERENT)
        if len(parts) > 1 and len(share.numbers) > 1:
            raise RecordError(f"{part.name} was merged already", "give the records that it was made from")
        _check_same(first, part)
        for number in share.numbers:
            if number in of:
                raise RecordError(
                    f"shard {number}/{share.of} is here twice: {of[number]} and {part.name}", "leave one of them out"
                )
            of[number] = part.name
    return Share(tuple(sorted(of)), _share(first).of)


def _check_same(one: _Part, other: _Part) -> None:
    if _share(one).of != _share(other).of:
        shards = f"{one.name} is one of {_share(one).of} shards, {other.name} one of {_share(other).of}"
        raise RecordError(shards, _DIFFERENT)
    if one.started.plan == other.started.plan:
        return
    raise RecordError(f"{one.name} and {other.name} are of different runs: {_difference(one, other)}", _DIFFERENT)


def _difference(one: _Part, other: _Part) -> str:
    """What two runs whose plans differ differ in."""
    here, there = one.started, other.started
    plan, another = here.plan, there.plan
    if here.sockcheck != there.sockcheck:
        return f"sockcheck {here.sockcheck} and sockcheck {there.sockcheck}"
    if plan is None or another is None:
        return "one of them does not say what was planned"
    if plan.options != another.options:
        return f"the options differ: {_options(plan, another)} and {_options(another, plan)}"
    if plan.servers != another.servers:
        return "the server's command, or its address, differs"
    texts = {source.path: source.text for source in one.sources}
    changed = [source.path for source in other.sources if texts.get(source.path, source.text) != source.text]
    if changed:
        return f"{changed[0]} is not the same" + (f", nor are {len(changed) - 1} more files" if changed[1:] else "")
    return "they were not made from the same scenario files"


def _options(plan: Plan, other: Plan) -> str:
    return " ".join(word for word in plan.options if word not in other.options) or "none"


def _share(part: _Part) -> Share:
    return part.started.share or Share((), 0)


def _began(part: _Part) -> float:
    """When the run began, in seconds since 1970."""
    try:
        return datetime.fromisoformat(part.started.started).timestamp()
    except (ValueError, OverflowError):
        raise RecordError(f"{part.name}: it began at {part.started.started!r}, which is no time") from None


def _moved(part: _Part, offset: float, parts: int, position: int) -> Iterator[Event]:
    """The events of a part between its sources and its end; its causes are named anew."""
    for event in part.rest:
        if isinstance(event, RunFinished):
            part.finished = event
        elif not isinstance(event, CauseNamed):
            yield _move(event, offset, parts, position)


def _move(event: Event, offset: float, parts: int, position: int) -> Event:
    """`event` on a clock that began `offset` seconds earlier, with numbers that no other part has."""
    changes: dict[str, Any] = {}
    kind: Any = type(event)
    for name in _concerned(kind):
        value = getattr(event, name)
        if name in _TIMES:
            changes[name] = value + offset
        elif name in _NUMBERS:
            changes[name] = _renumbered(value, parts, position)
        elif name == "attempts":
            changes[name] = tuple(_renumbered(number, parts, position) for number in value)
        else:
            changes[name] = _later(value, offset)
    return replace(event, **changes)


@cache
def _concerned(kind: Any) -> tuple[str, ...]:
    """The fields of a class of events that are not the same in a merged record."""
    return tuple(field.name for field in fields(kind) if field.name in _CONCERNED)


def _renumbered(number: int, parts: int, position: int) -> int:
    """0 is no number, and stays that."""
    return (number - 1) * parts + position + 1 if number else 0


def _later(verdict: Verdict, offset: float) -> Verdict:
    if not verdict.findings:
        return verdict
    findings = tuple(replace(finding, at=finding.at + offset) for finding in verdict.findings)
    return replace(verdict, findings=findings)


def _server(plan: Plan | None) -> Callable[[Case], int]:
    """Which server a case is for, by the contract that it belongs to."""
    servers = plan.servers if plan is not None else ()
    numbers = {name: number for number, tested in enumerate(servers) for name in tested.contracts}
    return lambda case: numbers.get(case.contract, -1)


def _finished(parts: Sequence[_Part], share: Share, last: float, offsets: Sequence[float]) -> RunFinished:
    codes = [INTERNAL if part.finished is None else part.finished.exit_code for part in parts]
    ends = [part.finished.at + offset for part, offset in zip(parts, offsets, strict=True) if part.finished]
    why = []
    for part in parts:
        [number] = _share(part).numbers
        early = _CUT_OFF if part.finished is None else part.finished.why
        if early:
            why.append(f"shard {number}/{share.of}: {early}")
    gone = [f"{number}/{share.of}" for number in missing(share)]
    if gone:
        codes.append(INTERNAL)
        why.append(f"shard {gone[0]} is missing" if len(gone) == 1 else f"shards {', '.join(gone)} are missing")
    return RunFinished(max([last, *ends]), worst(codes), "; ".join(why))
