"""Cases with many clients, and with steps of the server, on real sockets."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from performing import GOOD, HERE, command, perform

from sockcheck.case import (
    Action,
    Actor,
    Await,
    Case,
    Check,
    Close,
    Comparison,
    Connect,
    End,
    Exact,
    Expect,
    Generated,
    Line,
    Mark,
    Meet,
    Pause,
    Reset,
    Resume,
    Send,
    ServerAction,
    Shutdown,
    Value,
    WaitFor,
)
from sockcheck.client_events import (
    Blocked,
    Connected,
    DeadlinePassed,
    Elided,
    Received,
    Released,
)
from sockcheck.events import (
    CaseFinished,
    Event,
)
from sockcheck.judging import rejudge
from sockcheck.server_events import (
    ServerChecked,
)
from sockcheck.verdict import Verdict

ECHO = command(sys.executable, "-m", "sockcheck.servers.echo", "{host}", "{port}")
ONCE = command(sys.executable, "-m", "sockcheck.servers.echo_once", "{host}", "{port}")
CONNECT = Connect(HERE, 10.0)
BIG = Generated("random", 32 << 20, 7, b"")


def send(data: bytes) -> Send:
    return Send(HERE, (data,), (), None, 10.0)


def expect(data: bytes, within: float = 10.0) -> Expect:
    return Expect(HERE, Exact((data,)), within, None)


def case(server: Sequence[ServerAction] = (), **clients: Sequence[Action]) -> Case:
    actors = tuple(Actor(name, tuple(actions)) for name, actions in clients.items())
    return Case("t/c::plain", "t", "c", "", "plain", "", actors, 60.0, HERE, server=tuple(server))


def verdict(events: list[Event]) -> Verdict:
    (found,) = [event.verdict for event in events if isinstance(event, CaseFinished)]
    assert dict(rejudge(events)) == {1: found}
    return found


def test_nobody_waits_for_a_stalled_neighbour() -> None:
    stalled: list[Action] = [
        CONNECT,
        send(b"half a li"),
        Await(HERE, "read", 10.0),
        Mark(HERE, "stalled"),
        WaitFor(HERE, "served"),
    ]
    bob: list[Action] = [WaitFor(HERE, "stalled"), CONNECT, send(b"hi\n"), expect(b"hi\n"), Mark(HERE, "served")]
    stalled_echo: list[Action] = [*stalled, expect(b"half a li")]
    assert verdict(perform([case(stalled=stalled_echo, bob=bob)], ECHO)) == Verdict("pass")


def test_a_server_for_one_client_is_found_out_and_nobody_waits_to_the_end() -> None:
    stalled: list[Action] = [CONNECT, send(b"half"), expect(b"half"), Mark(HERE, "stalled"), WaitFor(HERE, "served")]
    bob: list[Action] = [
        WaitFor(HERE, "stalled"),
        CONNECT,
        send(b"hi\n"),
        expect(b"hi\n", within=0.3),
        Mark(HERE, "served"),
    ]
    events = perform([case(stalled=stalled, bob=bob)], ONCE)
    (finding,) = verdict(events).findings
    assert (finding.kind, finding.client) == ("silence", "bob")
    assert [event.client for event in events if isinstance(event, Released)] == ["stalled"]


def test_a_crowd_is_queued_while_the_server_is_paused_and_each_is_served() -> None:
    crowd: dict[str, list[Action]] = {}
    for i in range(5):
        before: list[Action] = [WaitFor(HERE, f"crowd[{i - 1}] connected")] if i else [WaitFor(HERE, "paused")]
        message = f"I am {i}\n".encode()
        crowd[f"crowd[{i}]"] = [
            *before,
            CONNECT,
            Mark(HERE, f"crowd[{i}] connected"),
            Meet(HERE, "all-in", 5),
            send(message),
            expect(message),
        ]
    queue = Comparison("queue", ">=", 5, HERE)
    server: list[ServerAction] = [
        Pause(HERE),
        Mark(HERE, "paused"),
        WaitFor(HERE, "all-in"),
        Check(HERE, (queue,), 10.0),
        Resume(HERE),
    ]
    events = perform([case(server, **crowd)], ECHO)
    assert verdict(events) == Verdict("pass")
    assert [event.values for event in events if isinstance(event, ServerChecked)] == [(5.0,)]
    assert [event.client for event in events if isinstance(event, Connected)] == list(crowd)


def test_a_client_that_never_reads_fills_the_server_and_costs_the_others_nothing() -> None:
    deaf: list[Action] = [
        Connect(HERE, 10.0, receive_buffer=4096),
        Send(HERE, (BIG,), (), None, 10.0, read=False, until_blocked=True),
        Mark(HERE, "full"),
        WaitFor(HERE, "served"),
        Reset(HERE),
    ]
    polite: list[Action] = [WaitFor(HERE, "full"), CONNECT, send(b"hi\n"), expect(b"hi\n"), Mark(HERE, "served")]
    events = perform([case(deaf=deaf, polite=polite)], ECHO)
    assert verdict(events) == Verdict("pass")
    (blocked,) = [event for event in events if isinstance(event, Blocked)]
    assert 0 < blocked.sent < BIG.size


def test_who_reads_no_replies_may_be_read_no_longer_by_a_server_that_never_sleeps() -> None:
    spins = """
import signal, socket, sys
signal.alarm(60)
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as listener:
    connection, _ = listener.accept()
    while True:
        pass
"""
    deaf: list[Action] = [CONNECT, Send(HERE, (BIG,), (), None, 0.5, read=False, until_blocked=True), Reset(HERE)]
    events = perform([case(deaf=deaf)], command(sys.executable, "-c", spins, "{host}", "{port}"))
    (blocked,) = [event for event in events if isinstance(event, Blocked)]
    assert 0 < blocked.sent < BIG.size
    assert not [event for event in events if isinstance(event, DeadlinePassed)]


def test_who_has_much_to_read_has_not_settled_before_all_of_it_is_read() -> None:
    leaves: list[Action] = [
        CONNECT,
        Send(HERE, (BIG,), (), None, 10.0),
        # More than is read in one go waits in our kernel now.
        Await(HERE, "rest", 10.0),
        Await(HERE, "settled", 10.0),
        Close(HERE, unread=True),
    ]
    many = replace(case(), actors=(Actor("client", tuple(leaves), pushes=True),))
    events = perform([many], ECHO)
    assert verdict(events) == Verdict("pass")
    received = [event.data for event in events if isinstance(event, Received)]
    assert sum(data.size if isinstance(data, Elided) else len(data) for data in received) == BIG.size


def test_what_one_captures_another_sends() -> None:
    capture = Expect(HERE, Line((rb"key (?P<key>\w+)",), "any"), 10.0, None)
    a: list[Action] = [CONNECT, send(b"key s3cret\n"), capture, Mark(HERE, "known")]
    b: list[Action] = [
        WaitFor(HERE, "known"),
        CONNECT,
        Send(HERE, (Value("key"), b" ", Value("unique")), (), None, 10.0),
        Expect(HERE, Exact((b"s3cret ", Value("unique"))), 10.0, None),
    ]
    assert verdict(perform([case(a=a, b=b)], ECHO)) == Verdict("pass")


def test_a_thousand_clients() -> None:
    def client(i: int) -> list[Action]:
        message = b"%d" % i
        return [CONNECT, send(message), expect(message), Shutdown(HERE, "write"), End(HERE, "eof", 30.0, None)]

    events = perform([case((), **{f"c{i}": client(i) for i in range(1000)})], ECHO)
    assert verdict(events) == Verdict("pass")


def test_the_endings_of_one_cost_the_others_nothing() -> None:
    server = command("{python}", "-S", str(GOOD / "endings.py"), "{host}", "{port}")
    rude: list[Action] = [CONNECT, send(b"x\n"), Reset(HERE), Mark(HERE, "gone")]
    polite: list[Action] = [
        WaitFor(HERE, "gone"),
        CONNECT,
        send(b"eof\n"),
        expect(b"bye\n"),
        End(HERE, "eof", 10.0, None),
    ]
    assert verdict(perform([case(rude=rude, polite=polite)], server)) == Verdict("pass")
