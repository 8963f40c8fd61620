"""Servers from Debian, each with a contract of its true promises and one exchange, are accused of nothing.

The conditions make many cases of the one exchange. All that a server here does is right, so whatever fails is a false
accusation. What such a server does otherwise than the reference servers stands in its contract, tests/data/short.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from command_line import sockcheck
from tools import CHECKOUT, PRIVATE, search_path, tool

SHORT = CHECKOUT / "tests" / "data" / "short"
PROTOCOLS = CHECKOUT / "tests" / "data" / "protocols"

SOCAT = ("socat", "TCP-LISTEN:{port},bind={host},reuseaddr,fork")
SCRIPT = ("{host}", "{port}", "{dir}")

# The program that each server needs, and the command that starts it in the foreground.
SERVERS: dict[str, tuple[str | None, tuple[str | Path, ...]]] = {
    "http-server": (None, ("sh", SHORT / "http-server" / "server.sh", *SCRIPT, sys.executable)),
    "memcached": ("memcached", ("sh", PROTOCOLS / "memcached" / "server.sh", *SCRIPT)),
    "ncat": ("ncat", ("ncat", "--listen", "--keep-open", "--exec", "/bin/cat", "{host}", "{port}")),
    "nginx": ("nginx", ("sh", PROTOCOLS / "http" / "server.sh", *SCRIPT)),
    "redis": ("redis-server", ("sh", PROTOCOLS / "redis" / "server.sh", *SCRIPT)),
    "socat-cat": ("socat", (*SOCAT, "EXEC:cat")),
    "socat-pipe": ("socat", (*SOCAT, "PIPE")),
}


def server(name: str) -> tuple[str | Path, ...]:
    program, words = SERVERS[name]
    if program is not None:
        tool(program)
    return "env", f"PATH={search_path()}", f"UNPACKED={PRIVATE / 'root'}", *words


@pytest.mark.parametrize("options", [("--repeat", "5"), ("--no-observe",)], ids=" ".join)
@pytest.mark.parametrize("name", SERVERS)
def test_the_exchange_works(name: str, options: tuple[str, ...]) -> None:
    ran = sockcheck("run", SHORT / name, "--select", "::plain", *options, "--", *server(name))
    assert ran.code == 0, ran.everything
    assert " passed in " in ran.out, ran.everything


@pytest.mark.parametrize("name", SERVERS)
def test_nothing_that_the_conditions_try_is_held_against_a_good_server(name: str) -> None:
    ran = sockcheck("run", SHORT / name, "--conditions", "standard", "--", *server(name))
    assert ran.code == 0, ran.everything
    assert re.search(r"^\d+ cases: \d+ passed\b", ran.out, re.MULTILINE), ran.everything


def test_there_is_a_server_for_each_contract() -> None:
    assert {path.parent.name for path in SHORT.glob("*/contract.yaml")} == set(SERVERS)
