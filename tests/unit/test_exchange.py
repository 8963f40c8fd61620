"""The exchange is told what was seen; it says what to do and what was wrong. No socket, no clock."""

from __future__ import annotations

import hashlib
from typing import Literal

import pytest

from sockcheck.case import (
    Action,
    Actor,
    Await,
    Close,
    Connect,
    Count,
    End,
    Exact,
    Expect,
    Form,
    Line,
    Quiet,
    Reset,
    Send,
    Shutdown,
    Wait,
)
from sockcheck.client_events import (
    Awaited,
    ClientEvent,
    Closed,
    Connected,
    ConnectFailed,
    DeadlinePassed,
    Elided,
    PeerClosed,
    Received,
    SendFailed,
    Sent,
    Settled,
    ShutDown,
)
from sockcheck.exchange import Exchange
from sockcheck.forms import (
    Span,
)
from sockcheck.matching import patterns
from sockcheck.moves import DoAwait, DoClose, DoConnect, DoSend, DoSettle, DoShutdown, DoWait, Move

HERE = Span("x.sock.yaml", 1, 1, 2)


def connect(outcome: Literal["connected", "refused", "timeout"] = "connected") -> Connect:
    return Connect(HERE, 5.0, outcome)


def send(data: bytes = b"hello\n", cuts: tuple[int, ...] = ()) -> Send:
    return Send(HERE, (data,), cuts, None, 2.0)


def expect(data: bytes | Form = b"hello\n", within: float = 2.0, after: float | None = None) -> Expect:
    return Expect(HERE, Exact((data,)) if isinstance(data, bytes) else data, within, after)


def end(how: Literal["eof", "reset", "any"] = "eof", after: float | None = None) -> End:
    return End(HERE, how, 2.0, after)


def begin(*actions: Action) -> Exchange:
    """An exchange that is connected, at 1.0."""
    exchange = Exchange(Actor("client", (connect(), *actions)), "plain", "a hint", {})
    assert isinstance(todo(exchange), DoConnect)
    exchange.tell(Connected(1.0, 0.9, 1, "client", 0, "127.0.0.1:1", "127.0.0.1:2", ""))
    return exchange


def tell(exchange: Exchange, *events: ClientEvent) -> Exchange:
    for event in events:
        exchange.tell(event)
    return exchange


def sent(at: float, began: float | None = None) -> Sent:
    return Sent(at, at if began is None else began, 1, "client", 0, 0, 0, "none", 0.0)


def received(at: float, data: bytes = b"hello\n") -> Received:
    return Received(at, 1, "client", data)


def eof(at: float) -> PeerClosed:
    return PeerClosed(at, 1, "client", "eof", "", "CLOSE_WAIT")


def rst(at: float) -> PeerClosed:
    return PeerClosed(at, 1, "client", "reset", "ECONNRESET", "CLOSE")


def late(at: float, progress: int = 0) -> DeadlinePassed:
    return DeadlinePassed(at, 1, "client", 0, progress)


def settled(at: float) -> Settled:
    return Settled(at, 1, "client", "settled", 0.0)


def closed(at: float, how: Literal["close", "reset"] = "close") -> Closed:
    return Closed(at, 1, "client", 0, how)


def shut(at: float) -> ShutDown:
    return ShutDown(at, at, 1, "client", 0, "write", "")


def todo(exchange: Exchange) -> Move | None:
    """What the exchange wants to be done next, each time anew: it changes with what it is told."""
    return exchange.command


def kind(exchange: Exchange) -> str:
    assert todo(exchange) is None
    return exchange.finding.kind if exchange.finding else "none"


def test_the_happy_path_says_what_to_do_step_by_step() -> None:
    exchange = begin(send(), expect(), Shutdown(HERE, "write"), end())
    command = todo(exchange)
    assert isinstance(command, DoSend)
    assert (command.data, command.begin, command.end, command.last) == (b"hello\n", 0, 6, True)
    exchange.tell(sent(2.0))
    assert todo(exchange) == DoWait(2, deadline=4.0)
    exchange.tell(received(2.5))
    assert todo(exchange) == DoShutdown(3, "write")
    exchange.tell(shut(2.6))
    assert todo(exchange) == DoWait(4, deadline=4.6)
    exchange.tell(eof(3.0))
    assert todo(exchange) == DoClose(5, "close")
    exchange.tell(closed(3.1))
    assert todo(exchange) is None
    assert exchange.finding is None
    assert exchange.position == 5
    assert exchange.received == 6


def test_a_cut_send_is_handed_out_in_segments() -> None:
    exchange = begin(send(b"hello world\n", (5, 6)))
    for begins, ends, last in ((0, 5, False), (5, 6, False), (6, 12, True)):
        command = todo(exchange)
        assert isinstance(command, DoSend)
        assert (command.begin, command.end, command.last) == (begins, ends, last)
        exchange.tell(sent(2.0))
    assert isinstance(todo(exchange), DoSettle)


def test_the_command_stays_the_same_object_while_nothing_changes() -> None:
    exchange = begin(expect(b"hello"))
    command = todo(exchange)
    exchange.tell(received(1.5, b"hel"))
    assert todo(exchange) is command


def test_a_reply_that_comes_while_we_still_send_is_matched_at_once() -> None:
    exchange = begin(send(b"abc", (1, 2)), expect(b"abc"), expect(b"def"))
    tell(exchange, sent(1.1), received(1.2, b"ab"), sent(1.3), received(1.4, b"cde"), sent(1.5))
    assert todo(exchange) == DoWait(3, deadline=3.5)
    exchange.tell(received(1.6, b"f"))
    assert isinstance(todo(exchange), DoSettle)


def test_a_wrong_reply_ends_the_exchange_though_we_still_send() -> None:
    exchange = begin(send(b"abc", (1, 2)), expect(b"abc"))
    tell(exchange, sent(1.1), received(1.2, b"x"))
    assert kind(exchange) == "wrong-bytes"
    assert exchange.finding is not None
    assert exchange.finding.step == 2
    tell(exchange, sent(1.3))
    assert todo(exchange) is None


@pytest.mark.parametrize(
    ("events", "expected", "words"),
    [
        ([received(2.0, b"help!\n")], "wrong-bytes", "byte 3 differs"),
        ([received(2.0, b"hel"), eof(2.1)], "missing-bytes", "closed the connection after 3 bytes"),
        ([eof(2.1)], "missing-bytes", "none of it came"),
        ([received(2.0, b"hel"), rst(2.1)], "reset", "reset the connection (ECONNRESET) after 3 bytes"),
        ([received(2.0, b"hel"), late(3.0)], "silence", "not all of it came within 2.00 s"),
        ([received(2.0, b"hello\nmore")], "surplus-bytes", "4 bytes came after all that was expected"),
        ([received(2.0), received(2.1, b"!"), settled(2.2)], "surplus-bytes", "1 byte came after"),
        ([received(2.0), settled(2.2), closed(2.3)], "none", ""),
        ([received(2.0), eof(2.2), closed(2.3)], "none", ""),
        ([received(2.0), rst(2.2), closed(2.3)], "none", ""),
    ],
)
def test_an_expectation_and_what_may_come_of_it(events: list[ClientEvent], expected: str, words: str) -> None:
    exchange = tell(begin(expect()), *events)
    assert kind(exchange) == expected
    if exchange.finding:
        assert words in exchange.finding.message
        assert exchange.finding.hint == "a hint"


@pytest.mark.parametrize(
    ("how", "events", "expected", "law"),
    [
        ("eof", [eof(2.0), closed(2.1)], "none", ""),
        ("eof", [rst(2.0)], "reset", "end.orderly"),
        ("eof", [received(2.0, b"!"), eof(2.0)], "surplus-bytes", "plain"),
        ("eof", [late(3.0)], "silence", "plain"),
        ("reset", [rst(2.0), closed(2.1)], "none", ""),
        ("reset", [eof(2.0)], "no-reset", "plain"),
        ("any", [eof(2.0), closed(2.1)], "none", ""),
        ("any", [rst(2.0), closed(2.1)], "none", ""),
    ],
)
def test_endings_are_told_apart(
    how: Literal["eof", "reset", "any"], events: list[ClientEvent], expected: str, law: str
) -> None:
    exchange = tell(begin(end(how)), *events)
    assert kind(exchange) == expected
    if exchange.finding:
        assert exchange.finding.law == law


def test_bytes_before_an_ending_are_judged_before_the_ending() -> None:
    exchange = tell(begin(expect(), end()), received(2.0, b"hello\nHELLO"), rst(2.1))
    assert kind(exchange) == "surplus-bytes"
    assert exchange.unread == 5


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([late(3.0), received(3.1), settled(3.2), closed(3.3)], "none"),
        ([received(1.2)], "surplus-bytes"),
        ([eof(1.2)], "early-end"),
        ([rst(1.2)], "early-end"),
    ],
)
def test_quiet(events: list[ClientEvent], expected: str) -> None:
    exchange = begin(Quiet(HERE, 0.5), expect())
    assert todo(exchange) == DoWait(1, deadline=1.5)
    assert kind(tell(exchange, *events)) == expected


def test_what_is_seen_after_the_quiet_was_over_does_not_break_it() -> None:
    # We were late to see that 0.5 s had passed: what came at 1.6 belongs to the step behind.
    assert kind(tell(begin(Quiet(HERE, 0.5), expect()), received(1.6), settled(1.7), closed(1.8))) == "none"
    assert kind(tell(begin(Quiet(HERE, 0.5), end()), eof(1.6), closed(1.7))) == "none"


def test_a_deadline_that_sockcheck_itself_was_late_for_is_no_evidence() -> None:
    missed = DeadlinePassed(4.0, 1, "client", 0, 0, late=2.5)
    for actions in ((expect(),), (send(b"x" * 10),), (end(),)):
        exchange = tell(begin(*actions), missed)
        assert todo(exchange) is None
        assert exchange.finding is None
        assert exchange.trouble == ""
        assert "sockcheck itself was kept from running for 2.50 s" in exchange.busy
    # A little late is not late, and what must take its time may.
    assert kind(tell(begin(expect()), DeadlinePassed(4.0, 1, "client", 0, 0, late=0.2, starved=0.2))) == "silence"
    assert tell(begin(Quiet(HERE, 0.5)), missed).busy == ""


def test_a_deadline_that_the_server_had_no_cpu_for_is_no_evidence() -> None:
    starved = DeadlinePassed(4.0, 1, "client", 0, 0, starved=0.25)
    assert "the server had to wait 250.0 ms for a CPU" in tell(begin(expect()), starved).busy


@pytest.mark.parametrize(
    ("action", "how", "otherwise"),
    [
        (expect(), "eof", "missing-bytes"),
        (expect(), "reset", "reset"),
        (Quiet(HERE, 0.5), "eof", "early-end"),
        (end("eof"), "reset", "reset"),
        (end("reset"), "eof", "no-reset"),
    ],
)
def test_an_ending_that_a_pause_of_ours_may_be_the_cause_of_is_no_evidence(
    action: Action, how: Literal["eof", "reset"], otherwise: str
) -> None:
    error = "ECONNRESET" if how == "reset" else ""
    exchange = tell(begin(action), PeerClosed(1.2, 1, "client", how, error, "", late=0.6))
    assert todo(exchange) is None
    assert exchange.finding is None
    assert "kept from running for 600.0 ms while it was connected" in exchange.busy
    assert kind(tell(begin(action), PeerClosed(1.2, 1, "client", how, error, "", late=0.2))) == otherwise


def test_an_ending_that_is_right_is_right_however_late_we_are() -> None:
    late_eof = PeerClosed(1.2, 1, "client", "eof", "", "", late=0.6)
    assert kind(tell(begin(end()), late_eof, closed(1.3))) == "none"
    assert kind(tell(begin(expect()), received(1.1), late_eof, closed(1.3))) == "none"


@pytest.mark.parametrize("leaving", [Reset(HERE), Close(HERE, unread=True)])
def test_what_comes_to_a_client_that_will_leave_it_unread_is_let_go(leaving: Action) -> None:
    exchange = tell(begin(send(b"ab", (1,)), leaving), sent(1.1), received(1.2, b"reply"))
    assert (exchange.unread, exchange.absorbed, exchange.received) == (0, True, 5)
    assert isinstance(todo(tell(exchange, sent(1.3))), DoClose)


def test_a_chunk_for_several_expectations_is_kept_whole() -> None:
    exchange = tell(begin(expect(b"one"), expect(b"two")), received(1.1, b"onetwo"))
    assert not exchange.absorbed


def test_what_came_before_a_quiet_step_breaks_the_quiet() -> None:
    exchange = begin(send(b"ab", (1,)), Quiet(HERE, 0.5), expect())
    tell(exchange, sent(1.1), received(1.2), sent(1.3))
    assert kind(exchange) == "surplus-bytes"


@pytest.mark.parametrize(
    ("outcome", "event", "expected"),
    [
        ("connected", ConnectFailed(2.0, 1, "client", 0, "ECONNREFUSED"), "refused"),
        ("connected", ConnectFailed(2.0, 1, "client", 0, "ETIMEDOUT"), "no-connection"),
        ("connected", late(6.0), "no-connection"),
        ("refused", ConnectFailed(2.0, 1, "client", 0, "ECONNREFUSED"), "none"),
        ("refused", late(6.0), "no-connection"),
        ("refused", Connected(2.0, 1.9, 1, "client", 0, "", "", ""), "not-refused"),
        ("timeout", late(6.0), "none"),
        ("timeout", ConnectFailed(2.0, 1, "client", 0, "ECONNREFUSED"), "refused"),
    ],
)
def test_connecting(outcome: Literal["connected", "refused", "timeout"], event: ClientEvent, expected: str) -> None:
    exchange = Exchange(Actor("client", (connect(outcome),)), "plain", "", {})
    assert kind(tell(exchange, event)) == expected


def test_a_server_that_stops_reading_is_told_with_how_much_it_took() -> None:
    exchange = tell(begin(send(b"x" * 1000)), late(4.0, progress=600))
    assert kind(exchange) == "stalled"
    assert exchange.finding is not None
    assert "took 600 of 1,000 bytes" in exchange.finding.message


def test_a_failed_send_is_not_judged_the_next_step_decides() -> None:
    exchange = begin(send(b"abc", (1,)), expect(b"go away"), end())
    tell(exchange, sent(1.1), received(1.2, b"go away"), SendFailed(1.3, 1.3, 1, "client", 1, 1, "EPIPE"), eof(1.4))
    assert isinstance(todo(exchange), DoClose)


def test_an_awaited_state_that_does_not_come_accuses_nobody() -> None:
    exchange = begin(Await(HERE, "read", 2.0), Await(HERE, "accepted", 2.0), expect())
    assert todo(exchange) == DoAwait(1, "read", deadline=3.0)
    exchange.tell(late(3.0))
    assert todo(exchange) == DoAwait(2, "accepted", deadline=5.0)
    exchange.tell(Awaited(3.5, 1, "client", 2, "accepted", "seen"))
    assert todo(exchange) == DoWait(3, deadline=5.5)


def test_a_deadline_that_a_step_does_not_have_changes_nothing() -> None:
    assert todo(tell(begin(Reset(HERE)), late(3.0))) == DoClose(1, "reset")


def test_what_comes_to_a_client_that_reads_no_more_is_not_looked_at() -> None:
    exchange = begin(send(b"ab", (1,)), Shutdown(HERE, "both"))
    over = ShutDown(1.3, 1.3, 1, "client", 2, "both", "")
    tell(exchange, sent(1.1), received(1.15), sent(1.2), over, received(1.4), settled(1.5))
    assert todo(exchange) == DoClose(3, "close")
    assert exchange.received == 12


def test_leaving() -> None:
    assert todo(begin(Reset(HERE))) == DoClose(1, "reset")
    assert todo(begin(Close(HERE, unread=True))) == DoClose(1, "close")
    orderly = begin(Close(HERE, unread=False))
    assert todo(orderly) == DoSettle(1)
    orderly.tell(settled(2.0))
    assert todo(orderly) == DoClose(1, "close")
    orderly.tell(closed(2.1))
    assert todo(orderly) is None
    surplus = tell(begin(Close(HERE, unread=False)), received(2.0))
    assert kind(surplus) == "surplus-bytes"
    # What comes before a reset is nobody's business.
    assert todo(tell(begin(send(), Reset(HERE)), received(1.5), sent(1.6))) == DoClose(2, "reset")


def test_after_counts_from_when_our_last_action_began() -> None:
    # The server's clock may have begun as soon as our call began, 0.4 s before we knew that it was done.
    fair = tell(begin(send(), end("eof", after=1.0)), sent(at=2.4, began=2.0), eof(3.05))
    assert isinstance(todo(fair), DoClose)
    early = tell(begin(send(), end("eof", after=1.0)), sent(at=2.4, began=2.0), eof(2.9))
    assert kind(early) == "too-early"
    assert early.finding is not None
    assert "the end of the connection came after 900.0 ms, before the 1.00 s were over" in early.finding.message
    bytes_early = tell(begin(send(), expect(after=1.0)), sent(2.0), received(2.5, b"hel"), received(4.0, b"lo\n"))
    assert kind(bytes_early) == "too-early"
    bytes_fair = tell(begin(send(), expect(after=1.0)), sent(2.0), received(3.5))
    assert isinstance(todo(bytes_fair), DoSettle)


def test_an_expectation_of_nothing_is_met_at_once() -> None:
    exchange = begin(expect(b""), expect(b""), expect(b"x", after=0.1))
    assert todo(exchange) == DoWait(3, deadline=3.0)
    assert isinstance(todo(begin(expect(b"", after=1.0))), DoSettle)


def test_what_was_expected_exactly_may_be_elided_from_a_record() -> None:
    data = b"hello world\n"
    exchange = begin(expect(data), expect(Line((b".*",), "any")))
    exchange.tell(received(2.0, data[:5]))
    assert exchange.absorbed
    elided = Elided(7, hashlib.sha256(data[5:]).hexdigest(), data[5:7], data[-2:])
    exchange.tell(Received(2.1, 1, "client", elided))
    assert exchange.absorbed
    assert exchange.received == 12
    exchange.tell(received(2.2, b"a line"))
    assert not exchange.absorbed


@pytest.mark.parametrize("actions", [(expect(Count(7, None)),), ()])
def test_a_digest_where_the_bytes_are_needed_cannot_be_judged(actions: tuple[Action, ...]) -> None:
    exchange = begin(*actions)
    exchange.tell(Received(2.0, 1, "client", Elided(7, "0" * 64, b"a", b"b")))
    assert todo(exchange) is None
    assert exchange.finding is None
    assert "only a digest" in exchange.trouble


def test_a_pattern_that_takes_for_ever_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "PATTERN_LIMIT", 0.001)
    exchange = tell(begin(expect(Line((rb"(a|aa)+\d?[bd]",), "any"))), received(2.0, b"a" * 60 + b"cbd\n"))
    assert todo(exchange) is None
    assert exchange.finding is None
    assert "took longer" in exchange.trouble


def test_a_reply_takes_from_where_its_send_began_to_its_last_byte() -> None:
    exchange = begin(send(), expect(), expect(b"more\n"), send(), expect())
    tell(exchange, sent(2.0, began=1.75), received(2.25, b"hel"), received(2.5, b"lo\n"), received(3.0, b"more\n"))
    # What is expected behind another expectation is no reply to a send of its own.
    assert exchange.replies == [0.75]
    tell(exchange, sent(4.0), received(4.25))
    assert exchange.replies == [0.75, 0.25]


@pytest.mark.parametrize("reads", [True, False])
def test_what_comes_in_a_wait_is_read_or_left_where_it_is(reads: bool) -> None:
    exchange = begin(Wait(HERE, 0.5, reads), expect())
    assert todo(exchange) == DoWait(1, 1.5, reads)
    tell(exchange, late(1.5))
    assert todo(exchange) == DoWait(2, 3.5)
