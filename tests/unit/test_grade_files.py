"""Submissions on the disk: their fingerprints, their copies, and how much room one may take."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sockcheck.commands import grade_files
from sockcheck.commands.grade_files import Place, fingerprint, too_much


def submission(folder: Path) -> Path:
    made = folder / "ada"
    (made / "lib").mkdir(parents=True)
    (made / "server.py").write_text("serve()\n")
    (made / "run").write_text("#!/bin/sh\n")
    (made / "run").chmod(0o755)
    (made / "lib" / "part.py").write_text("part\n")
    (made / "link").symlink_to("/etc/hostname")
    os.mkfifo(made / "pipe")
    (Path(os.fsdecode(os.fsencode(made) + b"/\xff name"))).write_text("raw\n")
    return made


CHANGES: list[Callable[[Path], object]] = [
    lambda path: (path / "server.py").write_text("serve() \n"),
    lambda path: (path / "server.py").rename(path / "server2.py"),
    lambda path: (path / "run").chmod(0o644),
    lambda path: (path / "lib" / "part.py").unlink(),
    lambda path: (path / "new").mkdir(),
    lambda path: (path / "run").rename(path / "link"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_fingerprint_stands_for_all_that_is_in_a_folder(change: Callable[[Path], object], tmp_path: Path) -> None:
    made = submission(tmp_path)
    before = fingerprint(made)
    assert fingerprint(made) == before
    change(made)
    assert fingerprint(made) != before


def test_a_fingerprint_of_a_file_has_its_name_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("same")
    (tmp_path / "b.py").write_text("same")
    assert fingerprint(tmp_path / "a.py") != fingerprint(tmp_path / "b.py")


def test_a_copy_has_files_folders_and_links_and_no_pipe_that_would_never_end(tmp_path: Path) -> None:
    made = submission(tmp_path)
    place = Place(tmp_path / "scratch" / "1")
    assert place.make(made) == "."
    copied = {str(path.relative_to(place.work)) for path in place.work.rglob("*")}
    assert copied == {"server.py", "run", "lib", "lib/part.py", "link", os.fsdecode(b"\xff name")}
    assert os.access(place.work / "run", os.X_OK)
    assert os.readlink(place.work / "link") == "/etc/hostname"
    (place.work / "server.py").write_text("spoilt")
    assert (made / "server.py").read_text() == "serve()\n"
    (place.home / "locked").mkdir(mode=0o500)
    place.remove()
    assert not place.folder.exists()
    assert (made / "server.py").exists()


def test_a_file_is_copied_without_braces_and_nothing_is_for_a_reference(tmp_path: Path) -> None:
    (tmp_path / "{port} x.py").write_text("serve()\n")
    place = Place(tmp_path / "scratch")
    assert place.make(tmp_path / "{port} x.py") == "./_port_ x.py"
    assert (place.work / "_port_ x.py").read_text() == "serve()\n"
    assert place.make(None) == "."
    assert list(place.work.iterdir()) == []


def test_what_takes_too_much_room_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        (tmp_path / f"file-{number}").write_bytes(b"x" * 8192)
    assert not too_much(tmp_path, tmp_path / "not-there")
    monkeypatch.setattr(grade_files, "MOST_FILES", 3)
    assert too_much(tmp_path)
    monkeypatch.setattr(grade_files, "MOST_FILES", 100)
    monkeypatch.setattr(grade_files, "MOST_OCTETS", 16_384)
    assert too_much(tmp_path)
