"""Exchanges once more, or in part: by other clients, with other names, marks and values."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sockcheck.case import (
    Action,
    Actor,
    AnyOf,
    Await,
    Close,
    Connect,
    Count,
    End,
    Exact,
    Expect,
    Form,
    Frame,
    Generated,
    Integer,
    Line,
    Lines,
    Mark,
    Meet,
    Not,
    Pattern,
    Piece,
    Prefixed,
    Reset,
    Send,
    Unordered,
    Until,
    Value,
    WaitFor,
)
from sockcheck.forms import (
    Span,
)
from sockcheck.frozen import replace

UNIQUE = "unique"

_EachPiece = Callable[[Piece], tuple[Piece, ...]]


def pieces(given: Iterable[Piece], each: _EachPiece) -> tuple[Piece, ...]:
    """`each` in place of every piece; what stands behind a length is gone through piece by piece."""
    found: list[Piece] = []
    for piece in given:
        if isinstance(piece, Prefixed):
            found.append(Prefixed(piece.kind, pieces(piece.pieces, each)))
        else:
            found += each(piece)
    return tuple(found)


def action(given: Action, each: _EachPiece) -> Action:
    """The same action with other pieces, in what it sends and in what it expects."""
    match given:
        case Send():
            return replace(given, pieces=pieces(given.pieces, each))
        case Expect():
            return replace(given, form=_form(given.form, each))
        case _:
            return given


def _form(form: Form, each: _EachPiece) -> Form:
    match form:
        case Exact():
            return Exact(pieces(form.pieces, each))
        case Line():
            return Line(_pattern(form.pattern, each), form.ends)
        case Lines():
            return Lines(_pattern(form.pattern, each), _pattern(form.last, each), form.ends)
        case Until():
            return Until(form.delimiter, tuple(_pattern(pattern, each) for pattern in form.patterns))
        case Frame():
            equals = None if form.equals is None else pieces(form.equals, each)
            return Frame(form.kind, equals, tuple(_pattern(pattern, each) for pattern in form.patterns))
        case Unordered():
            return Unordered(tuple(_form(inner, each) for inner in form.forms))
        case AnyOf():
            return AnyOf(tuple(_form(inner, each) for inner in form.forms))
        case Not(form=Exact() | Line() as inner):
            changed = _form(inner, each)
            assert isinstance(changed, Exact | Line)
            return Not(changed, form.duration)
        case _:
            return form


def _pattern(pattern: Pattern, each: _EachPiece) -> Pattern:
    found: list[bytes | Value] = []
    for piece in pattern:
        changed = each(piece) if isinstance(piece, Value) else (piece,)
        found += [part for part in changed if isinstance(part, bytes | Value)]
    return tuple(found)


def is_unique(given: Action) -> bool:
    """Whether it sends or expects `${unique}`."""
    return UNIQUE in _names(given)


def uses_captures(given: Action) -> bool:
    """Whether it sends or expects what was captured before."""
    return not _names(given) <= {UNIQUE}


def _names(given: Action) -> set[str]:
    found = set()

    def look(piece: Piece) -> tuple[Piece, ...]:
        value = piece.value if isinstance(piece, Integer) else piece
        if isinstance(value, Value):
            found.add(value.name)
        return (piece,)

    action(given, look)
    return found


class Copies:
    """The same exchange by other clients, that meets the first one in nothing: neither in marks nor in `${unique}`.

    Random payloads that come back are others as well, so that a mix-up is seen. Each copy is made once.
    """

    def __init__(self, actors: tuple[Actor, ...]) -> None:
        self._actors = actors
        self._echoed = {payload.seed for payload in payloads_that_return(actors) if payload.kind == "random"}
        everything = [given for actor in actors for given in actor.actions]
        # What has neither is the same in every copy.
        self._telling = {id(given) for given in everything if self._echoed or is_unique(given)}
        self._made: dict[int, tuple[Actor, ...]] = {}

    def copy(self, number: int) -> tuple[Actor, ...]:
        """The clients of the copy of that number, each with its own."""
        made = self._made.get(number)
        if made is None:
            made = self._made[number] = tuple(self._copied(actor, number) for actor in self._actors)
        return made

    def _copied(self, actor: Actor, number: int) -> Actor:
        suffix = f"-{number}".encode()

        def each(piece: Piece) -> tuple[Piece, ...]:
            if isinstance(piece, Value) and piece.name == UNIQUE:
                return (piece, suffix)
            if isinstance(piece, Generated) and piece.kind == "random" and piece.seed in self._echoed:
                return (replace(piece, seed=piece.seed + number),)
            return (piece,)

        actions = tuple(
            _renamed(action(given, each) if id(given) in self._telling else given, number) for given in actor.actions
        )
        return Actor(f"{actor.name}[{number}]", actions, actor.pushes)


def payloads_that_return(actors: Iterable[Actor]) -> tuple[Generated, ...]:
    """The payloads that are both sent and expected, in the order in which they are sent.

    None where a digest is expected: it may be that of a payload, which could then not be another.
    """
    sent: list[Generated] = []
    expected: list[Generated] = []
    for actor in actors:
        for given in actor.actions:
            if isinstance(given, Expect) and isinstance(given.form, Count) and given.form.sha256 is not None:
                return ()
            found = sent if isinstance(given, Send) else expected

            def look(piece: Piece, found: list[Generated] = found) -> tuple[Piece, ...]:
                if isinstance(piece, Generated):
                    found.append(piece)
                return (piece,)

            action(given, look)
    return tuple(dict.fromkeys(payload for payload in sent if payload in expected))


def _renamed(given: Action, number: int) -> Action:
    if isinstance(given, Mark | WaitFor | Meet):
        return replace(given, name=f"{given.name} [{number}]")
    return given


def span(actor: Actor) -> Span:
    """Where its connect stands: steps that are nobody's point there."""
    return next(given for given in actor.actions if isinstance(given, Connect)).span


def waiting(actors: Iterable[Actor], *marks: str) -> tuple[Actor, ...]:
    """They begin when these marks are set."""
    return tuple(
        replace(actor, actions=(*(WaitFor(span(actor), mark) for mark in marks), *actor.actions)) for actor in actors
    )


def finished(actors: tuple[Actor, ...], name: str, within: float | None = None) -> tuple[Actor, ...]:
    """They leave in order, as all clients do in the end, and say by a meeting of that name when all of them have.

    `within`: each says so when the server is done with that, for which it waits so long at the most.
    """
    rest = () if within is None else (Await(span(actors[0]), "rest", within),)
    return tuple(
        replace(actor, actions=(*closed(actor).actions, *rest, Meet(span(actor), name, len(actors))))
        for actor in actors
    )


def closed(actor: Actor) -> Actor:
    """It says where it leaves, in place of leaving when there is nothing more to do."""
    if any(isinstance(given, Close | Reset) for given in actor.actions):
        return actor
    return replace(actor, actions=(*actor.actions, Close(span(actor), unread=False)))


def patient(actor: Actor, times: int) -> Actor:
    """It waits so many times as long for what it sends, awaits and expects."""
    return replace(
        actor,
        actions=tuple(
            replace(given, within=given.within * times) if isinstance(given, Send | Expect | End | Await) else given
            for given in actor.actions
        ),
    )


def prefix(actor: Actor) -> tuple[Action, ...]:
    """What it does by itself, up to where it first needs another client.

    It waits for one, or expects what may come only of what another does behind a mark.
    """
    found: list[Action] = []
    others = False
    for given in actor.actions:
        if isinstance(given, Mark | WaitFor | Meet):
            if not isinstance(given, Mark) and any(isinstance(before, Connect) for before in found):
                break
            others = True
        elif others and isinstance(given, Expect):
            break
        else:
            found.append(given)
    return tuple(found)


def leaving(where: Span, within: float) -> tuple[Action, ...]:
    """It leaves in order: nothing that came is left unread, since close() would be a reset then."""
    return Await(where, "settled", within), Close(where, unread=True)


def gone(where: Span, within: float, mark: str) -> tuple[Action, ...]:
    """It says by a mark that it has gone, when the server is done with that.

    What the server tells others of its leaving, as a chat does, is told by then: none of it meets who comes next.
    """
    return Await(where, "rest", within), Mark(where, mark)
