"""What a grading makes of its arguments: names that are safe whatever they are, seeds, digests, commands."""

from __future__ import annotations

import re

import pytest

from sockcheck.commands.grade_plan import RESERVED, copied_as, digest, filled, folder, names, rooted, seed

HOSTILE = (
    *("..", "../../etc/passwd", ".", "-rf", "--out", "=cmd|' /C calc'!A0", "a b", "a\nb", "a/b", "a\\b", "a\x00b"),
    *("<script>alert(1)</script>", "\udcff\udcfe", "é", "{port}", "x" * 300, ".scratch", "", "CON", *RESERVED),
)


def test_a_submission_is_called_by_its_last_part_and_by_more_where_that_is_another_ones_too() -> None:
    assert names(["/class/ada", "/class/bob"]) == ("ada", "bob")
    assert names(["/class/a/server.py", "/class/b/server.py", "/class/c"]) == ("a/server.py", "b/server.py", "c")
    assert names(["/x/a/server.py", "/y/a/server.py"]) == ("x/a/server.py", "y/a/server.py")
    assert names(["/a", "/b/a"]) == ("//a", "b/a")
    assert names([]) == ()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_folder_is_safe_whatever_the_name_is(name: str) -> None:
    made = folder(name)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}", made), made
    assert made not in RESERVED


def test_every_name_has_a_folder_of_its_own() -> None:
    tried = [*HOSTILE, "a_b", "a b", "ada", "Ada", "a/server.py", "b/server.py"]
    tried += [folder(name) for name in tried]
    made = [folder(name) for name in dict.fromkeys(tried)]
    assert len(set(made)) == len(made)
    assert folder("ada") == "ada"
    assert folder("ada.lovelace-1815") == "ada.lovelace-1815"


def test_a_seed_belongs_to_a_name_and_a_base() -> None:
    found = {seed(base, name) for base in (0, 1) for name in ("ada", "bob", "\udcff")}
    assert len(found) == 6
    assert all(0 <= each < 1 << 31 for each in found)
    assert seed(7, "ada") == seed(7, "ada")


def test_the_command_takes_the_submission_and_leaves_the_other_braces() -> None:
    assert filled(("python", "{submission}/server.py", "{port}"), ".") == ("python", "./server.py", "{port}")
    assert copied_as("{port}.py") == "_port_.py"


def test_files_that_are_named_from_here_are_found_from_elsewhere() -> None:
    there = {"tools/wrap.sh", "./run", "wrap.py", "../up", "python"}
    words = ("python", "tools/wrap.sh", "wrap.py", "../up", "/abs", "no/such", "-I/x", "{submission}/s.py", "a/{port}")
    assert rooted(words, there.__contains__, "/home/ada/course") == (
        *("python", "/home/ada/course/tools/wrap.sh", "/home/ada/course/wrap.py", "/home/ada/up"),
        *("/abs", "no/such", "-I/x", "{submission}/s.py", "a/{port}"),
    )
    assert rooted(("./run", "x"), there.__contains__, "/home") == ("/home/run", "x")


def test_a_digest_stands_for_its_pieces_in_their_order() -> None:
    tried: tuple[list[str], ...] = (
        [],
        [""],
        ["", ""],
        ["a", "b"],
        ["b", "a"],
        ["ab"],
        ["a", "b", ""],
        ["\udcff"],
        ["a\x00b"],
    )
    assert len({digest(pieces) for pieces in tried}) == len(tried)
    assert digest(["a", "b"]) == digest(iter(["a", "b"]))
