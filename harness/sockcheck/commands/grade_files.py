"""The files of submissions: what stands for them, a copy to run, and how much room is taken."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from sockcheck import scratch
from sockcheck.commands.grade_plan import copied_as

MOST_OCTETS, MOST_FILES = 2 << 30, 200_000
"""A submission that takes more room than that while it is graded is stopped."""

_CHUNK = 1 << 20


class Place:
    """Where one submission is graded: folders of its own, which `remove` takes away again, for its working directory,
    for HOME and for TMPDIR. `errors` is a file for what our own processes say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work, self.home, self.temporary = (folder / name for name in ("work", "home", "tmp"))
        self.errors = folder / "errors.txt"

    def make(self, submission: Path | None) -> str:
        """Make it, with a copy of the submission in its working directory: the path of that from there.

        Raises OSError.
        """
        self.remove()
        for path in (self.folder, self.work, self.home, self.temporary):
            path.mkdir(parents=True)
        if submission is None:
            return "."
        if submission.is_dir():
            _copy_folder(submission, self.work)
            return "."
        name = copied_as(submission.name)
        shutil.copy(submission, self.work / name)
        return f"./{name}"

    def remove(self) -> None:
        scratch.removed(str(self.folder))


def fingerprint(submission: Path) -> str:
    """It stands for names, contents and permissions of a file, or of all that is in a folder. Raises OSError."""
    made = hashlib.sha256()
    if not submission.is_dir():
        _add(made, submission, submission.name)
        return made.hexdigest()
    for path in _walk(submission):
        _add(made, path, str(path.relative_to(submission)))
    return made.hexdigest()


def too_much(*folders: Path) -> bool:
    """Whether more room is taken there than a submission may take."""
    octets = files = 0
    for folder in folders:
        for path, names, others in os.walk(folder):
            for name in (*names, *others):
                try:
                    octets += os.lstat(os.path.join(path, name)).st_blocks * 512
                except OSError:
                    continue
                files += 1
                if octets > MOST_OCTETS or files > MOST_FILES:
                    return True
    return False


def _walk(folder: Path) -> Iterator[Path]:
    """All that is in a folder, in order; links are not followed. Raises OSError where it cannot be read."""
    for entry in sorted(folder.iterdir()):
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)


def _add(made: hashlib._Hash, path: Path, name: str) -> None:
    """Add one file to a digest: each piece with its length, so that no two sets of files look the same."""
    mode = path.lstat().st_mode
    facts = [os.fsencode(name), str(mode).encode()]
    if stat.S_ISLNK(mode):
        facts.append(os.fsencode(os.readlink(path)))
    elif stat.S_ISREG(mode):
        content = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                content.update(chunk)
        facts.append(content.digest())
    for fact in facts:
        made.update(len(fact).to_bytes(8, "big") + fact)


def _copy_folder(source: Path, target: Path) -> None:
    """Copy what is in a folder. Links stay links; pipes and devices are left out, since reading them may never end."""
    for entry in sorted(source.iterdir()):
        to = target / entry.name
        mode = entry.lstat().st_mode
        if stat.S_ISLNK(mode):
            to.symlink_to(os.readlink(entry))
        elif stat.S_ISDIR(mode):
            to.mkdir()
            _copy_folder(entry, to)
        elif stat.S_ISREG(mode):
            shutil.copy(entry, to)
