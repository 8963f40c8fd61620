"""Servers that nobody doubts are accused of nothing."""

from __future__ import annotations

import getpass
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import LIMIT, Ran, sockcheck
from performing import GOOD, compiled
from tools import CHECKOUT, tool

from sockcheck.observe.sockdiag import Diag

PROTOCOLS = CHECKOUT / "tests" / "data" / "protocols"
XINETD = """\
service echo
{{
    id = echo
    type = INTERNAL UNLISTED
    socket_type = stream
    protocol = tcp
    port = {port}
    bind = 127.0.0.1
    user = {user}
    wait = no
    instances = UNLIMITED
    cps = 10000 1
    per_source = UNLIMITED
    log_type = FILE {folder}/log
}}
"""


def passed(ran: Ran) -> bool:
    assert ran.code == 0, ran.everything
    return re.search(r"\d+ passed in ", ran.out) is not None and "failed" not in ran.out


def free_port() -> int:
    """A port below the ephemeral range that nobody has now. The server may still lose it: then the test says so."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


@contextmanager
def running(*words: str | Path, port: int, host: str = "127.0.0.1") -> Iterator[None]:
    """A server that we start ourselves, for `--connect`: up when the kernel says that it listens."""
    process = subprocess.Popen([*map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    diag = Diag()
    end = time.monotonic() + LIMIT
    try:
        while not any(row.port == port and row.host == host for row in diag.listeners()):
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < end, "the server does not listen"
            time.sleep(0)
        yield
    finally:
        diag.close()
        process.kill()
        process.wait(LIMIT)


def test_socat_echoes() -> None:
    server = (tool("socat"), "TCP-LISTEN:{port},bind={host},reuseaddr,fork", "EXEC:cat")
    assert passed(sockcheck("run", "scenarios/echo", "--", *server))


def test_xinetd_echoes_at_an_address_of_its_own(tmp_path: Path) -> None:
    config = tmp_path / "xinetd.conf"
    config.write_text(XINETD.format(port=free_port(), user=getpass.getuser(), folder=tmp_path))
    server = (tool("xinetd"), "-dontfork", "-f", config, "-pidfile", tmp_path / "pid")
    assert passed(sockcheck("run", "scenarios/echo", "--", *server))


def test_a_textbook_epoll_server_that_dies_of_eintr_stays_alive(tmp_path: Path) -> None:
    # It exits on any error of epoll_wait, and being stopped and continued is one. That is tried alone first: what would
    # stop it is not run then, and not held against it.
    server = (compiled(GOOD / "epoll_echo.c", tmp_path), "{host}", "{port}")
    ran = sockcheck("run", "scenarios/echo", "--repeat", "3", "--", *server)
    assert ran.code == 0, ran.everything
    assert "cases not run: pausing harms this server" in ran.out
    assert re.search(r"cases: \d+ passed, \d+ not run in", ran.out)


def test_redis_by_connect(tmp_path: Path) -> None:
    port = free_port()
    redis = (tool("redis-server"), "--bind", "127.0.0.1", "--port", str(port), "--dir", tmp_path, "--save", "")
    with running(*redis, port=port):
        assert passed(sockcheck("run", PROTOCOLS / "redis", "--connect", f"127.0.0.1:{port}"))
        # It is still there, and was never signalled.
        assert passed(sockcheck("run", PROTOCOLS / "redis", "--connect", f"127.0.0.1:{port}", "--no-observe"))


@pytest.mark.parametrize(("bind", "connect"), [("127.0.0.1", "127.0.0.1:{}"), ("::1", "[::1]:{}")])
def test_python_http_server_by_connect(tmp_path: Path, bind: str, connect: str) -> None:
    (tmp_path / "hello.txt").write_text("hello\n")
    port = free_port()
    with running(sys.executable, "-m", "http.server", "-b", bind, "-d", tmp_path, str(port), port=port, host=bind):
        ran = sockcheck("run", PROTOCOLS / "http-server", "--connect", connect.format(port))
    # Some of the derived cases start the server again, stop it, or look at its processes.
    told = " ".join(ran.out.split())
    left_out = re.findall(r"\d+ cases? not run: (.*?already)", told)
    assert all("need" in why and "a server that sockcheck starts" in why for why in left_out), ran.everything
    assert passed(Ran(ran.code, re.sub(r", \d+ skipped in ", " in ", told), ran.err))
    assert len(left_out) == told.count("not run: ")


def test_python_http_server_started_by_us(tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("hello\n")
    server = ("{python}", "-m", "http.server", "-b", "{host}", "-d", tmp_path, "{port}")
    assert passed(sockcheck("run", PROTOCOLS / "http-server", "--", *server))


@pytest.mark.parametrize("name", ["echo", "echo-once", "reply"])
def test_the_fall_backs_accuse_nobody_either(name: str) -> None:
    assert passed(sockcheck("run", f"scenarios/{name}", "--no-observe"))


def test_a_server_that_was_connected_to_and_dies_is_told_once(tmp_path: Path) -> None:
    program = tmp_path / "once.py"
    port = free_port()
    program.write_text(
        f"import socket\nserver = socket.create_server(('127.0.0.1', {port}))\n"
        "connection, _ = server.accept()\nwhile data := connection.recv(65536): connection.sendall(data)\n"
    )
    with running(sys.executable, program, port=port):
        ran = sockcheck("run", "scenarios/echo", "--select", "cut-in", "--connect", f"127.0.0.1:{port}")
    assert ran.code == 1
    assert "after this case the server is gone" in ran.out
    assert "2 cases not run: the server was lost in an earlier case" in ran.out
    assert "1 failed" in ran.out
