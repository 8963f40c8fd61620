"""The table of docs/causes.md, made from the data, so that the page cannot differ from it.

    python tests/support/causes_page.py

rewrites it in place, below the line `BELOW`; what stands above it is written by hand.
"""

from __future__ import annotations

from tools import CHECKOUT

from sockcheck.causes.patterns import Entry
from sockcheck.causes.table import TABLE
from sockcheck.laws import LAWS

PAGE = CHECKOUT / "docs" / "causes.md"
BELOW = "<!-- Made by tests/support/causes_page.py from the data; do not edit below this line. -->\n"


def page(old: str) -> str:
    """The page `old` with its table made anew."""
    by_hand, _, _ = old.partition(BELOW)
    laws = list(LAWS)
    entries = sorted(TABLE, key=lambda entry: (laws.index(entry.law), entry.id))
    return (
        by_hand
        + BELOW
        + "\n"
        + "\n".join(["| id | the server … | law | the thought |", "|---|---|---|---|", *map(_row, entries), ""])
    )


def _row(entry: Entry) -> str:
    return f"| `{entry.id}` | {entry.title} | [{entry.law}](laws/{entry.law}.md) | {entry.thought} |"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
