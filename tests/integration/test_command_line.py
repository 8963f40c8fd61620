"""The commands, their exit codes, and what a user is told when something is wrong."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from command_line import LIMIT, sockcheck, wait_for
from tools import CHECKOUT

from sockcheck import recording
from sockcheck.events import CaseFinished, CaseStarted, RunFinished
from sockcheck.judging import rejudge

TUTORIAL = CHECKOUT / "tests" / "zoo" / "tutorial"
RECV1024 = ("--", "{python}", str(TUTORIAL / "recv1024.py"), "{host}", "{port}")
LISTEN_TWICE = "import socket\na, b = socket.create_server(('127.0.0.1', 0)), socket.create_server(('127.0.0.1', 0))\n"


def test_the_reference_servers_keep_their_contracts() -> None:
    ran = sockcheck("run", "scenarios/")
    assert ran.code == 0, ran.everything
    assert " passed in " in ran.out
    # A run that takes long, as on a busy machine, tells how far it has come.
    assert re.sub(r"[0-9]+ of [0-9]+ cases after .* passed\n", "", ran.err) == ""


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("run", "--help"), ("list", "--help")])
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sockcheck", *words], capture_output=True, text=True, check=True
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"trio", "rich", "jinja2", "yaml", "regex", "asyncio"}


def test_select_repeat_and_quiet() -> None:
    ran = sockcheck("run", "scenarios/echo", "--select", "cut-in-two", "--repeat", "3", "-q")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("3 cases: 3 passed in ")


def test_verbose_names_every_case() -> None:
    ran = sockcheck("run", "scenarios/echo", "--select", "echo/cut*", "-v")
    assert ran.code == 0
    assert "pass  echo/cut-in-two::plain" in ran.out


def test_a_failing_case_fails_the_run_and_tells_how_to_run_it_again() -> None:
    ran = sockcheck("run", "scenarios/echo", "--select", "cut-in-two", *RECV1024)
    assert ran.code == 1
    for part in (
        "scenarios/echo/cut-in-two.sock.yaml:",
        "the server closed the connection after 5 bytes: 7 of 12 bytes did not come",
        "Law cut.at-k: A stream has no message boundaries",
        "sockcheck run scenarios/echo --select echo/cut-in-two::plain",
    ):
        assert part in ran.out
    assert max(len(line) for line in ran.out.splitlines()) <= 80
    assert "\x1b" not in ran.everything


def test_fail_fast_leaves_the_rest() -> None:
    ran = sockcheck("run", "scenarios/echo", "--fail-fast", "--jobs", "1", *RECV1024)
    assert ran.code == 1
    assert "not run: an earlier case failed (--fail-fast)" in ran.out


def test_the_same_verdicts_live_and_from_the_record(tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    live = sockcheck("run", "scenarios/echo", "--record", record, *RECV1024)
    assert live.code == 1
    events = list(recording.read(record))
    judged = {event.attempt: event.verdict for event in events if isinstance(event, CaseFinished)}
    assert len(judged) > 20
    assert {verdict.outcome for verdict in judged.values()} == {"pass", "fail"}
    assert dict(rejudge(events)) == judged
    again = sockcheck("report", record)
    assert again.code == 1
    assert live.out == again.out + f"record: {record}\n"


def test_a_record_of_megabytes_received_holds_digests(tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    assert sockcheck("run", "scenarios/echo", "--select", "echo/large*", "--record", record).code == 0
    assert record.stat().st_size < 2_000_000
    events = list(recording.read(record))
    judged = {event.attempt: event.verdict for event in events if isinstance(event, CaseFinished)}
    assert dict(rejudge(events)) == judged


def test_reports_are_written(tmp_path: Path) -> None:
    junit, html = tmp_path / "a.xml", tmp_path / "a.html"
    ran = sockcheck("run", "scenarios/echo", "--select", "cut-in-two", "--junit", junit, "--html", html, *RECV1024)
    assert ran.code == 1
    assert f"JUnit report: {junit}" in ran.out
    assert "<testsuites" in junit.read_text()
    assert "<!doctype html>" in html.read_text()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_python_dash_m_and_an_interrupted_pipe() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "sockcheck", "list", "scenarios"], stdout=subprocess.PIPE, cwd=CHECKOUT
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(LIMIT) in (0, 1)


def scenario(folder: Path, text: str) -> Path:
    path = folder / "it.sock.yaml"
    path.write_text(text)
    return path


HELLO = 'scenario: Hello\nclient:\n  - connect\n  - send: "hi\\n"\n  - expect: "hi\\n"\n'


def test_a_typo_is_shown_where_it_is(tmp_path: Path) -> None:
    path = scenario(tmp_path, HELLO.replace("expect", "expct"))
    for command in ("run", "check", "list"):
        ran = sockcheck(command, path)
        assert ran.code == 2
        assert f"{path}:5:5: " in ran.err
        assert "did you mean" in ran.err
        assert "^^^^^" in ran.err
        assert "Traceback" not in ran.everything


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        ((), 2, "required: COMMAND"),
        (("run", "nosuch"), 2, "there is no file or folder 'nosuch'"),
        (("run", "docs"), 2, "there are no scenarios in the folder"),
        (("run", "scenarios/echo", "--select", "cut-in-tow"), 2, "did you mean 'echo/cut-in-two::plain'?"),
        (("run", "scenarios/echo", "--"), 2, "there is no command behind --"),
        (("check", "scenarios", "--", "x"), 2, "belongs to `sockcheck run`"),
        (("run", "scenarios/echo", "--connect", "127.0.0.1"), 2, "names no port"),
        (("run", "scenarios/echo", "--connect", "127.0.0.1:x"), 2, "is no port"),
        (("run", "scenarios/echo", "--connect", "127.0.0.1:1", "--", "x"), 2, "both --connect and a command"),
        (("run", "scenarios/echo", "--connect", "127.0.0.1:1", "--port", "1"), 2, "--port belongs to a command"),
        (("run", "scenarios/echo", "--connect", "127.0.0.1:1"), 3, "nothing listens on 127.0.0.1:1"),
        (("run", "scenarios/echo", "--connect", "[::1]:1"), 3, "nothing listens on [::1]:1"),
        (("run", "scenarios/echo", "--jobs", "0"), 2, "must be 1 or more"),
        (("run", "scenarios/echo", "--stretch", "-1"), 2, "must be a number above 0"),
        (("run", "scenarios/echo", "--timeout", "5"), 2, "write 30s, 500ms or 2m"),
        (("run", "scenarios/echo", "--junit", "/nonexistent/x.xml"), 2, "there is no folder /nonexistent"),
        (("run", "scenarios/echo", "--html", "docs"), 2, "docs is a folder"),
        (("run", "scenarios/echo", "--record", "/nonexistent/x"), 2, "there is no folder /nonexistent"),
        (("run", "scenarios/echo", "--", "./nosuch"), 3, "there is no file './nosuch'"),
        (("run", "scenarios/echo", "--", "nosuch", "{port}"), 3, "there is no command 'nosuch'"),
        (("run", "scenarios/echo", "--", "true"), 3, "exited with status 0 before it listened"),
        (("run", "scenarios/echo", "--", "sh", "-c", "echo oops >&2; exit 3"), 3, "| oops"),
        (("run", "scenarios/echo", "--", "sh", "-c", "kill -9 $$"), 3, "killed by SIGKILL before it listened"),
        (("run", "scenarios/echo", "--stretch", "0.05", "--", "sleep", "100"), 3, "listens nowhere"),
        (("run", "scenarios/echo", "--", "{python}", "-c", f"{LISTEN_TWICE}a.accept()"), 3, "listens on 2 ports"),
        (("report", "nosuch"), 2, "cannot read the record nosuch"),
        (("report", "pyproject.toml"), 2, "this is no event"),
        (("report", "docs"), 2, "cannot read the record docs"),
        (("serve", "nosuch"), 2, "there are echo, echo-once, reply"),
        (("serve", "echo", "192.0.2.1:1"), 2, "cannot listen at 192.0.2.1:1"),
    ],
)
def test_bad_usage_has_one_clear_message_and_the_right_exit_code(words: tuple[str, ...], code: int, part: str) -> None:
    ran = sockcheck(*words)
    assert part in ran.everything.replace("\n       ", " ")
    assert ran.code == code
    assert "Traceback" not in ran.everything


def test_a_port_in_use_names_who_has_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program = tmp_path / "fixed.py"
        program.write_text(f"import socket\nsocket.create_server(('127.0.0.1', {port})).accept()\n")
        ran = sockcheck("run", "scenarios/echo", "--", sys.executable, program)
    assert ran.code == 3
    assert f"process {os.getpid()}" in ran.out
    assert f"127.0.0.1:{port}" in ran.out


def test_a_record_that_was_cut_off_is_reported_as_far_as_it_goes(tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    sockcheck("run", "scenarios/echo", "--select", "cut-in", "--record", record, *RECV1024)
    whole = record.read_bytes()
    record.write_bytes(whole[: len(whole) * 2 // 3])
    ran = sockcheck("report", record)
    assert ran.code == 4
    assert "FAIL" in ran.out
    assert "not whole" in ran.out or "cut off" in ran.out
    assert "Traceback" not in ran.everything


def test_a_record_of_a_newer_version_says_so(tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    sockcheck("run", "scenarios/echo", "--select", "cut-in-two", "--record", record)
    lines = record.read_text().splitlines()
    first = json.loads(lines[0])
    first["version"] = 99
    record.write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n")
    ran = sockcheck("report", record)
    assert ran.code == 2
    assert "version 99" in ran.err
    assert "Traceback" not in ran.everything


def test_too_few_descriptors_are_noticed_before_anything_runs() -> None:
    words = [sys.executable, "-m", "sockcheck", "run", "scenarios/echo", "--jobs", "8"]
    script = f"ulimit -n 64 && exec {' '.join(words)}"
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, cwd=CHECKOUT, timeout=LIMIT, check=False
    )
    assert done.returncode == 2
    assert "too few open files" in done.stderr
    assert "ulimit -n" in done.stderr


@pytest.mark.parametrize(("limit", "code"), [("-Sn 128", 0), ("-n 128", 2)])
def test_a_descriptor_for_each_client_is_asked_for(limit: str, code: int, tmp_path: Path) -> None:
    steps = '[connect, meet: all, send: "hi\\n", expect: "hi\\n"]'
    path = scenario(tmp_path, f"scenario: A crowd\nclients:\n  crowd: {{count: 150, steps: {steps}}}\n")
    server = ["--", sys.executable, "-m", "sockcheck.servers.echo", "{host}", "{port}"]
    command = shlex.join([sys.executable, "-m", "sockcheck", "run", str(path), "--stretch", "20", *server])
    done = subprocess.run(
        ["sh", "-c", f"ulimit {limit} && exec {command}"],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    needed = re.search(r"too few open files: this run needs (\d+), and the limit is 128", done.stderr)
    assert bool(needed) == bool(code)
    assert needed is None or int(needed[1]) > 150


def start_hanging(folder: Path, marker: str) -> subprocess.Popen[str]:
    """A run against a server that ignores SIGTERM, in the middle of a case that waits for ten minutes."""
    path = scenario(folder, 'scenario: Wait\nclient:\n  - connect\n  - expect: "never"\n    within: 10m\n')
    program = folder / "stubborn.py"
    program.write_text(
        "import signal, socket, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "signal.alarm(90)\n"
        "server = socket.create_server((sys.argv[1], int(sys.argv[2])))\n"
        "print('accepted', server.accept()[1], flush=True)\n"
        "while True:\n    signal.pause()\n"
    )
    server = ["--", sys.executable, str(program), "{host}", "{port}", marker]
    process = subprocess.Popen(
        [sys.executable, "-m", "sockcheck", "run", str(path), "--record", str(folder / "run.jsonl"), *server],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for(lambda: (folder / "run.jsonl").exists() and b"accepted" in (folder / "run.jsonl").read_bytes())
    return process


def alive(marker: str) -> list[str]:
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        words = process.info["cmdline"] or []
        if marker in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(" ".join(words))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_reports_what_ran_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    marker = f"marker-{os.getpid()}-{tmp_path.name}"
    process = start_hanging(tmp_path, marker)
    assert alive(marker)
    process.send_signal(number)
    out, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert f"interrupted by {number.name}" in out
    assert "Traceback" not in out
    assert not alive(marker)
    last = list(recording.read(tmp_path / "run.jsonl"))[-1]
    assert isinstance(last, RunFinished)
    assert last.exit_code == 130


def test_nothing_survives_a_sigkill_of_sockcheck(tmp_path: Path) -> None:
    marker = f"marker-{os.getpid()}-{tmp_path.name}"
    process = start_hanging(tmp_path, marker)
    assert len(alive(marker)) == 2
    process.kill()
    process.communicate(timeout=LIMIT)
    wait_for(lambda: not alive(marker))
    # What was measured up to then can be read.
    assert any(isinstance(event, CaseStarted) for event in recording.read(tmp_path / "run.jsonl"))
