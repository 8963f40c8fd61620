"""Every law is proven by a server that breaks it: each of the faulty servers is found out, and its fault is named.

The servers and what must be found are in tests/zoo/broken; docs/zoo.md shows the whole of it as a table.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_servers import broken_servers, judgement
from command_line import sockcheck
from tools import CHECKOUT

SERVERS = broken_servers()
LIMIT = 300
# Where the machine is too busy to judge some of the cases, sockcheck says so, and they are run again.
TRIES = 3


@pytest.mark.timeout(TRIES * LIMIT)
@pytest.mark.parametrize("name", SERVERS)
def test_a_faulty_server_breaks_the_laws_of_its_fault_and_the_fault_is_named(name: str, tmp_path: Path) -> None:
    server = SERVERS[name]
    record = tmp_path / "record.jsonl"
    conditions = "thorough" if server.thorough else "standard"

    paths = [server.scenarios(tmp_path)]
    if server.with_suite:
        paths.append(CHECKOUT / "scenarios" / server.contract)
    words: list[str | Path] = [
        "run",
        *paths,
        "--conditions",
        conditions,
        "--record",
        record,
        "--",
        *server.words(tmp_path),
    ]
    for _ in range(TRIES):
        ran = sockcheck(*words, limit=LIMIT)
        found = judgement(record)
        if not found.busy:
            break

    assert set(server.laws) <= found.laws, ran.everything
    assert set(server.cause) <= set(found.causes), ran.everything
    assert "*" in server.may or found.laws <= {*server.laws, *server.may}, ran.everything
    assert "*" in server.also or set(found.causes) <= {*server.cause, *server.also}, ran.everything
    assert ran.code == 1, ran.everything
