"""One run shared out among machines and put together again; two runs compared; a team that starts with failures."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from command_line import Ran, sockcheck

from sockcheck import recording
from sockcheck.events import CaseJudged, CaseNotRun, CaseStarted, CauseNamed, RunStarted
from sockcheck.verdict import Verdict

FAULTY = ("--", "{python}", "faulty.py", "{host}", "{port}")
GOOD = ("--", "{python}", "-m", "sockcheck.servers.echo", "{host}", "{port}")
SCENARIO = """\
scenario: A line is echoed
client:
  - connect
  - send: "{line}\\n"
  - expect: "{line}\\n"
    within: 1s
"""
# It takes one recv() for one message, and forgets what does not end with a newline.
SERVER = """\
import socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    while True:
        client, _ = server.accept()
        with client:
            while data := client.recv(1024):
                if data.endswith(b"\\n"):
                    client.sendall(data)
"""
OF = 3


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A folder with a contract of four small scenarios, and a server that breaks a law with each."""
    (tmp_path / "faulty.py").write_text(SERVER)
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "contract.yaml").write_text("contract: team\nconditions: [cut.at-k, plain.again]\n")
    for name in ("one", "two", "three", "four"):
        (folder / f"{name}.sock.yaml").write_text(SCENARIO.format(line=name))
    return tmp_path


def run(team: Path, record: str, *words: str) -> Ran:
    return sockcheck("run", "team", "--exhaustive", "--record", record, "-q", *words, cwd=team)


def verdicts(record: Path) -> Mapping[str, str]:
    """What each case came to, by its id: every one of them once."""
    cases: dict[int, str] = {}
    found: list[tuple[str, str]] = []
    for event in recording.read(record):
        if isinstance(event, CaseStarted):
            cases[event.trial] = event.case.id
        elif isinstance(event, CaseJudged):
            found.append((cases[event.trial], event.verdict.outcome))
        elif isinstance(event, CaseNotRun):
            found.append((event.case.id, "not run"))
    assert max(Counter(name for name, _ in found).values()) == 1
    return dict(found)


def causes(record: Path) -> set[tuple[str, frozenset[str]]]:
    return {(event.id, frozenset(event.cases)) for event in recording.read(record) if isinstance(event, CauseNamed)}


def test_the_shards_of_a_run_make_one_report_of_all_of_it(team: Path) -> None:
    whole = run(team, "whole.jsonl", *FAULTY)
    assert whole.code == 1, whole.everything
    names = [f"shard-{number}.jsonl" for number in range(1, OF + 1)]
    for number, name in enumerate(names, 1):
        assert run(team, name, "--shard", f"{number}/{OF}", *FAULTY).code == 1
    shared = [verdicts(team / name) for name in names]
    assert sum(map(len, shared)) == len({name for each in shared for name in each}), "no case is in two shards"

    words = ("--junit", "a.xml", "--html", "a.html", "--record", "merged.jsonl")
    merged = sockcheck("report", *reversed(names), *words, cwd=team)
    assert merged.code == 1, merged.everything
    assert "CAUSE  The server takes one recv() for one message" in merged.out
    assert verdicts(team / "merged.jsonl") == verdicts(team / "whole.jsonl")
    assert causes(team / "merged.jsonl") == causes(team / "whole.jsonl")
    counts = re.search(r"(\d+) cases: (\d+) failed", merged.out)
    assert counts is not None
    assert counts[0] in whole.out
    assert (team / "a.xml").read_text().count("<failure") == int(counts[2])
    assert "<!doctype html>" in (team / "a.html").read_text()
    again = sockcheck("report", "merged.jsonl", cwd=team)
    assert (again.code, again.out.splitlines()[-1]) == (1, merged.out.splitlines()[-4])

    partly = sockcheck("report", names[0], names[2], "-q", "--junit", "b.xml", cwd=team)
    assert partly.code == 4
    assert "The run is not whole: shard 2/3 is missing" in partly.out
    assert "shard 2/3 is missing" in (team / "b.xml").read_text()
    twice = sockcheck("report", *names, names[0], cwd=team)
    assert (twice.code, twice.out) == (2, "")
    assert "shard 1/3 is here twice" in twice.err


def test_shards_of_different_runs_are_refused(team: Path) -> None:
    assert run(team, "1.jsonl", "--shard", "1/2", *GOOD).code == 0
    assert run(team, "2.jsonl", "--shard", "2/2", "--seed", "7", *GOOD).code == 0
    refused = sockcheck("report", "1.jsonl", "2.jsonl", cwd=team)
    assert (refused.code, refused.out) == (2, "")
    assert "different runs: the options differ: none and --seed 7" in refused.err
    (team / "team" / "one.sock.yaml").write_text(SCENARIO.format(line="other"))
    assert run(team, "2.jsonl", "--shard", "2/2", *GOOD).code == 0
    refused = sockcheck("report", "1.jsonl", "2.jsonl", cwd=team)
    assert "different runs: team/one.sock.yaml is not the same" in refused.err
    over = sockcheck("report", "1.jsonl", "--record", "./1.jsonl", cwd=team)
    assert (over.code, over.out) == (2, "")
    assert "./1.jsonl is one of the records that are read" in over.err
    assert sockcheck("report", "-", "-", cwd=team).code == 2


def test_a_shard_without_a_case_is_no_error(team: Path) -> None:
    ran = sockcheck("run", "team", "--shard", "5/5", "--junit", "a.xml", *GOOD, cwd=team)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Shard 5/5 has no case: there are fewer scenarios than shards.\n")
    assert 'tests="0"' in (team / "a.xml").read_text()


@pytest.mark.parametrize("text", ["0/5", "6/5", "x", "1/0", "5"])
def test_what_is_no_shard_is_said_in_a_sentence(text: str, team: Path) -> None:
    ran = sockcheck("run", "team", "--shard", text, *GOOD, cwd=team)
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch(r"sockcheck: --shard: .*\nhint: .*\n", ran.err)


def test_a_record_that_was_damaged_is_merged_as_far_as_it_goes(team: Path) -> None:
    for number in (1, 2):
        assert run(team, f"{number}.jsonl", "--shard", f"{number}/2", *GOOD).code == 0
    lines = (team / "2.jsonl").read_text().splitlines()
    (team / "2.jsonl").write_text("\n".join([*lines[:-2], "nonsense", *lines[-2:]]) + "\n")
    ran = sockcheck("report", "1.jsonl", "2.jsonl", "-q", cwd=team)
    assert ran.code == 4
    assert "The run is not whole: shard 2/2: its record ends before the run did" in " ".join(ran.out.split())
    assert f"2.jsonl:{len(lines) - 1}: this is no event" in ran.err
    (team / "2.jsonl").write_text("nonsense\n")
    assert sockcheck("report", "1.jsonl", "2.jsonl", cwd=team).code == 2


def test_a_team_starts_with_failures_and_mends_them(team: Path) -> None:
    wrote = sockcheck("run", "team", "-q", "--write-baseline", "known.yaml", *FAULTY, cwd=team)
    assert wrote.code == 1
    assert "baseline: known.yaml, 4 failures" in wrote.out
    known = team / "known.yaml"
    text = known.read_text()
    assert text.count("- case: team/") == 4
    known.write_text(text.replace("kinds:", 'why: "issue 12"\n    kinds:', 1))

    passed = sockcheck("run", "team", "--baseline", "known.yaml", "--record", "a.jsonl", *FAULTY, cwd=team)
    assert passed.code == 0, passed.everything
    assert re.search(r": 8 passed, \d+ in the baseline in ", passed.out)
    assert "failures in the baseline\n  team/four::cut.at-k(client.2:1)\n" in passed.out
    again = sockcheck("report", "a.jsonl", "-q", "--write-baseline", "known.yaml", cwd=team)
    assert again.code == 0
    assert known.read_text() == text.replace("wrong-bytes]\n", 'wrong-bytes]\n    why: "issue 12"\n', 1)

    mended = sockcheck("run", "team", "--baseline", "known.yaml", *GOOD, cwd=team)
    assert mended.code == 1
    assert "4 failed" in mended.out.splitlines()[-1]
    assert "team/one::cut.at-k is in the baseline, and does not fail any more" in mended.out
    assert "known.yaml:" in mended.out
    part = ("run", "team", "--baseline", "known.yaml", "-q")
    assert sockcheck(*part, "--select", "client.2:1)", *GOOD, cwd=team).code == 0, "not all variations were chosen"
    assert sockcheck(*part, "--select", "team/one", *GOOD, cwd=team).code == 1
    for number in (1, 2):
        half = sockcheck(*part, "--shard", f"{number}/2", "--record", f"{number}.jsonl", *GOOD, cwd=team)
        assert half.code == 1
        assert "2 failed" in half.out
    merged = sockcheck("report", "1.jsonl", "2.jsonl", "-q", "--write-baseline", "known.yaml", cwd=team)
    assert (merged.code, "4 failed" in merged.out) == (1, True)
    assert known.read_text().endswith("failures: []\n")
    assert sockcheck("run", "team", "-q", "--baseline", "known.yaml", *GOOD, cwd=team).code == 0


def test_what_fails_otherwise_than_is_known_fails(team: Path) -> None:
    entry = "failures:\n  - case: team/one::cut.at-k\n    kinds: [silence]\n"
    (team / "known.yaml").write_text(entry)
    ran = sockcheck("run", "team", "--baseline", "known.yaml", "--select", "one::cut", *FAULTY, cwd=team)
    assert ran.code == 1
    assert "Hint: The baseline knows it to fail otherwise, by silence (known.yaml:2)." in ran.out


def test_a_baseline_that_is_wrong_is_told_with_its_line_before_anything_runs(team: Path) -> None:
    def told(text: str, *words: str) -> str:
        (team / "known.yaml").write_text(text)
        ran = sockcheck("run", "team", *(words or ("--baseline", "known.yaml")), *GOOD, cwd=team)
        assert (ran.code, ran.out) == (2, "")
        return ran.err

    gone = told("failures:\n  - case: team/renamed::plain\n    kinds: [silence]\n")
    assert "known.yaml:2:11: there is no such case any more" in gone
    assert "hint: take the entry out, or write the baseline anew" in gone
    assert "1 mistake in the baseline" in gone
    assert "known.yaml:1:1: the file is empty" in told("")
    assert "there is no folder" in told("", "--write-baseline", "nowhere/known.yaml")
    assert "is something else than a baseline" in told("a: b", "--write-baseline", "known.yaml")
    assert "would lose the entries" in told("failures: []", "--write-baseline", "known.yaml", "--select", "one")
    assert "a shard does not know" in told("failures: []", "--write-baseline", "known.yaml", "--shard", "1/2")
    (team / "known.yaml").unlink()
    ran = sockcheck("run", "team", "--baseline", "known.yaml", *GOOD, cwd=team)
    assert (ran.code, ran.out) == (2, "")
    assert "known.yaml cannot be read" in ran.err


def test_two_runs_are_compared(team: Path) -> None:
    assert run(team, "bad.jsonl", *FAULTY).code == 1
    assert run(team, "good.jsonl", *GOOD).code == 0
    fixed = sockcheck("diff", "bad.jsonl", "good.jsonl", cwd=team)
    assert (fixed.code, fixed.err) == (0, "")
    assert "Causes that went\n  one-recv: the server takes one recv() for one message" in fixed.out
    assert "  - the server: {python}" in fixed.out
    assert max(map(len, fixed.out.splitlines())) <= 80
    assert "\x1b" not in fixed.out
    broken = sockcheck("diff", "good.jsonl", "bad.jsonl", "--json", cwd=team)
    assert (broken.code, broken.err) == (1, "")
    tree = json.loads(broken.out)
    failing = {name for name, outcome in verdicts(team / "bad.jsonl").items() if outcome == "fail"}
    assert {change["case"] for change in tree["newly_failing"]} == failing
    same = sockcheck("diff", "bad.jsonl", "bad.jsonl", cwd=team)
    assert same.code == 0
    assert same.out.endswith(f"\n{len(failing)} still failing\n")
    (team / "cut.jsonl").write_text("".join((team / "good.jsonl").read_text().splitlines(keepends=True)[:-1]))
    assert sockcheck("diff", "good.jsonl", "cut.jsonl", cwd=team).code == 4
    for words in (("good.jsonl", "nowhere.jsonl"), ("-", "-"), ("team/one.sock.yaml", "good.jsonl")):
        ran = sockcheck("diff", *words, cwd=team)
        assert (ran.code, ran.out) == (2, "")


def test_a_run_says_what_it_is_a_share_of(team: Path) -> None:
    assert run(team, "a.jsonl", "--shard", "1/2", "--strict", *GOOD).code == 0
    first = next(iter(recording.read(team / "a.jsonl")))
    assert isinstance(first, RunStarted)
    assert first.share is not None
    assert (first.share.numbers, first.share.of) == ((1,), 2)
    assert first.plan is not None
    assert first.plan.options == ("--strict", "--exhaustive")
    assert first.plan.servers[0].contracts == ("team",)
    assert first.plan.servers[0].command == GOOD[1:]
    assert first.total < 4 * 5


def test_what_was_found_stays_known_of(team: Path) -> None:
    """The findings of what is in the baseline are in the record as those of a failure are."""
    assert sockcheck("run", "team", "-q", "--write-baseline", "known.yaml", *FAULTY, cwd=team).code == 1
    assert run(team, "a.jsonl", "--baseline", "known.yaml", *FAULTY).code == 0
    judged = [event.verdict for event in recording.read(team / "a.jsonl") if isinstance(event, CaseJudged)]
    known: list[Verdict] = [verdict for verdict in judged if verdict.outcome == "skip"]
    assert known
    assert all(verdict.findings and verdict.reason.startswith("in the baseline (known.yaml:") for verdict in known)
