"""What a scenario file says of bytes, as data: those that are sent, and the forms of those that come.

Every value has its place. `sockcheck.scenario` says what becomes of it.
"""

from __future__ import annotations

from typing import Literal

from sockcheck.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file. Lines and columns count from 1, in characters; `end_column` is exclusive.

    A span never goes beyond its first line: it is what a caret can be drawn under.
    """

    path: str
    line: int
    column: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Reference:
    """`${name}`: a parameter of the contract, a value of the matrix, `index`, `turn`, `unique`, or a capture."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: `seconds` and the sum of the references, as in `${idle} + 1s`."""

    seconds: float
    references: tuple[Reference, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Fixed:
    """Bytes that are known once the file has been read: `{hex: …}`, `{base64: …}`, `{file: …}`, `{u32be: 7}`."""

    data: bytes
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A text as UTF-8, with the references that stand in it: `"hi ${name}"` is `(b"hi ", Reference(name))`."""

    pieces: tuple[bytes | Reference, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PayloadSlice:
    """`{payload: name}`, or only its `first` bytes."""

    name: str
    first: int | Reference | None
    span: Span


@dataclass(frozen=True, slots=True)
class Number:
    """`{u32be: "${name}"}`: an integer of that kind, known later than the file is read. The value is in digits."""

    kind: str
    value: Reference
    span: Span


@dataclass(frozen=True, slots=True)
class Framed:
    """`{frame: u32be, of: PARTS}`: the length of the parts as an integer of that kind, then the parts."""

    kind: str
    parts: tuple[Part, ...]
    span: Span


Part = Fixed | Text | PayloadSlice | Number | Framed


@dataclass(frozen=True, slots=True)
class Payload:
    """An entry under `payloads:`: bytes made from a recipe, so that megabytes never stand in a file or a record.

    `random`: `size` bytes that follow from `seed` alone. `repeat`: `of`, over and over, `size` bytes in all.
    """

    kind: Literal["random", "repeat"]
    size: int | Reference
    seed: int
    of: bytes
    span: Span


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression on bytes, known to be well-formed. A reference in it stands for its value, to the letter."""

    pieces: tuple[bytes | Reference, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ExactForm:
    """`expect: "text"`: exactly these bytes come next, however they are segmented."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class LineForm:
    """`{line: REGEX}`: one line, matched whole and without its ending. `ends`: crlf demands `\\r\\n`, lf forbids it."""

    pattern: Pattern
    ends: Literal["any", "crlf", "lf"]


@dataclass(frozen=True, slots=True)
class LinesForm:
    """`{lines: REGEX, last: REGEX}`: lines that match, up to and with one that matches `last`, which is tried first."""

    pattern: Pattern
    last: Pattern
    ends: Literal["any", "crlf", "lf"]


@dataclass(frozen=True, slots=True)
class UntilForm:
    """`{until: DELIMITER, matches: …}`: all up to and with the delimiter; every pattern is found in it."""

    delimiter: Part
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class BytesForm:
    """`{bytes: N, sha256: …}`: N bytes, whatever they are, or those with this digest (lower-case hex)."""

    count: int | Reference
    sha256: str | None


@dataclass(frozen=True, slots=True)
class FrameForm:
    """`{frame: u32be, equals: PARTS}` or `matches:`: a length and as many bytes; the bytes are those, or hold these."""

    kind: str
    equals: tuple[Part, ...] | None
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class UnorderedForm:
    """`{unordered: [FORM, …]}`: all of them, one behind the other, in any order."""

    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class AnyForm:
    """`{any: [FORM, …]}`: the one that is complete with the fewest bytes; of several, the first that is written."""

    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class NotForm:
    """`{not: FORM, for: TIME}`: it does not come for that long. What comes instead is left for the steps behind it."""

    form: ExactForm | LineForm
    duration: Duration


Form = ExactForm | LineForm | LinesForm | UntilForm | BytesForm | FrameForm | UnorderedForm | AnyForm | NotForm
