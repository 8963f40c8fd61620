"""What a grading calls its scenarios towards students, who have neither its folders nor its options."""

from __future__ import annotations

import pytest
from report_builder import Stream, case, span

from sockcheck.codec import encode
from sockcheck.commands.grade_paths import called, told
from sockcheck.events import RunStarted, SourceRead
from sockcheck.frozen import replaced

FOLDER = "/home/prof/assignment"
FILE = f"{FOLDER}/hello.sock.yaml"
NAMES = {FOLDER: "assignment"}
WORDS = (
    *("sockcheck", "run", FOLDER, FILE, "/home/prof/assignments", "--no-color", "--conditions", "standard"),
    *("--isolate", "net", "--seed", "7", "--record", "/home/prof/grades/ada/record.jsonl", "--jobs", "1"),
)
SERVER = ("--", "python", "./server.py", "--jobs", FILE, "{port}")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("assignment", "assignment"),
        ("./course/assignment/", "course/assignment"),
        ("../assignment", "assignment"),
        ("/home/prof/assignment/", "assignment"),
        ("scenarios/echo/hello.sock.yaml", "scenarios/echo/hello.sock.yaml"),
        (".", "."),
    ],
)
def test_a_path_is_called_what_it_is_below_the_working_directory(given: str, found: str) -> None:
    assert called(given) == found


@pytest.mark.parametrize("server", [SERVER, ()])
def test_the_command_of_a_run_is_one_that_a_student_can_use(server: tuple[str, ...]) -> None:
    [started, *_] = Stream().start(command=(*WORDS, *server), directory="/home/prof/grades/.scratch/ada/work").events
    found = told(started, "ada", NAMES)
    assert isinstance(found, RunStarted)
    assert found.command == (
        *("sockcheck", "run", "assignment", "assignment/hello.sock.yaml", "/home/prof/assignments"),
        *("--conditions", "standard", "--seed", "7", *server),
    )
    assert found.directory == "a copy of ada"


def test_every_place_in_every_event_is_called_by_its_name_and_nothing_else_changes() -> None:
    there = replaced(case(), span=span(1, "A line", path=FILE))
    stream = Stream().start().add(SourceRead(0.0, FILE, "x")).serve().begin(there).connect().received(FILE.encode())
    stream.verdict("fail", stream.finding(span=span(8, "expect", path=FILE)))
    before = [encode(event) for event in stream.finish()[1:]]
    after = [encode(told(event, "ada", NAMES)) for event in stream.events[1:]]
    assert after == [line.replace(f'"path":"{FILE}"', '"path":"assignment/hello.sock.yaml"') for line in before]
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 4
