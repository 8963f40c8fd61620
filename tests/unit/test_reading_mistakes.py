"""Every mistake, as it is told: tests/golden/mistakes holds broken files, and beside each the exact text."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from sockcheck.errors import MistakesError
from sockcheck.reading import decode, read_contract, read_scenario
from sockcheck.reading.mistakes import render
from sockcheck.scenario import Contract

GOLDEN = Path(__file__).parents[1] / "golden" / "mistakes"
CONTRACT = Contract(name="kv", path="contract.yaml", parameters={"idle": "1s", "name": "somebody"})


def load(path: str) -> bytes:
    """What stands in for files: one of 300 bytes, and no other."""
    if path == "long.bin":
        return bytes(300)
    raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)


def told(file: Path) -> str:
    """All the mistakes of a file, rendered."""
    try:
        text = decode(file.name, file.read_bytes())
        if file.name.endswith(".contract.yaml"):
            read_contract(file.name, text, "kv")
        else:
            read_scenario(file.name, text, CONTRACT, load)
    except MistakesError as error:
        return "\n\n".join(render(each, error.sources[file.name]) for each in error.errors) + "\n"
    raise AssertionError(f"{file} has no mistakes")


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.yaml")), ids=lambda file: file.name)
def test_mistakes_are_told_exactly_so(file: Path) -> None:
    assert told(file) == file.with_suffix(".txt").read_text()


def test_there_are_files_to_test() -> None:
    assert len(list(GOLDEN.glob("*.yaml"))) >= 40
