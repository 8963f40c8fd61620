"""The whole of a script: the helpers and modules that it uses, and what holds them together."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from sockcheck.case import Await, Case, Exits, Kill, Mark, Meet, Restart, Send, Signal, Start, WaitFor
from sockcheck.reproducing import client_helpers, form_helpers, server_helpers
from sockcheck.reproducing.folding import folded
from sockcheck.reproducing.literals import number, text
from sockcheck.reproducing.statements import GAP
from sockcheck.show import signal_name
from sockcheck.verdict import Finding

_MODULES = frozenset(
    {
        "collections",
        "hashlib",
        "os",
        "re",
        "resource",
        "select",
        "shutil",
        "signal",
        "socket",
        "struct",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "traceback",
    }
)
_OURS = frozenset(
    {"main", "server", "exchange", "HOST", "PORT", "COMMAND", "READY_WITHIN", "QUIET_FOR", "FOLDER", "c", "index"}
)
_LOOK = 'run(look_for_server, "")'
_FOLDER = 'tempfile.mkdtemp(prefix="repro-")'
_BEHIND = "What the steps above are made of.\n"
_ENTRY = 'if __name__ == "__main__":\n    sys.exit(main())\n'
_COUNTED = re.compile(r"(?P<before>\D*)(?P<index>0|[1-9]\d*)(?P<behind>(?:\D.*)?)", re.DOTALL)
# A server is told by these to end.
_ENDING = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGKILL")
NEED_PROCESSES = ("spinning", "leaking")
"""Findings that only the processes of the server show."""
# Seconds: how long the server may take to listen, and how much longer than a case its script may take.
_READY = 10
_LONGER = 10
# Seconds: how long nothing more may come at the end, and where there are more than a few clients, one after the other.
_QUIET, _QUIET_AMONG_MANY, _FEW = 0.3, 0.05, 50
# A server that serves more clients than these is given more descriptors, as sockcheck does.
_MANY = 200


@dataclass(frozen=True, slots=True)
class Exchange:
    """A case as source: the functions of its clients and of the server's steps, and the rows of `perform`."""

    case: Case
    source: str
    calls: Sequence[str]
    steps: str


class _Helper(NamedTuple):
    source: str
    uses: frozenset[str]


def names() -> set[str]:
    """The names that no function of a case may have."""
    return {*_helpers(), *_MODULES, *_OURS}


def apology(told: str, obstacle: str) -> str:
    """A script that says why it cannot be tried, and exits with 2."""
    reason = text(f"not tried: {obstacle}")
    return f"{told}\nimport sys\n\nprint({reason}, file=sys.stderr)\nsys.exit(2)\n"


def whole(
    told: str,
    exchanges: Sequence[Exchange],
    command: Sequence[str] | None,
    address: str | None,
    finding: Finding | None,
) -> str:
    """The script; as `sockcheck.reproducing.script`."""
    sources = [_titled(exchange) if len(exchanges) > 1 else exchange.source for exchange in exchanges]
    constants = _constants([exchange.case for exchange in exchanges], command, address)
    ends = [_exchange(exchanges), _main(exchanges, command, finding), _ENTRY]
    helpers = _used([*sources, *ends])
    modules = sorted(_MODULES & _loaded([constants, *sources, *helpers, *ends]))
    imports = "".join(f"import {module}\n" for module in modules)
    parts = [f"{told}\n{imports}\n{constants}", *sources, f"# {_BEHIND}", *helpers, *ends]
    return "\n\n".join(parts)


def _titled(exchange: Exchange) -> str:
    return f"# {exchange.case.id}, {exchange.case.span.path}\n\n\n{exchange.source}"


def _constants(cases: Sequence[Case], command: Sequence[str] | None, address: str | None) -> str:
    if address is None or (command is not None and _takes(command, "port")):
        address = "127.0.0.1:None"
    host, _, port = address.rpartition(":")
    lines = [f"HOST, PORT = {text(host.strip('[]'))}, {port}", f"QUIET_FOR = {number(_quiet(cases))}"]
    if command is not None:
        lines.append(f"COMMAND = [{', '.join(map(text, command))}]")
        lines.append(f"FOLDER = {_FOLDER if _takes(command, 'dir') else text('')}")
        lines.append(f"READY_WITHIN = {_READY}")
    return "".join(f"{line}\n" for line in lines)


def _takes(command: Sequence[str], name: str) -> bool:
    return any(f"{{{name}}}" in word for word in command)


def _exchange(exchanges: Sequence[Exchange]) -> str:
    """All that is performed."""
    body = []
    for exchange in exchanges:
        alone = len(exchange.calls) == 1 and exchange.calls[0].startswith("*")
        arguments = [exchange.calls[0][1:] if alone else f"[{', '.join(exchange.calls)}]"]
        arguments += [f"steps={exchange.steps}"] if exchange.steps else []
        arguments += _marks(exchange.case)
        arguments.append(f"limit={number(math.ceil(exchange.case.deadline + _gaps(exchange.case)))}")
        call = f"perform({', '.join(arguments)})"
        body += folded(call)
    return "def exchange():\n" + "".join(f"    {line}\n" for line in body)


def _marks(case: Case) -> list[str]:
    """What is marked and where is met, as arguments."""
    actors = [*(actor.actions for actor in case.actors), case.server]
    meetings = {action.name: action.parties for actions in actors for action in actions if isinstance(action, Meet)}
    marks = {action.name for actions in actors for action in actions if isinstance(action, Mark | WaitFor)}
    made = [f"marks=[{', '.join(_listed(marks | meetings.keys()))}]"] if marks or meetings else []
    rows = ", ".join(f"({text(name)}, {parties})" for name, parties in meetings.items())
    return [*made, f"meetings=[{rows}]"] if meetings else made


def _listed(marks: Iterable[str]) -> list[str]:
    """The names, those that are counted up in one expression."""
    counted: dict[tuple[str, str], set[int]] = {}
    for mark in marks:
        found = _COUNTED.fullmatch(mark)
        if found:
            counted.setdefault((found["before"], found["behind"]), set()).add(int(found["index"]))
    made = []
    for (before, behind), indices in sorted(counted.items()):
        if indices == set(range(len(indices))) and len(indices) > 2:
            template = text(f"{before}\0{behind}".replace("%", "%%")).replace("\\x00", "%d")
            made.append(f"*[{template} % index for index in range({len(indices)})]")
        else:
            made += [text(f"{before}{index}{behind}") for index in sorted(indices)]
    return [*(text(mark) for mark in sorted(marks) if not _COUNTED.fullmatch(mark)), *made]


def _gaps(case: Case) -> float:
    """The seconds that the script may take longer than the case, since it sleeps where sockcheck asks the kernel."""
    actions = [action for actor in case.actors for action in actor.actions]
    sleeps = sum(len(action.cuts or ()) for action in actions if isinstance(action, Send))
    sleeps += sum(isinstance(action, Await) for action in actions)
    return _LONGER + GAP * sleeps + _quiet([case]) * len(case.actors)


def _quiet(cases: Iterable[Case]) -> float:
    """The seconds in which nothing more may come, when all that was expected has come."""
    return _QUIET if all(len(case.actors) <= _FEW for case in cases) else _QUIET_AMONG_MANY


def _main(exchanges: Sequence[Exchange], command: Sequence[str] | None, finding: Finding | None) -> str:
    kind = "" if finding is None else finding.kind
    looks = ["exchange()"]
    if _serves_behind(exchanges[-1].case):
        looks += ["if not faults:", '    run(look_after_server, "")']
    if kind == "spinning":
        looks += ["if not faults:", '    run(look_for_spinning, "")']
    if kind == "leaking":
        connections = sum(len(exchange.case.actors) for exchange in exchanges)
        looks += ["if not faults:", f'    run(look_for_leaks, "", exchange, {connections})']
    lines = ["global HOST, PORT"]
    if any(len(exchange.case.actors) > _MANY for exchange in exchanges):
        lines.append("allow_many_files()")
    lines += ["if len(sys.argv) == 3:", "    HOST, PORT = sys.argv[1], int(sys.argv[2])"]
    if command is None:
        body = [*lines, _LOOK, "if not faults:", *(f"    {line}" for line in looks), "return tell()"]
    else:
        if any(exchange.steps for exchange in exchanges) or kind in NEED_PROCESSES:
            lines.append('    faults.append((Untried("it needs a server that is started here"), "", []))')
        else:
            lines.append(f"    {_LOOK}")
        lines.append("else:")
        lines += ["    PORT = free_port()"] if _takes(command, "port") else []
        lines.append(f'    run(start_server, "", {"listening" if _takes(command, "port") else "find_port"})')
        lines += ["if not faults:", *(f"    {line}" for line in looks), "return tell()"]
        ends = ["stop_server()", *(["shutil.rmtree(FOLDER, ignore_errors=True)"] if _takes(command, "dir") else [])]
        body = [
            lines[0],
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # the server is ended then, too",
            "try:",
            *(f"    {line}" for line in lines[1:]),
            "finally:",
            *(f"    {line}" for line in ends),
        ]
    return "def main():\n" + "".join(f"    {line}\n" for line in body)


def _serves_behind(case: Case) -> bool:
    """Whether the server is to go on serving when the case is over: nothing asked for its end since its last start."""
    ended = False
    for action in case.server:
        if isinstance(action, Exits | Kill) or (isinstance(action, Signal) and signal_name(action.signal) in _ENDING):
            ended = True
        elif isinstance(action, Start | Restart):
            ended = False
    return not ended


@cache
def _helpers() -> Mapping[str, _Helper]:
    """The helpers by name, in their order."""
    found = {}
    for source in (client_helpers.TEXT, form_helpers.TEXT, server_helpers.TEXT):
        lines = source.splitlines(keepends=True)
        nodes = ast.parse(source).body
        ends = [*(node.lineno - 1 for node in nodes[1:]), len(lines)]
        for node, end in zip(nodes, ends, strict=True):
            text = "".join(lines[node.lineno - 1 : end]).rstrip() + "\n"
            found[_name(node)] = _Helper(text, frozenset(_loaded([text])))
    return found


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    assert isinstance(node, ast.Assign)
    assert isinstance(node.targets[0], ast.Name)
    return node.targets[0].id


def _used(sources: Iterable[str]) -> list[str]:
    """The helpers that these use, and those that they use in turn, in their order."""
    helpers = _helpers()
    wanted = list(_loaded(sources) & helpers.keys())
    used = set()
    while wanted:
        name = wanted.pop()
        if name not in used:
            used.add(name)
            wanted += helpers[name].uses & helpers.keys()
    found = [helper.source for name, helper in helpers.items() if name in used]
    # Plain assignments stand together.
    simple = [source for source in found if source.count("\n") == 1]
    return [*(["".join(simple)] if simple else []), *(source for source in found if source not in simple)]


def _loaded(sources: Iterable[str]) -> set[str]:
    """The names that are read in these."""
    return {node.id for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
