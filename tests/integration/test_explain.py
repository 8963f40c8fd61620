"""`sockcheck explain`, as a reader asks it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest
from command_line import LIMIT, sockcheck
from tools import CHECKOUT

from sockcheck.laws import LAWS

TOLD = [law for law in LAWS if law != "datagram.whole"]


def test_without_an_id_all_laws_are_listed() -> None:
    ran = sockcheck("explain")
    assert (ran.code, ran.err) == (0, "")
    assert [line.split()[0] for line in ran.out.splitlines() if not line.startswith(" ")] == TOLD
    listed = " ".join(ran.out.split())
    assert [law for law in TOLD if LAWS[law] not in listed] == []
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize("law", TOLD)
def test_each_page_fits_the_screen(law: str) -> None:
    ran = sockcheck("explain", law)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == law
    assert LAWS[law] in " ".join(ran.out.split())
    assert [line for line in lines if len(line) > 80 and not line.startswith(" " * 6)] == []
    assert not re.search(r"\]\(|^#|```|\*\*|\x1b", ran.out, re.MULTILINE)


def test_the_ids_on_the_pages_are_those_of_cases() -> None:
    """Those of a folder `course` stand for the reader's own scenarios."""
    there = set(sockcheck("list", "scenarios", "--conditions", "thorough", "--cases").out.splitlines())
    pages = sorted((CHECKOUT / "docs" / "laws").glob("*.md"))
    named = {
        case for page in pages for case in re.findall(r"`([\w-]+/[\w-]+::[^`]+)`", page.read_text(encoding="utf-8"))
    }
    assert named
    assert {case for case in named - there if not case.startswith("course/")} == set()


def test_a_pattern_shows_several_in_short() -> None:
    ran = sockcheck("explain", "merge.*")
    assert (ran.code, ran.err) == (0, "")
    headings = [line for line in ran.out.splitlines() if line and not line.startswith(" ")]
    assert headings == [law for law in TOLD if law.startswith("merge.")]


def test_a_cause_is_told_as_well() -> None:
    ran = sockcheck("explain", "one-turn")
    assert (ran.code, ran.err) == (0, "")
    assert "The server answers what its first recv() gives, and ends the connection." in ran.out
    assert "while data := client.recv(4096)" in ran.out
    assert "`sockcheck explain cut.at-k`" in ran.out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("cut.at", "there is no law or cause 'cut.at'\nhint: did you mean 'cut.at-k'?"),
        ("neighbor.deaf", "did you mean 'neighbour.deaf'?"),
        ("cat.*", "there is no law or cause 'cat.*'"),
        ("%", "there is no law or cause '%'\nhint: `sockcheck explain` lists all laws"),
        ("../index", "there is no law or cause '../index'"),
        ("datagram.whole", "nothing is told of 'datagram.whole': this version does not test it"),
    ],
)
def test_what_is_no_law_is_said(asked: str, said: str) -> None:
    ran = sockcheck("explain", asked)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_on_a_terminal_headings_are_bold_unless_colour_is_not_wanted() -> None:
    assert "\x1b[1mWhat is tried\x1b[0m\r\n" in on_a_terminal("explain", "plain")
    assert "\x1b" not in on_a_terminal("explain", "plain", "--no-color")


def on_a_terminal(*words: str) -> str:
    """What `sockcheck WORDS…` shows there."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        [sys.executable, "-m", "sockcheck", *words],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=its,
    ) as shown:
        os.close(its)
        text = b""
        try:
            while more := os.read(ours, 65536):
                text += more
        except OSError:
            pass  # EIO: it has closed its end
        finally:
            os.close(ours)
        assert shown.wait(LIMIT) == 0
    return text.decode()
