"""`cut.*`, `pace.*`: a stream has no message boundaries, and slow is not gone."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from typing import assert_never

from sockcheck import payloads
from sockcheck.case import Actor, Generated, Integer, Piece, Prefixed, Send, Value
from sockcheck.conditions.base import Base, NotDerivedError, Variation
from sockcheck.frozen import dataclass, replace
from sockcheck.planning.pieces import least
from sockcheck.segments import FALLBACK_GAP

# Of so many positions all are tried; of more, the telling ones and a sample.
_MOST_CUTS = 64
_FEWEST_OF_A_SEND = 4
# Messages of more bytes are not sent byte by byte: it would take long, and tells no more.
_MOST_BYTES, _MOST_BYTES_BY_GAP = 4096, 32
# A busy machine takes its time for each. An unfinished request may be one that is idle.
_BYTES_A_SECOND = 100
# Slow enough for whoever takes a pause for the end, and quick enough to be tried with each message.
_PAUSE = 0.15
_PAUSES = 4


@dataclass(frozen=True, slots=True)
class _Place:
    """A place to cut at: before byte `at` of what the action at `step` of the actor sends."""

    actor: int
    step: int
    at: int
    trait: str


def at_each_byte(base: Base) -> Iterator[Variation]:
    """Every message in two segments, cut at every byte."""
    found = _all_sends(base)
    most = max(_FEWEST_OF_A_SEND, _MOST_CUTS if base.thorough else _MOST_CUTS // len(found))
    chooser = random.Random(zlib.crc32(f"{base.seed} {base.case.id}".encode()))
    places = [place for actor, step, send in found for place in _places(actor, step, send, most, chooser)]
    if len(places) > _MOST_CUTS and not base.thorough:
        places = sorted(chooser.sample(places, _MOST_CUTS), key=lambda place: (place.actor, place.step, place.at))
    for place in places:
        actor = base.actors[place.actor]
        send = actor.actions[place.step]
        assert isinstance(send, Send)
        yield Variation(
            actors=with_action(base.actors, place.actor, place.step, replace(send, cuts=(place.at,))),
            label=f"{actor.name}.{place.step + 1}:{place.at}",
            traits=(place.trait,),
            passing=FALLBACK_GAP,
        )


def every_byte(base: Base) -> Iterator[Variation]:
    """Each byte of all messages by itself."""
    most = min(_MOST_BYTES if base.observable else _MOST_BYTES_BY_GAP, base.shortest_idle * _BYTES_A_SECOND)
    actors, total = base.actors, 0
    for actor, step, send in _all_sends(base):
        size = least(send.pieces)
        if total + size > most:
            continue
        total += size
        actors = with_action(actors, actor, step, replace(send, cuts=None))
    if not total:
        raise NotDerivedError(f"its messages have more than {most:,.0f} bytes")
    yield Variation(actors, passing=FALLBACK_GAP * total)


def slowly(base: Base) -> Iterator[Variation]:
    """Every message with pauses in it, the first ones with more."""
    pause = min(_PAUSE, base.shortest_idle / (3 * _PAUSES))
    actors, left = base.actors, _PAUSES
    for actor, step, send in _all_sends(base):
        if not left:
            break
        size = min(_known(send.pieces), left + 1)
        cuts = tuple(sorted({_known(send.pieces) * number // size for number in range(1, size)}))
        left -= len(cuts)
        actors = with_action(actors, actor, step, replace(send, cuts=cuts, gap=pause))
    yield Variation(actors, passing=pause * (_PAUSES - left))


def with_action(actors: Sequence[Actor], actor: int, step: int, action: Send) -> tuple[Actor, ...]:
    """The same actors, with another action in one place."""
    before = actors[actor]
    changed = replace(before, actions=(*before.actions[:step], action, *before.actions[step + 1 :]))
    return (*actors[:actor], changed, *actors[actor + 1 :])


def _all_sends(base: Base) -> list[tuple[int, int, Send]]:
    """What can be cut: the numbers of actor and action, and the send. Raises NotDerivedError where there is nothing."""
    found = [
        (number, step, action)
        for number, actor in enumerate(base.actors)
        for step, action in enumerate(actor.actions)
        if isinstance(action, Send) and is_plain(action) and _known(action.pieces) > 1
    ]
    if not found:
        raise NotDerivedError("it sends nothing that could be cut")
    return found


def is_plain(send: Send) -> bool:
    """Whether its author has not said how it is to be sent."""
    return send.cuts == () and send.gap is None and send.read and not send.until_blocked


def _known(pieces: Sequence[Piece]) -> int:
    """How many bytes there are for certain, up to the first value that may be of any length."""
    total = 0
    for piece in pieces:
        size = payloads.size((piece,))
        if size is None:
            return total + (
                payloads.INTEGERS[piece.kind][0] + _known(piece.pieces) if isinstance(piece, Prefixed) else 0
            )
        total += size
    return total


def _places(actor: int, step: int, send: Send, most: int, chooser: random.Random) -> list[_Place]:
    """Where a send is cut: everywhere, or at the telling places, around powers of two, and at others by chance."""
    size = _known(send.pieces)
    traits = _traits(send.pieces)
    if size - 1 <= most:
        chosen = set(range(1, size))
    else:
        powers = {power + more for power in _powers(size) for more in (-1, 0, 1)}
        telling = sorted(set(traits) | {position for position in (1, 2, *powers, size - 1) if 0 < position < size})
        chosen = set(telling if len(telling) <= most // 2 else chooser.sample(telling, most // 2))
        while len(chosen) < most:
            chosen.add(chooser.randrange(1, size))
    return [_Place(actor, step, at, traits.get(at, "in-body")) for at in sorted(chosen)]


def _powers(size: int) -> Iterator[int]:
    power = 8
    while power <= size:
        yield power
        power *= 2


def _traits(pieces: Sequence[Piece]) -> dict[int, str]:
    """The places that are no ordinary ones, and of what kind."""
    found: dict[int, str] = {}
    _note(pieces, 0, found)
    return found


def _note(pieces: Sequence[Piece], begin: int, found: dict[int, str]) -> int | None:
    """Note what is telling about these pieces; where they end, or None where that is not known."""
    for piece in pieces:
        match piece:
            case bytes():
                _note_text(piece, begin, found)
                begin += len(piece)
            case Generated():
                begin += piece.size
            case Integer():
                width = payloads.INTEGERS[piece.kind][0]
                found |= dict.fromkeys(range(begin + 1, begin + width), "in-length")
                begin += width
            case Prefixed():
                width = payloads.INTEGERS[piece.kind][0]
                found |= dict.fromkeys(range(begin + 1, begin + width), "in-length")
                inside = _note(piece.pieces, begin + width, found)
                if inside is None:
                    return None
                begin = inside
            case Value():
                return None
            case _:
                assert_never(piece)
    return begin


def _note_text(text: bytes, begin: int, found: dict[int, str]) -> None:
    for position, byte in enumerate(text):
        if byte & 0xC0 == 0x80:
            found[begin + position] = "in-character"
        elif byte == 0x0A and begin + position:
            found[begin + position] = "in-delimiter"
