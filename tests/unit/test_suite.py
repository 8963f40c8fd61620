"""Scenario files are found, read with their contracts, and what is wrong with any of them is told at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sockcheck import suite
from sockcheck.errors import MistakesError, UsageError
from sockcheck.forms import (
    Fixed,
)
from sockcheck.reading import LARGEST
from sockcheck.steps import (
    SendStep,
)
from sockcheck.suite import Suite, bundled, load

SCENARIO = "scenario: S\nclient: [connect]\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str, text: str = SCENARIO) -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def contract(name: str, more: str = "") -> str:
    return f"contract: {name}\n{more}"


def found(read: Suite) -> list[str]:
    return [scenario.span.path for scenario in read.scenarios]


def contracts(read: Suite) -> list[tuple[str, str]]:
    return [(scenario.contract.name, scenario.contract.path) for scenario in read.scenarios]


def test_folders_are_searched_and_files_taken_as_they_are_given() -> None:
    for name in (
        "s/b/two",
        "s/a/z/three",
        "s/a/one",
        "s/.git/no",
        "s/.venv/no",
        "s/node_modules/no",
        "s/__pycache__/no",
    ):
        write(f"{name}.sock.yaml")
    write("s/environment/pyvenv.cfg", "")
    write("s/environment/lib/no.sock.yaml")
    write("s/a/notes.yaml", "[")
    write("s/a/.hidden.sock.yaml", "[")
    assert found(load(["s"])) == ["s/a/one.sock.yaml", "s/a/z/three.sock.yaml", "s/b/two.sock.yaml"]
    assert found(load(["./s/b/", "s/a/one.sock.yaml"])) == ["s/a/one.sock.yaml", "s/b/two.sock.yaml"]
    absolute = str(Path("s/b").absolute())
    assert found(load([absolute])) == [f"{absolute}/two.sock.yaml"]


def test_overlapping_paths_bring_a_file_once() -> None:
    write("s/a/one.sock.yaml")
    assert found(load(["s", "s/a", "s/../s/a/one.sock.yaml"])) == ["s/a/one.sock.yaml"]


def test_links_that_lead_round_are_followed_once() -> None:
    write("s/a/one.sock.yaml")
    Path("s/a/round").symlink_to(Path("s").absolute())
    write("elsewhere/two.sock.yaml")
    Path("s/b").symlink_to(Path("elsewhere").absolute())
    assert found(load(["s"])) == ["s/a/one.sock.yaml", "s/b/two.sock.yaml"]


def test_the_nearest_contract_within_the_path_counts() -> None:
    write("s/kv/contract.yaml", contract("kv"))
    write("s/kv/one.sock.yaml")
    write("s/kv/deep/er/two.sock.yaml")
    write("s/kv/own/contract.yaml", contract("own"))
    write("s/kv/own/three.sock.yaml")
    write("s/none/four.sock.yaml")
    read = load(["s"])
    assert contracts(read) == [
        ("kv", "s/kv/contract.yaml"),
        ("kv", "s/kv/contract.yaml"),
        ("own", "s/kv/own/contract.yaml"),
        ("none", "s/none"),
    ]
    assert set(read.sources) == {*found(read), "s/kv/contract.yaml", "s/kv/own/contract.yaml"}
    assert read.sources["s/kv/one.sock.yaml"] == SCENARIO
    assert contracts(load(["s/kv/one.sock.yaml"])) == [("kv", "s/kv/contract.yaml")]
    assert contracts(load(["s/kv/deep"])) == [("er", "s/kv/deep/er")]


def test_the_folder_that_we_are_in_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    write("kv/contract.yaml", contract("kv"))
    write("kv/one.sock.yaml")
    write("kv/deep/two.sock.yaml")
    monkeypatch.chdir("kv")
    assert contracts(load(["."])) == [("kv", "contract.yaml")] * 2
    assert found(load(["."])) == ["deep/two.sock.yaml", "one.sock.yaml"]
    assert contracts(load(["one.sock.yaml"])) == [("kv", "contract.yaml")]
    monkeypatch.chdir("deep")
    assert contracts(load([".."])) == [("kv", "../contract.yaml")] * 2
    assert contracts(load(["."])) == [("deep", ".")]


def test_files_of_parts_lie_beside_the_scenario() -> None:
    write("s/one.sock.yaml", "scenario: S\nclient: [connect, send: {file: data/big.bin}]\n")
    write("s/data/big.bin", "hello")
    (step,) = load(["s"]).scenarios[0].clients[0].steps[1:]
    assert isinstance(step, SendStep)
    assert [part.data for part in step.parts if isinstance(part, Fixed)] == [b"hello"]


def test_files_of_parts_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "_LARGEST_FILE", 4)
    paths = ["nothing", ".", "pipe", "large"]
    os.mkfifo("pipe")
    write("large", "hello")
    steps = "".join(f"  - send: {{file: {path}}}\n" for path in paths)
    write("one.sock.yaml", f"scenario: S\nclient:\n  - connect\n{steps}")
    with pytest.raises(MistakesError) as caught:
        load(["one.sock.yaml"])
    assert [error.message.partition(": ")[2] for error in caught.value.errors] == [
        "No such file or directory",
        "not a regular file",
        "not a regular file",
        "larger than 8 MiB",
    ]


def test_the_mistakes_of_all_files_are_told_at_once() -> None:
    write("s/a/one.sock.yaml", "scenario: S\nclient: [conect]\nlaw: x\n")
    write("s/b/contract.yaml", contract("b", "parameters: {idle: 1s}\ntransport: tpc\n"))
    write("s/b/two.sock.yaml", "scenario: S\nclient: [connect, quiet: '${idel}', quiet: '${idle}']\n")
    write("s/c/contract.yaml", "[")
    write("s/c/three.sock.yaml", "scenario: S\nclient: [connect, quiet: '${idle}']\n")
    write("s/d/four.sock.yaml")
    Path("s/d/contract.yaml").write_bytes(b"\xff")
    Path("s/e.sock.yaml").write_bytes(b"\xff")
    Path("s/f.sock.yaml").write_bytes("é".encode() * LARGEST)
    with pytest.raises(MistakesError, match="8 mistakes") as caught:
        load(["s"])
    assert [str(error.span) for error in caught.value.errors] == [
        "s/a/one.sock.yaml:2:10",
        "s/a/one.sock.yaml:3:6",
        "s/b/contract.yaml:3:12",
        "s/b/two.sock.yaml:2:27",
        "s/c/contract.yaml:1:2",
        "s/d/contract.yaml:1:1",
        "s/e.sock.yaml:1:1",
        "s/f.sock.yaml:1:1",
    ]
    assert {error.span.path for error in caught.value.errors} <= set(caught.value.sources)


def test_paths_that_cannot_be_used() -> None:
    write("notes.txt", "x")
    Path("empty").mkdir()
    Path("s").mkdir()
    os.mkfifo("s/pipe.sock.yaml")
    Path("round").mkdir()
    Path("round/round.sock.yaml").symlink_to("round.sock.yaml")
    for paths, message in [
        ([], "no scenarios were named"),
        (["nowhere"], "there is no file or folder 'nowhere'"),
        (["notes.txt"], "'notes.txt' is not a scenario: its name does not end in .sock.yaml"),
        (["notes.txt/x"], "there is no file or folder 'notes.txt/x'"),
        (["empty"], "there are no scenarios in the folder 'empty'"),
        (["s"], "'s/pipe.sock.yaml' cannot be read: not a regular file"),
        (["round"], "'round/round.sock.yaml' cannot be read: Too many levels of symbolic links"),
        (["x" * 300], f"'{'x' * 300}' cannot be read: File name too long"),
    ]:
        with pytest.raises(UsageError) as caught:
            load(paths)
        assert caught.value.message == message
        assert caught.value.hint or "notes.txt'" in message


def test_what_may_not_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    write("s/one.sock.yaml")

    def denied(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(UsageError, match="'s' cannot be read: Permission denied"):
        load(["s"])


def test_names_are_used_once() -> None:
    write("a/kv/one.sock.yaml")
    write("b/kv/one.sock.yaml")
    with pytest.raises(UsageError) as caught:
        load(["a", "b"])
    message = "two scenarios are called 'kv/one': 'a/kv/one.sock.yaml' and 'b/kv/one.sock.yaml'"
    assert caught.value.message == message


def test_the_bundled_scenarios_are_there_where_no_others_are() -> None:
    folder = bundled()
    assert (folder / "echo" / "contract.yaml").is_file()
    whole = load(["scenarios"])
    echo = load(["scenarios/echo/"])
    assert {name for name, _ in contracts(whole)} >= {"echo"}
    assert {name for name, _ in contracts(echo)} == {"echo"}
    assert found(echo)[0].startswith(str(folder))
    with pytest.raises(UsageError) as caught:
        load(["scenarios/ehco"])
    assert caught.value.message == "there is no 'scenarios/ehco', neither here nor among the bundled scenarios"
    assert "echo" in caught.value.hint
    with pytest.raises(UsageError):
        load(["scenarios/../x"])
    write("scenarios/mine/one.sock.yaml")
    assert found(load(["scenarios"])) == ["scenarios/mine/one.sock.yaml"]


def test_the_bundled_scenarios_are_found_in_a_wheel_and_missed_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "lib" / "site-packages" / "sockcheck"
    monkeypatch.setattr(suite, "__file__", str(package / "suite.py"))
    with pytest.raises(UsageError, match="the bundled scenarios are missing"):
        bundled()
    (package / "_scenarios").mkdir(parents=True)
    assert bundled() == package / "_scenarios"


def test_a_contract_above_a_file_counts_up_to_where_it_is_sought() -> None:
    write("course/contract.yaml", contract("course"))
    write("course/week/hello.sock.yaml")
    assert contracts(load(["course/week/hello.sock.yaml"])) == [("week", "course/week")]
    assert contracts(load(["course/week/hello.sock.yaml"], Path())) == [("course", "course/contract.yaml")]
