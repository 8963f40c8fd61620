"""Cases of many clients, of repeats, of a matrix and of names that get their values only while a case runs."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from sockcheck.case import (
    Action,
    AnyOf,
    Capabilities,
    Case,
    Check,
    Comparison,
    Connect,
    Count,
    Exact,
    Exits,
    Expect,
    Form,
    Frame,
    Generated,
    Integer,
    Kill,
    Line,
    Lines,
    Mark,
    Meet,
    Not,
    Pause,
    Piece,
    Prefixed,
    Quiet,
    Restart,
    Resume,
    Send,
    ServerAction,
    Signal,
    Start,
    Unordered,
    Until,
    Value,
    Wait,
    WaitFor,
)
from sockcheck.errors import UsageError
from sockcheck.planning import plan
from sockcheck.reading import read_scenario
from sockcheck.scenario import Contract, Scenario, Timeouts

CONTRACT = Contract(
    name="kv",
    path="kv/contract.yaml",
    parameters={"idle": "1s", "name": "bob", "size": "4"},
    timeouts=Timeouts(expect=2.0, connect=5.0, ready=10.0, case=30.0),
)


def scenario(text: str) -> Scenario:
    return read_scenario("kv/a.sock.yaml", f"scenario: S\n{text}", CONTRACT, lambda path: b"")


def case_of(text: str, stretch: float = 1.0) -> Case:
    (case,) = plan(scenario(text), seed=1, stretch=stretch)
    return case


CAPTURE = "expect: {line: '(?P<n>\\d+) (?P<who>.*)'}"


def pieces(written: str, keys: str = "") -> tuple[Piece, ...]:
    case = case_of(f"{keys}\nclient: [connect, {CAPTURE}, send: {written}]\n")
    sent = case.actors[0].actions[-1]
    assert isinstance(sent, Send)
    return sent.pieces


def form(written: str, keys: str = "") -> Form:
    case = case_of(f"{keys}\nclient: [connect, {CAPTURE}, expect: {written}]\n")
    expect = case.actors[0].actions[-1]
    assert isinstance(expect, Expect)
    return expect.form


def kinds(case: Case, actor: int = 0) -> list[str]:
    return [type(action).__name__ for action in case.actors[actor].actions]


def test_what_a_scenario_says_of_itself_is_kept() -> None:
    keys = "state: own\npoints: 2\nvisibility: hidden\ngate: yes\nknown-failure: slow\npushes: yes\nclient: [connect]\n"
    case = case_of(keys)
    assert (case.state, case.points, case.visibility, case.known_failure) == ("own", 2.0, "hidden", "slow")
    assert case.actors[0].pushes
    assert case.gate
    least = case_of("client: [connect]\n")
    assert (least.state, least.points, least.visibility, least.known_failure) == ("none", None, "", "")
    assert not least.actors[0].pushes
    assert not least.gate


def test_clients_of_a_count_connect_in_order() -> None:
    case = case_of(
        "clients: {bob: [connect], crowd: {count: 3, steps: [wait-for: x, connect, mark: x, meet: in]}}\n"
        "server: [mark: x]\n"
    )
    assert [actor.name for actor in case.actors] == ["bob", "crowd[0]", "crowd[1]", "crowd[2]"]
    assert kinds(case) == ["Connect"]
    assert kinds(case, 1) == ["WaitFor", "Connect", "Mark", "Mark", "Meet"]
    assert kinds(case, 2) == ["WaitFor", "WaitFor", "Connect", "Mark", "Mark", "Meet"]
    told, before, connect, connected, mark, meet = case.actors[3].actions
    assert isinstance(connect, Connect)
    assert told == WaitFor(told.span, "x")
    assert before == WaitFor(connect.span, "crowd[1] connected")
    assert connected == Mark(connect.span, "crowd[2] connected")
    assert mark == Mark(mark.span, "x")
    assert meet == Meet(meet.span, "in", 3)


def test_a_repeat_is_written_out() -> None:
    text = """
clients:
  crowd:
    count: 2
    steps:
      - connect
      - repeat:
          times: 2
          steps:
            - send: "${index}.${turn} "
            - repeat: {times: 3, steps: [send: "${turn}", meet: round]}
"""
    case = case_of(text)
    sent = [action.pieces for action in case.actors[1].actions if isinstance(action, Send)]
    assert sent == [(piece,) for piece in (b"1.0 ", b"0", b"1", b"2", b"1.1 ", b"0", b"1", b"2")]
    met = [action.name for action in case.actors[1].actions if isinstance(action, Meet)]
    assert met == [f"round[{outer}][{turn}]" for outer in range(2) for turn in range(3)]


def test_a_case_has_so_many_actions_at_most() -> None:
    text = "clients:\n  crowd:\n    count: COUNT\n    steps: [connect, repeat: {times: 999, steps: [send: x]}]\n"
    assert len(case_of(text.replace("COUNT", "3")).actors) == 3
    with pytest.raises(UsageError) as caught:
        case_of(text.replace("COUNT", "100"))
    message = "kv/a.sock.yaml:5:51: the case kv/a::plain would have more than 100,000 actions"
    assert caught.value.message == message
    with pytest.raises(UsageError):
        case_of("client: [connect, repeat: {times: 100000, steps: [send: x]}]\n")
    with pytest.raises(UsageError):
        case_of(text.replace("COUNT", "3").replace("send: x", "send: x, repeat: {times: 999, steps: [wait: 1s]}"))


def test_a_matrix_has_a_case_for_each_combination() -> None:
    cases = plan(scenario('matrix: {b: [x, "\\r\\n"], a: [1, é]}\nclient: [connect, send: "${a}${b}"]\n'), seed=1)
    assert [case.id for case in cases] == [
        "kv/a[b=x,a=1]::plain",
        "kv/a[b=x,a=é]::plain",
        "kv/a[b=\\r\\n,a=1]::plain",
        "kv/a[b=\\r\\n,a=é]::plain",
    ]
    sent = [case.actors[0].actions[1] for case in cases]
    assert [action.pieces for action in sent if isinstance(action, Send)] == [
        (b"1x",),
        ("éx".encode(),),
        (b"1\r\n",),
        ("é\r\n".encode(),),
    ]


def test_names_get_their_values_now_or_later() -> None:
    assert pieces("['a${name}', '${who}b']") == (b"abob", Value("who"), b"b")
    assert pieces("'${unique}'") == (Value("unique"),)
    assert pieces("{u16be: '${size}'}") == (b"\0\4",)
    assert pieces("[{u16be: '${n}'}, x]") == (Integer("u16be", Value("n")), b"x")
    assert pieces("{frame: u8, of: '${name}'}") == (Prefixed("u8", (b"bob",)),)
    assert pieces("[a, {frame: u16le, of: ['${who}', b]}]") == (b"a", Prefixed("u16le", (Value("who"), b"b")))
    payloads = "payloads: {big: {random: '${size}'}}"
    whole = Generated("random", 4, 0, b"")
    assert pieces("{payload: big}", payloads) == (whole,)
    assert pieces("[x, {frame: u8, of: {payload: big}}]", payloads) == (b"x", Prefixed("u8", (whole,)))
    turns = "{repeat: {times: 2, steps: [send: {payload: big, first: '${turn}'}]}}"
    case = case_of(f"{payloads}\nclient: [connect, {turns}]\n")
    assert [action.pieces for action in case.actors[0].actions if isinstance(action, Send)] == [
        (),
        (Generated("random", 1, 0, b""),),
    ]


def test_forms() -> None:
    assert form("{line: '${who}${name}, a?'}") == Line((Value("who"), b"bob, a?"), "any")
    assert form("{line: '${who}'}") == Line((Value("who"),), "any")
    assert form("{line: 'a${who}'}") == Line((b"a", Value("who")), "any")
    assert form('{line: ""}') == Line((b"",), "any")
    assert form("{lines: a, last: b, ends: lf}") == Lines((b"a",), (b"b",), "lf")
    assert form("{until: x, matches: '${n}'}") == Until(b"x", ((Value("n"),),))
    assert form("{bytes: '${n}'}") == Count(Value("n"), None)
    assert form("{bytes: '${size}'}") == Count(4, None)
    assert form("{frame: u8}") == Frame("u8", None, ())
    assert form("{frame: u8, equals: ['${n}', x]}") == Frame("u8", (Value("n"), b"x"), ())
    assert form("{frame: u8, matches: [x]}") == Frame("u8", None, ((b"x",),))
    assert form("{unordered: [a, {any: [b, c]}]}") == Unordered(
        (Exact((b"a",)), AnyOf((Exact((b"b",)), Exact((b"c",)))))
    )
    assert form("{not: {line: x}, for: '${idle}'}") == Not(Line((b"x",), "any"), 1.0)


@given(st.text(min_size=1))
def test_in_a_pattern_a_value_stands_for_itself(value: str) -> None:
    (case,) = plan(scenario("client: [connect, expect: {line: '${name}'}]\n"), seed=1, parameters={"name": value})
    expect = case.actors[0].actions[1]
    assert isinstance(expect, Expect)
    assert isinstance(expect.form, Line)
    (pattern,) = expect.form.pattern
    assert isinstance(pattern, bytes)
    assert pattern.isascii()
    assert regex.fullmatch(pattern, value.encode())
    assert regex.fullmatch(b"[" + pattern + b"]+", value.encode())


def test_where_a_client_connects_to() -> None:
    connect = case_of("client: [connect: {host: '${name}', port: '${size}', from: 127.0.0.2}]").actors[0].actions[0]
    assert isinstance(connect, Connect)
    assert (connect.host, connect.port, connect.source) == ("bob", 4, "127.0.0.2")
    there = "connect: {host: '${who}', port: '${n}'}"
    text = f"clients: {{a: [connect, {CAPTURE}, mark: m], b: [wait-for: m, {there}]}}"
    connect = case_of(text).actors[1].actions[1]
    assert isinstance(connect, Connect)
    assert (connect.host, connect.port, connect.source) == (Value("who"), Value("n"), None)


def test_a_deaf_send() -> None:
    sent = case_of("client:\n  - connect\n  - send: x\n    read: no\n    until: blocked").actors[0].actions[1]
    assert isinstance(sent, Send)
    assert (sent.read, sent.until_blocked) == (False, True)


def test_cuts_of_data_of_an_unknown_size() -> None:
    def cuts(cut: str) -> tuple[int, ...] | None:
        sent = "[abc, '${unique}', {u8: '${unique}'}, {frame: u16be, of: '${unique}'}]"
        text = f"client:\n  - connect\n  - send: {sent}\n    cut: {cut}\n    gap: 10ms\n"
        send = case_of(text).actors[0].actions[1]
        assert isinstance(send, Send)
        return send.cuts

    assert cuts("every-byte") is None
    assert cuts("{random: 100}") == (1, 2, 3, 4, 5)
    assert cuts("[2, 4]") == (2, 4)


@pytest.mark.parametrize(
    ("text", "parameters", "message"),
    [
        (
            "client: [connect, send: {u8: '${size}'}]",
            "256",
            "2:31: 'size' is '256', which is not a number between 0 and 255",
        ),
        (
            "client: [connect, send: {u8: '${size}'}]",
            "x",
            "2:31: 'size' is 'x', which is not a number between 0 and 255",
        ),
        (
            "payloads: {p: {random: '${size}'}}\nclient: [connect, send: {payload: p, first: 3}]",
            "2",
            "3:35: the payload has only 2 bytes, and 3 are wanted",
        ),
        (
            "payloads: {p: {random: '${size}'}}\nclient: [connect, send: {frame: u8, of: {payload: p}}]",
            "1KiB",
            "3:33: 1,024 bytes are too many for a length of u8",
        ),
    ],
)
def test_parameters_that_do_not_fit(text: str, parameters: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(scenario(text), seed=1, parameters={"size": parameters})
    assert caught.value.message == f"kv/a.sock.yaml:{message}"


def test_numbers_that_count_may_outgrow_their_place() -> None:
    with pytest.raises(UsageError, match="'turn' is '256'"):
        case_of("client: [connect, repeat: {times: 300, steps: [send: {u8: '${turn}'}]}]")


def test_steps_of_the_server() -> None:
    text = (
        "server: [pause, resume, signal: TERM, exits: {status: [0, TERM]}, start, kill, start, restart, "
        "check: {queue: '>= 5'}, mark: m, wait-for: m, wait: 1s]"
    )
    case = case_of(text, stretch=2.0)
    assert [type(action) for action in case.server] == [
        *(Pause, Resume, Signal, Exits, Start, Kill, Start, Restart, Check, Mark, WaitFor, Wait)
    ]
    assert case.actors == ()
    signal, exits, check, wait = (case.server[index] for index in (2, 3, 8, 11))
    assert signal == Signal(signal.span, 15)
    assert exits == Exits(exits.span, (0, -15), 4.0)
    assert isinstance(check, Check)
    assert check == Check(check.span, (Comparison("queue", ">=", 5.0, check.checks[0].span),), 4.0)
    assert wait == Wait(wait.span, 1.0)


def test_what_needs_a_server_of_our_own_is_skipped_without_one() -> None:
    read = scenario("server: [pause, resume]\nclient: [connect]")
    reason = "its `server:` steps need a server that sockcheck starts, and this one was running already"
    for started, skip in ((True, ""), (False, reason)):
        (case,) = plan(read, seed=1, capabilities=Capabilities(started=started, observable=True))
        assert case.skip == skip
    (case,) = plan(scenario("client: [connect]"), seed=1, capabilities=Capabilities(started=False, observable=True))
    assert case.skip == ""


@pytest.mark.parametrize(
    ("text", "deadline"),
    [
        # Clients that have nothing to do with each other take their time at once.
        ("clients: {a: [connect, quiet: 5s], b: [connect, wait: 9s]}", 39.0),
        # By marks they take it one after the other.
        ("clients: {a: [connect, quiet: 5s, mark: m], b: [connect, wait: 2s, wait-for: m, wait: 9s]}", 44.0),
        ("clients: {a: [connect, quiet: 5s, mark: m], b: [connect, wait: 7s, wait-for: m, wait: 9s]}", 46.0),
        # A meeting is as late as the last of them.
        (
            "clients: {a: {count: 3, steps: [connect, wait: 5s, meet: m]}, b: [wait-for: m, wait: 3s, connect]}",
            38.0,
        ),
        ("clients: {a: {count: 3, steps: [connect, repeat: {times: 2, steps: [wait: 5s, meet: m]}]}}", 40.0),
        ("clients: {a: {count: 1, steps: [connect, meet: m, wait: 1s]}}", 31.0),
        # The server's steps up to its first wait are done before any client starts, the others beside them.
        ("server: [check: {alive: yes}, wait: 5s]\nclient: [connect, wait: 4s]", 35.0),
        ("server: [pause, resume, wait: 4s, mark: m]\nclient: [wait-for: m, connect, wait: 4s]", 38.0),
        ("client: [connect, expect: {not: x, for: 40s}]", 70.0),
        # Explicit deadlines count where they are longer than the case may take otherwise.
        ("client:\n  - connect\n  - {expect: x, within: 50s}", 50.0),
        ("server: [{check: {alive: yes}, within: 35s}, wait: 1s]\nclient: [connect: {within: 8s}]", 44.0),
        ("server: [restart, restart, kill, start, exits: {status: 0, within: 11s}]\nclient: [connect]", 41.0),
        ("clients: {a: {count: 5, steps: [connect: {within: 8s}]}}", 40.0),
        # Data that may have any number of bytes.
        ("client:\n  - connect\n  - {send: '${unique}ab', cut: every-byte, gap: 1ms}", 34.096),
    ],
)
def test_a_case_lasts_as_long_as_the_longest_way_through_it(text: str, deadline: float) -> None:
    assert case_of(text).deadline == pytest.approx(deadline)


STEPS = st.lists(
    st.sampled_from(["quiet: 7s", "wait: 2s", "mark: a", "mark: b", "wait-for: a", "wait-for: b", "mark: c"]),
    max_size=6,
)


@given(alice=STEPS, bob=STEPS, server=st.lists(st.sampled_from(["wait: 3s", "mark: a", "wait-for: c"]), max_size=3))
def test_no_client_is_cut_short(alice: list[str], bob: list[str], server: list[str]) -> None:
    """Against a clock that is simulated step by step."""
    text = f"clients: {{alice: [{', '.join(['connect', *alice])}], bob: [{', '.join(['connect', *bob])}]}}\n"
    text += f"server: [{', '.join(['pause', 'resume', *server])}]\n"
    try:
        case = case_of(text)
    except Exception:  # noqa: BLE001 - waits without an end are not this test's business
        return
    actions: dict[str, list[Action | ServerAction]] = {
        "server": list(case.server),
        **{actor.name: list(actor.actions) for actor in case.actors},
    }
    clocks = dict.fromkeys(actions, 0.0)
    marks: dict[str, float] = {}
    going = True
    while going:
        going = False
        # Whoever is earliest goes first, as in the world.
        for name in sorted(actions, key=lambda name: clocks[name]):
            if not actions[name]:
                continue
            action = actions[name][0]
            if isinstance(action, WaitFor) and action.name not in marks:
                continue
            actions[name].pop(0)
            match action:
                case WaitFor():
                    clocks[name] = max(clocks[name], marks[action.name])
                case Mark():
                    marks[action.name] = min(marks.get(action.name, clocks[name]), clocks[name])
                case Quiet() | Wait():
                    clocks[name] += action.duration
            going = True
            break
    assert not any(actions.values())
    assert case.deadline >= 30.0 + max(clocks[name] for name in clocks) - 1e-9
