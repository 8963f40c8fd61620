"""The clients of a case as Python functions: those that do the same, up to a number or a few bytes, share one."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sockcheck.case import Actor
from sockcheck.reproducing.folding import WIDTH, counted, folded, repeated
from sockcheck.reproducing.literals import text
from sockcheck.reproducing.statements import Statement, of_client

_COUNTED = re.compile(r"(?P<base>.*)\[(?P<index>\d+)\]", re.DOTALL)
_CONNECT = re.compile(r"(no_)?connect\(")


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and whom it is called for: the rows of `perform`."""

    source: str
    calls: tuple[str, ...]


def functions(actors: Sequence[Actor], unique: str, names: set[str]) -> list[Function]:
    """One function for each client, or for each `count` of clients. Their names are none of `names`, and join them."""
    made = []
    for base, group in _groups(actors).items():
        bodies = [of_client(actor, unique) for actor in group]
        indices = [_index(actor) for actor in group]
        if len(group) > 1:
            bodies = [_with_turn(base, index, body) for index, body in zip(indices, bodies, strict=True)]
        shapes = {tuple((each.parts, each.comment) for each in body) for body in bodies}
        if len(shapes) == 1 and not any(_captured(column) for column in zip(*bodies, strict=True)):
            made.append(_shared(_free(base, names), group, indices, bodies))
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


def _groups(actors: Sequence[Actor]) -> dict[str, list[Actor]]:
    groups: dict[str, list[Actor]] = {}
    for actor in actors:
        counted = _COUNTED.fullmatch(actor.name)
        groups.setdefault(counted["base"] if counted else actor.name, []).append(actor)
    return groups


def _index(actor: Actor) -> int:
    counted = _COUNTED.fullmatch(actor.name)
    return int(counted["index"]) if counted else 0


def _with_turn(base: str, index: int, body: list[Statement]) -> list[Statement]:
    """The wait for the client before this one, which the first does not have, in words that fit all of them."""
    turn = f'"{base}[{index - 1}] connected"'
    connects = next(number for number, each in enumerate(body) if _CONNECT.match(each.parts[0]))
    waits = connects > 0 and body[connects - 1].arguments == (turn,)
    before = body[: connects - 1] if waits else body[:connects]
    sets_turn = any(each.arguments == (f'"{base}[{index}] connected"',) for each in body)
    if not sets_turn:
        return body
    wait = Statement(("if index:\n    wait_for(", ")"), (f'"{base}[%d] connected" % (index - 1)',))
    return [*before, wait, *body[connects:]]


def _shared(name: str, group: Sequence[Actor], indices: Sequence[int], bodies: Sequence[list[Statement]]) -> Function:
    parameters: list[str] = []
    rows: list[list[str]] = [[] for _ in group]
    lines: list[list[str]] = []
    uses_index = False
    for number, statement in enumerate(bodies[0]):
        arguments = []
        for place in range(len(statement.arguments)):
            texts = [body[number].arguments[place] for body in bodies]
            common = texts[0] if len(set(texts)) == 1 else counted(texts, indices, "index")
            if common is None:
                common = f"given_{len(parameters) + 1}"
                parameters.append(common)
                for row, given in zip(rows, texts, strict=True):
                    row.append(given)
            uses_index = uses_index or common not in (texts[0], *parameters) or "index" in statement.parts[0]
            arguments.append(common)
        lines.append(_lines(statement, arguments))
    heads = ["c", *(["index"] if uses_index else []), *parameters]
    calls = []
    for actor, index, row in zip(group, indices, rows, strict=True):
        values = [*([str(index)] if uses_index else []), *row]
        calls.append(f"({', '.join([name, text(actor.name), *values])})")
    if len(group) > 2 and not parameters:
        first = text(group[0].name).replace("[0]", "[%d]").replace("%", "%%").replace("%%d", "%d")
        given_index = ", index" if uses_index else ""
        calls = [f"*[({name}, {first} % index{given_index}) for index in range({len(group)})]"]
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
