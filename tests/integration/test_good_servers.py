"""Good servers of many kinds pass all the bundled scenarios that their promises allow."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import sockcheck
from good_servers import good_servers, outcomes

SERVERS = good_servers()


@pytest.mark.parametrize("name", SERVERS)
def test_a_good_server_is_accused_of_nothing(name: str, tmp_path: Path) -> None:
    server = SERVERS[name]
    record = tmp_path / "record.jsonl"

    ran = sockcheck("run", server.scenarios(tmp_path), "--record", record, "--", *server.words(tmp_path))

    cases = list(outcomes(record))
    assert [str(case) for case in cases if case.outcome not in ("pass", "not run")] == []
    assert ran.code == 0, ran.everything
    passed = sum(case.outcome == "pass" for case in cases)
    assert passed > len(cases) / 2, ran.everything
