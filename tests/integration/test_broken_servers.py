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


@pytest.mark.parametrize("name", SERVERS)
def test_a_faulty_server_breaks_the_laws_of_its_fault_and_the_fault_is_named(name: str, tmp_path: Path) -> None:
    server = SERVERS[name]
    record = tmp_path / "record.jsonl"
    conditions = "thorough" if server.thorough else "standard"

    paths = [server.scenarios(tmp_path)]
    if server.with_suite:
        paths.append(CHECKOUT / "scenarios" / server.contract)
    ran = sockcheck("run", *paths, "--conditions", conditions, "--record", record, "--", *server.words(tmp_path))

    found = judgement(record)
    assert set(server.laws) <= found.laws, ran.everything
    assert set(server.cause) <= set(found.causes), ran.everything
    assert "*" in server.may or found.laws <= {*server.laws, *server.may}, ran.everything
    assert "*" in server.also or set(found.causes) <= {*server.cause, *server.also}, ran.everything
    assert ran.code == 1, ran.everything
