"""The pytest plugin, from outside: pytest in a process of its own, over scenario files and real servers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command_line import LIMIT, sockcheck
from confinement import NOT_HERE, confined

from sockcheck.events import CaseJudged, CaseStarted, CauseNamed, RunFinished
from sockcheck.observe import processes
from sockcheck.recording import read

GOOD = "{python} -m sockcheck.servers.echo {host} {port}"
# Answers when what one recv() gave ends with a newline, and says so in bytes that no report may hold as they are.
FIRST = r"""
import socket, sys
sys.stderr.buffer.write(b"\x1b[31m]]>\x00\xff served\n")
sys.stderr.flush()
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    while True:
        client, _ = server.accept()
        with client:
            while data := client.recv(1024):
                if data.endswith(b"\n"):
                    client.sendall(data)
"""
# Has a child that left its session, and tells by a file when a client has sent something.
FORKS = r"""
import os, pathlib, signal, socket, sys
if os.fork() == 0:
    os.setsid()
    signal.pause()
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    while True:
        client, _ = server.accept()
        with client:
            while client.recv(100):
                pathlib.Path("served").touch()
"""
# Leaves a thread that spins for each client that it had.
SPINS = r"""
import socket, sys, threading
def spin():
    while True:
        pass
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    while True:
        client, _ = server.accept()
        with client:
            while data := client.recv(1024):
                client.sendall(data)
        threading.Thread(target=spin, daemon=True).start()
"""
# Writes down in which network it is.
TELLS_WHERE = r"""
import os, pathlib, runpy
pathlib.Path("where").write_text(os.readlink("/proc/self/ns/net"))
runpy.run_module("sockcheck.servers.echo", run_name="__main__")
"""
HELLO = 'scenario: A line comes back\nclient: [connect, send: "hello\\n", expect: "hello\\n"]\n'
WORDS = """\
scenario: A word comes back
matrix: {word: [a, bb]}
client: [connect, send: "${word}\\n", expect: "${word}\\n"]
"""
KNOWN = 'scenario: It shouts\nknown-failure: not yet\nclient: [connect, send: "a\\n", expect: "A\\n"]\n'
LEFT_OUT = "scenario: It is left out\nskip: not today\nclient: [connect]\n"
WAITS = 'scenario: A client that stays\nclient: [connect, send: "x", quiet: 90s]\n'
LEAVES = 'scenario: A client that leaves\nclient: [connect, send: "x", close]\n'


class Folder:
    """A folder with scenarios, in which pytest runs."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path

    def write(self, **scenarios: str) -> None:
        for name, text in scenarios.items():
            (self.path / f"{name}.sock.yaml").write_text(text, encoding="utf-8")

    def run(self, *words: str, target: str = "") -> pytest.RunResult:
        chosen = ("--sockcheck-target", target) if target else ()
        return self.pytester.runpytest_subprocess(*words, *chosen, timeout=LIMIT)


@pytest.fixture
def folder(pytester: pytest.Pytester) -> Folder:
    (pytester.path / "first.py").write_text(FIRST, encoding="utf-8")
    (pytester.path / "forks.py").write_text(FORKS, encoding="utf-8")
    return Folder(pytester)


def judged(record: Path) -> dict[str, str]:
    """What each case of a record came to."""
    cases = {}
    found = {}
    for event in read(record):
        if isinstance(event, CaseStarted) and event.role != "predecessor":
            cases[event.trial] = event.case.id
        elif isinstance(event, CaseJudged):
            kinds = [finding.kind for finding in event.verdict.findings]
            found[cases[event.trial]] = " ".join([event.verdict.outcome, *kinds])
    return found


def causes(record: Path) -> dict[str, set[str]]:
    return {event.id: set(event.cases) for event in read(record) if isinstance(event, CauseNamed)}


def exit_code(record: Path) -> list[int]:
    return [event.exit_code for event in read(record) if isinstance(event, RunFinished)]


def test_it_costs_nothing_where_there_are_no_scenarios(folder: Folder) -> None:
    folder.pytester.makeconftest('pytest_plugins = ["sockcheck.pytest_plugin"]')
    folder.pytester.makepyfile(
        "import sys\ndef test_it():\n"
        "    assert 'sockcheck.pytest_plugin' in sys.modules\n"
        "    assert not {'trio', 'yaml', 'rich', 'sockcheck.suite', 'sockcheck_reports'} & set(sys.modules)\n"
    )
    assert folder.run().ret == 0
    code = "import sys, sockcheck.pytest_plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LIMIT, check=True)
    assert not {"trio", "yaml", "rich", "sockcheck.suite", "sockcheck_reports"} & set(done.stdout.split())


@pytest.mark.parametrize("words", [(), ("-n", "2")])
def test_it_comes_to_the_same_as_sockcheck_run(folder: Folder, words: tuple[str, ...]) -> None:
    folder.write(words=WORDS)
    laws = "plain.again,cut.*,merge.sends"
    options = ("--sockcheck-conditions", laws, "--sockcheck-exhaustive", "--sockcheck-record", "pytest.jsonl")
    ran = folder.run(*words, *options, "-v", target="{python} first.py {host} {port}")
    command = ("--", "{python}", "first.py", "{host}", "{port}")
    selected = ("--conditions", laws, "--exhaustive", "--record", "run.jsonl")
    alone = sockcheck("run", ".", *selected, *command, cwd=folder.path)
    assert (ran.ret, alone.code) == (1, 1), ran.stdout.str()
    listed = sockcheck("list", ".", "--cases", "--conditions", laws, cwd=folder.path).out.splitlines()
    ids = {line for line in listed if not line.startswith("#")}
    record, other = folder.path / "pytest.jsonl", folder.path / "run.jsonl"
    assert judged(record) == judged(other)
    assert set(judged(record)) == ids
    assert causes(record) == causes(other) != {}
    assert exit_code(record) == [1]
    out = ran.stdout.str()
    assert out.index("= FAILURES =") < out.index("= sockcheck causes =") < out.index("= short test summary")
    assert "CAUSE  The server takes one recv() for one message" in out
    report = sockcheck("report", record, cwd=folder.path)
    assert "CAUSE  The server takes one recv() for one message" in report.out
    assert "\x1b" not in out + report.out


def test_ids_can_be_given_back(folder: Folder) -> None:
    folder.write(hello=HELLO, words=WORDS)
    folder.pytester.makeini(f"[pytest]\nsockcheck_target = {GOOD}\n")
    ids = [
        "hello.sock.yaml::{}/hello::cut.at-k(client.2:3)",
        "words.sock.yaml::{}/words[word=bb]::cut.at-k(client.2:1)",
    ]
    given = [each.format(folder.path.name) for each in ids]
    ran = folder.run(*given, "-v", "--sockcheck-record", "run.jsonl")
    assert ran.ret == 0
    ran.stdout.fnmatch_lines([f"{each.replace('[', '[[]')} PASSED*" for each in given])
    # Nothing but what is selected is run, by ids of cases too, and nothing after the first failure where that is asked.
    assert list(judged(folder.path / "run.jsonl")) == [each.partition("::")[2] for each in given]
    words = ("-x", "-k", "hello::cut.at-k", "--sockcheck-record", "run.jsonl")
    ran = folder.run(*words, target="{python} first.py {host} {port}")
    ran.assert_outcomes(failed=1)
    assert list(judged(folder.path / "run.jsonl").values()) == ["fail wrong-bytes"]
    folder.run("--lf").assert_outcomes(passed=1)


def test_every_outcome_has_its_place_in_pytest(folder: Folder) -> None:
    folder.write(a_hello=HELLO, b_known=KNOWN, c_left_out=LEFT_OUT)
    laws = "--sockcheck-conditions=cut.every-byte,leave.reset-at-k"
    ran = folder.run(
        laws,
        "--sockcheck-exhaustive",
        "-rA",
        "--junitxml=j.xml",
        "-o",
        "junit_family=xunit1",
        target="{python} first.py {host} {port}",
    )
    counts = ran.parseoutcomes()
    advised = counts.pop("passed") - 1
    assert counts == {"failed": 1, "xfailed": 1, "skipped": 1}, ran.stdout.str()
    out = ran.stdout.str()
    assert "SKIPPED [1] c_left_out.sock.yaml:1: not today" in out
    assert "known failure: not yet" in out
    assert "pytest_plugin/" not in out
    # Advice counts as passed, and is told.
    assert out.count("\nADVICE  ") >= advised > 0
    assert "\x1b" not in out
    cases = {each.get("name"): each for each in ElementTree.parse(folder.path / "j.xml").iter("testcase")}
    failed = cases["cut.every-byte"]
    [failure] = failed
    assert (failed.get("file"), failed.get("line")) == ("a_hello.sock.yaml", "0")
    assert failure.get("message") == "what came is wrong: byte 0 differs"
    assert "\n  a_hello.sock.yaml:2\n" in (failure.text or "")
    assert r"\x1b[31m]]>\x00\xff served" in (failure.text or "")


def test_what_is_nobodys_fault_is_an_error_and_told_once(folder: Folder) -> None:
    folder.write(a=HELLO, b=HELLO)
    ran = folder.run("--sockcheck-conditions=none", "--junitxml=j.xml", target="{python} -c 'exit(3)'")
    ran.assert_outcomes(errors=1, skipped=1)
    ran.stdout.fnmatch_lines(["ERROR  the server", "*the server exited with status 3 before it listened"])
    assert [each.tag for each in ElementTree.parse(folder.path / "j.xml").iter("error")] == ["error"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no server to test: the contract"),
        (("-n", "2", "--sockcheck-connect=127.0.0.1:1"), "several workers would have one server"),
    ],
)
def test_mistakes_are_told_with_their_place_and_once(folder: Folder, words: tuple[str, ...], said: str) -> None:
    folder.write(a=HELLO, b=HELLO, wrong="scenario: It is wrong\nclient: [connect, sent: a]\n")
    ran = folder.run(*words)
    out = ran.stdout.str()
    assert ran.ret != 0
    assert "wrong.sock.yaml:2:19: unknown step 'sent'" in out
    assert "^^^^" in out
    assert out.count("ERROR collecting") == 2
    assert said in out
    assert "Traceback" not in out + ran.stderr.str()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sockcheck-conditions=cutt",), "did you mean 'cut.at-k'?"),
        (("--sockcheck-stretch=much",), "--sockcheck-stretch: 'much' is not a number"),
        (("--sockcheck-connect=127.0.0.1:1", "--sockcheck-target=a"), "give one of them"),
        (("--sockcheck-record=missing/run.jsonl",), "there is no folder"),
    ],
)
def test_an_option_that_makes_no_sense_is_told_before_anything_runs(
    folder: Folder, words: tuple[str, ...], said: str
) -> None:
    ran = folder.run(*words)
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    assert said in ran.stderr.str()
    assert "Traceback" not in ran.stderr.str()


def test_what_a_fresh_client_meets_behind_the_last_case_is_an_error_there(folder: Folder) -> None:
    folder.write(hello=HELLO)
    (folder.path / "spins.py").write_text(SPINS, encoding="utf-8")
    ran = folder.run("--sockcheck-conditions=none", target="{python} spins.py {host} {port}")
    ran.assert_outcomes(passed=1, errors=1)
    ran.stdout.fnmatch_lines(["*ERROR at teardown of case *", "CAUSE  The server spins when a client has ended*"])


def test_the_fixture_runs_scenarios_from_python(folder: Folder) -> None:
    folder.write(hello=HELLO)
    folder.pytester.makeconftest("collect_ignore_glob = ['*.sock.yaml']")
    folder.pytester.makepyfile(
        """
        import subprocess, sys
        import pytest, trio
        from sockcheck.errors import UsageError
        from sockcheck.pytest_plugin.fixture import CasesFailed, NotJudgedError

        FIRST = [sys.executable, "first.py", "{host}", "{port}"]

        def test_pass(sockcheck):
            result = sockcheck.run("hello.sock.yaml", target="{python} -m sockcheck.servers.echo {host} {port}",
                                   conditions="cut.at-k")
            assert result.passed and not result.causes
            assert [case.outcome for case in result.cases] == ["pass"] * 6
            result.save("run.jsonl")

        def test_fail(sockcheck):
            with pytest.raises(CasesFailed, match="CAUSE  The server takes one recv") as caught:
                sockcheck.run("hello.sock.yaml", target=FIRST, conditions="cut.at-k")
            result = sockcheck.run("hello.sock.yaml", target=FIRST, select="cut.at-k", check=False)
            assert not result.passed and [cause.named.id for cause in result.causes] == ["one-recv"]
            assert len(result.cases) == len(caught.value.result.cases) - 1

        def test_own_server(sockcheck):
            command = [sys.executable, "-m", "sockcheck.servers.echo", "127.0.0.1", "0"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
                host, port = server.stdout.readline().split()[-1].split(":")
                assert sockcheck.run("hello.sock.yaml", connect=(host, int(port)), conditions="none").passed
                server.terminate()

        def test_not_judged(sockcheck):
            with pytest.raises(NotJudgedError, match="exited with status 1 before it listened"):
                sockcheck.run("hello.sock.yaml", target="false")

        def test_usage(sockcheck):
            with pytest.raises(UsageError, match="no server to test"):
                sockcheck.run("hello.sock.yaml")
            with pytest.raises(UsageError, match="inside a running trio loop"):
                trio.run(inside, sockcheck)

        async def inside(sockcheck):
            sockcheck.run("hello.sock.yaml", target=FIRST)
        """
    )
    folder.run().assert_outcomes(passed=5)
    assert exit_code(folder.path / "run.jsonl") == [0]


@pytest.fixture
def marker(folder: Folder) -> Iterator[str]:
    """A word on the command line of each server; in the end no process has it."""
    word = f"marker-{uuid.uuid4().hex}"
    folder.pytester.makeini(
        f"[pytest]\nsockcheck_conditions = none\nsockcheck_target = {{python}} forks.py {{host}} {{port}} {word}\n"
    )
    folder.write(a_waits=WAITS, b_leaves=LEAVES)
    yield word
    end = time.monotonic() + LIMIT / 2
    while left := marked(word):
        assert time.monotonic() < end, f"processes are left: {left}"
        os.sched_yield()


def marked(word: str) -> list[str]:
    """The processes that have a word on their command line and are not ending."""
    return [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if word.encode() in _content(path) and not processes.exiting(int(path.parent.name))
    ]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("words", [(), ("-n", "1")])
def test_a_timeout_ends_the_case_and_its_servers(folder: Folder, marker: str, words: tuple[str, ...]) -> None:
    # Only the first case may run into the limit, also on a busy machine.
    folder.pytester.makeconftest(
        "import pytest\ndef pytest_collection_modifyitems(items):\n    items[0].add_marker(pytest.mark.timeout(2))\n"
    )
    ran = folder.run(*words, "--timeout-method=signal")
    ran.assert_outcomes(failed=1, passed=1)
    out = ran.stdout.str()
    assert re.search(r"^Timeout .*2\.0s", out, re.MULTILINE)
    assert "it was cut short" in out
    assert not marked(marker)


@pytest.mark.usefixtures("marker")
def test_a_timeout_that_ends_pytest_ends_the_servers(folder: Folder) -> None:
    ran = folder.run("--timeout=2", "--timeout-method=thread")
    assert ran.ret == 1
    assert "Timeout" in ran.stdout.str() + ran.stderr.str()


@pytest.mark.parametrize(
    ("words", "number", "code"),
    [
        ((), signal.SIGINT, 2),
        ((), signal.SIGTERM, -signal.SIGTERM),
        ((), signal.SIGKILL, -signal.SIGKILL),
        (("-n", "1"), signal.SIGINT, 2),
        (("-n", "1"), signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_whatever_ends_pytest_ends_the_servers(
    folder: Folder, marker: str, words: tuple[str, ...], number: signal.Signals, code: int
) -> None:
    with started(folder, *words, "--sockcheck-record", "run.jsonl") as running:
        served(folder, running)
        assert marked(marker)
        running.send_signal(number)
        assert running.wait(LIMIT) == code
    if number == signal.SIGINT:
        assert exit_code(folder.path / "run.jsonl") == [130]


@pytest.mark.usefixtures("marker")
def test_a_worker_that_is_killed_takes_its_servers_along(folder: Folder) -> None:
    with started(folder, "-n", "1") as running:
        served(folder, running)
        [worker] = processes.children(running.pid)
        os.kill(worker, signal.SIGKILL)
        assert running.wait(LIMIT) == 1
        assert running.stdout is not None
        out = running.stdout.read()
    assert "crashed while running 'a_waits.sock.yaml::" in out
    assert "1 failed, 1 passed" in out


def started(folder: Folder, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *words],
        cwd=folder.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def served(folder: Folder, running: subprocess.Popen[str]) -> None:
    """Wait until a server has served something."""
    end = time.monotonic() + LIMIT / 2
    while not (folder.path / "served").exists():
        assert running.poll() is None
        assert time.monotonic() < end, "no client has come"
        os.sched_yield()


def test_workers_may_be_in_another_network(folder: Folder) -> None:
    """As on another host: a gateway whose interpreter is started elsewhere. What is checked there is there."""
    script = folder.path / "elsewhere"
    words = " ".join(confined("own-network"))
    script.write_text(f'#!/bin/sh\nexec {words} {sys.executable} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    tried = subprocess.run([script, "-c", ""], timeout=LIMIT, check=False)
    if tried.returncode == NOT_HERE:
        return
    folder.write(hello=HELLO)
    (folder.path / "where.py").write_text(TELLS_WHERE, encoding="utf-8")
    gateway = f"2*popen//python={script}"
    ran = folder.run(
        "--tx", gateway, "--dist=load", "--sockcheck-conditions=cut.*", target="{python} where.py {host} {port}"
    )
    assert ran.ret == 0, ran.stdout.str()
    assert (folder.path / "where").read_text() != os.readlink("/proc/self/ns/net")
