"""What files say of clients and of the server: by name, in numbers, in order of marks, with values of names."""

from __future__ import annotations

import pytest

from sockcheck.errors import MistakesError
from sockcheck.forms import (
    AnyForm,
    BytesForm,
    Duration,
    ExactForm,
    Fixed,
    Form,
    Framed,
    FrameForm,
    LineForm,
    LinesForm,
    NotForm,
    Number,
    Part,
    Pattern,
    Payload,
    PayloadSlice,
    Reference,
    Span,
    Text,
    UnorderedForm,
)
from sockcheck.reading import read_scenario
from sockcheck.scenario import (
    Client,
    Contract,
    Scenario,
)
from sockcheck.steps import (
    Check,
    CheckStep,
    ConnectStep,
    ExitsStep,
    ExpectStep,
    KillStep,
    MarkStep,
    MeetStep,
    PauseStep,
    RepeatStep,
    RestartStep,
    ResumeStep,
    SendStep,
    ServerStep,
    SignalStep,
    StartStep,
    Step,
    WaitForStep,
    WaitStep,
)

CONTRACT = Contract(name="kv", path="kv/contract.yaml", parameters={"idle": "1s", "name": "bob", "size": "4KiB"})


def scenario(text: str, contract: Contract = CONTRACT) -> Scenario:
    def no_files(path: str) -> bytes:
        raise AssertionError(path)

    return read_scenario("kv/a.sock.yaml", text, contract, no_files)


def steps(written: str, before: str = "") -> tuple[Step, ...]:
    """The steps that stand in line 2, behind a `connect`; `before`: steps before them."""
    return scenario(f"scenario: S\nclient: [connect, {before and before + ', '}{written}]\n").clients[0].steps[1:]


def step(written: str, before: str = "") -> Step:
    return steps(written, before)[-1]


def form(written: str, before: str = "") -> Form:
    read = step(f"expect: {written}", before)
    assert isinstance(read, ExpectStep)
    return read.form


def part(written: str, before: str = "") -> Part:
    read = step(f"send: {written}", before)
    assert isinstance(read, SendStep)
    return read.parts[0]


def server(*written: str) -> tuple[ServerStep, ...]:
    return scenario(f"scenario: S\nserver: [{', '.join(written)}]\n").server


def mistakes(text: str) -> list[str]:
    with pytest.raises(MistakesError) as caught:
        scenario(text)
    return [f"{error.span.line}: {error.message}" for error in caught.value.errors]


def at(line: int, column: int, end: int) -> Span:
    return Span("kv/a.sock.yaml", line, column, end)


def test_the_other_keys_of_a_scenario() -> None:
    read = scenario(
        "scenario: S\nstate: own\nconditions: [plain, 'cut.*', standard]\npoints: 2.5\nvisibility: hidden\ngate: yes\n"
        "known-failure: It is slow.\nmatrix: {n: [1, 'a b'], m: [x]}\nclient: [connect]\n"
    )
    assert (read.state, read.conditions, read.points) == ("own", ("plain", "cut.*", "standard"), 2.5)
    assert (read.visibility, read.known_failure, read.gate) == ("hidden", "It is slow.", True)
    assert read.matrix == {"n": ("1", "a b"), "m": ("x",)}
    least = scenario("scenario: S\nconditions: thorough\nclient: [connect]\n")
    assert (least.state, least.conditions, least.points, least.gate) == ("none", ("thorough",), None, False)
    assert scenario("scenario: S\nclient: [connect]\n").conditions is None


def test_several_clients() -> None:
    text = """\
scenario: S
clients:
  bob: [connect]
  crowd:
    count: 5
    pushes: yes
    steps: [connect, meet: all-in]
"""
    assert scenario(text).clients == (
        Client("bob", (ConnectStep(at(3, 9, 16)),), at(3, 3, 6)),
        Client(
            "crowd",
            (ConnectStep(at(7, 13, 20)), MeetStep(at(7, 22, 34), "all-in")),
            at(4, 3, 8),
            count=5,
            pushes=True,
        ),
    )


def test_a_scenario_may_have_no_client() -> None:
    read = scenario("scenario: S\nserver: [signal: TERM, exits: {status: TERM}]\n")
    assert read.clients == ()
    assert len(read.server) == 2


@pytest.mark.parametrize(
    ("contract", "whole", "own", "pushes"),
    [
        (False, "", "", False),
        (True, "", "", True),
        (True, "pushes: no", "", False),
        (False, "pushes: yes", "", True),
        (False, "pushes: yes", "pushes: no", False),
        (False, "", "pushes: true", True),
    ],
)
def test_the_nearest_says_whether_the_server_pushes(contract: bool, whole: str, own: str, pushes: bool) -> None:
    inner = f", {own}" if own else ""
    text = f"scenario: S\n{whole}\nclients: {{bob: {{steps: [connect]{inner}}}}}\n"
    read = scenario(text, Contract(name="kv", path="kv", pushes=contract))
    assert read.clients[0].pushes is pushes


def test_numbers_may_have_names() -> None:
    text = """\
scenario: S
matrix: {n: [2, 3]}
payloads: {big: {random: "${size}"}, again: {repeat: ab, size: "${n}"}}
clients:
  crowd:
    count: "${n}"
    steps:
      - connect
      - repeat: {times: "${n}", steps: [send: {payload: big, first: "${turn}"}]}
      - send: {payload: again, first: "${n}"}
      - send: [{u8: "${n}"}, {u16be: "${index}"}]
      - expect: {bytes: "${size}"}
"""
    read = scenario(text)
    assert read.payloads["big"] == Payload("random", Reference("size", at(3, 27, 34)), 0, b"", at(3, 12, 15))
    (crowd,) = read.clients
    assert crowd.count == Reference("n", at(6, 13, 17))
    _, repeat, _, numbers, counted = crowd.steps
    assert isinstance(repeat, RepeatStep)
    assert repeat.times == Reference("n", at(9, 26, 30))
    (sent,) = repeat.steps
    assert isinstance(sent, SendStep)
    assert sent.parts == (PayloadSlice("big", Reference("turn", at(9, 70, 77)), at(9, 57, 60)),)
    assert isinstance(numbers, SendStep)
    assert numbers.parts == (
        Number("u8", Reference("n", at(11, 22, 26)), at(11, 21, 27)),
        Number("u16be", Reference("index", at(11, 39, 47)), at(11, 38, 48)),
    )
    assert isinstance(counted, ExpectStep)
    assert counted.form == BytesForm(Reference("size", at(12, 26, 33)), None)


def test_steps_of_a_client_that_are_not_about_its_connection() -> None:
    read = steps("mark: a, wait-for: a, wait: 1s, repeat: {times: 3, steps: [wait: 2s]}")
    assert read == (
        MarkStep(at(2, 19, 26), "a"),
        WaitForStep(at(2, 28, 39), "a"),
        WaitStep(at(2, 41, 49), Duration(1.0, (), at(2, 47, 49))),
        RepeatStep(at(2, 51, 88), 3, (WaitStep(at(2, 78, 86), Duration(2.0, (), at(2, 84, 86))),)),
    )


def test_what_is_not_about_the_connection_may_stand_anywhere() -> None:
    scenario(
        "scenario: S\nclients:\n  a: [mark: m, wait: 1s, connect: refused, wait: 1s, mark: n]\n"
        "  b: [wait-for: n, connect, end: reset, wait-for: m]\n"
        "  c: {count: 2, steps: [meet: before, connect, reset, meet: behind]}\n"
    )


def test_what_comes_again_must_fit_again() -> None:
    steps("repeat: {times: 2, steps: [send: x, expect: x, repeat: {times: 2, steps: [quiet: 1s]}]}")
    text = "scenario: S\nclient:\n  - connect\n  - repeat:\n      times: 2\n      steps: [send: x, close]\n"
    assert mistakes(text) == ["6: nothing can come after 'close'"]


def test_connect_elsewhere() -> None:
    def connect(options: str) -> ConnectStep:
        (read,) = scenario(f"scenario: S\nclient: [connect: {{{options}}}]\n").clients[0].steps
        assert isinstance(read, ConnectStep)
        return read

    read = connect("host: localhost, port: 21, from: 127.0.0.9")
    assert (read.host, read.port, read.source) == ("localhost", 21, "127.0.0.9")
    read = connect("host: '0:0:0:0:0:0:0:1'")
    assert (read.host, read.port, read.source) == ("::1", None, None)
    read = connect("host: '${name}', port: '${unique}'")
    assert (read.host, read.port) == (Reference("name", at(2, 27, 34)), Reference("unique", at(2, 44, 53)))


def test_a_deaf_send() -> None:
    read = scenario("scenario: S\nclient:\n  - connect\n  - send: x\n    read: no\n    until: blocked\n")
    sent = read.clients[0].steps[1]
    assert isinstance(sent, SendStep)
    assert (sent.read, sent.until_blocked) == (False, True)
    sent = step("send: x")
    assert isinstance(sent, SendStep)
    assert (sent.read, sent.until_blocked) == (True, False)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            "{lines: a, last: b, ends: crlf}",
            LinesForm(Pattern((b"a",), at(2, 35, 36)), Pattern((b"b",), at(2, 44, 45)), "crlf"),
        ),
        ("{frame: u8}", FrameForm("u8", None, ())),
        ("{frame: u8, equals: x}", FrameForm("u8", (Text((b"x",), at(2, 47, 48)),), ())),
        ("{frame: u8, matches: [x]}", FrameForm("u8", None, (Pattern((b"x",), at(2, 49, 50)),))),
        ("{unordered: [x]}", UnorderedForm((ExactForm((Text((b"x",), at(2, 40, 41)),)),))),
        ("{any: [{line: x}]}", AnyForm((LineForm(Pattern((b"x",), at(2, 41, 42)), "any"),))),
        (
            "{not: x, for: 1s}",
            NotForm(ExactForm((Text((b"x",), at(2, 33, 34)),)), Duration(1.0, (), at(2, 41, 43))),
        ),
        (
            "{not: {line: x}, for: 1s}",
            NotForm(LineForm(Pattern((b"x",), at(2, 40, 41)), "any"), Duration(1.0, (), at(2, 49, 51))),
        ),
    ],
)
def test_forms(written: str, read: Form) -> None:
    assert form(written) == read


def test_forms_within_forms() -> None:
    read = form("{unordered: [{any: [a, {frame: u8}]}, {unordered: [{bytes: 3}]}]}")
    assert isinstance(read, UnorderedForm)
    assert [type(each) for each in read.forms] == [AnyForm, UnorderedForm]


def test_names_in_patterns_and_frames() -> None:
    read = form("{line: 'a${name}$${'}")
    assert isinstance(read, LineForm)
    assert read.pattern.pieces == (b"a", Reference("name", at(2, 36, 43)), b"${")
    assert form("{line: '[${name}]+(?P<x>${unique})*'}") is not None
    assert part("{frame: u8, of: ['${name}', {hex: ff}]}") == Framed(
        "u8",
        (Text((Reference("name", at(2, 43, 50)),), at(2, 42, 51)), Fixed(b"\xff", at(2, 59, 61))),
        at(2, 33, 35),
    )


def test_what_a_client_captured_it_may_use() -> None:
    before = "expect: {line: '(?P<n>\\d+) (?P<who>.*)'}"
    for written in (
        "send: '${n} ${who}'",
        "send: {u32be: '${n}'}",
        "send: {frame: u8, of: '${who}'}",
        "expect: {bytes: '${n}'}",
        "expect: {line: '${who}'}",
        "expect: {frame: u8, equals: '${n}'}",
        "repeat: {times: 2, steps: [send: '${n}', expect: {line: '(?P<n>.*)'}]}",
    ):
        step(written, before)


def test_what_is_captured_in_a_form_within_forms_counts() -> None:
    step("send: '${n}${m}'", "expect: {any: [{line: '(?P<n>a)'}, {unordered: [{line: '(?P<m>b)'}, c]}]}")


def clients(alice: str, bob: str, more: str = "") -> str:
    return f"scenario: S\nclients:\n  alice: [{alice}]\n  bob: [{bob}]\n{more}"


CAPTURE = "connect, expect: {line: '(?P<port>.*)'}"
USE = "connect: {port: '${port}'}"


@pytest.mark.parametrize(
    "text",
    [
        clients(f"{CAPTURE}, mark: known", f"wait-for: known, {USE}"),
        # By way of a third, and of the server.
        clients(
            f"{CAPTURE}, mark: known",
            f"wait-for: told, {USE}",
            "  carol: [wait-for: known, mark: passed, connect]\nserver: [wait-for: passed, mark: told]\n",
        ),
        # By way of a meeting.
        clients(
            f"{CAPTURE}, mark: known",
            f"wait-for: met, {USE}",
            "  crowd: {count: 2, steps: [wait-for: known, connect, meet: met]}\n",
        ),
        # The mark is set by two, both of them behind it.
        clients(
            f"{CAPTURE}, mark: known, mark: again",
            f"wait-for: again, {USE}",
            "  carol: [connect, wait-for: known, mark: again]\n",
        ),
        # It is set again by who waited for it.
        clients(f"{CAPTURE}, mark: known", f"wait-for: known, {USE}, mark: known"),
        # A second wait is what orders it.
        clients(f"mark: early, {CAPTURE}, mark: late", f"wait-for: early, wait-for: late, {USE}"),
        clients(f"mark: early, {CAPTURE}, mark: late", f"wait-for: late, wait-for: early, {USE}"),
        # Several captures behind one another.
        clients(
            f"{CAPTURE}, mark: a, expect: {{line: '(?P<x>.)'}}, mark: b",
            f"wait-for: a, {USE}, wait-for: b, send: '${{x}}'",
        ),
    ],
)
def test_what_another_captured_may_be_used_behind_a_mark(text: str) -> None:
    scenario(text)


@pytest.mark.parametrize(
    "text",
    [
        clients(CAPTURE, USE),
        clients(f"mark: early, mark: early, {CAPTURE}", f"wait-for: early, {USE}"),
        clients(f"{CAPTURE}, mark: known", f"{USE}, wait-for: known"),
        # The mark is set by two, and one of them may be early.
        clients(f"{CAPTURE}, mark: known", f"wait-for: known, {USE}", "  carol: [mark: known, connect]\n"),
        clients(
            f"mark: start, {CAPTURE}, mark: known",
            f"wait-for: known, {USE}",
            "  carol: [wait-for: start, mark: known, connect]\n",
        ),
        # Who waits twice may be let through by the first.
        clients(
            f"mark: early, {CAPTURE}, mark: late",
            f"wait-for: via, {USE}",
            "  carol: [connect, wait-for: early, mark: via, wait-for: late]\n",
        ),
        # What a mark hangs on is lost one step after the other.
        clients(
            f"{CAPTURE}, mark: known",
            f"wait-for: c, {USE}",
            "  carol: [connect, wait-for: known, mark: b]\n  dave: [mark: b, connect]\n"
            "  erin: [wait-for: b, mark: c, connect]\n",
        ),
    ],
)
def test_what_another_captured_may_not_be_used_without_order(text: str) -> None:
    assert [message.partition(":")[2] for message in mistakes(text)] == [
        " '${port}' may not be captured yet: 'alice' does it in line 3"
    ]


def test_nothing_is_said_of_waits_and_captures_while_steps_are_missing() -> None:
    found = mistakes(
        "scenario: S\nclient:\n  - connect\n  - makr: there\n  - wait-for: there\n  - expcet: {line: '(?P<n>.)'}\n"
        "  - send: '${n} ${m}'\n"
    )
    assert found == ["4: unknown step 'makr'", "6: unknown step 'expcet'", "7: nothing gives '${m}' a value"]
    text = clients("connect, expect: {line: '(?P<n>.)'}, snd: x", "connect, send: '${n}'")
    assert mistakes(text) == ["3: unknown step 'snd'"]
    text = clients("connect", "connect", "server: [puase, wait-for: nothing]\n")
    assert mistakes(text) == ["5: unknown step 'puase'"]


def test_who_follows_a_wait_without_an_end_is_not_blamed() -> None:
    text = """\
scenario: S
clients:
  a: [connect, wait-for: never, mark: a]
  b: [connect, wait-for: a, mark: b]
  c: [connect, wait-for: b]
"""
    assert mistakes(text) == ["3: nothing sets the mark 'never', so this waits for ever"]


def test_a_mark_that_nobody_waits_for_is_fine() -> None:
    scenario(clients("connect, mark: x, mark: x", "connect, mark: x"))


def test_a_mark_that_is_set_in_a_circle_and_beside_it_is_fine() -> None:
    scenario(clients("connect, wait-for: b, mark: a", "connect, wait-for: a, mark: b", "server: [mark: a]\n"))


def test_steps_of_the_server() -> None:
    assert server("pause", "resume", "signal: SIGHUP", "restart", "signal: 15") == (
        PauseStep(at(2, 10, 15)),
        ResumeStep(at(2, 17, 23)),
        SignalStep(at(2, 25, 39), 1),
        RestartStep(at(2, 41, 48)),
        SignalStep(at(2, 50, 60), 15),
    )
    assert server("kill", "start", "mark: a", "wait-for: a", "wait: 1s") == (
        KillStep(at(2, 10, 14)),
        StartStep(at(2, 16, 21)),
        MarkStep(at(2, 23, 30), "a"),
        WaitForStep(at(2, 32, 43), "a"),
        WaitStep(at(2, 45, 53), Duration(1.0, (), at(2, 51, 53))),
    )
    assert server("exits: {status: [0, TERM, 143], within: '${idle}'}") == (
        ExitsStep(at(2, 10, 60), (0, -15, 143), Duration(0.0, (Reference("idle", at(2, 51, 58)),), at(2, 50, 59))),
    )
    (read,) = server("{exits: {status: SIGKILL}, within: 2s}")
    assert isinstance(read, ExitsStep)
    assert (read.statuses, read.within) == ((-9,), Duration(2.0, (), at(2, 45, 47)))


def test_what_the_server_does_may_come_in_any_order_that_makes_sense() -> None:
    server("pause", "signal: TERM", "resume", "exits: {status: 0}", "start", "signal: TERM", "pause", "kill", "start")
    server("kill", "exits: {status: KILL}", "check: {alive: no}", "start", "restart", "mark: done")


def test_checks() -> None:
    (read,) = server(
        "{check: {open-files: 5, queue: '>= 5', threads: '!=2', cpu: '< 1.5s', alive: true, listening: no}, within: 1s}"
    )
    assert isinstance(read, CheckStep)
    assert [(check.what, check.operator, check.value) for check in read.checks] == [
        ("open-files", "==", 5.0),
        ("queue", ">=", 5.0),
        ("threads", "!=", 2.0),
        ("cpu", "<", 1.5),
        ("alive", "==", 1.0),
        ("listening", "==", 0.0),
    ]
    assert read.checks[0] == Check("open-files", "==", 5.0, at(2, 31, 32))
    assert read.within == Duration(1.0, (), at(2, 117, 119))
    (read,) = server("check: {cpu: '<= 0.25'}")
    assert isinstance(read, CheckStep)
    assert read.checks[0].value == 0.25


def test_a_matrix_whose_values_are_wrong_keeps_its_names() -> None:
    assert mistakes("scenario: S\nmatrix: {n: 5}\nclient: [connect, quiet: '${n}', send: '${n}']\n") == [
        "2: expected a list of values"
    ]


def test_cuts_count_on_what_is_certain() -> None:
    matrix = "matrix: {word: [abc, abcde]}\n"
    text = f"scenario: S\n{matrix}client:\n  - connect\n  - send: '${{word}}${{name}}'\n    cut: [CUT]\n"
    scenario(text.replace("CUT", "1, 2"))
    assert mistakes(text.replace("CUT", "3")) == ["6: a cut at 3 may lie outside the data"]
    sent = "[{u16be: '${unique}'}, {frame: u8, of: 'a${unique}'}]"
    text = f"scenario: S\nclient:\n  - connect\n  - send: {sent}\n    cut: [CUT]\n"
    scenario(text.replace("CUT", "1, 3"))
    assert mistakes(text.replace("CUT", "4")) == ["5: a cut at 4 may lie outside the data"]


def test_a_slice_is_no_longer_than_its_payload() -> None:
    sent = "{payload: p, first: 'FIRST'}"
    text = f"scenario: S\nmatrix: {{n: [1, 5]}}\npayloads: {{p: {{random: 'SIZE'}}}}\nclient: [connect, send: {sent}]\n"
    scenario(text.replace("SIZE", "${n}").replace("FIRST", "${n}"))
    for size, first in (("4", "${n}"), ("${n}", "2"), ("4", "5")):
        found = mistakes(text.replace("SIZE", size).replace("FIRST", first))
        assert found == [f"4: the payload has only {4 if size == '4' else 1} bytes"]


def test_a_long_circle_is_told_in_part() -> None:
    clients = "".join(
        f"  c{number}: [connect, wait-for: m{number}, mark: m{(number + 1) % 20}]\n" for number in range(20)
    )
    (message,) = mistakes(f"scenario: S\nclients:\n{clients}")
    assert message.endswith("'m15' in line 18, which goes on so, 15 times more, back to the first")


def test_so_many_captures_are_enough() -> None:
    groups = ", ".join(f"expect: {{line: '(?P<n{number}>.)'}}" for number in range(257))
    assert mistakes(f"scenario: S\nclient: [connect, {groups}]\n") == ["2: a scenario captures at most 256 names"]
    again = ", ".join("expect: {line: '(?P<n>.)'}" for _ in range(300))
    scenario(f"scenario: S\nclient: [connect, {again}]\n")
