"""The command that runs one case again."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builder import Stream

from sockcheck.events import RunStarted
from sockcheck_reports.again import command, reproduction, shell_lines, words


def started(*given: str, seed: int = 0) -> RunStarted:
    event = Stream().start(command=given, seed=seed).events[0]
    assert isinstance(event, RunStarted)
    return event


def test_what_it_takes_is_run_before_it() -> None:
    run = started("sockcheck", "run", "a", "--repeat", "3", "--flaky", "pass", "--", "./server")
    assert words(command(run, "a/b::plain", ("a/a::plain",))) == [
        *("sockcheck", "run", "a", "--select", "a/a::plain", "--select", "a/b::plain", "--jobs", "1", "--", "./server")
    ]
    many = [f"a/{number}::plain" for number in range(9)]
    expected = ["sockcheck", "run", "a", "--repeat", "3", "--jobs", "1", "--", "./server"]
    assert words(command(run, "a/b::plain", many)) == expected


@pytest.mark.parametrize(
    ("run", "shown"),
    [
        ("sockcheck run a b --jobs 2 -v -- ./server {port}", "sockcheck reproduce ID a b -- ./server {port}"),
        ("run a --connect :7 --stretch 2 --html h", "sockcheck reproduce ID a --connect :7"),
    ],
)
def test_the_script_is_asked_for_with_what_it_takes(run: str, shown: str) -> None:
    assert " ".join(words(reproduction(started(*run.split()), "ID"))) == shown
    assert words(reproduction(started("run", "a", "--", "s", seed=7), "ID"))[3:] == ["a", "--seed", "7", "--", "s"]


@pytest.mark.parametrize(
    ("run", "again"),
    [
        ("sockcheck run scenarios/echo", "sockcheck run scenarios/echo --select ID"),
        ("/usr/bin/sockcheck run a b", "sockcheck run a b --select ID"),
        ("sockcheck/__main__.py run a", "sockcheck run a --select ID"),
        ("run a", "sockcheck run a --select ID"),
        ("", "sockcheck run --select ID"),
        (
            "sockcheck run --html h --junit=j -v a --select x --repeat 5 --jobs 2 --fail-fast --no-color",
            "sockcheck run a --select ID",
        ),
        (
            "sockcheck run a --connect '[::1]:7' --stretch=3 --no-observe --timeout 5s --port 7",
            "sockcheck run a --select ID --connect '[::1]:7' --stretch=3 --no-observe --timeout 5s --port 7",
        ),
        ("sockcheck run a --isolate net --flaky pass", "sockcheck run a --select ID --isolate net"),
        (
            "sockcheck run a -- ./server --select {port} run",
            "sockcheck run a --select ID -- ./server --select {port} run",
        ),
        ("sockcheck run a --connect", "sockcheck run a --select ID --connect ''"),
        ("run a --shard 2/5 --baseline b.yaml --write-baseline=c.yaml -- s", "sockcheck run a --select ID -- s"),
    ],
)
def test_what_bears_on_the_verdict_is_kept(run: str, again: str) -> None:
    assert " ".join(words(command(started(*shlex.split(run)), "ID"))) == again


def test_a_seed_of_its_own_is_kept() -> None:
    assert words(command(started("run", "a", "--seed", "7", seed=7), "ID"))[3:] == ["--select", "ID", "--seed", "7"]


@given(
    st.lists(st.lists(st.text(st.characters(exclude_characters="\x00", max_codepoint=0x7E)), min_size=1), min_size=1)
)
def test_a_posix_shell_reads_the_words_back(groups: list[list[str]]) -> None:
    flat = [word for group in groups for word in group]
    shown = words(groups)
    printable = [word for word in flat if word.isprintable()]
    assert [shlex.split(said)[0] for word, said in zip(flat, shown, strict=True) if word.isprintable()] == printable
    assert all(said.isprintable() for said in shown)


def test_unprintable_words_are_written_so_that_they_can_be_copied() -> None:
    assert words([["a\n\x1b'\\\udcff", "it's"]]) == ["$'a\\x0a\\x1b\\'\\\\\\xff'", "'it'\"'\"'s'"]


def test_what_is_no_character_at_all_is_written_too() -> None:
    assert words([["\ud800"]]) == ["$'\\xed\\xa0\\x80'"]


def test_lines_end_between_groups_where_they_can() -> None:
    groups = [["sockcheck", "run", "scenarios"], ["--select", "x"], ["--", "python", "s.py", "{port}"]]
    assert shell_lines(groups, 80) == ("sockcheck run scenarios --select x -- python s.py {port}",)
    assert shell_lines(groups, 40) == ("sockcheck run scenarios --select x \\", "  -- python s.py {port}")
    assert shell_lines([["a" * 30, "b" * 30], ["c"]], 40) == ("a" * 30 + " \\", "  " + "b" * 30 + " c")
