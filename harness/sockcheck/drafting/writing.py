"""How bytes, steps and comments are written in YAML, so that people like to read them and sockcheck reads them back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from textwrap import indent

# So many bytes stand in one hexadecimal part, so that its line is no longer than others.
_HEX_A_PART = 32
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", '"': '\\"', "\\": "\\\\"}
_SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")
# A word of a command line that needs no quotes: those of shlex, and braces, since no shell sees them.
_PLAIN_WORD = re.compile(r"[\w@%+=:,./{}-]+", re.ASCII)

MOST_COMMENT = 86
"""So many characters of a comment are written; the rest of what it says is left out."""


def is_text(data: bytes) -> bool:
    """Whether `data` can be written as a text: UTF-8 that can be printed, line ends and tabs."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\n\r\t" for character in text)


def quoted(text: str) -> str:
    """A YAML scalar in double quotes whose value is `text`."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def single_quoted(text: str) -> str:
    """A YAML scalar in single quotes, for regular expressions."""
    return "'" + text.replace("'", "''") + "'"


def lines_of(text: str) -> list[str]:
    """`text` cut behind each newline. A carriage return, or what else Unicode knows, ends no line on the wire."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def parts(data: bytes) -> list[str]:
    """`data` as parts of the scenario language: a text for each line, or hexadecimal digits where it is no text."""
    if is_text(data):
        return [quoted(line.replace("${", "$${")) for line in lines_of(data.decode())]
    chunks = (data[start : start + _HEX_A_PART] for start in range(0, len(data), _HEX_A_PART))
    return [f'{{hex: "{chunk.hex()}"}}' for chunk in chunks]


def inline(items: Sequence[str]) -> str:
    """One part as it is; none or several as a list on one line."""
    return items[0] if len(items) == 1 else f"[{', '.join(items)}]"


def listed(items: Sequence[str]) -> str:
    """What stands behind the colon of a step: on the same line if that is short, else a line for each item."""
    flow = inline(items)
    return f" {flow}" if len(items) == 1 or len(flow) <= 80 else "".join(f"\n  - {item}" for item in items)


def literal(text: str) -> str:
    """A regular expression that matches `text` and nothing else. A `${` in it names nothing."""
    return _SPECIAL.sub(r"\\\g<0>", text).replace("\t", r"\t").replace("\r", r"\r")


def steps(found: Sequence[str], depth: int) -> str:
    """A list of steps, each of one or several lines, `depth` spaces from the left."""
    return "".join(indent("- " + step.replace("\n", "\n  ") + "\n", " " * depth) for step in found)


def command_line(words: Sequence[str]) -> str:
    """`words` as one line that shlex.split() makes the same words of."""
    return " ".join(word if _PLAIN_WORD.fullmatch(word) else shlex.quote(word) for word in words)


def comment(text: str) -> str:
    """`text` as it may stand behind a `#`: on one line, of a bounded length, and without what YAML refuses."""
    line = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(line.split())
    return line if len(line) <= MOST_COMMENT else f"{line[: MOST_COMMENT - 1]}…"
