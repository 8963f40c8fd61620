"""Who waits for a mark goes on when it is set, or learns that it cannot be set any more."""

from __future__ import annotations

import trio
import trio.testing

from sockcheck.case import Action, Mark, Meet
from sockcheck.forms import (
    Span,
)
from sockcheck.marks import Board

HERE = Span("x.sock.yaml", 1, 1, 2)


def board(**actors: list[Action]) -> Board:
    return Board(actors.items())


async def outcome(of: Board, mark: str, *then: tuple[str, str]) -> bool:
    """Wait for the mark while `then` happens: ("mark", actor) or ("left", actor)."""
    found: list[bool] = []

    async def wait() -> None:
        found.append(await of.wait_for(mark))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        for what, actor in then:
            assert found == []
            if what == "mark":
                of.mark(mark, actor)
            else:
                of.left(actor)
            await trio.testing.wait_all_tasks_blocked()
    return found[0]


def test_marks_and_meetings() -> None:
    async def main() -> None:
        mark = Mark(HERE, "m")
        assert await outcome(board(a=[mark]), "m", ("mark", "a"))
        assert not await outcome(board(a=[mark]), "m", ("left", "a"))
        # One of two that may set it is enough, and one that left did not take it along.
        assert await outcome(board(a=[mark], b=[mark]), "m", ("left", "a"), ("mark", "b"))
        assert not await outcome(board(a=[mark], b=[mark]), "m", ("left", "a"), ("left", "b"))
        meet = Meet(HERE, "m", 2)
        assert await outcome(board(a=[meet], b=[meet]), "m", ("mark", "a"), ("mark", "b"))
        assert not await outcome(board(a=[meet], b=[meet]), "m", ("mark", "a"), ("left", "b"))
        # Nobody sets it at all.
        assert not await board(a=[mark]).wait_for("other")

    trio.run(main)


def test_a_mark_stays_set() -> None:
    async def main() -> None:
        of = board(a=[Mark(HERE, "m")])
        of.mark("m", "a")
        of.left("a")
        assert await of.wait_for("m")

    trio.run(main)
