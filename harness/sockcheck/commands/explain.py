"""`sockcheck explain`: what a law means, how it is tested, how it is broken and how that is mended."""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase
from pathlib import Path

from sockcheck.commands.outputs import coloured, say, width
from sockcheck.errors import UsageError
from sockcheck.laws import LAWS
from sockcheck.selection import nearest
from sockcheck_reports import law as report


def explain(options: argparse.Namespace) -> int:
    """Print the page of one law, some in short where a pattern is given, or a list of all; 0. Raises UsageError."""
    folder = _folder()
    pages = {law: path for law in LAWS if (path := folder / f"{law}.md").is_file()}
    columns, colour = width(), coloured(options)
    asked = options.law
    if asked is None:
        say(report.overview([(law, LAWS[law]) for law in pages], width=columns, colour=colour))
    elif asked in pages:
        say(report.render(_text(pages[asked]), width=columns, colour=colour))
    else:
        chosen = [path for law, path in pages.items() if fnmatchcase(law, asked)]
        if not chosen:
            raise _unknown(asked, list(pages))
        say(report.in_short([_text(path) for path in chosen], width=columns, colour=colour))
    return 0


def _unknown(asked: str, laws: list[str]) -> UsageError:
    if asked in LAWS:
        return UsageError(f"nothing is told of {asked!r}: this version does not test it")
    near = nearest(asked, laws)
    hint = f"did you mean {near!r}? " if near else ""
    return UsageError(f"there is no law {asked!r}", f"{hint}`sockcheck explain` lists them all")


def _folder() -> Path:
    package = Path(__file__).parents[1]
    # In a wheel they are inside the package; in a checkout or an editable install they stand beside the source root.
    for folder in (package / "_laws", package.parents[1] / "docs" / "laws"):
        if folder.is_dir():
            return folder
    raise UsageError("the pages of the laws are missing", "install sockcheck again")


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")
