"""`size.*`: no size is special, and a reply may be larger than every buffer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sockcheck import payloads
from sockcheck.case import (
    Action,
    Actor,
    Await,
    Connect,
    Count,
    End,
    Exact,
    Expect,
    Form,
    Frame,
    Generated,
    Piece,
    Prefixed,
    Send,
    Shutdown,
    Wait,
)
from sockcheck.conditions.base import Base, NotDerivedError, Variation
from sockcheck.conditions.copying import action as changed
from sockcheck.conditions.copying import payloads_that_return
from sockcheck.conditions.cutting import is_plain
from sockcheck.conditions.ending import ends_by_itself, half_closed
from sockcheck.forms import (
    Span,
)
from sockcheck.frozen import replace

LARGEST_EDGE = 16
"""Sizes are tried around the powers of two up to this one."""

# How many bytes an integer may have that says how long a payload is.
_WIDTHS = (1, 2, 4, 8)

# Into such a window the kernel of a server that does not know of it puts some 48 kB (measured on Linux 6.18).
SEGMENT_SIZE, RECEIVE_BUFFER = 536, 4096
# A request that our kernel takes at once. Who has to read while it sends leaves the server more room than its window.
_SEND_BUFFER = 512 * 1024
# Who drops a client that does not read takes it for gone; it is only slow.
_LATE = 0.3
# From here on a reply is larger than the window, so that it matters when it is read.
_LARGE = 10_000
# What replies to many requests come to, together, and how many requests may be made for that.
_ALL_REPLIES, _MOST_REQUESTS = 256 * 1024, 16_384


def edges(base: Base) -> Iterator[Variation]:
    """The payload in other sizes, around the powers of two.

    Never larger than its author made it, since what a server takes at the most is for its contract to say; nor empty,
    since an empty message often means something else, as the empty line that ends a header. Nor where the size
    seems to be told elsewhere, which would then be wrong.
    """
    found = payloads_that_return(base.actors)
    if not found:
        raise NotDerivedError("no payload is both sent and expected")
    recipe = max(found, key=lambda payload: payload.size)
    if any(_tells_size(actor, recipe) for actor in base.actors):
        raise NotDerivedError("its size seems to stand in another place of the message")
    for size, trait in _edges(recipe.size):
        yield Variation(_resized(base.actors, recipe, size), f"size={size}", (trait,))


def _edges(most: int) -> Iterator[tuple[int, str]]:
    seen = set()
    for power in range(LARGEST_EDGE + 1):
        for more, trait in ((-1, "below-power"), (0, "power"), (1, "above-power")):
            size = 2**power + more
            if 0 < size <= most and size not in seen:
                seen.add(size)
                # 2 is one more than 1, too.
                yield size, "power" if size.bit_count() == 1 else trait


def _tells_size(actor: Actor, recipe: Generated) -> bool:
    """Whether the size of this payload may stand in what the client sends with it, other than as a length of its own.

    It may be written in digits anywhere, or be an integer right before the payload.
    """
    parts = _runs(piece for action in actor.actions if isinstance(action, Send) for piece in action.pieces)
    digits = re.compile(rb"(?<![0-9])0*%d(?![0-9])" % recipe.size)
    widths = [width for width in _WIDTHS if recipe.size < 256**width]
    integers = tuple(recipe.size.to_bytes(width, order) for width in widths for order in ("big", "little"))
    return recipe in parts and any(
        isinstance(part, bytes) and (digits.search(part) or (behind == recipe and part.endswith(integers)))
        for part, behind in zip(parts, (*parts[1:], None), strict=True)
    )


def _runs(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces, with literal bytes that follow one another in one, and with those behind a length behind it."""
    found: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += piece
        else:
            found.append(piece)
        if isinstance(piece, Prefixed):
            found += _runs(piece.pieces)
    return found


def _resized(actors: Iterable[Actor], recipe: Generated, size: int) -> tuple[Actor, ...]:
    other = replace(recipe, size=size)

    def each(piece: Piece) -> tuple[Piece, ...]:
        return (other,) if piece == recipe else (piece,)

    return tuple(replace(actor, actions=tuple(changed(given, each) for given in actor.actions)) for actor in actors)


def large(base: Base) -> Iterator[Variation]:
    """Replies larger than the window that they must pass through, read late.

    Large ones as the author has them, or, where requests may be pipelined, the replies to many requests together.
    """
    sizes = [size_of(action.form) for actor in base.actors for action in actor.actions if isinstance(action, Expect)]
    if max(sizes, default=0) >= _LARGE:
        yield Variation(
            tuple(_read_late(actor, base) for actor in base.actors), "one reply", passing=base.expect_within
        )
        return
    if not base.may_pipeline:
        raise NotDerivedError("its replies are small, and its requests may not be pipelined")
    base.repeatable()
    yield Variation(many_at_once(base), "many replies", passing=base.expect_within)


def half(base: Base) -> Iterator[Variation]:
    """Our end of stream right behind the last message, which was read by itself; the reply comes nevertheless.

    So do many replies that wait for us to read, where requests may be pipelined.
    """
    yield Variation(half_closed(base, together=False))
    if base.may_pipeline:
        try:
            (actor,) = many_at_once(base)
        except NotDerivedError:
            return
        at = next(step for step, action in enumerate(actor.actions) if isinstance(action, Send))
        where = actor.actions[at].span
        end = End(where, "eof" if base.promises("orderly-close") else "any", base.expect_within, None)
        actions = (*actor.actions[: at + 1], Shutdown(where, "write"), *actor.actions[at + 1 :], end)
        actors = (replace(actor, actions=actions),)
        yield Variation(actors, "many replies", ("many-replies",), passing=base.expect_within)


def through_a_small_window(connect: Connect) -> Connect:
    return replace(connect, segment_size=SEGMENT_SIZE, receive_buffer=RECEIVE_BUFFER)


def _read_late(actor: Actor, base: Base) -> Actor:
    actions: list[Action] = []
    for step, given in enumerate(actor.actions):
        if isinstance(given, Connect):
            given = replace(through_a_small_window(given), send_buffer=given.send_buffer or _SEND_BUFFER)
        elif isinstance(given, Expect) and size_of(given.form) >= _LARGE and isinstance(actor.actions[step - 1], Send):
            actions += _late(given.span, base)
        if isinstance(given, Send | Expect):
            given = replace(given, within=given.within * 4)
        actions.append(given)
    return replace(actor, actions=tuple(actions))


def _late(where: Span, base: Base) -> tuple[Action, ...]:
    """What is to be read is not, until the server can send no more, and for a while behind that."""
    return Await(where, "rest", base.expect_within), Wait(where, _LATE, reads=False)


def unit(base: Base) -> tuple[int, int, bytes, bytes]:
    """The positions of the first request and of the last reply, and the bytes of both.

    Raises NotDerivedError where they are not plain exchanges of bytes that are always the same.
    """
    actor = base.single
    ends_by_itself(actor)
    sends = [step for step, action in enumerate(actor.actions) if isinstance(action, Send)]
    expects = [step for step, action in enumerate(actor.actions) if isinstance(action, Expect)]
    if not sends or not expects or expects[-1] < sends[0]:
        raise NotDerivedError("it has no request with a reply")
    requests, replies = [], []
    for given in actor.actions[sends[0] : expects[-1] + 1]:
        if isinstance(given, Send) and is_plain(given):
            requests.append(_constant(given.pieces))
        elif isinstance(given, Expect) and isinstance(given.form, Exact):
            replies.append(_constant(given.form.pieces))
        elif isinstance(given, Expect) and isinstance(given.form, Frame) and given.form.equals is not None:
            replies.append(_constant((Prefixed(given.form.kind, given.form.equals),)))
        else:
            raise NotDerivedError("its requests and replies are not always the same bytes")
    return sends[0], expects[-1], b"".join(requests), b"".join(replies)


def many_at_once(base: Base) -> tuple[Actor, ...]:
    """The requests so many times over that the replies are larger than all buffers, and read late.

    The requests together are no more than the kernel keeps for a server that has stopped reading: it may be waiting for
    us to read.
    """
    actor = base.single
    first, last, request, reply = unit(base)
    times = min(-(-_ALL_REPLIES // max(1, len(reply))), _MOST_REQUESTS, _ALL_REPLIES // max(1, len(request)))
    if times * len(reply) < SEGMENT_SIZE * 128:
        raise NotDerivedError("its replies are small beside its requests")
    send = actor.actions[first]
    assert isinstance(send, Send)
    where, within = send.span, base.expect_within * 4
    requests = Generated("repeat", times * len(request), 0, request)
    replies = Generated("repeat", times * len(reply), 0, reply)
    before = tuple(
        through_a_small_window(given) if isinstance(given, Connect) else given for given in actor.actions[:first]
    )
    actions = (
        *before,
        replace(send, pieces=(requests,), within=within),
        *_late(where, base),
        Expect(where, Exact((replies,)), within, None),
        *actor.actions[last + 1 :],
    )
    return (replace(actor, actions=actions),)


def _constant(pieces: tuple[Piece, ...]) -> bytes:
    try:
        return payloads.join(pieces)
    except payloads.MissingValueError:
        raise NotDerivedError("its requests and replies are not always the same bytes") from None


def size_of(form: Form) -> int:
    """How many bytes an expectation is known to take."""
    match form:
        case Exact():
            return payloads.size(form.pieces) or 0
        case Frame(equals=equals) if equals is not None:
            return payloads.size(equals) or 0
        case Count(count=int(count)):
            return count
        case _:
            return 0
