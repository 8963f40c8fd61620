"""What `sockcheck explain` shows: the page of a law, several in short, or a list of all. Pure.

A page is Markdown, of which only as much is read as these pages use: headings, paragraphs, lists of `- ` items, fenced
blocks of code, all parted by blank lines; and within a text code, links and emphasis.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from rich.text import Text

from .terminal import to_text

_INDENT = "  "
_CODE_INDENT = " " * 6
_TRIED = "What is tried"

_FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"(#{1,3}) (.*)")
_INLINE = re.compile(r"(`[^`]+`)|\[([^\]]+)\]\([^)]*\)|\*\*([^*]+)\*\*|\*([^*]+)\*")


def render(page: str, *, width: int = 80, colour: bool = False) -> str:
    """A whole page as text that ends in a newline, in lines of at most `width` columns, and 60 at least.

    Code alone may be longer, since it is to be copied. Links are reduced to their text.
    """
    lines: list[Text] = []
    before = "#"
    for kind, text in _blocks(page):
        # Items of one list stand together.
        if kind != "#" and not kind == before == "-":
            lines.append(Text())
        lines += _block(kind, text, max(60, width))
        before = kind
    return to_text(lines, colour)


def overview(laws: Sequence[tuple[str, str]], *, width: int = 80, colour: bool = False) -> str:
    """One line or two for each law, given by its id and its sentence."""
    column = max(len(law) for law, _ in laws) + len(_INDENT)
    lines: list[Text] = []
    for law, sentence in laws:
        told = _wrapped(sentence, max(60, width), f"{law:<{column}}", " " * column)
        told[0].stylize("bold", 0, len(law))
        lines += told
    return to_text(lines, colour)


def in_short(pages: Sequence[str], *, width: int = 80, colour: bool = False) -> str:
    """Of each page the law with its sentence, and the first paragraph of what is tried."""
    lines: list[Text] = []
    for page in pages:
        blocks = list(_blocks(page))
        (_, law), (_, sentence) = blocks[:2]
        _, tried = blocks[blocks.index(("##", _TRIED)) + 1]
        lines += [Text()] if lines else []
        lines += [*_block("#", law, width), *_block("", sentence, max(60, width)), Text()]
        lines += _block("", tried, max(60, width))
    return to_text(lines, colour)


def _blocks(page: str) -> Iterator[tuple[str, str]]:
    """The blocks of a page in order, each a kind and its text: "#", "##", "###", "-", "```", or "" for a paragraph."""
    for number, part in enumerate(_FENCED.split(page)):
        if number % 2:
            yield "```", part
            continue
        for chunk in filter(None, re.split(r"\n\s*\n", part.strip())):
            heading = _HEADING.fullmatch(chunk)
            if heading:
                yield heading[1], heading[2]
            elif chunk.startswith("- "):
                yield from (("-", item) for item in re.split(r"^- ", chunk, flags=re.MULTILINE)[1:])
            else:
                yield "", chunk


def _block(kind: str, text: str, width: int) -> list[Text]:
    match kind:
        case "#" | "##":
            return [Text(text, "bold")]
        case "###":
            return [Text.assemble(_INDENT, (text, "bold"))]
        case "-":
            return _wrapped(text, width, f"{_INDENT}- ", f"{_INDENT}  ")
        case "```":
            return [Text(f"{_CODE_INDENT}{line}") for line in text.splitlines()]
        case _:
            return _wrapped(text, width, _INDENT, _INDENT)


def _wrapped(text: str, width: int, first: str, rest: str) -> list[Text]:
    words = _INLINE.sub(lambda found: next(filter(None, found.groups())), " ".join(text.split()))
    lines = textwrap.wrap(
        words, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return [Text(line) for line in lines]
