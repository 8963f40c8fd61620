"""The language of the table: which failing and passing cases speak for a cause, and which it explains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Literal

from sockcheck.case import Actor, Case, Close, Connect, End, Expect, Generated, Piece, Prefixed, Reset, Send, Shutdown
from sockcheck.frozen import dataclass
from sockcheck.verdict import Difference, Finding, Kind, Verdict

# A length of a few bytes less than 2^16 has a zero in it; a word spelt backwards has none.
_WIDTHS = (2, 4, 8)
_REPLACEMENT = "\ufffd".encode()
# A byte or two would be found anywhere.
_TELLING = 3
_ORDERS: tuple[Literal["big", "little"], ...] = ("big", "little")


@dataclass(frozen=True, slots=True)
class Result:
    """A case and what it came to. `after` are the ids of the cases without which it does not fail. `by_chance`: of
    several attempts by itself one passed."""

    case: Case
    verdict: Verdict
    after: tuple[str, ...] = ()
    by_chance: bool = False

    @property
    def passed(self) -> bool:
        """A known failure that passed is no failure of the server."""
        return self.verdict.outcome == "pass" or _kinds(self.verdict) == {"not-known-to-fail"}

    @property
    def failed(self) -> bool:
        return self.verdict.outcome in ("fail", "flaky", "advice") and not self.passed


@dataclass(frozen=True, slots=True)
class Cases:
    """Some cases. What is () is of no matter; of several values one is enough.

    `laws`, `scenarios` and `hosts` are globs. A law is that of the case, that of one of its findings, or, for a case
    that fails only after others, theirs. `hosts` are the addresses that clients connect to, where they are named.
    `says` stands in the message of a finding. `derived`: made from an exchange by a condition, or not, as somebody
    wrote it. `half_closes`: one of its clients does. `kept_open`: the server is not to end a connection by itself.
    `alone`: it fails by itself, not only after others. `answered`: something had come, or nothing. `binary`: a client
    sends what is no text, or only text. `swapped`: the first difference is a number with its bytes the other way round.
    `replaced`: it is U+FFFD, which stands for what is no UTF-8, where no ASCII was expected. `silent`: no client sends
    anything. `more`: behind the first difference, what was expected came all the same. `unended`: what is due has no
    newline in it, and stands behind one, or nothing has come; `behind_line`: behind one. `stripped`: white space is
    missing, and nothing else before the first difference. `lines`: whatever clients send ends with a newline, or not.
    `cut`: somebody's own cut is in what a client sends. `turns`: a client sends something when it has had an answer.
    `left`: it fails behind the leaving of a client, or before it, where there is only one.
    """

    laws: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    traits: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    derived: bool | None = None
    half_closes: bool = False
    kept_open: bool = False
    alone: bool = False
    answered: bool | None = None
    binary: bool | None = None
    swapped: bool = False
    replaced: bool = False
    silent: bool = False
    more: bool = False
    unended: bool | None = None
    behind_line: bool = False
    stripped: bool | None = None
    lines: bool | None = None
    cut: bool = False
    turns: bool = False
    left: bool | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """It is there where, for each of `fails`, such a case fails that nothing else explains; for each of `beside` one
    fails, whatever explains it; for each of `passes` one passes; none of `clear` fails; and none of `never` passes. It
    explains the cases of `fails` and of `takes`."""

    fails: tuple[Cases, ...]
    beside: tuple[Cases, ...] = ()
    passes: tuple[Cases, ...] = ()
    clear: tuple[Cases, ...] = ()
    never: tuple[Cases, ...] = ()
    takes: tuple[Cases, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A cause. `title` says what the server does, without a subject; `law` is what it breaks first.

    `thought` is the likely line of thought that led to it. `python` and `c` say how it is mended, in up to four lines
    of code or a sentence. Of several `patterns` any is enough; each finds what those before it left.
    """

    id: str
    title: str
    law: str
    thought: str
    python: str
    c: str
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A case as patterns see it."""

    result: Result
    laws: frozenset[str]
    traits: frozenset[str]
    kinds: frozenset[str]


def seen(result: Result, before: Iterable[Result] = ()) -> Seen:
    """`before`: the cases that passed, and without which this one does not fail: what it shows is what they did."""
    cases = [result.case, *(each.case for each in before)]
    laws = {case.law for case in cases} | {finding.law for finding in result.verdict.findings}
    traits = {trait for case in cases for trait in _traits(case)}
    return Seen(result, frozenset(laws), frozenset(traits), _kinds(result.verdict))


def explained(pattern: Pattern, failing: Sequence[Seen], open_: Sequence[Seen], passing: Sequence[Seen]) -> list[Seen]:
    """Those of `open_`, which nothing explains yet, that this pattern does; [] where it is not there.

    `failing` are all that fail, `passing` all that pass.
    """
    there = (
        all(any(among(cases, each) for each in open_) for cases in pattern.fails)
        and all(any(among(cases, each) for each in failing) for cases in pattern.beside)
        and all(any(among(cases, each) for each in passing) for cases in pattern.passes)
        and not any(among(cases, each) for cases in pattern.clear for each in failing)
        and not any(among(cases, each) for cases in pattern.never for each in passing)
    )
    mine = (*pattern.fails, *pattern.takes)
    return [each for each in open_ if any(among(cases, each) for cases in mine)] if there else []


def among(cases: Cases, one: Seen) -> bool:
    """Whether it is one of these cases."""
    case, findings = one.result.case, one.result.verdict.findings
    return (
        (not cases.laws or any(_like(law, cases.laws) for law in one.laws))
        and (not cases.kinds or not one.kinds.isdisjoint(cases.kinds))
        and (not cases.traits or not one.traits.isdisjoint(cases.traits))
        and (not cases.says or any(words in finding.message for words in cases.says for finding in findings))
        and (not cases.scenarios or _like(case.scenario, cases.scenarios))
        and (not cases.hosts or any(_like(host, cases.hosts) for host in _hosts(case)))
        and (cases.derived is None or cases.derived is not is_written(case))
        and (not cases.alone or not one.result.after)
        and (not cases.half_closes or _half_closes(case))
        and (not cases.kept_open or not _server_ends(case))
        and (cases.answered is None or any((finding.received > 0) is cases.answered for finding in findings))
        and (cases.binary is None or cases.binary is _is_binary(case))
        and (not cases.swapped or any(_is_swapped(finding) for finding in findings))
        and (not cases.replaced or any(_is_replaced(finding) for finding in findings))
        and (not cases.silent or is_silent(case))
        and (not cases.more or any(_is_more(finding) for finding in findings))
        and (cases.unended is None or any(_is_unended(finding) is cases.unended for finding in findings))
        and (not cases.behind_line or any(_is_behind_line(finding) for finding in findings))
        and (cases.stripped is None or cases.stripped is is_stripped(one.result))
        and (cases.lines is None or cases.lines is _sends_lines(case))
        and (not cases.cut or any(send.cuts for send in _sends(case)))
        and (not cases.turns or any(_takes_turns(actor) for actor in case.actors))
        and (cases.left is None or any(_is_behind_leaving(one.result, each) is cases.left for each in findings))
    )


def is_stripped(result: Result) -> bool:
    """Whether white space is missing where the first difference is: all that is due, or what stands before the rest."""
    return any(_is_stripped(finding.difference) for finding in result.verdict.findings if finding.difference)


def _is_stripped(difference: Difference) -> bool:
    at = difference.offset - difference.start
    expected, actual = difference.expected[at:], difference.actual[at:]
    behind = expected.lstrip()
    if len(behind) == len(expected):
        return False
    if actual:
        return not actual[:1].isspace() and behind[:1] in (b"", actual[:1])
    # Of a line that comes back without its newline nothing more may have come.
    return not behind or expected[:1] == b"\n"


def is_written(case: Case) -> bool:
    """Whether it is an exchange as its author wrote it, and not one that a condition made of it."""
    return case.id.endswith("::plain")


def _traits(case: Case) -> set[str]:
    """Its own; of cuts, that one is inside a length, if one is, and otherwise where somebody's own are."""
    if case.law != "cut.at-k":
        return set(case.traits)
    found = {_trait(send.pieces, cut) for send in _sends(case) for cut in send.cuts or ()}
    return {"in-length"} if "in-length" in found else set(case.traits) or found


def _trait(pieces: Sequence[Piece], cut: int) -> str:
    first = pieces[0]
    if isinstance(first, Prefixed) and cut * 8 < int(first.kind[1:3]):
        return "in-length"
    texts = [piece for piece in pieces if isinstance(piece, bytes)]
    if len(texts) < len(pieces):
        return "in-body"
    data = b"".join(texts)
    if any(_is_in_length(data, cut, width, order) for width in _WIDTHS for order in _ORDERS):
        return "in-length"
    if 0x80 <= data[cut] < 0xC0:
        return "in-character"
    ending = data[cut : cut + 1] == b"\n" and (data[cut - 1 : cut] == b"\r" or cut == len(data) - 1)
    return "in-delimiter" if ending else "in-body"


def _is_in_length(data: bytes, cut: int, width: int, order: Literal["big", "little"]) -> bool:
    """Whether all of it is frames, each behind its length of that many bytes, and the cut is inside a length."""
    begin, inside = 0, False
    while begin < len(data):
        inside = inside or begin < cut < begin + width
        begin += width + int.from_bytes(data[begin : begin + width], order)
    return inside and begin == len(data)


def _is_binary(case: Case) -> bool:
    """Whether a client sends bytes that are no text: a NUL, or no UTF-8; random ones are none either."""
    return any(not _is_text(piece) for send in _sends(case) for piece in send.pieces)


def _is_text(piece: Piece) -> bool:
    if isinstance(piece, Generated):
        return piece.kind != "random"
    return not isinstance(piece, bytes) or (b"\0" not in piece and "\ufffd" not in piece.decode(errors="replace"))


def _sends_lines(case: Case) -> bool:
    lasts = [send.pieces[-1] for send in _sends(case)]
    return all(isinstance(last, bytes) and last.endswith(b"\n") for last in lasts)


def _takes_turns(actor: Actor) -> bool:
    answered = False
    for action in actor.actions:
        if isinstance(action, Send) and answered:
            return True
        answered = answered or isinstance(action, Expect)
    return False


def _is_behind_leaving(result: Result, finding: Finding) -> bool:
    if result.after or len(result.case.actors) != 1:
        return True
    actions = result.case.actors[0].actions
    leaves = next((step for step, each in enumerate(actions) if isinstance(each, Close | Reset)), len(actions))
    return finding.step > leaves


def _sends(case: Case) -> list[Send]:
    return [action for actor in case.actors for action in actor.actions if isinstance(action, Send)]


def is_silent(case: Case) -> bool:
    return not _sends(case)


def _is_more(finding: Finding) -> bool:
    """Whether the rest of what was expected stands behind something else, as far as the windows show."""
    if finding.difference is None:
        return False
    at = finding.difference.offset - finding.difference.start
    expected, actual = finding.difference.expected[at:], finding.difference.actual[at:]
    return len(expected) >= _TELLING and actual.find(expected) > 0


def _is_unended(finding: Finding) -> bool:
    """Whether all has come up to a newline, or nothing, and no newline stands in what is due, as far as is known."""
    due = _due(finding)
    return b"\n" not in due and due != b"" and (_is_behind_line(finding) or _came(finding) == b"")


def _is_behind_line(finding: Finding) -> bool:
    return _came(finding).endswith(b"\n")


def _came(finding: Finding) -> bytes:
    return finding.difference.actual if finding.difference else b""


def _due(finding: Finding) -> bytes:
    """What did not come of what was expected, as far as the window shows; b"" where something else came, too."""
    if finding.difference is None:
        return b""
    at = finding.difference.offset - finding.difference.start
    expected, actual = finding.difference.expected, finding.difference.actual
    return expected[at:] if actual == expected[:at] else b""


def _half_closes(case: Case) -> bool:
    actions = [action for actor in case.actors for action in actor.actions]
    return any(isinstance(action, Shutdown) and action.how == "write" for action in actions)


def _server_ends(case: Case) -> bool:
    """Whether a client waits for an end that it has not asked for by its own."""
    endings = ([each for each in actor.actions if isinstance(each, Shutdown | End)] for actor in case.actors)
    return any(found and isinstance(found[0], End) for found in endings)


def _hosts(case: Case) -> list[str]:
    connects = [action for actor in case.actors for action in actor.actions if isinstance(action, Connect)]
    return [connect.host for connect in connects if isinstance(connect.host, str)]


def _kinds(verdict: Verdict) -> frozenset[str]:
    return frozenset(finding.kind for finding in verdict.findings)


def _like(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _is_replaced(finding: Finding) -> bool:
    if finding.difference is None:
        return False
    # A character may have its first bytes in common with U+FFFD.
    begin = finding.difference.offset - finding.difference.start
    characters = range(max(0, begin - len(_REPLACEMENT) + 1), begin + 1)
    expected, actual = finding.difference.expected, finding.difference.actual
    return any(actual.startswith(_REPLACEMENT, at) and expected[at : at + 1] >= b"\x80" for at in characters)


def _is_swapped(finding: Finding) -> bool:
    return finding.difference is not None and any(
        _swapped_at(finding.difference, start, width)
        for width in _WIDTHS
        for start in range(finding.difference.offset - width + 1, finding.difference.offset + 1)
    )


def _swapped_at(difference: Difference, start: int, width: int) -> bool:
    begin = start - difference.start
    if begin < 0:
        return False
    expected, actual = difference.expected[begin : begin + width], difference.actual[begin : begin + width]
    return len(expected) == width and 0 in expected and expected != actual and expected == actual[::-1]
