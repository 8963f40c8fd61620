"""`sockcheck grade` as an instructor uses it: a class in which some servers do all that a server must not do."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from command_line import LIMIT, Ran, environment, sockcheck, wait_for
from tools import CHECKOUT

from sockcheck.cli import main

ECHO = """\
import socket, sys, threading
def serve(client):
    with client:
        try:
            while data := client.recv(4096):
                client.sendall(data)
        except ConnectionError:
            pass
server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=50)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
"""
SPEWS = f"""\
import sys, threading
def spew():
    while True:
        sys.stdout.write("x" * 65536)
threading.Thread(target=spew, daemon=True).start()
{ECHO}"""
FORKS = f"""\
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                signal.pause()
        os._exit(0)
open("left behind", "w").close()
{ECHO}"""
KILLS_ITS_KEEPER = f"""\
import os, signal
if os.fork() == 0:
    os.setsid()
    while True:
        signal.pause()
os.kill(os.getppid(), signal.SIGKILL)
{ECHO}"""
HANGS = "import signal\nwhile True:\n    signal.pause()\n"
HELLO = 'client:\n  - connect\n  - send: "hello\\n"\n  - expect: "hello\\n"\n  - shutdown: write\n  - end: eof\n'
SCHEMA = json.loads((CHECKOUT / "tests" / "data" / "gradescope.schema.json").read_text())


class Class:
    """A folder with a contract and submissions. Processes that are started for it can be told from all others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mark = uuid.uuid4().hex
        (folder / "echo").mkdir()

    def contract(self, ready: str = "4s") -> None:
        """Worth 6 points."""
        (self.folder / "echo" / "contract.yaml").write_text(
            "contract: echo\nconditions: [cut.at-k]\npromises: {half-close: yes, orderly-close: yes}\n"
            f"timeouts: {{ready: {ready}, expect: 500ms}}\n"
        )
        for name, line in (("hello", "points: 2"), ("secret", "visibility: hidden")):
            (self.folder / "echo" / f"{name}.sock.yaml").write_text(f"scenario: It says {name}\n{line}\n{HELLO}")

    def submit(self, name: str, text: str) -> Path:
        file = self.folder / "submissions" / name / "server.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def words(self, *options: str) -> list[str]:
        submissions = [f"submissions/{path.name}" for path in sorted((self.folder / "submissions").iterdir())]
        command = ["{python}", "{submission}/server.py", "{host}", "{port}"]
        return ["grade", *submissions, "--scenarios", "echo", "--isolate", "no", *options, "--", *command]

    def grade(self, *options: str) -> Ran:
        return sockcheck(*self.words(*options), cwd=self.folder, SOCKCHECK_TEST_MARK=self._mark)

    def started(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "sockcheck", *self.words(*options)],
            cwd=self.folder,
            env=environment(SOCKCHECK_TEST_MARK=self._mark),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def table(self) -> dict[str, dict[str, str]]:
        """grades.csv by the names of the submissions."""
        with (self.folder / "grades" / "grades.csv").open(newline="") as file:
            return {row["submission"]: row for row in csv.DictReader(file)}

    def running(self) -> list[str]:
        """The command lines of all processes that descend from a grading here, whoever their parent is now."""
        found = []
        for process in Path("/proc").iterdir():
            try:
                if (
                    process.name.isdigit()
                    and f"SOCKCHECK_TEST_MARK={self._mark}".encode() in (process / "environ").read_bytes()
                ):
                    found.append((process / "cmdline").read_text(errors="replace"))
            except OSError:
                continue
        return found


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Class]:
    made = Class(tmp_path)
    made.contract()
    yield made
    wait_for(lambda: not made.running())


def zoo(name: str) -> str:
    return (CHECKOUT / "tests" / "zoo" / "tutorial" / name).read_text()


def test_one_that_misbehaves_costs_the_others_nothing_and_only_what_is_open_is_done_again(made: Class) -> None:
    submissions = {
        "=ada": ECHO,
        "forks": FORKS,
        "hangs": HANGS,
        "kills": KILLS_ITS_KEEPER,
        "ok prefix": zoo("ok_prefix.py"),
        "recv": zoo("recv1024.py"),
        "spews": SPEWS,
        "syntax": "def (:\n",
    }
    for name, text in submissions.items():
        made.submit(name, text)
    ran = made.grade("--at-once", "3")
    assert ran.code == 5, ran.everything
    assert "8 submissions: 7 graded, 1 to be regraded" in ran.out
    assert all(len(line) <= 80 for line in ran.out.splitlines())
    table = made.table()
    assert {name: row["points"] for name, row in table.items()} == {
        "'=ada": "6",
        "forks": "6",
        "hangs": "0",
        "kills": "",
        "ok prefix": "0",
        "recv": "3",
        "spews": "6",
        "syntax": "0",
    }
    assert table["recv"]["causes"] == "one-turn"
    assert table["recv"]["echo/hello [cut.at-k] (2)"] == "0"
    assert table["kills"]["status"] == "regrade"
    assert "did not start" in table["syntax"]["reason"]
    assert len({row["seed"] for row in table.values()}) == len(table)
    assert not (made.folder / "submissions" / "forks" / "left behind").exists()
    assert not (made.folder / "grades" / ".scratch").exists()
    page = (made.folder / "grades" / "index.html").read_text()
    for row in table.values():
        folder = made.folder / "grades" / row["folder"]
        assert f'"{row["folder"]}/report.html"' in page
        results = json.loads((folder / "results.json").read_text())
        jsonschema.validate(results, SCHEMA, cls=jsonschema.Draft202012Validator)
        assert ("score" in results["tests"][0]) == (row["status"] == "graded")
        assert results["extra_data"]["seed"] == int(row["seed"])
        assert (folder / "junit.xml").read_text().startswith("<?xml")
        assert "secret" in (folder / "instructor.html").read_text()
        assert "secret" not in (folder / "report.html").read_text()
        assert "secret" not in (folder / "feedback.txt").read_text()
    feedback = (made.folder / "grades" / "recv" / "feedback.txt").read_text()
    assert "CAUSE  The server answers what its first recv() gives, and ends the connection" in feedback
    assert "python ./server.py" in feedback.replace(sys.executable, "python")
    assert "\n  echo/hello.sock.yaml:" in feedback
    assert "sockcheck run echo " in feedback
    assert "--isolate" not in feedback
    for told in ("feedback.txt", "report.html", "instructor.html", "junit.xml", "results.json"):
        assert str(made.folder) not in (made.folder / "grades" / "recv" / told).read_text(), told
    again = made.grade("--at-once", "3")
    assert again.code == 5
    assert again.err.startswith("7 of 8 submissions are graded already\n8/8  kills ")


def test_who_is_interrupted_or_killed_goes_on_from_there_and_leaves_nothing_running(made: Class) -> None:
    made.contract(ready="2m")
    made.submit("ada", ECHO)
    late = made.submit("bob", HANGS)
    marks = made.folder / "grades" / "ada" / "marks.json"

    def is_half_way() -> bool:
        return marks.exists() and any("./server.py" in line and "{host}" not in line for line in made.running())

    def ended_by(number: int) -> int:
        with made.started("--at-once", "1") as process:
            try:
                wait_for(is_half_way)
                process.send_signal(number)
                out, _ = process.communicate(timeout=LIMIT)
            finally:
                process.kill()
        wait_for(lambda: not made.running())
        assert number == signal.SIGKILL or "2 submissions: 1 graded, 1 not graded yet" in out
        return process.returncode

    assert ended_by(signal.SIGINT) == 130
    assert made.table()["bob"]["status"] == "waiting"
    assert ended_by(signal.SIGKILL) == -signal.SIGKILL
    half = json.loads((made.folder / "grades" / "bob" / "results.json").read_text())
    assert half["output"].startswith("REGRADE")
    limited = made.grade("--limit", "1s")
    assert limited.code == 5
    assert made.table()["bob"]["reason"] == "it was stopped, since its limit of 1.00 s was reached"
    before = marks.stat().st_mtime_ns
    late.write_text(ECHO)
    ran = made.grade()
    assert (ran.code, ran.err.splitlines()[0]) == (0, "1 of 2 submissions are graded already")
    assert [row["points"] for row in made.table().values()] == ["6", "6"]
    assert marks.stat().st_mtime_ns == before
    assert "graded already" not in made.grade("--afresh").err


def test_nobody_is_graded_where_the_reference_does_not_get_all_points(made: Class) -> None:
    made.submit("ada", ECHO)
    (made.folder / "right.py").write_text(ECHO)
    (made.folder / "wrong.py").write_text(zoo("ok_prefix.py"))
    command = f"{sys.executable} {{}} {{{{host}}}} {{{{port}}}}"
    wrong = made.grade("--reference", command.format("wrong.py"))
    assert (wrong.code, wrong.out) == (2, "")
    assert "the reference gets 0 of 6 points, so nobody was graded\n  echo/hello: 1 of 1 case failed" in wrong.err
    assert (made.folder / "grades" / "reference" / "report.html").exists()
    assert not (made.folder / "grades" / "grades.csv").exists()
    lost = made.grade("--reference", "./no-such-server {port}")
    assert lost.code == 2
    assert "the reference could not be judged, so nobody was graded" in lost.err
    right = made.grade("--reference", command.format("right.py"))
    assert right.code == 0
    assert made.table()["ada"]["points"] == "6"


def test_what_cannot_be_graded_is_told_before_anybody_is(
    made: Class, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made.submit("ada", ECHO)
    monkeypatch.chdir(made.folder)

    def refused(*words: str) -> str:
        assert main(words) == 2
        said = capsys.readouterr()
        assert said.out == ""
        return said.err

    words = made.words()
    assert "it has no {submission}" in refused(*words[:-3], "server.py")
    assert "there is no command" in refused(*words[: words.index("--")])
    assert "there is no submission" in refused("grade", "submissions/no*", *words[1:])
    assert "there is no folder scenarios/ here" in refused(*words[:2], *words[4:])
    assert "is not apart from" in refused(*words[:2], "--out", "submissions", *words[2:])
    assert "--limit: 'x' is not" in refused(*words[:2], "--limit", "x", *words[2:])
    assert "--reference: No closing quotation" in refused(*words[:2], "--reference", "'", *words[2:])
    assert "would take it from each other" in refused(*words[:2], "--at-once", "2", *words[2:-2])
    ran = made.grade("--conditions", "cut")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no condition 'cut'" in ran.err
    assert made.table()["ada"]["status"] == "waiting"
    (made.folder / "echo" / "bad.sock.yaml").write_text("client: []\n")
    assert "mistake" in refused(*words)
