"""README.md and the pages under docs/ as what can be tried in them: blocks of code, links, words in code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from tools import CHECKOUT

PAGES = (CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md")))

_SAVE_AS = re.compile(r"\b(?:save this as|and this as|in) `(?P<name>[\w./-]+)`[^`]*:$", re.IGNORECASE)
_COPY = re.compile(r"# (?P<path>tests/data/protocols/[\w./-]+)")
_MARK = re.compile(r"# (?P<what>passes|fails) against (?P<server>[\w-]+)(?:: (?P<kind>[\w-]+))?")


@dataclass(frozen=True)
class Block:
    """A block of code. `line` counts from 1. `language` is "" for an indented one.

    `save_as` is the name that the text right before it gives to it, or "".
    """

    page: Path
    line: int
    language: str
    text: str
    save_as: str

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def first_line(self) -> str:
        return self.text.partition("\n")[0]


@dataclass(frozen=True)
class Example:
    """A scenario that is shown. `kind` is that of the finding that it must come to, "" where it must pass."""

    block: Block
    server: str
    kind: str


def blocks(page: Path) -> list[Block]:
    """All blocks of code of a page, in order."""
    found = []
    before = ""
    for token in _tokens(page):
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            named = _SAVE_AS.search(before)
            name = named["name"] if named else ""
            found.append(Block(page, token.map[0] + 1, token.info.strip(), token.content, name))
            before = ""
        elif token.type == "inline":
            before = token.content.replace("\n", " ")
    return found


def copied(block: Block) -> Path | None:
    """The file of which a block is a copy, as its first line says, or None."""
    named = _COPY.fullmatch(block.first_line)
    return CHECKOUT / named["path"] if named else None


def example(block: Block) -> Example | None:
    """The scenario that a block shows, None where it shows something else, or one that is no example by itself.

    A scenario that says nothing about itself passes against echo. A copy of a file is run where that file is. One that
    is saved into a folder belongs to a contract that the page runs, and one that has mistakes is for `sockcheck check`.
    """
    if block.language != "yaml" or not re.search("^scenario:", block.text, re.MULTILINE):
        return None
    mark = _MARK.fullmatch(block.first_line)
    if mark:
        assert (mark["what"] == "fails") == bool(mark["kind"]), f"{block.place}: fails of what kind?"
        return Example(block, mark["server"], mark["kind"] or "")
    if copied(block) or "/" in block.save_as or block.first_line == "# has mistakes":
        return None
    return Example(block, "echo", "")


def links(page: Path) -> Iterator[tuple[int, str]]:
    """Where each link of a page stands, and where it leads to."""
    for token in _tokens(page):
        for child in token.children or ():
            if child.type == "link_open":
                yield (token.map or [0])[0] + 1, str(child.attrs["href"])


def anchors(page: Path) -> set[str]:
    """The names by which the headings of a page can be linked to, as GitHub makes them."""
    tokens = _tokens(page)
    titles = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def words_in_code(page: Path) -> Iterator[tuple[int, str]]:
    """What stands between backticks within the text of a page, and where."""
    for token in _tokens(page):
        for child in token.children or ():
            if child.type == "code_inline":
                yield (token.map or [0])[0] + 1, child.content


@cache
def _tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
