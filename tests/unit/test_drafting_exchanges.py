"""Exchanges drafted from transcripts, the first scenario, and the probes of promises: all of them can be read."""

from __future__ import annotations

import pytest
import yaml

from sockcheck.drafting import probes
from sockcheck.drafting.contracts import STARTING_SCENARIO, UNNAMED, Tried, contract, name_of, starting_contract
from sockcheck.drafting.exchanges import (
    LINES,
    OTHERS,
    Exchange,
    draft,
    first_scenario,
    look,
    look_again,
    title,
)
from sockcheck.drafting.probes import Probes, Style
from sockcheck.drafting.transcripts import Transcript, Turn
from sockcheck.planning import plan
from sockcheck.reading import read_contract, read_scenario
from sockcheck.scenario import Contract

HTTP, CRLF, FRAMES, SHORT_FRAMES = OTHERS
NOTHING = Turn(b"")
END = Turn(b"", ending="eof")


def heard(*turns: bytes | Turn) -> Transcript:
    return tuple(turn if isinstance(turn, Turn) else Turn(turn) for turn in turns)


ECHO = draft(LINES, [heard(b"", b"hello\n", b"hello again\n", b"hello\n", END)] * 3)
GREETS = draft(LINES, [heard(b"Hi\n", b"A\n", b"B\n", b"A\n", b"")])
CLOSES = draft(LINES, [heard(b"", Turn(b"bye\n", ending="eof"))])
SILENT = draft(LINES, [heard(b"", b"", b"", b"", b"")])
DUMB = draft(LINES, [heard(b"", b"", b"", b"", END)])
DAYTIME = draft(LINES, [heard(Turn(b"12:30\n", ending="eof"))])
GREETS_ONLY = draft(LINES, [heard(b"Hi\n", b"", b"", b"", b"")])
TO_THE_END = draft(LINES, [heard(b"", b"", b"", b"", Turn(b"24\n", ending="eof"))])
OPEN = draft(LINES, [heard(b"", b"a\n", b""), heard(b"", b"a\nb\n", b"")])
FRAMED = draft(FRAMES, [heard(b"", b"\0\0\0\5olleh", b"\0\0\0\1x", b"\0\0\0\5olleh", END)])
TWICE = draft(LINES, [heard(b"", b"1\n", Turn(b"2\n", ending="eof"))])
SLOW = draft(LINES, [heard(b"", b"", b"", b"thanks\n", b"")])

ALL = {name: value for name, value in globals().items() if isinstance(value, Exchange)}


def read(text: str, exchange: Exchange) -> None:
    found = read_scenario("x.sock.yaml", text, Contract("x", "x", pushes=exchange.pushes), lambda path: b"")
    assert plan(found, seed=0)


def test_a_dialogue_is_written_down_once() -> None:
    assert ECHO.steps() == [
        "connect",
        'send: "hello\\n"',
        'expect: "hello\\n"',
        'send: "hello again\\n"',
        'expect: "hello again\\n"',
        "shutdown: write",
        "end: eof",
    ]
    assert ECHO.echoes
    assert ECHO.personal
    assert ECHO.repeats
    assert ECHO.plain
    assert ECHO.served("-${index}")[1:] == ['send: "hello-${index}\\n"', 'expect: "hello-${index}\\n"']
    assert not GREETS.personal
    assert not GREETS.echoes


def test_each_kind_of_server_has_its_exchange() -> None:
    assert GREETS.steps()[1:3] == ['expect: "Hi\\n"', 'send: "hello\\n"']
    assert GREETS.steps()[-1] == 'expect: "B\\n"'
    assert CLOSES.steps()[1:] == ['send: "hello\\n"', 'expect: "bye\\n"', "end: eof"]
    assert CLOSES.served() == CLOSES.steps()
    assert DUMB.steps() == ["connect", 'send: "hello\\n"', "shutdown: write", "end: eof"]
    assert DAYTIME.steps() == ["connect", "expect: {line: '\\d+:\\d+'}", "end: eof"]
    assert TO_THE_END.steps()[2:] == ["shutdown: write", 'expect: "24\\n"', "end: eof"]
    assert TO_THE_END.served("-x")[1:3] == [
        'send: ["hello-x\\n", "hello-x again\\n", "hello-x\\n"]',
        "shutdown: write",
    ]
    assert OPEN.pushes
    assert OPEN.steps() == ["connect", 'send: "hello\\n"', 'expect: "a\\n"']
    assert FRAMED.steps()[1:3] == ['send: {frame: u32be, of: "hello"}', 'expect: {frame: u32be, equals: "olleh"}']
    assert TWICE.served() == ["connect", 'send: "hello\\n"', 'expect: "1\\n"']
    assert TWICE.ends_itself
    assert not SLOW.plain
    assert SILENT.steps() == ["connect"]


def test_what_came_only_now_and_then_is_not_expected() -> None:
    found = draft(LINES, [heard(b"", b"a\n", b""), heard(b"", b"", b"")])
    assert found.pushes
    assert found.steps() == ["connect"]


def test_an_ending_counts_where_it_came_each_time() -> None:
    assert draft(LINES, [heard(END), heard(Turn(b"", ending="reset"))]).ending == "any"
    assert draft(LINES, [heard(b"", Turn(b"a", ending="eof")), heard(b"", b"a", END)]).steps()[-1] == 'expect: "a"'
    assert draft(LINES, [heard(b"", END)]).steps() == ["connect", 'send: "hello\\n"', "end: eof"]


def test_all_answers_to_one_request_say_how_they_differ() -> None:
    turns = [heard(b"", b"1\n", b"x\n", b"1\n", b""), heard(b"", b"b\n", b"x\n", b"1\n", b"")]
    found = draft(LINES, turns)
    assert found.asked[0].answer == found.asked[2].answer == ("expect: {line: '\\w+'}",)


def test_frames_that_are_answered_by_no_frames() -> None:
    assert draft(FRAMES, [heard(b"", b"what?\n")]).asked[0].answer == ('expect: "what?\\n"',)


@pytest.mark.parametrize(
    ("exchange", "said"),
    [
        (ECHO, "A line is answered"),
        (GREETS, "The server speaks first, and answers a line"),
        (TO_THE_END, "A line is answered after the client's end of stream"),
        (DAYTIME, "The server speaks first, and ends the connection"),
        (GREETS_ONLY, "The server speaks first"),
        (DUMB, "The server lets a client in, and ends the connection after the client's end of stream"),
        (SILENT, "The server lets a client in"),
        (FRAMED, "A frame is answered"),
    ],
)
def test_the_title_says_what_happens(exchange: Exchange, said: str) -> None:
    assert title(exchange) == said


@pytest.mark.parametrize("name", ALL)
def test_the_first_scenario_and_all_probes_can_be_read(name: str) -> None:
    exchange = ALL[name]
    read(first_scenario(exchange, 3), exchange)
    for each in all_probes(exchange):
        assert bool(each.untried) != bool(each.scenarios), each
        for text in each.scenarios.values():
            read(text, exchange)
    for style in probes.styles(exchange):
        for number in (*probes.NUMBERS, 2):
            read(probes.crowd(exchange, style, number), exchange)
            read(probes.silent(exchange, style, number - 1), exchange)
            read(probes.queued(exchange, style, number), exchange)
        for text in probes.neighbours(exchange, style, survives_reset=True).values():
            read(text, exchange)
    read(probes.backlog(exchange), exchange)


def all_probes(exchange: Exchange) -> list[Probes]:
    return [
        probes.half_close(exchange, pipelines=False),
        probes.half_close(exchange, pipelines=True),
        probes.orderly_close(exchange),
        probes.pipelining(exchange),
        probes.prompt(exchange),
        probes.restart(exchange),
        probes.stops_on_sigterm(exchange),
        probes.survives_reset(exchange),
    ]


def test_only_what_an_exchange_can_show_is_tried() -> None:
    tried = {name: {each.promise for each in all_probes(exchange) if each.scenarios} for name, exchange in ALL.items()}
    always = {"restart", "stops-on-sigterm", "survives-reset"}
    assert tried["ECHO"] == always | {"half-close", "orderly-close", "pipelining", "prompt"}
    assert tried["GREETS"] == always | {"half-close", "pipelining", "prompt"}
    assert tried["CLOSES"] == always | {"half-close", "orderly-close"}
    assert tried["SILENT"] == {"stops-on-sigterm"}
    assert tried["DUMB"] == always | {"orderly-close"}
    assert tried["TWICE"] == always | {"half-close", "orderly-close", "pipelining"}


def test_many_requests_come_before_the_end_of_stream_only_where_they_may() -> None:
    name = "an end of stream behind many requests"
    assert name in probes.half_close(GREETS, pipelines=True).scenarios
    assert name not in probes.half_close(GREETS, pipelines=False).scenarios
    assert "a large request" in probes.half_close(ECHO, pipelines=False).scenarios


def test_several_clients_say_words_of_their_own_where_that_shows() -> None:
    assert probes.styles(ECHO) == [Style(True, False), Style(True, True), Style(False, False)]
    assert probes.styles(GREETS) == [Style(False, False), Style(False, True)]
    assert probes.styles(OPEN) == [Style(False, True)]
    assert "hello-bob" in probes.silent(ECHO, Style(True, False), 3)
    assert "hello-15-${index}" in probes.crowd(ECHO, Style(True, False), 64)
    assert "hello-bob" not in probes.silent(ECHO, Style(False, False), 3)


def test_it_is_said_beside_whom_none_waited() -> None:
    style = Style(False, False)
    tried = [(ECHO, True), (ECHO, False), (TO_THE_END, True), (DAYTIME, True)]
    beside = [probes.neighbours(exchange, style, survives_reset=survives) for exchange, survives in tried]
    said = [probes.none_waited(each) for each in beside]
    assert [each.removeprefix("none waited for one that is ") for each in said] == [
        "silent, stalled or deaf",
        "silent or stalled",
        "silent or stalled",
        "silent",
    ]


def test_a_silent_server_is_left_to_its_author() -> None:
    text = first_scenario(SILENT, 3)
    assert "It said nothing" in text
    assert 'send: "hello\\n"' in text
    assert "It said nothing" not in first_scenario(draft(LINES, [heard(END)]), 3)


def test_looks_can_be_read() -> None:
    for opening in (LINES, *OTHERS):
        read(look(opening, "500ms"), ECHO)
        read(look_again(opening, heard(b"Hi\n", b"no newline", b"", b"\n" * 99, b"x\n"), "50ms"), ECHO)
        read(look_again(opening, heard(b"Hi\n", END), "50ms"), ECHO)


def test_what_was_heard_is_waited_for_and_no_longer() -> None:
    text = look_again(LINES, heard(b"a\nb\n", Turn(b"c", ending="eof")), "50ms")
    assert [step for client in yaml.safe_load(text)["client"] for step in [client]] == [
        "connect",
        {"expect": {"line": ".*"}},
        {"expect": {"line": ".*"}},
        {"wait": "50ms"},
        {"send": {"hex": b"hello\n".hex()}},
        {"expect": {"bytes": 1}},
        {"wait": "50ms"},
        {"end": "any"},
    ]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python src/server.py {port}", "server"),
        ("/usr/bin/python3.12 -u -B my_server.py", "my_server"),
        ("{python} -m http.server {port}", "server"),
        ("python -m", UNNAMED),
        ("python -c pass", UNNAMED),
        ("python -u", UNNAMED),
        ("node app/chat-server.js", "chat-server"),
        ("./Echo.Server.exe", "Echo-Server"),
        ("./.hidden", "hidden"),
        ("redis-server --port {port}", "redis-server"),
        ("", UNNAMED),
    ],
)
def test_a_server_is_called_as_its_program(command: str, name: str) -> None:
    assert name_of(command.split()) == name


def test_a_contract_holds_what_was_kept_and_says_what_was_not() -> None:
    tried = [
        Tried("clients", True, "64 at once", "64"),
        Tried("half-close", False, 'a reset: "\\x00\n'),
        Tried("backlog", None, "it could not be tried"),
    ]
    tried.append(Tried("prompt", False, "x" * 200))
    text = contract("my server", "`./server`", ["./server", "{port}", "a b"], tried, pushes=True)
    read = read_contract("my server/contract.yaml", text, "my server")
    assert read.promises == {"clients": "64"}
    assert read.target == "./server {port} 'a b'"
    assert read.pushes
    assert "  # half-close:              # not seen: a reset" in text
    assert "  # backlog:                 # not tried: it could not be tried" in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_contract_may_be_empty() -> None:
    text = contract("x", "`127.0.0.1:1`", [], [], pushes=False)
    read = read_contract("x/contract.yaml", text, "x")
    assert (read.promises, read.target, read.pushes) == ({}, "", False)


def test_the_starting_point_can_be_read() -> None:
    read = read_contract('a "b"/contract.yaml', starting_contract('a "b"'), 'a "b"')
    assert read.promises["clients"] == "64"
    scenario = read_scenario("first.sock.yaml", STARTING_SCENARIO, read, lambda path: b"")
    assert not plan(scenario, seed=0)[0].skip
