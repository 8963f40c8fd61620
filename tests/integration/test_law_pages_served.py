"""The Python on the pages of the laws, run as servers: what a page calls broken is found out, what mends it is right.

Those are tried that are a server, or nearly one; `law_page_server` adds what the page leaves to its reader.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import sockcheck
from tools import CHECKOUT

from sockcheck.events import CaseJudged
from sockcheck.recording import read

SERVER = CHECKOUT / "tests" / "support" / "law_page_server.py"

BROKEN = [
    ("cut.at-k", "reply", "cut-in-line", "wrong-bytes"),
    ("merge.pipeline", "kv", "pipelined", "wrong-bytes"),
    ("merge.before-accept", "echo", "sent-before-accept", "missing-bytes"),
    ("leave.close-at-k", "echo", "empty-connection", "exited"),
    ("leave.reset-at-k", "echo", "reset-at-once", "exited"),
    ("neighbour.idle", "echo", "idle-neighbours", "silence"),
    ("crowd.queued", "echo", "waiting-clients", "silence"),
    ("churn.spin", "echo", "echo/hello::", "spinning"),
]
MENDED = [
    ("plain", "frames", "two-turns"),
    ("plain.again", "echo-once", "*"),
    ("cut.at-k", "reply", "cut"),
    ("merge.sends", "reply", "lines"),
    ("merge.pipeline", "kv", "pipelined"),
    ("merge.before-accept", "echo-once", "*"),
    ("leave.close-at-k", "echo-once", "*"),
    ("leave.reset-at-k", "echo-once", "*"),
    ("neighbour.idle", "echo", "*"),
    ("crowd.interleaved", "echo", "taking-turns"),
    ("churn.leak", "echo", "*"),
    ("churn.spin", "echo", "two-turns"),
    ("limit.endless", "reply", "over"),
    ("time.idle", "kv", "idle"),
    ("life.stop", "echo", "stop-idle"),
    ("life.drain", "echo", "*"),
]


@pytest.mark.parametrize(("law", "contract", "select", "kind"), BROKEN, ids=lambda value: value)
def test_what_is_called_broken_is_found_out(law: str, contract: str, select: str, kind: str, tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    ran = run(law, "broken", contract, select, "--record", str(record))
    found = [event.verdict for event in read(record) if isinstance(event, CaseJudged)]
    kinds = {finding.kind for verdict in found if verdict.outcome == "fail" for finding in verdict.findings}
    assert kind in kinds, ran


@pytest.mark.parametrize(("law", "contract", "select"), MENDED, ids=lambda value: value)
def test_what_is_called_mended_is_right(law: str, contract: str, select: str) -> None:
    run(law, "mended", contract, select, code=0)


def run(law: str, which: str, contract: str, select: str, *more: str, code: int = 1) -> str:
    server = ["{python}", str(SERVER), "{host}", "{port}", law, which, contract]
    ran = sockcheck("run", f"scenarios/{contract}", "--select", select, *more, "--", *server)
    assert ran.code == code, ran.everything
    return ran.everything
