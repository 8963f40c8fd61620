"""Marks, captures and what else the exchanges of several clients share; sends that are deaf on purpose; waits."""

from __future__ import annotations

from typing import Literal

import pytest

from sockcheck.case import (
    Action,
    Actor,
    Connect,
    Count,
    End,
    Exact,
    Expect,
    Form,
    Line,
    Mark,
    Meet,
    Not,
    Piece,
    Quiet,
    Send,
    Value,
    Wait,
    WaitFor,
)
from sockcheck.client_events import (
    Blocked,
    ClientEvent,
    Closed,
    Connected,
    ConnectFailed,
    DeadlinePassed,
    Marked,
    PeerClosed,
    Received,
    Released,
    Sent,
    Settled,
    Waited,
)
from sockcheck.exchange import Exchange
from sockcheck.forms import (
    Span,
)
from sockcheck.moves import DoClose, DoConnect, DoMark, DoSend, DoSettle, DoWait, DoWaitFor, Move

HERE = Span("x.sock.yaml", 1, 1, 2)


def exchange(*actions: Action, values: dict[str, bytes] | None = None, pushes: bool = False) -> Exchange:
    return Exchange(Actor("it", actions, pushes), "plain", "", {} if values is None else values)


def connected(*actions: Action, values: dict[str, bytes] | None = None, pushes: bool = False) -> Exchange:
    made = exchange(Connect(HERE, 5.0), *actions, values=values, pushes=pushes)
    return tell(made, Connected(1.0, 0.9, 1, "it", 0, "", "", ""))


def tell(made: Exchange, *events: ClientEvent) -> Exchange:
    for event in events:
        made.tell(event)
    return made


def todo(made: Exchange) -> Move | None:
    return made.command


def expect(form: Form | bytes, within: float = 2.0, after: float | None = None) -> Expect:
    return Expect(HERE, Exact((form,)) if isinstance(form, bytes) else form, within, after)


def send(*pieces: Piece) -> Send:
    return Send(HERE, pieces, (), None, 2.0)


def received(at: float, data: bytes) -> Received:
    return Received(at, 1, "it", data)


def sent(at: float) -> Sent:
    return Sent(at, at, 1, "it", 1, 0, 0, "none", 0.0)


def ended(at: float) -> PeerClosed:
    return PeerClosed(at, 1, "it", "eof", "", "")


def late(at: float) -> DeadlinePassed:
    return DeadlinePassed(at, 1, "it", 0, 0)


def waited(at: float) -> Waited:
    return Waited(at, 1, "it", 0, "m")


def marked(at: float) -> Marked:
    return Marked(at, 1, "it", 0, "m")


def test_marks_are_set_and_waited_for_before_and_after_the_connection() -> None:
    made = exchange(WaitFor(HERE, "in"), Connect(HERE, 5.0), Mark(HERE, "out"), Meet(HERE, "all", 3))
    assert todo(made) == DoWaitFor(0, "in", comes=False)
    assert isinstance(todo(tell(made, waited(1.0))), DoConnect)
    assert todo(tell(made, Connected(1.1, 1.1, 1, "it", 1, "", "", ""))) == DoMark(2, "out")
    assert todo(tell(made, marked(1.2))) == DoWaitFor(3, "all", comes=True)
    # Who has come to a meeting waits there until it is complete.
    assert todo(tell(made, marked(1.3))) == DoWaitFor(3, "all", comes=True)
    assert isinstance(todo(tell(made, waited(1.4))), DoSettle)


def test_a_mark_that_cannot_be_set_any_more_ends_the_exchange_without_a_judgement() -> None:
    made = tell(connected(WaitFor(HERE, "m"), expect(b"x")), Released(2.0, 1, "it", 1, "m"))
    assert todo(made) is None
    assert (made.finding, made.trouble, made.released_by) == (None, "", "m")


def test_deadlines_count_from_the_end_of_a_wait() -> None:
    assert todo(tell(connected(WaitFor(HERE, "m"), expect(b"x")), waited(9.0))) == DoWait(2, deadline=11.0)
    made = connected(Wait(HERE, 0.5), expect(b"hi"))
    assert todo(made) == DoWait(1, deadline=1.5)
    assert isinstance(todo(tell(made, received(1.2, b"hi"), late(1.5))), DoSettle)


def test_what_was_captured_is_sent_and_expected_to_the_letter() -> None:
    values: dict[str, bytes] = {"unique": b"7f"}
    made = connected(
        expect(Line((rb"id (?P<id>.*)",), "any")),
        send(b"get ", Value("id"), b" ", Value("unique")),
        expect(Line((rb"got ", Value("id"), rb" \d"), "any")),
        values=values,
    )
    tell(made, received(1.1, b"id a.b\n"))
    assert values == {"unique": b"7f", "id": b"a.b"}
    command = todo(made)
    assert isinstance(command, DoSend)
    assert command.data == b"get a.b 7f"
    tell(made, sent(1.2), received(1.3, b"got axb 1\n"))
    assert made.finding is not None
    assert made.finding.kind == "wrong-bytes"


def test_what_a_client_captured_itself_goes_before_what_another_did() -> None:
    values: dict[str, bytes] = {}
    one = connected(expect(Line((rb"(?P<n>\d)",), "any")), send(Value("n")), values=values)
    tell(one, received(1.1, b"1\n"))
    other = connected(expect(Line((rb"(?P<n>\d)",), "any")), WaitFor(HERE, "m"), send(Value("n")), values=values)
    third = connected(expect(Line((rb"(?P<n>\d)",), "any")), values=values)
    tell(other, received(1.1, b"2\n"))
    tell(third, received(1.1, b"3\n"))
    command = todo(tell(other, waited(1.2)))
    assert isinstance(command, DoSend)
    assert command.data == b"2"
    assert values["n"] == b"3"


def test_a_reply_that_needs_anothers_capture_waits_until_that_is_there() -> None:
    values: dict[str, bytes] = {}
    made = connected(WaitFor(HERE, "m"), expect(Exact((Value("key"), b"\n"))), expect(b"!"), values=values)
    tell(made, received(1.1, b"se"), received(1.2, b"cret\n!"))
    assert made.unread == 8
    values["key"] = b"secret"
    assert isinstance(todo(tell(made, waited(1.3))), DoSettle)
    assert made.unread == 0


def test_a_reply_that_waited_may_turn_out_wrong() -> None:
    values: dict[str, bytes] = {}
    made = tell(connected(WaitFor(HERE, "m"), expect(Exact((Value("key"),))), values=values), received(1.1, b"other"))
    values["key"] = b"secret"
    tell(made, waited(1.3))
    assert made.finding is not None
    assert made.finding.kind == "wrong-bytes"


@pytest.mark.parametrize(
    "action", [expect(Count(Value("n"), None)), send(Value("n")), Connect(HERE, 1.0, port=Value("n"))]
)
def test_a_value_that_was_never_captured_is_trouble_and_no_finding(action: Action) -> None:
    made = exchange(action) if isinstance(action, Connect) else connected(action)
    assert todo(made) is None
    assert made.trouble == "${n} has no value yet"


def test_captured_hosts_and_ports() -> None:
    made = exchange(Connect(HERE, 1.0, host=Value("h"), port=Value("p")), values={"h": b"127.0.0.9", "p": b"8080"})
    command = todo(made)
    assert isinstance(command, DoConnect)
    assert (command.host, command.port) == ("127.0.0.9", 8080)
    fixed = todo(exchange(Connect(HERE, 1.0, host="::1", port=21)))
    assert isinstance(fixed, DoConnect)
    assert (fixed.host, fixed.port) == ("::1", 21)
    assert (
        exchange(Connect(HERE, 1.0, port=Value("p")), values={"p": b"70000"}).trouble
        == "${p} is 70000, which is no port"
    )
    assert "no whole number" in exchange(Connect(HERE, 1.0, port=Value("p")), values={"p": b"x"}).trouble


def test_a_value_that_cannot_be_used_is_trouble_when_its_turn_comes() -> None:
    made = connected(expect(Line((rb"(?P<n>.*)",), "any")), expect(Count(Value("n"), None)), values={})
    tell(made, received(1.1, b"many\nxxx"))
    assert todo(made) is None
    assert "no whole number" in made.trouble


def not_for(data: bytes) -> Expect:
    return expect(Not(Exact((data,)), 0.3))


def test_what_must_not_come_does_not_and_the_rest_is_left_for_later() -> None:
    made = connected(not_for(b"error"), expect(b"all well"))
    assert todo(made) == DoWait(1, deadline=1.3)
    tell(made, received(1.1, b"all "), received(1.2, b"we"))
    assert todo(made) == DoWait(1, deadline=1.3)
    assert todo(tell(made, late(1.3))) == DoWait(2, deadline=3.3)
    assert isinstance(todo(tell(made, received(1.4, b"ll"))), DoSettle)


def test_what_must_not_come_comes() -> None:
    made = tell(connected(not_for(b"error"), expect(b"x")), received(1.1, b"an er"), received(1.2, b"ror"))
    assert made.finding is not None
    assert (made.finding.kind, made.finding.step) == ("came", 1)


def test_after_the_end_of_the_connection_nothing_comes_any_more() -> None:
    made = tell(
        connected(not_for(b"error"), expect(b"bye"), End(HERE, "eof", 2.0, None)), received(1.1, b"bye"), ended(1.2)
    )
    assert todo(made) == DoClose(4, "close")


def test_a_not_does_not_look_at_what_came_for_an_earlier_step() -> None:
    made = connected(send(b"x"), expect(b"error"), not_for(b"error"))
    tell(made, received(1.1, b"error and"), sent(1.2))
    assert todo(made) == DoWait(3, deadline=1.5)
    tell(made, late(1.5))
    assert made.finding is not None
    assert made.finding.kind == "surplus-bytes"


def test_a_server_that_pushes_may_send_what_no_step_asks_for() -> None:
    made = connected(expect(b"hi"), End(HERE, "eof", 2.0, None), pushes=True)
    tell(made, received(1.1, b"hi"), received(1.2, b"news"), ended(1.3))
    assert todo(made) == DoClose(3, "close")
    tell(made, Closed(1.4, 1, "it", 3, "close"))
    assert (todo(made), made.finding) == (None, None)
    quiet = tell(connected(Quiet(HERE, 0.5), pushes=True), received(1.1, b"news"))
    assert quiet.finding is not None
    settled = tell(
        connected(expect(b"hi"), pushes=True), received(1.1, b"hinews"), Settled(1.2, 1, "it", "settled", 0.0)
    )
    assert todo(settled) == DoClose(2, "close")
    assert settled.unread == 0


def test_a_send_until_blocked_ends_where_the_server_takes_no_more() -> None:
    action = Send(HERE, (bytes(1000),), (), None, 2.0, read=False, until_blocked=True)
    made = connected(action, Mark(HERE, "full"))
    assert isinstance(todo(made), DoSend)
    assert todo(tell(made, Blocked(1.5, 1.1, 1, "it", 1, 600))) == DoMark(2, "full")


def test_a_send_of_unknown_size_may_be_cut_between_any_two_bytes() -> None:
    made = connected(Send(HERE, (b"a", Value("v")), None, None, 2.0), values={"v": b"bc"})
    edges = []
    while isinstance(command := todo(made), DoSend):
        edges.append((command.begin, command.end))
        made.tell(sent(1.1))
    assert edges == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("outcome", ["refused", "timeout"])
def test_steps_may_follow_a_connection_that_was_not_to_be(outcome: Literal["refused", "timeout"]) -> None:
    made = exchange(Connect(HERE, 5.0, outcome), Mark(HERE, "m"))
    event = ConnectFailed(1.0, 1, "it", 0, "ECONNREFUSED") if outcome == "refused" else late(6.0)
    assert todo(tell(made, event)) == DoMark(1, "m")
    assert todo(tell(made, marked(6.1))) is None
    assert made.finding is None
