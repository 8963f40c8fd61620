"""One reply that was heard several times, as what `expect` takes: literal where it was always the same.

What differed becomes a regular expression, and so does what tells a date or a time of day: it will differ tomorrow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from sockcheck.drafting.writing import inline, is_text, lines_of, listed, literal, parts, quoted, single_quoted

# Beyond these a reply is not written down whole: nobody would read it.
_MOST_LINES, _MOST_BYTES = 40, 2048
# So much is asked for of a reply that goes on and on.
_SOME_BYTES = 512

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_TIMES = re.compile(
    rf"""
    \b\d{{1,2}}:\d\d\b                                  # 12:30, 12:30:05
    | \b\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}\b           # 2026-05-04
    | \b\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}}\b           # 04.05.2026
    | \b\d{{1,2}}(?:st|nd|rd|th|\.)?[ -](?:{_MONTHS})   # 4 May
    | (?:{_MONTHS})[a-z]*\.?[ ]+\d{{1,2}}\b             # May  4
    | \b(?:{_DAYS})[a-z]*,                              # Monday,
    | \b1\d{{9}}(?:\d{{3}})?\b                          # seconds or milliseconds since 1970
    """,
    re.VERBOSE,
)
_NAMES_OF_TIMES = re.compile(rf"(?:{_MONTHS}|{_DAYS})[a-z]*|[AP]M|[ap]m|st|nd|rd|th|[A-Z]{{3,5}}")
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
# Days of the month and hours are padded, in some formats.
_WORDS_OF_TIMES = re.compile(r"\s*\d+|[^\W\d]+|\s+|[^\w\s]")
_NUMBER = re.compile(r"\s*[0-9]+")


@dataclass(frozen=True, slots=True)
class Reply:
    """`forms`: what `expect` takes, one behind the other. `open`: more may come, which they do not ask for."""

    forms: tuple[str, ...]
    open: bool = False


def reply(heard: Sequence[bytes], *, whole: bool) -> Reply:
    """What all of `heard`, one or several, none of them empty, have in common. Not `whole`: more came than was kept."""
    if any(each.startswith(b"HTTP/") for each in heard) and (len(set(heard)) > 1 or tells_time(heard[0])):
        return _http(heard)
    if len(set(heard)) == 1 and whole and not tells_time(heard[0]):
        return _constant(heard[0])
    if not all(map(is_text, heard)):
        return _binary(heard, whole)
    return _varying([lines_of(each.decode()) for each in heard], whole)


def frames(heard: Sequence[bytes], kind: str) -> Reply | None:
    """The same where each of `heard` is one frame of that kind; None where they are not."""
    width = {"u16be": 2, "u32be": 4}[kind]
    if any(len(each) < width or int.from_bytes(each[:width]) != len(each) - width for each in heard):
        return None
    contents = {each[width:] for each in heard}
    if len(contents) > 1 or tells_time(heard[0]) or len(heard[0]) > _MOST_BYTES:
        return Reply((f" {{frame: {kind}}}",))
    return Reply((f" {{frame: {kind}, equals: {inline(parts(contents.pop()))}}}",))


def tells_time(data: bytes) -> bool:
    """Whether there is a date or a time of day in it, as far as that can be told."""
    return _TIMES.search(data.decode(errors="replace")) is not None


def _constant(data: bytes) -> Reply:
    """The same bytes each time."""
    written = parts(data)
    if len(data) <= _MOST_BYTES and len(written) <= _MOST_LINES:
        return Reply((listed(written),))
    first = data[: data.find(b"\n") + 1]
    if first and len(first) < min(len(data), _SOME_BYTES) and is_text(first):
        return Reply((listed(parts(first)), f" {{bytes: {len(data) - len(first)}}}"))
    return Reply((f" {{bytes: {len(data)}}}",))


def _http(heard: Sequence[bytes]) -> Reply:
    """The status alone: headers hold dates, and a body what there is to tell today."""
    ends = "\r\n\r\n" if all(b"\r\n\r\n" in each for each in heard) else "\n"
    statuses = {each.partition(b"\r\n")[0].partition(b"\n")[0][:12] for each in heard}
    status = statuses.pop().decode(errors="replace") if len(statuses) == 1 else "HTTP/"
    pattern = single_quoted("^" + literal(status)) if status.isprintable() else "'^HTTP/'"
    bare = all(each.partition(ends.encode())[2] == b"" for each in heard)
    return Reply((f" {{until: {quoted(ends)}, matches: {pattern}}}",), open=not bare)


def _binary(heard: Sequence[bytes], whole: bool) -> Reply:
    sizes = {len(each) for each in heard}
    if whole and len(sizes) == 1:
        return Reply((f" {{bytes: {sizes.pop()}}}",))
    # The shortest that was seen need not be the shortest that there is.
    return Reply((f" {{bytes: {1 if whole else _SOME_BYTES}}}",), open=True)


def _varying(heard: Sequence[Sequence[str]], whole: bool) -> Reply:
    """Texts as lines, of which some differ or tell the time, or which are not all alike in number."""
    rows = list(zip(*heard, strict=False))
    complete = whole and len({len(each) for each in heard}) == 1 and len(rows) <= _MOST_LINES
    forms: list[str] = []
    constant: list[str] = []
    # Where two lines were the fewest, there may be one another time.
    for row in rows if complete else rows[:1]:
        timed = any(map(_TIMES.search, row))
        if len(set(row)) == 1 and not timed and (complete or row[0].endswith("\n")):
            constant += parts(row[0].encode())
            continue
        ended = all(line.endswith("\n") for line in row)
        if not ended:
            constant += parts(_beginning(row).encode())
        if constant:
            forms.append(listed(constant))
            constant = []
        if not ended:
            return _at_least(forms)
        forms.append(_line(row))
    if constant:
        forms.append(listed(constant))
    return Reply(tuple(forms)) if complete else _at_least(forms)


def _at_least(forms: Sequence[str]) -> Reply:
    return Reply(tuple(forms) or (" {bytes: 1}",), open=True)


def _beginning(lines: Sequence[str]) -> str:
    """What all these lines begin with, up to a time that one of them tells."""
    found = [line[: match.start()] if (match := _TIMES.search(line)) else line for line in lines]
    same = takewhile(lambda characters: len(set(characters)) == 1, zip(*found, strict=False))
    return "".join(characters[0] for characters in same)


def _line(lines: Sequence[str]) -> str:
    crlf = all(line.endswith("\r\n") for line in lines)
    pattern = _pattern([line.removesuffix("\n").removesuffix("\r") for line in lines])
    return f" {{line: {single_quoted(pattern)}{', ends: crlf' if crlf else ''}}}"


def _pattern(lines: Sequence[str]) -> str:
    """A regular expression that matches all of these lines, and as little else as can be told from them."""
    timed = any(map(_TIMES.search, lines))
    words = [(_WORDS_OF_TIMES if timed else _WORDS).findall(line) for line in lines]
    if len({len(each) for each in words}) == 1:
        found = [_alike(each, timed) for each in zip(*words, strict=True)]
        known = [each for each in found if each is not None]
        if len(known) == len(found):
            return "".join(known)
    before = _prefix(words)
    after = _prefix([each[len(before) :][::-1] for each in words])[::-1]
    return f"{literal(''.join(before))}.*{literal(''.join(after))}"


def _alike(words: Sequence[str], timed: bool) -> str | None:
    """What matches each of these words, which stand at one place in several lines; None where nothing narrow does."""
    if all(map(_NUMBER.fullmatch, words)) and (timed or len(set(words)) > 1):
        padded = [word[0].isspace() for word in words]
        return r"\s+\d+" if all(padded) else r"\s*\d+" if any(padded) else r"\d+"
    if len(set(words)) == 1 and not (timed and _NAMES_OF_TIMES.fullmatch(words[0])):
        return literal(words[0])
    if all(map(str.isspace, words)):
        return r"\s+"
    if all(re.fullmatch(r"\w+", word, re.ASCII) for word in words):
        return r"\w+"
    return None


def _prefix(words: Sequence[Sequence[str]]) -> list[str]:
    return [each[0] for each in takewhile(lambda each: len(set(each)) == 1, zip(*words, strict=False))]
