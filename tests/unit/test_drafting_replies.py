"""Replies as what `expect` takes, and the bytes, texts and comments that drafts are written with."""

from __future__ import annotations

import shlex

import pytest
import yaml

from sockcheck.client_events import (
    Connected,
    Elided,
    PeerClosed,
    Received,
    SendFailed,
    Sent,
    ShutDown,
)
from sockcheck.drafting.replies import Reply, frames, reply, tells_time
from sockcheck.drafting.transcripts import MOST_HEARD, Turn, transcript
from sockcheck.drafting.writing import (
    MOST_COMMENT,
    command_line,
    comment,
    inline,
    listed,
    literal,
    parts,
    quoted,
    steps,
)
from sockcheck.events import (
    Event,
)
from sockcheck.matching import Done, matcher
from sockcheck.planning import plan
from sockcheck.reading import read_scenario
from sockcheck.scenario import Contract


def takes(told: Reply, data: bytes) -> bool:
    """Whether the forms take exactly `data`, or, where more may come, a beginning of it."""
    text = "scenario: x\nclient:\n" + steps(["connect", *(f"expect:{form}" for form in told.forms)], 2)
    scenario = read_scenario("x.sock.yaml", text, Contract("x", "x"), lambda path: b"")
    [case] = plan(scenario, seed=0)
    for action in case.actors[0].actions[1:]:
        answer = matcher(action.form, {}).feed(data)  # type: ignore[union-attr]  # all but the connect are expects
        if not isinstance(answer, Done):
            return False
        data = answer.rest
    return told.open or not data


@pytest.mark.parametrize(
    ("heard", "forms"),
    [
        ([b"OK\n"], ' "OK\\n"'),
        ([b"a\n", b"a\n"], ' "a\\n"'),
        ([b"a\nb\n"], ' ["a\\n", "b\\n"]'),
        ([b"a\rb\n"], ' "a\\rb\\n"'),
        ([b"${x}"], ' "$${x}"'),
        ([b'say "hi" \\ \t\n'], ' "say \\"hi\\" \\\\ \\t\\n"'),
        (["grüße\n".encode()], ' "grüße\\n"'),
        ([b"\x00\xff"], ' {hex: "00ff"}'),
        ([b"\x00" * 33], '\n  - {hex: "' + "00" * 32 + '"}\n  - {hex: "00"}'),
        ([b"\x00\x01", b"\x00\x02"], " {bytes: 2}"),
        ([b"You are number 9\n", b"You are number 10\n"], " {line: 'You are number \\d+'}"),
        ([b"id a7f3\r\n", b"id 99c\r\n"], " {line: 'id \\w+', ends: crlf}"),
        ([b"it's 1.5\n", b"it's 12.25\n"], " {line: 'it''s \\d+\\.\\d+'}"),
        ([b"a  b\n", b"a b\n"], " {line: 'a\\s+b'}"),
        ([b"key=ab+c== ok\n", b"key=x/y/z= ok\n"], " {line: 'key=.*= ok'}"),
        ([b"one\n", b"-\n"], " {line: '.*'}"),
        ([b" 9:30\n", b"12:30\n"], " {line: '\\s*\\d+:\\d+'}"),
        ([b"It is 12:30 now\n"], " {line: 'It is\\s+\\d+:\\d+ now'}"),
        ([b"Mon May  4 12:30:05 2026\n"], " {line: '\\w+ \\w+\\s+\\d+\\s+\\d+:\\d+:\\d+\\s+\\d+'}"),
    ],
)
def test_a_whole_reply_is_one_form(heard: list[bytes], forms: str) -> None:
    told = reply(heard, whole=True)
    assert told == Reply((forms,))
    assert all(takes(told, data) for data in heard)


def test_lines_that_differ_stand_between_those_that_do_not() -> None:
    heard = [b"first\nsecond\nid 1\nlast\n", b"first\nsecond\nid 22\nlast\n"]
    told = reply(heard, whole=True)
    assert told == Reply((' ["first\\n", "second\\n"]', " {line: 'id \\d+'}", ' "last\\n"'))
    assert takes(told, heard[1])
    assert not takes(told, b"first\nsecond\nid x\nlast\n")


@pytest.mark.parametrize(
    ("heard", "forms"),
    [
        ([b"a\nb\n", b"a\n"], (' "a\\n"',)),
        ([b"n 1\nb\n", b"n 2\n"], (" {line: 'n \\d+'}",)),
        ([b"token=12", b"token=345"], (' "token="',)),
        ([b"12", b"345"], (" {bytes: 1}",)),
        ([b"now 12:30"], (' "now "',)),
        ([b"hello\nn1", b"hello\nn2"], (' ["hello\\n", "n"]',)),
        ([b"\x00\x01", b"\x00\x02\x03"], (" {bytes: 1}",)),
    ],
)
def test_of_what_has_no_certain_end_the_beginning_is_expected(heard: list[bytes], forms: tuple[str, ...]) -> None:
    told = reply(heard, whole=True)
    assert told == Reply(forms, open=True)
    assert all(takes(told, data) for data in heard)


def test_of_what_goes_on_and_on_only_some_is_expected() -> None:
    assert reply([b"again\n" * 9000], whole=False) == Reply((' "again\\n"',), open=True)
    assert reply([b"\xff" * 9000], whole=False) == Reply((" {bytes: 512}",), open=True)


def test_a_large_reply_is_not_written_down() -> None:
    assert reply([b"head\n" + b"x" * 5000], whole=True) == Reply((' "head\\n"', " {bytes: 5000}"))
    assert reply([b"x" * 5000], whole=True) == Reply((" {bytes: 5000}",))
    assert reply([b"\xff\n" + b"x" * 5000], whole=True) == Reply((" {bytes: 5002}",))
    assert reply([b"\n" * 41], whole=True) == Reply((' "\\n"', " {bytes: 40}"))
    assert len(reply([b"12:30\n" * 41], whole=True).forms) == 1


def test_long_lists_of_parts_have_a_line_each() -> None:
    assert reply([b"x" * 60 + b"\n" + b"y" * 60 + b"\n"], whole=True).forms[0].startswith('\n  - "xxx')


def test_of_http_the_status_is_expected() -> None:
    dated = b"HTTP/1.1 200 OK\r\nDate: Mon, 04 May 2026 12:30:00 GMT\r\n\r\n"
    assert reply([dated], whole=True) == Reply((""" {until: "\\r\\n\\r\\n", matches: '^HTTP/1\\.1 200'}""",))
    told = reply([dated + b"<html>"], whole=True)
    assert told.open
    assert takes(told, dated + b"<html>")
    other = b"HTTP/1.1 404 Not Found\n\n"
    assert reply([dated, other], whole=True) == Reply((""" {until: "\\n", matches: '^HTTP/'}""",), open=True)
    odd = [b"HTTP/\x001\n", b"HTTP/\x001\nx"]
    assert reply(odd, whole=True) == Reply((""" {until: "\\n", matches: '^HTTP/'}""",), open=True)
    fixed = b"HTTP/1.1 200 OK\r\n\r\nhi"
    assert reply([fixed, fixed], whole=True).forms == (' ["HTTP/1.1 200 OK\\r\\n", "\\r\\n", "hi"]',)


def test_frames_are_told_by_their_content() -> None:
    assert frames([b"\0\2hi"], "u16be") == Reply((' {frame: u16be, equals: "hi"}',))
    assert frames([b"\0\0\0\2h\n"], "u32be") == Reply((' {frame: u32be, equals: "h\\n"}',))
    assert frames([b"\0\0"], "u16be") == Reply((" {frame: u16be, equals: []}",))
    assert frames([b"\0\1a", b"\0\1b"], "u16be") == Reply((" {frame: u16be}",))
    assert frames([b"\0"], "u16be") is None
    assert frames([b"\0\1ab"], "u16be") is None


@pytest.mark.parametrize(
    "text", ["12:30", "2026-05-04", "04.05.2026", "4th May", "May 4", "Monday, the 4th", "1777900000", "1777900000123"]
)
def test_dates_and_times_are_recognised(text: str) -> None:
    assert tells_time(f"at {text}\n".encode())


@pytest.mark.parametrize("text", ["7.0.15", "127.0.0.1:40000", "may I", "10 of 12", "SUN", "12345"])
def test_other_numbers_are_no_times(text: str) -> None:
    assert not tells_time(text.encode())


def test_a_pattern_matches_to_the_letter() -> None:
    assert literal("a.b\t\r${x}(1)") == "a\\.b\\t\\r\\$\\{x\\}\\(1\\)"


def test_parts_lists_and_comments() -> None:
    assert parts(b"") == []
    assert inline([]) == "[]"
    assert listed(["a"]) == " a"
    assert comment("two\nlines \x00 ") == "two lines"
    assert len(comment("x" * 500)) == MOST_COMMENT


def test_what_cannot_be_printed_is_escaped() -> None:
    text = 'a\x07\x85\u2028\U000e0001"\\'
    assert quoted(text) == '"a\\u0007\\u0085\\u2028\\U000e0001\\"\\\\"'
    assert yaml.safe_load(quoted(text)) == text


def test_a_command_line_is_split_into_its_words_again() -> None:
    words = ["./my server", "{port}", "it's", "--a=b", ""]
    assert shlex.split(command_line(words)) == words
    assert command_line(["python", "server.py", "{port}"]) == "python server.py {port}"


def connected() -> Connected:
    return Connected(0.0, 0.0, 1, "client", 0, "127.0.0.1:1", "127.0.0.1:2", "")


def received(data: bytes | Elided) -> Received:
    return Received(0.0, 1, "client", data)


def sent() -> Sent:
    return Sent(0.0, 0.0, 1, "client", 1, 0, 1, "none", 0.0)


def test_a_transcript_has_a_turn_for_each_thing_that_the_client_does() -> None:
    events: list[Event] = [connected(), received(b"a"), received(b"b"), sent(), received(b"c"), sent()]
    events += [SendFailed(0.0, 0.0, 1, "client", 2, 0, "EPIPE"), ShutDown(0.0, 0.0, 1, "client", 3, "write", "")]
    assert transcript(events) == (Turn(b"ab"), Turn(b"c"), Turn(b""), Turn(b""), Turn(b""))
    ended = PeerClosed(0.0, 1, "client", "eof", "", "CLOSE_WAIT")
    assert transcript([*events[:2], ended, sent()]) == (Turn(b"a", ending="eof"),)
    reset = PeerClosed(0.0, 1, "client", "reset", "ECONNRESET", "CLOSE")
    assert transcript([sent(), reset]) == (Turn(b""), Turn(b"", ending="reset"))


def test_a_transcript_is_bounded() -> None:
    [turn] = transcript([received(b"x" * MOST_HEARD), received(b"y")])
    assert turn == Turn(b"x" * MOST_HEARD, whole=False)
    [turn] = transcript([received(Elided(1000, "", b"head", b"tail"))])
    assert turn == Turn(b"head", whole=False)
