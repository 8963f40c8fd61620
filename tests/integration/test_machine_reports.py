"""The reports for programs, as they come to be: beside people's, at once, and behind a run that was killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command_line import LIMIT, environment, sockcheck, wait_for
from junit_schema import junit_schema
from lxml import etree
from tools import CHECKOUT

SCHEMA = json.loads((CHECKOUT / "tests" / "data" / "gradescope.schema.json").read_text())
RECV1024 = ("--", "{python}", str(CHECKOUT / "tests" / "zoo" / "tutorial" / "recv1024.py"), "{host}", "{port}")
HELLO = 'client:\n  - connect\n  - send: "hello\\n"\n  - expect: "hello\\n"\n  - shutdown: write\n  - end: eof\n'
WRONG = HELLO.replace('expect: "hello', 'expect: "jello')
ECHO = ("--", "{python}", "-m", "sockcheck", "serve", "echo", "{host}:{port}")
CURSES = (
    "::error::pwned",
    "::add-mask::hello",
    "##[error]pwned",
    "::set-output name=a::pwned",
    "\r::error file=a,line=1::pwned",
)


def gradescope(text: str) -> Any:
    results = json.loads(text)
    jsonschema.validate(results, SCHEMA, cls=jsonschema.Draft202012Validator)
    return results


def junit(text: bytes) -> etree._Element:
    root = etree.fromstring(text)
    junit_schema().assertValid(root)
    return root


@pytest.mark.parametrize("option", ["--junit", "--gradescope", "--html"])
def test_a_report_on_standard_output_stands_there_alone(option: str) -> None:
    ran = sockcheck("run", "scenarios/echo", "--select", "cut-in-two", option, "-", *RECV1024)
    assert ran.code == 1
    match option:
        case "--junit":
            assert junit(ran.out.encode()).get("failures") == "1"
        case "--gradescope":
            assert [test["score"] for test in gradescope(ran.out)["tests"]] == [0.0]
        case _:
            assert ran.out.startswith("<!doctype html>")
    assert "1 case: 1 failed in " in ran.err
    assert "FAIL  echo/cut-in-two::plain" in ran.err


def test_two_reports_cannot_both_go_to_standard_output_nor_a_record_at_all() -> None:
    both = sockcheck("run", "scenarios/echo", "--junit", "-", "--gradescope", "-")
    assert (both.code, both.out) == (2, "")
    assert "--junit and --gradescope cannot both go to standard output" in both.err
    record = sockcheck("run", "scenarios/echo", "--record", "-")
    assert record.code == 2
    assert "--record needs a file" in record.err


def test_a_pipe_gets_the_report_alone_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert sockcheck("run", "scenarios/echo", "--select", "echo/hello", "--junit", pipe, *RECV1024).code == 0
        assert junit(os.read(reader, 65536)).get("tests") == "1"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def contract(folder: Path, **scenarios: str) -> Path:
    (folder / "mine").mkdir()
    (folder / "mine" / "contract.yaml").write_text("contract: mine\nconditions: none\n")
    for name, text in scenarios.items():
        (folder / "mine" / f"{name}.sock.yaml").write_text(text)
    return folder / "mine"


def test_a_gate_that_fails_and_a_server_that_does_not_start(tmp_path: Path) -> None:
    path = contract(
        tmp_path,
        gate=f"scenario: Gate\ngate: yes\n{WRONG}",
        other=f"scenario: Other\npoints: 3\n{HELLO}",
    )
    ran = sockcheck(
        "run", path, "-q", "--gradescope", "-", "--", "{python}", "-m", "sockcheck", "serve", "echo", "{host}:{port}"
    )
    tests = gradescope(ran.out)["tests"]
    assert [(test["name"], test["score"], test["max_score"], test["output"]) for test in tests][1:] == [
        ("Other", 0.0, 3.0, "gated by mine/gate")
    ]
    never = sockcheck("run", path, "-q", "--gradescope", "-", "--", "{python}", "-c", "print('Traceback: no'); 1/0")
    assert never.code == 3
    results = gradescope(never.out)
    assert [test["score"] for test in results["tests"]] == [0.0, 0.0]
    assert "ZeroDivisionError" in results["output"]
    typo = gradescope(sockcheck("run", path, "-q", "--gradescope", "-", "--", "./no-such-server").out)
    assert typo["output"].startswith("REGRADE")
    assert all("score" not in test for test in typo["tests"])


def test_behind_a_run_that_was_killed_the_reports_say_that_it_was_not_finished(tmp_path: Path) -> None:
    waits = "scenario: Wait\nclient:\n  - connect\n  - quiet: 10m\n"
    path = contract(tmp_path, a=f"scenario: Wrong\n{WRONG}", b=waits)
    files = {name: tmp_path / f"report.{name}" for name in ("junit", "gradescope", "ctrf", "html")}
    for file in files.values():
        file.write_text("of an earlier run, in which all had passed")
    options = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    process = subprocess.Popen(
        [sys.executable, "-m", "sockcheck", "run", str(path), "--jobs", "1", *options, *ECHO],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        env=environment(),
    )
    try:
        wait_for(lambda: "1 of 2 cases had been judged" in files["gradescope"].read_text())
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(LIMIT)
    results = gradescope(files["gradescope"].read_text())
    assert results["output"].startswith("REGRADE: this is no grade, since the run was not finished.")
    assert "1 of 2 cases had been judged; 1 of them failed." in results["output"]
    assert "FAIL  mine/a::plain" in results["output"]
    assert results["tests"] == []
    root = junit(files["junit"].read_bytes())
    assert (root.get("tests"), root.get("errors")) == ("1", "1")
    assert "FAIL  mine/a::plain" in str(root.findtext(".//error"))
    assert json.loads(files["ctrf"].read_text())["results"]["summary"]["other"] == 1
    assert "an earlier run" not in files["html"].read_text()


def test_in_github_actions_nothing_that_a_server_writes_is_a_command(tmp_path: Path) -> None:
    """A server that answers with commands, and writes them, in a case whose texts are commands too."""
    program = tmp_path / "curses.py"
    program.write_text(
        "import socket, sys\n"
        f"curses = {CURSES!r}\n"
        "server = socket.create_server((sys.argv[1], int(sys.argv[2])))\n"
        "while True:\n"
        "    client, _ = server.accept()\n"
        "    print(*curses, sep='\\n', flush=True)\n"
        "    print(*curses, sep='\\n', file=sys.stderr, flush=True)\n"
        "    client.sendall('\\n'.join(curses).encode())\n"
        "    client.close()\n"
    )
    path = contract(tmp_path, curse=f'scenario: "::error::title"\nhint: "::error::hint"\n{HELLO}')
    summary = tmp_path / "summary.md"
    summary.write_text("# before\n")
    ran = sockcheck(
        *("run", path, "-v", "--", "{python}", str(program), "{host}", "{port}"),
        GITHUB_ACTIONS="true",
        GITHUB_WORKSPACE=str(tmp_path),
        GITHUB_STEP_SUMMARY=str(summary),
    )
    assert ran.code == 1
    assert ran.err == ""
    commands = list(effective(ran.out))
    assert len(commands) == 1, commands
    assert commands[0].startswith("::error file=mine/curse.sock.yaml,line=6,col=5,")
    text = summary.read_text()
    assert text.startswith("# before\n## sockcheck: 1 of 1 case failed\n")
    assert "::error::pwned" in text
    assert "::" not in re.sub(r"<pre>.*?</pre>|<code>.*?</code>", "", text, flags=re.DOTALL)
    again = sockcheck("run", path, "--no-github", *RECV1024, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert "stop-commands" not in again.everything
    assert summary.read_text() == text


@pytest.mark.parametrize("words", [("run", "scenarios/echo"), ("doctor",), ("init", "{new}")])
def test_nor_is_what_a_server_writes_that_does_not_start(words: tuple[str, ...], tmp_path: Path) -> None:
    code = f"print(*{CURSES!r}, sep=chr(10)); raise SystemExit(1)"
    named = [word.replace("{new}", str(tmp_path / "new")) for word in words]
    ran = sockcheck(*named, "--", "{python}", "-c", code, GITHUB_ACTIONS="true")
    assert ran.code == 3
    assert "pwned" in ran.out
    assert [line for line in effective(ran.everything) if not line.startswith("::error title=The server")] == []


def effective(log: str) -> list[str]:
    """The lines that the runner takes for commands, but those that stop and resume it."""
    found = []
    token = None
    for line in re.split(r"\r\n|\r|\n", log):
        stopped = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", line)
        if token:
            token = None if line == f"::{token}::" else token
        elif stopped:
            token = stopped[1]
        elif re.match(r"\s*::[^ ]", line) or "##[" in line:
            found.append(line)
    assert token is None, "commands are resumed in the end"
    return found
