"""Bytes from recipes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from sockcheck.case import Generated, Piece


@lru_cache(maxsize=8)
def make(recipe: Generated) -> bytes:
    """The bytes of a recipe.

    `random` is SHAKE-128 of the seed's decimal digits: the same on every machine and in every language, and so are the
    digests that a report names. `repeat` is `of` over and over, cut at `size`.
    """
    if recipe.kind == "random":
        return hashlib.shake_128(str(recipe.seed).encode()).digest(recipe.size)
    times = -(-recipe.size // len(recipe.of))
    return (recipe.of * times)[: recipe.size]


def join(pieces: Iterable[Piece]) -> bytes:
    """The bytes of the pieces, one after the other."""
    return b"".join(piece if isinstance(piece, bytes) else make(piece) for piece in pieces)


def size(pieces: Iterable[Piece]) -> int:
    """How many bytes the pieces make, without making them."""
    return sum(len(piece) if isinstance(piece, bytes) else piece.size for piece in pieces)
