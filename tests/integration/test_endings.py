"""Data, orderly end, reset, silence and refusal are five different things, whatever came before."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Literal

import pytest
from performing import GOOD, HERE, case, command, perform

from sockcheck.addresses import Address
from sockcheck.case import Action, Await, Close, Connect, End, Exact, Expect, Quiet, Reset, Send, Shutdown
from sockcheck.client_events import (
    Closed,
    ConnectFailed,
    PeerClosed,
    SendFailed,
    Settled,
)
from sockcheck.events import (
    CaseFinished,
    Event,
)
from sockcheck.verdict import Verdict

ENDINGS = command("{python}", "-S", str(GOOD / "endings.py"), "{host}", "{port}")
CONNECT = Connect(HERE, 10.0)
BYE = Expect(HERE, Exact((b"bye\n",)), 10.0, None)


def send(data: bytes) -> Send:
    return Send(HERE, (data,), (), None, 10.0)


def end(how: Literal["eof", "reset", "any"], within: float = 10.0) -> End:
    return End(HERE, how, within, None)


def verdict(events: list[Event]) -> Verdict:
    (found,) = [event.verdict for event in events if isinstance(event, CaseFinished)]
    return found


def outcome(events: list[Event]) -> str:
    found = verdict(events)
    return found.findings[0].kind if found.findings else found.outcome


@pytest.mark.parametrize(
    ("asked", "seen", "expected"),
    [
        ("eof", "eof", "pass"),
        ("eof", "reset", "no-reset"),
        ("eof", "any", "pass"),
        ("reset", "eof", "reset"),
        ("reset", "reset", "pass"),
        ("reset", "any", "pass"),
        ("half", "eof", "pass"),
        ("unread", "eof", "reset"),
        ("unread", "reset", "pass"),
    ],
)
def test_the_ending_is_what_it_is(asked: str, seen: Literal["eof", "reset", "any"], expected: str) -> None:
    actions: list[Action] = [CONNECT, send(asked.encode() + b"\n"), BYE]
    if asked == "unread":
        actions.append(send(b"never read"))
    events = perform([case(*actions, end(seen))], ENDINGS)
    assert outcome(events) == expected
    (closed,) = [event for event in events if isinstance(event, PeerClosed)]
    if closed.how == "eof":
        assert (closed.error, closed.state) == ("", "CLOSE_WAIT")
    else:
        assert (closed.error, closed.state) == ("ECONNRESET", "CLOSE")


def test_a_reset_where_an_orderly_end_is_due_says_so() -> None:
    (finding,) = verdict(perform([case(CONNECT, send(b"reset\n"), BYE, end("eof"))], ENDINGS)).findings
    assert finding.law == "end.orderly"
    assert finding.message == "the connection ended by a reset (ECONNRESET), not in order, after 4 bytes"
    assert finding.received == 4


def test_silence_is_no_ending() -> None:
    events = perform([case(CONNECT, send(b"nothing\n"), end("any", within=0.2))], ENDINGS)
    assert outcome(events) == "silence"


def test_what_was_received_before_a_reset_is_judged_first() -> None:
    events = perform([case(CONNECT, send(b"reset\n"), end("reset"))], ENDINGS)
    assert outcome(events) == "surplus-bytes"


def test_a_reset_that_a_send_was_told_is_still_a_reset() -> None:
    # The send after the reset takes the only ECONNRESET that there is; recv() gives b'' from then on. Whether the reset
    # is there by the time of the send is a race, which a hundred turns see from both sides.
    turn = case(CONNECT, send(b"reset\n"), BYE, send(b"one"), send(b"two"), end("reset"))
    events = perform([turn] * 100, ENDINGS)
    assert {event.verdict for event in events if isinstance(event, CaseFinished)} == {Verdict("pass")}
    assert {event.error for event in events if isinstance(event, SendFailed)} <= {"ECONNRESET", "EPIPE"}


def test_an_orderly_end_stays_one_though_our_next_bytes_are_answered_by_a_reset() -> None:
    # Without waiting for its close, our bytes might be there before it: left unread they would make a true reset of it.
    gone = Await(HERE, "end-read", 10.0)
    turn = case(CONNECT, send(b"eof\n"), BYE, gone, send(b"one"), send(b"two"), end("eof"))
    events = perform([turn] * 100, ENDINGS)
    assert {event.verdict for event in events if isinstance(event, CaseFinished)} == {Verdict("pass")}


def test_quiet_notices_an_ending() -> None:
    events = perform([case(CONNECT, send(b"eof\n"), BYE, Quiet(HERE, 10.0))], ENDINGS)
    assert outcome(events) == "early-end"


def test_our_own_endings() -> None:
    for actions in (
        [CONNECT, send(b"x\n"), BYE, Reset(HERE)],
        [CONNECT, send(b"x\n"), BYE, Close(HERE, unread=False)],
        [CONNECT, send(b"x\n"), Close(HERE, unread=True)],
        [CONNECT, send(b"x\n"), BYE, Shutdown(HERE, "write"), end("eof")],
        [CONNECT],
        # What comes after our own end of reading is neither an end of theirs nor a surplus.
        [CONNECT, send(b"x\n"), Await(HERE, "read", 10.0), Shutdown(HERE, "both")],
        [CONNECT, Shutdown(HERE, "read"), send(b"x\n")],
    ):
        assert outcome(perform([case(*actions)], ENDINGS)) == "pass"


def test_an_unasked_byte_is_found_when_the_server_has_settled() -> None:
    events = perform([case(CONNECT, send(b"x\n"))], ENDINGS)
    assert outcome(events) == "surplus-bytes"
    events = perform([case(CONNECT, send(b"nothing\n"))], ENDINGS)
    assert outcome(events) == "pass"
    assert [event.outcome for event in events if isinstance(event, Settled)] == ["settled"]
    assert [event.how for event in events if isinstance(event, Closed)] == ["close"]


@pytest.fixture
def unheard() -> Iterator[Address]:
    """An address that refuses: bound, so that nobody else gets it, but not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield Address("127.0.0.1", bound.getsockname()[1])


def test_refused_is_told_apart_and_may_be_asked_for(unheard: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where it can be seen that nobody listens no case is run at all; this is how it looks where it cannot.
    monkeypatch.setattr("sockcheck.connected.is_local", lambda address: False)
    events = perform([case(CONNECT)], unheard)
    assert outcome(events) == "refused"
    assert [event.error for event in events if isinstance(event, ConnectFailed)] == ["ECONNREFUSED"]
    assert outcome(perform([case(Connect(HERE, 10.0, "refused"))], unheard)) == "pass"
    assert not [event for event in events if isinstance(event, SendFailed)]
