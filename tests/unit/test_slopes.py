"""What grows with the connections that a server has served."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sockcheck.events import Figures, Growth
from sockcheck.slopes import growths


def readings(connections: int, files: Callable[[int], int | None], step: int = 3) -> list[tuple[int, Figures]]:
    return [(n, Figures(files(n), 1, 0, 0.1, 0.0)) for n in range(step, connections + 1, step)]


def test_one_of_each_connection_stays() -> None:
    assert growths(readings(300, lambda n: 5 + n)) == (Growth("open_files", 1.0, 249),)


@pytest.mark.parametrize(
    "files",
    [
        lambda n: 5,
        lambda n: 5 + n // 4,
        lambda n: 5 + min(n, 150),  # a pool that grows to its size
        lambda n: 5 + max(0, n - 200),  # and one that begins late
        lambda n: 305 - n,
        lambda n: None,
    ],
)
def test_what_does_not_grow_all_the_time_is_no_leak(files: Callable[[int], int | None]) -> None:
    assert growths(readings(300, files)) == ()


def test_a_few_connections_say_nothing() -> None:
    assert growths(readings(240, lambda n: 5 + n)) == ()
    assert growths([]) == ()


def test_several_figures() -> None:
    both = [(n, Figures(5 + n, 1, 2 * n, None, None)) for n in range(50, 301, 50)]
    assert growths(both) == (Growth("open_files", 1.0, 250), Growth("children", 2.0, 250))
