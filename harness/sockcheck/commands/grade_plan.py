"""What a grading makes of its arguments: names, folders, seeds, digests and the words of each run. Pure."""

from __future__ import annotations

import hashlib
import os.path
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath

RESERVED = ("index.html", "grades.csv", "reference")
"""What is beside the folders of the submissions, or among them."""

SUBMISSION = "{submission}"

_LONGEST = 60
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_DIGEST = re.compile(r"(^|-)[0-9a-f]{12}$")
_BRACES = re.compile(r"[{}]")


def names(paths: Sequence[str]) -> tuple[str, ...]:
    """What each of some absolute and different paths is called: its last part, or as many as tell it from the others.

    So `a/server.py` and `b/server.py` are called just that, and `class/ada` is `ada`.
    """
    parts = [PurePath(path).parts for path in paths]
    lengths = [1] * len(paths)
    while True:
        found = ["/".join(each[-length:]) for each, length in zip(parts, lengths, strict=True)]
        times = Counter(found)
        again = [
            position
            for position, name in enumerate(found)
            if times[name] > 1 and lengths[position] < len(parts[position])
        ]
        if not again:
            return tuple(found)
        for position in again:
            lengths[position] += 1


def folder(name: str) -> str:
    """A name for a folder that is harmless everywhere, and another one for every `name`."""
    safe = _UNSAFE.sub("_", name).lstrip(".-")[:_LONGEST]
    # What ends as the digests below do could be taken for one of them.
    if safe and safe == name and name not in RESERVED and not _DIGEST.search(name):
        return safe
    digest = hashlib.sha256(_octets(name)).hexdigest()[:12]
    return f"{safe}-{digest}" if safe else digest


def seed(base: int, name: str) -> int:
    """The seed of a submission: always the same one, and not that of the others."""
    return int.from_bytes(hashlib.sha256(f"{base}:".encode() + _octets(name)).digest()[:4], "big") >> 1


def copied_as(name: str) -> str:
    """What a submission that is a file is called where it runs: without braces, which would be filled in."""
    return _BRACES.sub("_", name)


def filled(words: Iterable[str], submission: str) -> tuple[str, ...]:
    """The command of one submission, `submission` being its path from where the command is run."""
    return tuple(word.replace(SUBMISSION, submission) for word in words)


def rooted(words: Sequence[str], is_there: Callable[[str], bool], here: str) -> tuple[str, ...]:
    """The words, those absolute that name something by a path from `here`: the command is run elsewhere.

    A program without a slash is one of PATH. What has a placeholder in it, or is an option, is no path.
    """
    return tuple(
        os.path.normpath(os.path.join(here, word))
        if (position or "/" in word) and "{" not in word and not word.startswith(("/", "-")) and is_there(word)
        else word
        for position, word in enumerate(words)
    )


def digest(pieces: Iterable[str]) -> str:
    """It stands for all that the marks depend on, and for the order of it."""
    made = hashlib.sha256()
    for piece in pieces:
        octets = _octets(piece)
        made.update(len(octets).to_bytes(8, "big") + octets)
    return made.hexdigest()


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
