"""The clients of a case as Python functions: those that do the same, up to a number or a few bytes, share one."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sockcheck.case import Actor
from sockcheck.reproducing.folding import WIDTH, counted, folded, repeated
from sockcheck.reproducing.literals import text
from sockcheck.reproducing.statements import Statement, of_client

_COUNTED = re.compile(r"(?P<base>.*)\[(?P<index>\d+)\]", re.DOTALL)
_WAIT = "wait_for("


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and whom it is called for: the rows of `perform`."""

    source: str
    calls: tuple[str, ...]


def functions(actors: Sequence[Actor], unique: str, names: set[str]) -> list[Function]:
    """One function for each client, or for each `count` of clients. Their names are none of `names`, and join them."""
    made = []
    for (base, _), group in _groups(actors).items():
        bodies = [of_client(actor, unique) for actor in group]
        indices = [_index(actor) for actor in group]
        shared = _aligned(bodies, indices[0])
        if shared is not None:
            made.append(_shared(_free(base, names), group, indices, shared))
        else:
            for actor, body in zip(group, bodies, strict=True):
                made.append(_shared(_free(actor.name, names), [actor], [0], [body]))
    return made


def _captured(statements: Sequence[Statement]) -> bool:
    """Whether these, of as many clients, differ by what a client captures, which no row of `perform` can name."""
    return len(set(statements)) > 1 and any("value(c" in argument for each in statements for argument in each.arguments)


def block(statements: Sequence[Statement]) -> str:
    """The statements as the body of a function."""
    return _indented(repeated([_lines(statement, statement.arguments) for statement in statements]))


def _groups(actors: Sequence[Actor]) -> dict[tuple[str, bool], list[Actor]]:
    groups: dict[tuple[str, bool], list[Actor]] = {}
    for actor in actors:
        counted = _COUNTED.fullmatch(actor.name)
        groups.setdefault((counted["base"], True) if counted else (actor.name, False), []).append(actor)
    return groups


def _index(actor: Actor) -> int:
    counted = _COUNTED.fullmatch(actor.name)
    return int(counted["index"]) if counted else 0


def _aligned(bodies: Sequence[list[Statement]], first_index: int) -> list[list[Statement]] | None:
    """The bodies, statement by statement of the same shape; None where they are too different for one function.

    Where clients go one after the other, all but the first wait for the one before: then the first is given that wait
    too, and all of them a condition.
    """
    first, *others = bodies
    shapes = [[(each.parts, each.comment) for each in body] for body in bodies]
    pattern = bodies[-1]
    if any(shape != shapes[-1] for shape in shapes[1:]):
        return None
    padded: list[Statement] = []
    only_others: set[int] = set()
    rest = list(first)
    for number, statement in enumerate(pattern):
        if rest and (rest[0].parts, rest[0].comment) == shapes[-1][number]:
            padded.append(rest.pop(0))
        elif statement.parts[0] == _WAIT:
            only_others.add(number)
            padded.append(statement)
        else:
            return None
    if rest:
        return None
    condition = f"if index > {first_index}:" if first_index else "if index:"
    aligned = [
        [
            replace(each, parts=(f"{condition}\n    {_WAIT}", ")")) if number in only_others else each
            for number, each in enumerate(body)
        ]
        for body in (padded, *others)
    ]
    columns = [column for number, column in enumerate(zip(*aligned, strict=True)) if number not in only_others]
    return None if any(_captured(column) for column in columns) else aligned


def _shared(name: str, group: Sequence[Actor], indices: Sequence[int], bodies: Sequence[list[Statement]]) -> Function:
    parameters: list[str] = []
    rows: list[list[str]] = [[] for _ in group]
    lines: list[list[str]] = []
    uses_index = False
    for number, statement in enumerate(bodies[0]):
        arguments = []
        for place in range(len(statement.arguments)):
            texts = [body[number].arguments[place] for body in bodies]
            waits = statement.parts[0].startswith("if index")
            if waits:
                # The first does not wait, so that it is the others that this has to fit.
                common = counted(texts[1:], [index - 1 for index in indices[1:]], "(index - 1)")
            else:
                common = texts[0] if len(set(texts)) == 1 else counted(texts, indices, "index")
            if common is None:
                common = f"given_{len(parameters) + 1}"
                parameters.append(common)
                for row, given in zip(rows, texts, strict=True):
                    row.append(given)
            uses_index = uses_index or waits or common not in (texts[0], *parameters)
            arguments.append(common)
        lines.append(_lines(statement, arguments))
    heads = ["c", *(["index"] if uses_index else []), *parameters]
    calls = []
    for actor, index, row in zip(group, indices, rows, strict=True):
        values = [*([str(index)] if uses_index else []), *row]
        calls.append(f"({', '.join([name, text(actor.name), *values])})")
    first, behind = indices[0], indices[0] + len(group)
    if len(group) > 2 and not parameters and list(indices) == list(range(first, behind)):
        template = f'{text(group[0].name.rpartition("[")[0].replace("%", "%%"))[:-1]}[%d]"'
        given_index = ", index" if uses_index else ""
        numbers = f"{first}, {behind}" if first else f"{behind}"
        calls = [f"*[({name}, {template} % index{given_index}) for index in range({numbers})]"]
    return Function(f"def {name}({', '.join(heads)}):\n{_indented(repeated(lines))}", tuple(calls))


def _lines(statement: Statement, arguments: Sequence[str]) -> list[str]:
    """A statement with its comment, broken where it is too long."""
    *before, code = statement.code(arguments).split("\n")
    comment = f"  # {statement.comment}" if statement.comment else ""
    first, *others = [code] if len(code) + len(comment) <= WIDTH else folded(code)
    return [*before, first + comment, *others]


def _indented(lines: Iterable[str]) -> str:
    return "".join(f"    {line}\n" for line in lines)


def _free(name: str, names: set[str]) -> str:
    """A name for a function, which is then among `names`."""
    made = re.sub(r"\W", "_", name, flags=re.ASCII)
    if made[:1].isdigit() or not made.strip("_"):
        made = f"client_{made}"
    while made in names or keyword.iskeyword(made) or hasattr(builtins, made):
        made += "_"
    names.add(made)
    return made
