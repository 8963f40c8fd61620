"""Good servers of many kinds keep all laws with the bundled scenarios, as far as they promise to: none is accused."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import sockcheck
from good_servers import good_servers, outcomes

SERVERS = good_servers()
LIMIT = 300


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("name", SERVERS)
def test_a_good_server_is_accused_of_nothing(name: str, tmp_path: Path) -> None:
    server = SERVERS[name]
    record = tmp_path / "record.jsonl"

    words = ("run", server.scenarios(tmp_path), "--conditions", "thorough", "--record", record)
    ran = sockcheck(*words, "--", *server.words(tmp_path), limit=LIMIT)

    cases = list(outcomes(record))
    assert server.accusations(cases) == [], ran.everything
    came = {case.outcome for case in cases}
    assert came <= {"pass", "not run", "busy", "fail", "skip"}, ran.everything
    assert {case.law for case in cases if case.outcome == "skip"} <= set(server.slow), ran.everything
    # A case that a busy machine kept from being judged accuses nobody, and excuses nobody either.
    assert "busy" in came or {case.law for case in cases if case.outcome == "fail"} == set(server.breaks)
    assert ran.code == (1 if "fail" in came else 5 if "busy" in came else 0), ran.everything
    passed = sum(case.outcome == "pass" for case in cases)
    assert passed > len(cases) / 2, ran.everything
