"""`sockcheck init` writes what passes again, of any server, and claims no promise that it did not see kept."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import LIMIT, sockcheck
from reference_servers import running
from tools import CHECKOUT, tool

from sockcheck import cli
from sockcheck.commands import init
from sockcheck.reading import read_contract

ODD = CHECKOUT / "tests" / "zoo" / "odd" / "odd.py"
TUTORIAL = CHECKOUT / "tests" / "zoo" / "tutorial"
OURS = "{python} -m sockcheck.servers."


def promises(folder: Path) -> dict[str, str]:
    text = (folder / "contract.yaml").read_text()
    return dict(read_contract(str(folder / "contract.yaml"), text, folder.name).promises)


def passes(folder: Path, *words: str) -> None:
    ran = sockcheck("run", folder, "--conditions", "none", "--repeat", "3", *words)
    assert ran.code == 0, ran.everything
    assert "3 cases: 3 passed" in ran.out


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No promise is tried: for what is written in the scenario."""
    monkeypatch.setattr(init, "_LIMIT", -1.0)


def written(folder: Path, *command: str | Path) -> str:
    """The steps of the scenario that is written for this server, which passes."""
    assert cli.main(["init", str(folder), "--", *map(str, command)]) == 0
    passes(folder)
    return (folder / "first.sock.yaml").read_text().partition("client:\n")[2]


def odd(folder: Path, mode: str) -> str:
    return written(folder, "{python}", ODD, mode, "{host}", "{port}")


def test_a_good_server_keeps_all_promises_and_passes(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    ran = sockcheck("init", folder, "--", *shlex.split(OURS + "reply {host} {port}"))
    assert ran.code == 0, ran.everything
    kept = promises(folder)
    # How fast its answers are is a matter of the machine too.
    kept.pop("prompt", None)
    assert kept == {
        "clients": "64",
        "half-close": "yes",
        "orderly-close": "yes",
        "survives-reset": "yes",
        "pipelining": "yes",
        "restart": "yes",
        "backlog": "128",
        "stops-on-sigterm": "2s",
    }
    assert ran.out.endswith(f"\n    sockcheck run {folder}\n")
    assert max(len(line) for line in ran.out.splitlines() if str(tmp_path) not in line) <= 80
    assert 'expect: "OK...hello again\\n"' in (folder / "first.sock.yaml").read_text()
    passes(folder)


@pytest.mark.parametrize(
    ("command", "not_kept"),
    [
        (OURS + "echo_once {host} {port}", {"clients"}),
        (f"{{python}} {TUTORIAL}/recv1024.py {{host}} {{port}}", {"clients", "half-close", "survives-reset"}),
        (f"{{python}} {TUTORIAL}/no_reuseaddr.py {{host}} {{port}}", {"restart"}),
    ],
)
def test_what_is_not_kept_is_not_promised(command: str, not_kept: set[str], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    ran = sockcheck("init", folder, "--", *shlex.split(command))
    assert ran.code == 0, ran.everything
    assert not not_kept & set(promises(folder))
    text = (folder / "contract.yaml").read_text()
    assert all(f"  # {promise}: " in text for promise in not_kept)
    assert all(f"not seen: {promise} (" in ran.out for promise in not_kept)
    passes(folder)


def test_a_server_that_loses_output_behind_an_end_of_stream(tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    words = [tool("redis-server"), "--bind", "{host}", "--port", "{port}", "--save", "", "--dir", "{dir}"]
    ran = sockcheck("init", folder, "--", *words)
    assert ran.code == 0, ran.everything
    kept = promises(folder)
    assert "half-close" not in kept
    assert {"clients", "survives-reset", "restart"} <= set(kept)
    # The number of the connection is another each time.
    assert r"{line: ':\d+', ends: crlf}" in (folder / "first.sock.yaml").read_text()
    passes(folder)


def test_a_relay_keeps_what_is_behind_it(tmp_path: Path) -> None:
    folder = tmp_path / "relay"
    ran = sockcheck("init", folder, "--", tool("socat"), "TCP-LISTEN:{port},reuseaddr,fork", "EXEC:cat")
    assert ran.code == 0, ran.everything
    assert {"clients", "half-close", "orderly-close", "survives-reset"} <= set(promises(folder))
    passes(folder)


@pytest.mark.usefixtures("hurried")
def test_an_http_server_is_asked_in_http(tmp_path: Path) -> None:
    text = written(tmp_path / "web", "{python}", "-m", "http.server", "--bind", "{host}", "{port}")
    assert 'send: ["GET / HTTP/1.1' in text
    assert r"""expect: {until: "\r\n\r\n", matches: '^HTTP/1\.0 200'}""" in text


@pytest.mark.usefixtures("hurried")
def test_frames_are_found_out(tmp_path: Path) -> None:
    text = written(tmp_path / "framed", *shlex.split(OURS + "frames {host} {port}"))
    assert 'expect: {frame: u32be, equals: "niaga olleh"}' in text


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("mode", "steps"),
    [
        ("daytime", r"- expect: {line: '\w+ \w+\s+\d+\s+\d+:\d+:\d+\s+\d+', ends: crlf}"),
        ("visitor", r"- expect: {line: 'You are visitor \d+, from port \d+'}"),
        ("resets", "- end: any"),
        ("to-the-end", '- expect: "24 bytes\\n"'),
        ("binary", '- expect: {hex: "00ff0a6f6c6c6568"}'),
        ("dice", "- expect: {line: '"),
        ("token", r"- expect: {line: '\w+'}"),
        ("slow", '- expect: "at last: hello again\\n"'),
        ("large", "- expect: {bytes: 5000}"),
        ("endless", '- expect: "all work and no play\\n"'),
        ("silent", "- end: eof"),
    ],
)
def test_an_odd_server_is_described_as_far_as_it_goes(mode: str, steps: str, tmp_path: Path) -> None:
    assert steps in odd(tmp_path / mode, mode)


@pytest.mark.usefixtures("hurried")
def test_a_server_that_leaves_open_what_it_says_may_push(tmp_path: Path) -> None:
    assert '- expect: "line 0\\n"' in odd(tmp_path / "lines", "lines")
    assert "pushes: yes" in (tmp_path / "lines" / "contract.yaml").read_text()
    assert "there was no time left" in (tmp_path / "lines" / "contract.yaml").read_text()


def test_a_server_that_runs_already_is_not_harmed(tmp_path: Path) -> None:
    folder = tmp_path / "kv"
    with running("kv") as server:
        address = f"{server.address[0]}:{server.address[1]}"
        ran = sockcheck("init", folder, "--connect", address)
        assert ran.code == 0, ran.everything
        assert ran.out.endswith(f"\n    sockcheck run {folder} --connect {address}\n")
        passes(folder, "--connect", address)
        assert server.process.poll() is None
    kept = promises(folder)
    assert {"clients", "half-close", "orderly-close", "pipelining"} <= set(kept)
    assert not {"backlog", "restart", "stops-on-sigterm", "survives-reset"} & set(kept)
    assert "command:" not in (folder / "contract.yaml").read_text()


def test_a_server_with_a_port_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    ran = sockcheck("init", folder, "--", sys.executable, CHECKOUT / "tests/data/docs/my_server.py")
    assert ran.code == 0, ran.everything
    assert "any port that is free" in (folder / "contract.yaml").read_text()
    passes(folder)


def test_without_a_server_there_is_something_to_begin_with(tmp_path: Path) -> None:
    ran = sockcheck("init", cwd=tmp_path)
    assert ran.code == 0, ran.everything
    assert ran.out.endswith("\n    sockcheck run scenarios/my-server\n")
    passes(tmp_path / "scenarios" / "my-server")
    again = sockcheck("init", cwd=tmp_path)
    assert again.code == 2
    assert again.err == (
        "sockcheck: the folder 'scenarios/my-server' has a contract.yaml already, and nothing is overwritten\n"
        "hint: name another folder: sockcheck init FOLDER\n"
    )


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "x.sock.yaml").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").touch()
    assert sockcheck("init", tmp_path / "file").code == 2
    assert sockcheck("init", tmp_path / "file" / "below").code == 2
    assert "has a x.sock.yaml already" in sockcheck("init", tmp_path / "held").err
    assert "cannot be written: File name too long" in sockcheck("init", tmp_path / ("x" * 300)).err
    assert sockcheck("init", tmp_path / "other").code == 0
    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == [
        "contract.yaml",
        "first.sock.yaml",
        "notes.txt",
    ]


def test_a_server_that_does_not_start_is_told_as_in_a_run(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    ran = sockcheck("init", folder, "--", sys.executable, "-c", "raise SystemExit('no configuration')")
    assert ran.code == 3
    assert "exited with status 1 before it listened" in ran.out
    assert "| no configuration" in ran.out
    assert "Nothing was written." in ran.out
    assert not folder.exists()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    assert sockcheck("init", folder, "--connect", address).code == 3


def test_a_server_that_ends_with_its_first_client_passes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "once"
    ran = sockcheck("init", folder, "--", sys.executable, TUTORIAL / "one_connection.py", "{host}", "{port}")
    assert ran.code == 1, ran.everything
    assert "nothing was written" in " ".join(ran.out.split())
    assert "the server exited with status 0" in " ".join(ran.out.split())
    assert not folder.exists()


def test_who_interrupts_it_gets_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "never"
    words = ["init", str(folder), "--", *shlex.split(OURS + "echo {host} {port}")]
    command = [sys.executable, "-m", "sockcheck", *words]
    with subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "trying prompt" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert out == ""
    assert not folder.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "7"], "--port belongs to a command"),
        (["--connect", "127.0.0.1:7", "--port", "7"], "--port belongs to a command"),
        (["--connect", "127.0.0.1:7", "--", "x"], "both --connect and a command were given"),
        (["--"], "there is no command behind --"),
        (["--", b"\xff".decode(errors="surrogateescape")], "bytes that are not UTF-8"),
    ],
)
def test_options_that_make_no_sense(words: list[str], said: str, tmp_path: Path) -> None:
    ran = sockcheck("init", *words, cwd=tmp_path)
    assert ran.code == 2
    assert said in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("hurried")
def test_what_does_not_pass_is_admitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that is good as long as it is looked at, and bad once there is a scenario."""
    folder = tmp_path / "two-faced"
    program = tmp_path / "two_faced.py"
    program.write_text(
        "import pathlib, runpy, sys\n"
        f"bad = pathlib.Path({str(folder)!r}).exists()\n"
        "runpy.run_module('sockcheck.servers.' + ('reply' if bad else 'echo'), run_name='__main__')\n"
    )
    assert cli.main(["init", str(folder), "--", sys.executable, str(program), "{host}", "{port}"]) == 1
    said = capsys.readouterr().out
    assert "1 case: 1 failed" in said
    assert "does not pass" in said
