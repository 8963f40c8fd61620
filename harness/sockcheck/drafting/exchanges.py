"""The exchange that a server was seen to keep up, and the first scenario that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sockcheck.drafting.replies import Reply, frames, reply
from sockcheck.drafting.transcripts import Transcript, Turn
from sockcheck.drafting.writing import listed, parts, quoted, steps

WORD = "hello"
"""What is said to a server first. Where the answer holds it, each client of several says a word of its own."""

_AGAIN = f"{WORD} again"
_HTTP = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Opening:
    """What is tried on a server: some messages, one after the other. `frame` is the kind of their lengths, or ""."""

    what: str
    messages: tuple[bytes, ...]
    frame: Literal["", "u16be", "u32be"] = ""


def _lines(end: str) -> tuple[bytes, ...]:
    return tuple(f"{text}{end}".encode() for text in (WORD, _AGAIN, WORD))


def _frames(width: int) -> tuple[bytes, ...]:
    return tuple(len(text).to_bytes(width) + text for text in _lines(""))


LINES = Opening("a line", _lines("\n"))
"""What is tried first."""

OTHERS = (
    Opening("an HTTP request", (_HTTP,)),
    Opening("a line that ends in CR LF", _lines("\r\n")),
    Opening("a frame", _frames(4), "u32be"),
    Opening("a frame", _frames(2), "u16be"),
)
"""What is tried, one by one, on a server that does not answer a line."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, in parts, and the steps that expect what answers it."""

    parts: tuple[str, ...]
    answer: tuple[str, ...]

    @property
    def send(self) -> str:
        """The step that asks."""
        return f"send:{listed(self.parts)}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was seen each time.

    `greeting`: the steps that expect what comes first. `asked`: requests, each answered before the next. `shuts`: the
    client's end of stream is a part of it, and `last` expects what comes behind that. `ending`: how the server ends the
    connection in the end, "" where it does not. `pushes`: more may come than these steps ask for.
    """

    opening: Opening
    greeting: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()
    shuts: bool = False
    last: tuple[str, ...] = ()
    ending: Literal["", "eof", "any"] = ""
    pushes: bool = False

    @property
    def silent(self) -> bool:
        """Whether it says nothing at all."""
        return not self.greeting and not self.answers and not self.last

    @property
    def answers(self) -> bool:
        """Whether it answers a request while the client may still send."""
        return bool(self.asked) and bool(self.asked[0].answer)

    @property
    def ends_itself(self) -> bool:
        """Whether the server ends the connection without the client's end of stream."""
        return self.ending != "" and not self.shuts

    @property
    def plain(self) -> bool:
        """Whether there is no sign that the server only was too slow to be understood."""
        return self.shows and not (self.answers and len(self.asked[0].parts) > len(parts(self.opening.messages[0])))

    @property
    def repeats(self) -> bool:
        """Whether it answers the same request, on the same connection, in the same way."""
        return not self.ends_itself and not self.pushes and self.answers and self.asked[2:] == self.asked[:1]

    @property
    def personal(self) -> bool:
        """Whether an answer seems to hold what was asked, so that clients can be told apart by it."""
        answers = ["".join(asked.answer) for asked in self.asked[:2]] or [""]
        if not self.answers:
            answers = ["".join(self.last)]
        said = self.asked != () and WORD in self.asked[0].send
        return said and all(word in answer for word, answer in zip((WORD, _AGAIN), answers, strict=False))

    @property
    def echoes(self) -> bool:
        """Whether it answers a request with the same bytes."""
        return (
            self.answers
            and not self.opening.frame
            and self.asked[0].answer == (f"expect:{listed(self.asked[0].parts)}",)
        )

    @property
    def shows(self) -> bool:
        """Whether a client can tell that it is served, by what comes or by the end of its connection."""
        return not self.silent or self.ending != ""

    def steps(self) -> list[str]:
        """All of it, from the connect on, but for a request that only repeats the first."""
        found = ["connect", *self.greeting]
        for asked in self.asked[:2] if self.repeats else self.asked:
            found += [asked.send, *asked.answer]
        return found + self._end()

    def served(self, suffix: str = "") -> list[str]:
        """Its beginning, which shows that a client is served. `suffix` goes behind the word that is said, if any is."""
        found = ["connect", *self.greeting, *self.request(0, suffix)]
        if self.asked and self.asked[0].answer:
            found += self.answer(0, suffix)
            return found + (self._end() if self.ends_itself and len(self.asked) == 1 else [])
        return found + [_suffixed(step, suffix) for step in self._end()]

    def request(self, number: int, suffix: str = "") -> list[str]:
        """The step that asks for the first or a later time; none where nothing is asked."""
        return [_suffixed(self.asked[number].send, suffix)] if self.asked else []

    def answer(self, number: int, suffix: str = "") -> list[str]:
        """The steps that expect what comes for that."""
        return [_suffixed(step, suffix) for step in self.asked[number].answer]

    def _end(self) -> list[str]:
        found = ["shutdown: write"] if self.shuts else []
        return [*found, *self.last, *([f"end: {self.ending}"] if self.ending else [])]


def _suffixed(step: str, suffix: str) -> str:
    return step.replace(WORD, WORD + suffix)


def draft(opening: Opening, heard: Sequence[Transcript]) -> Exchange:
    """What all of these transcripts, at least one, of looks at a server that began with `opening` have in common."""
    greeting = _told(opening, heard, 0)
    ending, pushes = _ending(heard, 0), greeting.open
    waiting: list[bytes] = []
    asked: list[Asked] = []
    turn = 0
    while not ending and not pushes and turn < len(opening.messages):
        waiting.append(opening.messages[turn])
        turn += 1
        answer = _told(opening, heard, turn)
        ending, pushes = _ending(heard, turn), answer.open
        if answer.forms or ending:
            asked.append(Asked(_sent(opening, waiting), _expects(answer)))
            waiting.clear()
    shuts, last = False, Reply(())
    if not ending and not pushes:
        last = _told(opening, heard, turn + 1)
        ending, pushes = _ending(heard, turn + 1), last.open
        shuts = bool(ending or last.forms)
        if last.forms and waiting:
            asked.append(Asked(_sent(opening, waiting), ()))
        elif ending and not asked:
            asked.append(Asked(_sent(opening, opening.messages[:1]), ()))
    return Exchange(opening, _expects(greeting), tuple(asked), shuts, _expects(last), ending, pushes)


def _told(opening: Opening, heard: Sequence[Transcript], number: int) -> Reply:
    """What came each time in that turn. Where something came only now and then, more may come than is asked for."""
    came = _came(heard, number)
    if not came:
        return Reply(())
    if len(came) < len(heard):
        return Reply((), open=True)
    told = [turn.received for turn in came]
    if 0 < number <= len(opening.messages):
        # Where the answer differs, all that was ever answered to the same request says how.
        numbers = [each for each, message in enumerate(opening.messages, 1) if message == opening.messages[number - 1]]
        same = [[turn.received for turn in _came(heard, each)] for each in numbers]
        if any(len(set(answers)) > 1 for answers in same):
            told = [answer for answers in same for answer in answers]
    if opening.frame and number > 0:
        framed = frames(told, opening.frame)
        if framed is not None:
            return framed
    return reply(told, whole=all(turn.whole for turn in came))


def _came(heard: Sequence[Transcript], number: int) -> list[Turn]:
    """That turn of each transcript in which something came."""
    turns = [transcript[number] for transcript in heard if number < len(transcript)]
    return [turn for turn in turns if turn.received]


def _ending(heard: Sequence[Transcript], number: int) -> Literal["", "eof", "any"]:
    """How the connection ended in that turn: in order each time, in one way or the other, or not each time."""
    endings = {transcript[number].ending if number < len(transcript) else "" for transcript in heard}
    if "" in endings:
        return ""
    return "eof" if endings == {"eof"} else "any"


def _expects(told: Reply) -> tuple[str, ...]:
    return tuple(f"expect:{form}" for form in told.forms)


def _sent(opening: Opening, messages: Sequence[bytes]) -> tuple[str, ...]:
    if not opening.frame:
        return tuple(part for message in messages for part in parts(message))
    width = 4 if opening.frame == "u32be" else 2
    return tuple(f"{{frame: {opening.frame}, of: {quoted(each[width:].decode())}}}" for each in messages)


def title(exchange: Exchange) -> str:
    """The exchange in one sentence."""
    what, behind = exchange.opening.what, " after the client's end of stream"
    spoken = "The server speaks first" if exchange.greeting else ""
    if exchange.asked and (exchange.answers or exchange.last):
        when = "" if exchange.answers else behind
        return f"{spoken}, and answers {what}{when}" if spoken else f"{what[0].upper()}{what[1:]} is answered{when}"
    spoken = spoken or "The server lets a client in"
    if not exchange.ending:
        return spoken
    return f"{spoken}, and ends the connection{behind if exchange.shuts else ''}"


_NOTES = {
    "shutdown: write": "shutdown: write          # the client's end of stream; it goes on reading",
    "end: eof": "end: eof                 # the server ends the connection in order: recv() returns b''",
    "end: any": "end: any                 # the server ends the connection, in order or by a reset",
}


def first_scenario(exchange: Exchange, connections: int) -> str:
    """The text of a scenario file. `connections`: on so many the exchange was seen."""
    lines = [
        f"# Drafted by `sockcheck init` from what the server did on {connections} connections. It is yours to edit.",
        f"scenario: {title(exchange)}",
    ]
    if exchange.silent and not exchange.ends_itself:
        lines.append("# It said nothing. Write what it should answer: `- expect:` behind the `- send:`.")
    if exchange.pushes:
        lines.append("pushes: yes                # more came than is written here, and it differed or had no end")
    found = [_NOTES.get(step, step) for step in exchange.steps()]
    if exchange.silent and not exchange.ending:
        found += ["await: accepted", Asked(_sent(LINES, LINES.messages[:1]), ()).send]
    return "\n".join(lines) + "\nclient:\n" + steps(found, 2)


def look(opening: Opening, pause: str) -> str:
    """A scenario to listen to: each message is sent when nothing more has come for `pause`, a duration."""
    found = ["connect", f"wait: {pause}"]
    for message in opening.messages:
        found += [f'send: {{hex: "{message.hex()}"}}', f"wait: {pause}"]
    return _listening([*found, "shutdown: write", f"wait: {pause}"])


def look_again(opening: Opening, heard: Transcript, pause: str) -> str:
    """The same, for a server that was heard already: no longer than that takes. `pause` is for what may follow."""
    found = ["connect"]
    actions = [f'send: {{hex: "{message.hex()}"}}' for message in opening.messages]
    for turn, action in zip(heard, ["", *actions, "shutdown: write"], strict=False):
        if action:
            found.append(action)
        if turn.received:
            whole_lines = turn.received.endswith(b"\n") and turn.received.count(b"\n") <= 20
            expected = ["expect: {line: '.*'}"] * turn.received.count(b"\n") if whole_lines else ["expect: {bytes: 1}"]
            found += [*expected, f"wait: {pause}"]
        if turn.ending:
            found.append("end: any")
            break
    return _listening(found)


def _listening(found: Sequence[str]) -> str:
    return "scenario: What does the server say?\npushes: yes\nclient:\n" + steps(found, 2)
