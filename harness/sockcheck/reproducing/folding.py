"""Statements on lines that can be read: broken where they are too long, and in a loop where they repeat."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from sockcheck.reproducing.literals import LITERAL

WIDTH = 100
"""No line of a script is longer, if it can be avoided; without its first indentation."""

# A literal that is too long is written in pieces of about so many characters.
_PIECE = 80
_CHARACTER = re.compile(r"\\x[0-9a-f]{2}|\\?.")
_CALL = re.compile(r"(?P<head>\*?(?:\w+=)?[\w.]*[(\[])(?P<inside>.*)(?P<tail>[)\]])")
_SEED = re.compile(r"seed=(\d+)")
# So often must something come for a loop, and so many statements may it be.
_FEW, _MOST = 3, 12
# Where they are not all alike, a loop is at most so long.
_MOST_TRIED = 16
# A literal with a number at more places than these is not looked at: each of them may be the one that counts up.
_MOST_PLACES = 6


def folded(code: str, comma: str = "") -> list[str]:
    """An expression on several lines. `comma` stands behind it."""
    if len(code) + len(comma) <= WIDTH:
        return [code + comma]
    if LITERAL.fullmatch(code):
        mark, body = code.split('"', 1)
        pieces = [""]
        for character in _CHARACTER.findall(body[:-1]):
            if len(pieces[-1]) > _PIECE:
                pieces.append("")
            pieces[-1] += character
        *lines, last = [f'{mark}"{piece}"' for piece in pieces]
        return [*lines, last + comma]
    first, *others = _parted(code, " + ")
    if others:
        lines = folded(first)
        for term in others:
            begin, *rest = folded(term)
            lines += [f"+ {begin}", *rest]
        return [*lines[:-1], lines[-1] + comma]
    call = _CALL.fullmatch(code)
    if call is None or not _is_whole(call["inside"]):
        return [code + comma]
    inside = [f"    {line}" for argument in _parted(call["inside"], ", ") for line in folded(argument, ",")]
    return [call["head"], *inside, call["tail"] + comma]


def repeated(statements: Sequence[list[str]]) -> list[str]:
    """The lines of the statements. Those that come again and again, but for a number that counts up, are a loop."""
    lines: list[str] = []
    shapes = [[LITERAL.sub("_", line) for line in each] for each in statements]
    at = 0
    while at < len(statements):
        loop, taken = _loop(statements, shapes, at)
        lines += loop
        at += taken
    return lines


def _loop(statements: Sequence[list[str]], shapes: Sequence[list[str]], at: int) -> tuple[list[str], int]:
    """The lines of a loop that begins there, or of the one statement, and how many statements they stand for."""
    for size in range(1, _MOST + 1):
        most = _times(shapes, at, size)
        for times in (most, *range(min(most - 1, _MOST_TRIED), _FEW - 1, -1)) if most >= _FEW else ():
            body = _body([statements[at + turn * size : at + (turn + 1) * size] for turn in range(times)])
            if body is not None:
                name = "turn" if any("% turn" in line for line in body) else "_"
                return [f"for {name} in range({times}):", *(f"    {line}" for line in body)], times * size
    return statements[at], 1


def _times(shapes: Sequence[list[str]], at: int, size: int) -> int:
    """How often the `size` statements there come in turn, whatever the literals in them are."""
    times = 1
    while shapes[at + times * size : at + (times + 1) * size] == shapes[at : at + size]:
        times += 1
    return times


def _body(turns: Sequence[Sequence[list[str]]]) -> list[str] | None:
    """The lines of one turn that fit all of them; None where there are none."""
    made = []
    for same in zip(*([line for lines in turn for line in lines] for turn in turns), strict=True):
        line = same[0] if len(set(same)) == 1 else counted(same, range(len(turns)), "turn")
        if line is None:
            return None
        made.append(line)
    return made


def _parted(code: str, separator: str) -> list[str]:
    """The code parted by a separator that is in no literal and in no brackets."""
    parts = [""]
    depth = at = 0
    while at < len(code):
        found = LITERAL.match(code, at)
        if found:
            parts[-1] += found[0]
            at = found.end()
        elif not depth and code.startswith(separator, at):
            parts.append("")
            at += len(separator)
        else:
            depth += (code[at] in "([") - (code[at] in ")]")
            parts[-1] += code[at]
            at += 1
    return parts


def _is_whole(code: str) -> bool:
    """Whether every bracket that it closes is one that it opened."""
    depth = 0
    for character in LITERAL.sub("", code):
        depth += (character in "([") - (character in ")]")
        if depth < 0:
            return False
    return True


def counted(texts: Sequence[str], indices: Sequence[int], name: str) -> str | None:
    """One expression with the variable `name` in it that comes to each of these; None where there is none."""
    texts = _with_seeds(texts, indices, name)
    skeletons = {LITERAL.sub("_", each) for each in texts}
    if len(skeletons) > 1:
        return None
    made = texts[0]
    columns = zip(*(LITERAL.findall(each) for each in texts), strict=True)
    for column in columns:
        common = column[0] if len(set(column)) == 1 else _counted(column, indices, name)
        if common is None:
            return None
        made = made.replace(column[0], common, 1)
    return made


def _with_seeds(texts: Sequence[str], indices: Sequence[int], name: str) -> Sequence[str]:
    """The same with one expression for seeds that count up."""
    columns = zip(*(_SEED.findall(each) for each in texts), strict=False)
    for column in columns:
        bases = {int(seed) - index for seed, index in zip(column, indices, strict=True)}
        if len(set(column)) > 1 and len(bases) == 1:
            expression = f"seed={bases.pop()} + {name}"
            texts = [each.replace(f"seed={seed}", expression, 1) for each, seed in zip(texts, column, strict=True)]
    return texts


def _counted(literals: Sequence[str], indices: Sequence[int], name: str) -> str | None:
    """One literal with `name` filled in, which comes to each of these."""
    first, digits = literals[0], str(indices[0])
    places = [found.start() for found in re.finditer(digits, first)]
    for chosen in _subsets(places):
        pieces = []
        begin = 0
        for place in chosen:
            pieces.append(first[begin:place])
            begin = place + len(digits)
        pieces.append(first[begin:])
        # A digit of an escape is none of a number.
        if any(re.search(r"\\(x[0-9a-f]?)?$", each) for each in pieces):
            continue
        if all(str(index).join(pieces) == each for each, index in zip(literals, indices, strict=True)):
            template = "%d".join(piece.replace("%", "%%") for piece in pieces)
            values = ", ".join([name] * len(chosen))
            return f"{template} % {values if len(chosen) == 1 else f'({values})'}"
    return None


def _subsets(places: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Some of the places, or all of them, fewer first."""
    if len(places) <= _MOST_PLACES:
        for size in range(1, len(places) + 1):
            yield from itertools.combinations(places, size)
