"""`sockcheck explain`: what a law means, how it is tested, how it is broken and how that is mended; or a cause."""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase
from pathlib import Path

from sockcheck.causes.patterns import Entry
from sockcheck.causes.table import TABLE
from sockcheck.commands.outputs import coloured, say, width
from sockcheck.errors import UsageError
from sockcheck.laws import LAWS
from sockcheck.selection import nearest
from sockcheck_reports import law as report


def explain(options: argparse.Namespace) -> int:
    """Print the page of one law or cause, some laws in short where a pattern is given, or a list of all laws; 0.

    Raises UsageError.
    """
    folder = _folder()
    pages = {law: path for law in LAWS if (path := folder / f"{law}.md").is_file()}
    columns, colour = width(), coloured(options)
    asked, causes = options.id, {entry.id: entry for entry in TABLE}
    if asked is None:
        say(report.overview([(law, LAWS[law]) for law in pages], width=columns, colour=colour))
    elif asked in pages:
        say(report.render(_text(pages[asked]), width=columns, colour=colour))
    elif asked in causes:
        say(report.render(_page(causes[asked]), width=columns, colour=colour))
    else:
        chosen = [path for law, path in pages.items() if fnmatchcase(law, asked)]
        if not chosen:
            raise _unknown(asked, [*pages, *causes])
        say(report.in_short([_text(path) for path in chosen], width=columns, colour=colour))
    return 0


def _page(cause: Entry) -> str:
    """What reports say of a cause, as a page."""
    return f"""# {cause.id}

The server {cause.title}.

## The thought

{cause.thought}

## How to mend it

### Python

```python
{cause.python}
```

### C

```c
{cause.c}
```

## The law

{LAWS[cause.law]} `sockcheck explain {cause.law}` tells of it.
"""


def _unknown(asked: str, known: list[str]) -> UsageError:
    if asked in LAWS:
        return UsageError(f"nothing is told of {asked!r}: this version does not test it")
    near = nearest(asked, known)
    hint = f"did you mean {near!r}? " if near else ""
    return UsageError(f"there is no law or cause {asked!r}", f"{hint}`sockcheck explain` lists all laws")


def _folder() -> Path:
    package = Path(__file__).parents[1]
    # In a wheel they are inside the package; in a checkout or an editable install they stand beside the source root.
    for folder in (package / "_laws", package.parents[1] / "docs" / "laws"):
        if folder.is_dir():
            return folder
    raise UsageError("the pages of the laws are missing", "install sockcheck again")


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")
