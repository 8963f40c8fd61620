"""Scripts of `sockcheck reproduce` that people read, and what they are made from.

    python tests/support/reproduced.py

writes those under tests/golden/reproduce anew; read the difference before it is committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tools import CHECKOUT

from sockcheck.case import Case
from sockcheck.deriving import Planned, Wish, derive
from sockcheck.planning import plan
from sockcheck.reading import read_contract, read_scenario
from sockcheck.reproducing import script
from sockcheck.scenario import Contract, Scenario
from sockcheck.verdict import Finding

GOLDEN = CHECKOUT / "tests" / "golden" / "reproduce"
SERVER = ("./my_server", "{host}", "{port}")


@cache
def contract(name: str) -> Contract:
    path = Path("scenarios", name, "contract.yaml")
    return read_contract(str(path), (CHECKOUT / path).read_text(encoding="utf-8"), name)


def bundled() -> Iterator[Case]:
    """All cases of all bundled scenarios."""
    for path in sorted((CHECKOUT / "scenarios").glob("*/*.sock.yaml")):
        yield from planned(path.parent.name, path.name.partition(".")[0])


def derived() -> Iterator[Case]:
    """A case of each law that the bundled greetings can be tried with, and of each kind of variation."""
    scenarios = [_read("echo", "hello"), _read("frames", "frame"), _read("kv", "set-get")]
    seen = set()
    for found in derive(scenarios, Wish(seed=0, conditions=("thorough",))):
        if isinstance(found, Planned) and (found.case.law, found.case.traits) not in seen:
            seen.add((found.case.law, found.case.traits))
            yield found.case


def planned(folder: str, name: str) -> tuple[Case, ...]:
    """The cases of a bundled scenario."""
    return plan(_read(folder, name), seed=0)


def _read(folder: str, name: str) -> Scenario:
    path = Path("scenarios", folder, f"{name}.sock.yaml")
    return read_scenario(str(path), (CHECKOUT / path).read_text(encoding="utf-8"), contract(folder), _no_file)


def finding(case: Case, **changes: Any) -> Finding:
    """Something that was wrong with the last step of the first client."""
    actor = case.actors[0]
    step = len(actor.actions) - 1
    message = "the server closed the connection after 5 bytes: 7 of 12 bytes did not come"
    expected, actual = '"hello world\\n"', "\"hello\", then the orderly end (b'')"
    span = actor.actions[step].span
    made = Finding("missing-bytes", case.law, actor.name, step, span, message, expected, actual, 5, 1.0, hint=case.hint)
    return replace(made, **changes)


def golden_scripts() -> Iterator[tuple[str, str]]:
    """Each script and the name of the file that holds it."""
    cut = planned("echo", "cut-in-two")[0]
    yield "cut-in-two.txt", script(cut, command=SERVER, address=None, finding=finding(cut), unique="1")
    for folder, name in (
        ("echo", "crowd"),
        ("echo", "deaf-neighbour"),
        ("echo", "sizes"),
        ("echo", "restart"),
        ("chat", "many-speakers"),
    ):
        case = planned(folder, name)[0]
        yield f"{name}.txt", script(case, command=SERVER, address=None, finding=None, unique="1")
    first, second = planned("kv", "close-in-request")[0], planned("kv", "shared")[0]
    yield (
        "after-another.txt",
        script(second, command=SERVER, address=None, finding=None, unique="2", before=[(first, "1")]),
    )
    running = planned("frames", "cut-in-length")[0]
    yield "running.txt", script(running, command=None, address="127.0.0.1:7000", finding=None, unique="1")


def _no_file(path: str) -> bytes:
    raise FileNotFoundError(path)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in golden_scripts():
        (GOLDEN / name).write_text(text, encoding="utf-8")
