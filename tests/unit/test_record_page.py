"""docs/record.md says what is so."""

import re
from pathlib import Path

import record_page

from sockcheck.codec import encode
from sockcheck.events import RECORD_VERSION
from sockcheck.recording import read

PAGE = record_page.PAGE.read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_code() -> None:
    assert record_page.page(PAGE) == PAGE, "run `python tests/support/record_page.py` and look at what it changed"


def test_the_version_is_this_one() -> None:
    assert f"This page describes version {RECORD_VERSION}." in PAGE


def test_the_example_is_a_whole_record(tmp_path: Path) -> None:
    [example] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "run.jsonl"
    path.write_text(example)
    assert "".join(f"{encode(event)}\n" for event in read(path)) == example
