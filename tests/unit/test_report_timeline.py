"""The events of a case in words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import pytest
from report_builder import Stream, case, pieces_actions, span

from sockcheck.case import (
    Action,
    Actor,
    Await,
    Exact,
    Expect,
    Generated,
    Kill,
    Mark,
    Meet,
    Not,
    Pause,
    Quiet,
    Restart,
    Resume,
    Send,
    Signal,
    Value,
    Wait,
    WaitFor,
)
from sockcheck.client_events import (
    Awaited,
    Barrier,
    Blocked,
    Closed,
    Connected,
    ConnectFailed,
    DeadlinePassed,
    Elided,
    Marked,
    PeerClosed,
    Received,
    Released,
    SendFailed,
    Sent,
    Settled,
    ShutDown,
    Waited,
)
from sockcheck.events import (
    CaseFinished,
    CaseStarted,
    CaseTimedOut,
    HealthRead,
    TargetExited,
    TargetOutput,
    Troubled,
)
from sockcheck.server_events import (
    ServerExited,
    ServerNotStarted,
    ServerSignalled,
    ServerStarted,
    ServerWaited,
)
from sockcheck.verdict import Verdict
from sockcheck_reports.timeline import TimelineEvent, tell

BEGAN = 10.0


def rows(*events: TimelineEvent, actions: Sequence[Action] = (), observe: bool = True) -> list[str]:
    shown = replace(case(), actors=(Actor("client", tuple(actions) or pieces_actions()),))
    told = tell(shown, BEGAN, events, observe=observe)
    return [f"{row.at:.2f} {row.mark} {row.what} {row.excerpt(60)}".rstrip() for row in told]


def connected(unobserved: str = "") -> Connected:
    return Connected(10.001, 10.0, 1, "client", 0, "127.0.0.1:5", "127.0.0.1:7", unobserved)


@pytest.mark.parametrize(
    ("event", "row"),
    [
        (connected(), "1.00 -- connected to 127.0.0.1:7 from 127.0.0.1:5"),
        (ConnectFailed(10.001, 1, "client", 0, "ECONNREFUSED"), "1.00 -- no connection: ECONNREFUSED"),
        (Sent(10.001, 10.0, 1, "client", 1, 6, 6, "none", 0.0), '1.00 -> sent 6 bytes "world\\n"'),
        (Sent(10.001, 10.0, 1, "other", 1, 6, 6, "none", 0.0), "1.00 -> sent 6 bytes"),
        (SendFailed(10.001, 10.0, 1, "client", 1, 3, "EPIPE"), "1.00 -- send failed (EPIPE) after 3 bytes"),
        (Received(10.001, 1, "client", b"hi\x00"), '1.00 <- received 3 bytes "hi\\x00"'),
        (
            Received(10.001, 1, "client", Elided(8_200_000, "", b"head", b"tail")),
            '1.00 <- received 8.2 MB, as expected "head" + 8.2 MB',
        ),
        (PeerClosed(10.001, 1, "client", "eof", "", ""), "1.00 <- end of stream (recv() gave b''), after 0 bytes"),
        (
            PeerClosed(10.001, 1, "client", "reset", "ECONNRESET", "CLOSE"),
            "1.00 <- reset (ECONNRESET), TCP_INFO CLOSE, after 0 bytes",
        ),
        (
            PeerClosed(10.001, 1, "client", "error", "ETIMEDOUT", ""),
            "1.00 <- the connection failed (ETIMEDOUT), after 0 bytes",
        ),
        (DeadlinePassed(12.0, 1, "client", 0, 0), "2000.00 -- no answer to connect() within 5.00 s"),
        (
            DeadlinePassed(12.0, 1, "client", 1, 5),
            "2000.00 -- the server takes no more: 5 bytes of 12 bytes sent, nothing for 2.00 s",
        ),
        (DeadlinePassed(12.0, 1, "client", 2, 0), "2000.00 -- nothing for 2.00 s: the deadline of 2.00 s passed"),
        (DeadlinePassed(12.0, 1, "client", 9, 0), "2000.00 -- nothing for 2.00 s: the deadline passed"),
        (ShutDown(10.001, 10.0, 1, "client", 3, "write", ""), "1.00 -> shutdown(SHUT_WR): our end of stream"),
        (ShutDown(10.001, 10.0, 1, "client", 3, "both", ""), "1.00 -> shutdown(SHUT_RDWR)"),
        (
            ShutDown(10.001, 10.0, 1, "client", 3, "read", "ENOTCONN"),
            "1.00 -> shutdown(SHUT_RD) failed: ENOTCONN",
        ),
        (Closed(10.001, 1, "client", 5, "close"), "1.00 -> closed our socket"),
        (Closed(10.001, 1, "client", 5, "reset"), "1.00 -> reset by us (SO_LINGER 0, close)"),
        (Awaited(10.001, 1, "client", 1, "read", "seen"), "1.00 -- await read: seen"),
        (Awaited(10.001, 1, "client", 1, "read", "gone"), "1.00 -- await read: the server's end is gone"),
        (
            Settled(10.001, 1, "client", "settled", 0.0002),
            "1.00 -- the server has settled (0.20 ms): nothing more is to come",
        ),
        (Settled(10.001, 1, "client", "late", 1.0), "1.00 -- the server did not settle within 1.00 s"),
        (
            Settled(10.001, 1, "client", "gap", 0.1),
            "1.00 -- waited 100 ms for more, since the server cannot be observed",
        ),
        (CaseTimedOut(40.0, 1), "30000.00 -- the case took longer than it may (30.00 s)"),
        (HealthRead(10.001, 1, True, True, ""), "1.00 -- the server is alive and listens"),
        (HealthRead(10.001, 1, True, False, ""), "1.00 -- the server is alive but listens no more"),
        (HealthRead(10.001, 1, False, False, ""), "1.00 -- no process of the server is left"),
        (HealthRead(10.001, 1, True, True, "no /proc"), "1.00 -- the server's health cannot be seen: no /proc"),
        (Troubled(10.001, 1, "EMFILE"), "1.00 -- trouble on our side: EMFILE"),
        (TargetOutput(10.001, 1, "stderr", b"oops\n", 0), '1.00  | stderr "oops\\n"'),
        (TargetExited(10.001, 1, -11), "1.00 -- the server was killed by SIGSEGV"),
    ],
)
def test_an_event_in_words(event: TimelineEvent, row: str) -> None:
    assert rows(event) == [row]


def test_the_frame_of_a_case_has_no_row() -> None:
    assert rows(CaseStarted(BEGAN, 1, 1, case()), CaseFinished(11.0, 1, Verdict("pass"))) == []


@pytest.mark.parametrize(
    ("barrier", "said"),
    [
        ("read", "read by the server after 0.03 ms"),
        ("gone", "the server's end was gone after 0.03 ms; the rest is sent all the same"),
        ("not-read", "not read by the server within 0.03 ms; the rest is sent all the same"),
        ("gap", "the rest is sent 0.03 ms later by gap, since the server cannot be observed"),
    ],
)
def test_how_a_segment_was_parted_from_the_next(barrier: Barrier, said: str) -> None:
    sent = Sent(10.001, 10.0, 1, "client", 1, 0, 5, "none", 0.00003)
    assert rows(replace(sent, barrier=barrier)) == ['1.00 -> sent 5 bytes "hello"', f"1.03 -- {said}"]


def test_a_gap_says_why() -> None:
    gap = Sent(10.001, 10.0, 1, "client", 1, 0, 5, "gap", 0.02)
    assert rows(connected("no netlink here"), gap)[-1].endswith("by gap, since no netlink here")
    assert rows(connected("x"), gap, observe=False)[-1].endswith("by gap, since --no-observe was given")
    actions = list(pieces_actions())
    assert isinstance(actions[1], Send)
    actions[1] = replace(actions[1], gap=0.02)
    assert rows(gap, actions=actions)[-1].endswith("20 ms later by gap, as the scenario says")


def test_waits_that_end_by_time() -> None:
    where = span(5, "connect")
    actions: list[Action] = [Quiet(where, 0.3), Await(where, "end-read", 2.0)]
    assert rows(DeadlinePassed(10.3, 1, "client", 0, 0), DeadlinePassed(12.3, 1, "client", 1, 0), actions=actions) == [
        "300.00 -- quiet for 300 ms, as it should be",
        "2300.00 -- await end-read: not within 2.00 s",
    ]


def test_nothing_is_counted_from_the_last_that_happened_to_the_client() -> None:
    told = rows(Received(10.5, 1, "client", b"hel"), DeadlinePassed(12.0, 1, "client", 2, 0))
    assert told[-1] == "2000.00 -- nothing for 1.50 s: the deadline of 2.00 s passed"


def test_an_ending_tells_how_much_came_before_it() -> None:
    told = rows(
        Received(10.1, 1, "client", b"hel"),
        Received(10.2, 1, "client", Elided(4, "", b"lo", b"")),
        PeerClosed(10.3, 1, "client", "reset", "ECONNRESET", "CLOSE"),
    )
    assert told[-1] == "300.00 <- reset (ECONNRESET), TCP_INFO CLOSE, after 7 bytes"


def test_rows_are_in_the_order_of_time() -> None:
    told = rows(
        Sent(10.001, 10.0, 1, "client", 1, 0, 5, "read", 0.002),
        Received(10.002, 1, "client", b"hel"),
    )
    assert [row.split()[0] for row in told] == ["1.00", "2.00", "3.00"]


def test_output_that_is_written_piece_by_piece_is_put_together() -> None:
    pieces: list[tuple[Literal["stdout", "stderr"], bytes]]
    pieces = [("stdout", b"got "), ("stdout", b"it\n"), ("stderr", b"oops"), ("stderr", b"x" * 300), ("stderr", b"y")]
    assert rows(*(TargetOutput(10.001, 1, stream, data, 0) for stream, data in pieces)) == [
        '1.00  | stdout "got it\\n"',
        '1.00  | stderr "oopsxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" + 259 bytes',
    ]


def test_what_the_verdict_rests_on_is_marked() -> None:
    finding = Stream(at=10.2).finding()
    events: list[TimelineEvent]
    events = [Received(10.1, 1, "client", b"x"), Received(10.2, 1, "client", b"y"), Received(10.2, 1, "bob", b"y")]
    told = tell(case(), BEGAN, events, findings=[finding])
    assert [row.decisive for row in told] == [False, True, False]
    told = tell(case(), BEGAN, events, findings=[replace(finding, client="")])
    assert [row.decisive for row in told] == [False, True, True]
    assert tell(case(), BEGAN, [Troubled(10.1, 1, "x")])[0].decisive
    assert tell(case(), BEGAN, [ServerNotStarted(10.1, 1, 0, "x", b"")])[0].decisive
    exited = TargetExited(10.1, 1, -15)
    assert tell(case(), BEGAN, [exited])[0].decisive
    assert not tell(replace(case(), server=(Signal(SPAN, 15),)), BEGAN, [exited])[0].decisive


SPAN = span(5, "connect")
BOB = (
    Mark(SPAN, "half"),
    WaitFor(SPAN, "go"),
    Meet(SPAN, "all-in", 2),
    Wait(SPAN, 0.3),
    Expect(SPAN, Not(Exact((b"x",)), 0.5), 2.0, None),
    Send(SPAN, (Generated("random", 8_388_608, 7, b""),), (), None, 5.0, until_blocked=True),
    Send(SPAN, (b"SET k-", Value("unique"), b" ", Value("port"), b"\n"), (), None, 5.0),
)


@pytest.mark.parametrize(
    ("event", "row"),
    [
        (Marked(10.001, 1, "bob", 0, "half"), "1.00 -- bob mark half"),
        (Marked(10.001, 1, "server", 0, "paused"), "1.00 -- server mark paused"),
        (Marked(10.001, 1, "bob", 2, "all-in"), "1.00 -- bob meet all-in: 1 of 2 are here"),
        (Waited(10.001, 1, "bob", 1, "go"), "1.00 -- bob wait-for go: it is set"),
        (Waited(10.001, 1, "bob", 2, "all-in"), "1.00 -- bob meet all-in: all are here"),
        (DeadlinePassed(10.3, 1, "bob", 3, 0), "300.00 -- bob waited 300 ms, as the scenario says"),
        (DeadlinePassed(10.5, 1, "bob", 4, 0), "500.00 -- bob it did not come for 500 ms, as it should be"),
        (
            Blocked(10.001, 10.0, 1, "bob", 5, 5_900_000),
            "1.00 -- bob the server took 5.9 MB of 8.4 MB and takes no more",
        ),
        (Blocked(10.001, 10.0, 1, "bob", 6, 7), "1.00 -- bob the server took 7 bytes and takes no more"),
        (
            Sent(10.001, 10.0, 1, "bob", 6, 0, 16, "none", 0.0),
            '1.00 -> bob sent 16 bytes "SET k-7f3a ${port}\\n"',
        ),
        (ServerSignalled(10.001, 1, 0, 19, 3), "1.00 -> server paused (SIGSTOP, 3 processes)"),
        (ServerWaited(10.001, 1, 9), "1.00 -- server waited, as the scenario says"),
        (
            Released(10.001, 1, "bob", 1, "go"),
            "1.00 -- bob not judged, since the mark go can no longer be set",
        ),
        (
            Released(10.001, 1, "server", 1, "go"),
            "1.00 -- server stops here, since the mark go can no longer be set",
        ),
    ],
)
def test_many_clients_and_the_server_s_own_steps_in_words(event: TimelineEvent, row: str) -> None:
    several = replace(case(), actors=(*case().actors, Actor("bob", BOB)), server=(Pause(SPAN),))
    told = tell(several, BEGAN, [event], unique="7f3a")
    assert [f"{row.at:.2f} {row.mark} {row.client} {row.what} {row.excerpt(60)}".rstrip() for row in told] == [row]


def test_the_marks_that_bring_a_crowd_in_one_after_the_other_are_not_told() -> None:
    several = replace(case(), actors=(Actor("crowd[0]", ()), Actor("crowd[1]", ())))
    events: list[TimelineEvent] = [
        Marked(10.1, 1, "crowd[0]", 1, "crowd[0] connected"),
        Waited(10.1, 1, "crowd[1]", 0, "crowd[0] connected"),
    ]
    assert tell(several, BEGAN, events) == ()
    released = Released(10.2, 1, "crowd[1]", 0, "crowd[0] connected")
    failed = replace(Stream(at=10.2).finding(), client="crowd[0]")
    [row] = tell(several, BEGAN, [*events, released], findings=[failed])
    assert row.what == "not judged, since the mark crowd[0] connected can no longer be set"


@pytest.mark.parametrize(
    ("event", "drawn"),
    [
        (connected(), ["connect"]),
        (ConnectFailed(10.001, 1, "client", 0, "ECONNREFUSED"), ["refused"]),
        (Sent(10.001, 10.0, 1, "client", 1, 0, 5, "read", 0.001), ["data", "read"]),
        (Sent(10.001, 10.0, 1, "client", 1, 0, 5, "gone", 0.001), ["data", "note"]),
        (Received(10.001, 1, "client", b"hi"), ["data"]),
        (PeerClosed(10.001, 1, "client", "eof", "", ""), ["fin"]),
        (PeerClosed(10.001, 1, "client", "reset", "ECONNRESET", "CLOSE"), ["rst"]),
        (PeerClosed(10.001, 1, "client", "error", "ETIMEDOUT", ""), ["rst"]),
        (DeadlinePassed(12.0, 1, "client", 2, 0), ["silence"]),
        (DeadlinePassed(12.0, 1, "client", 9, 0), ["silence"]),
        (ShutDown(10.001, 10.0, 1, "client", 3, "write", ""), ["fin"]),
        (ShutDown(10.001, 10.0, 1, "client", 3, "both", ""), ["fin"]),
        (ShutDown(10.001, 10.0, 1, "client", 3, "read", ""), ["note"]),
        (ShutDown(10.001, 10.0, 1, "client", 3, "write", "ENOTCONN"), ["note"]),
        (Closed(10.001, 1, "client", 5, "close"), ["fin"]),
        (Closed(10.001, 1, "client", 5, "reset"), ["rst"]),
        (ServerExited(10.001, 1, 0, 0), ["down"]),
        (TargetExited(10.001, 1, 1), ["down"]),
        (TargetOutput(10.001, 1, "stdout", b"hi", 0), ["output"]),
        (Troubled(10.001, 1, "no ports"), ["note"]),
    ],
)
def test_how_a_diagram_shows_it(event: TimelineEvent, drawn: list[str]) -> None:
    assert [row.drawn for row in tell(case(), BEGAN, [event])] == drawn


@pytest.mark.parametrize(
    "action",
    [Quiet(span(10, "eof"), 2.0), Wait(span(10, "eof"), 2.0), Expect(span(10, "eof"), Not(Exact(()), 2.0), 2, None)],
)
def test_time_that_is_to_pass_is_no_silence(action: Action) -> None:
    shown = replace(case(), actors=(Actor("client", (action,)),))
    [row] = tell(shown, BEGAN, [DeadlinePassed(12.0, 1, "client", 0, 0)])
    assert row.drawn == "note"


def test_what_is_done_to_the_server_is_drawn() -> None:
    steps = (
        Pause(span(1, "A")),
        Resume(span(1, "A")),
        Kill(span(1, "A")),
        Signal(span(1, "A"), 10),
        Restart(span(1, "A")),
    )
    events: list[TimelineEvent] = [ServerSignalled(10.0 + step, 1, step, 9, 1) for step in range(4)]
    events.append(ServerStarted(15.0, 1, 4, 4712, 0.03))
    told = tell(replace(case(), server=steps), BEGAN, events)
    assert [row.drawn for row in told] == ["pause", "resume", "down", "note", "up"]


@pytest.mark.parametrize(("client", "decisive"), [("client", [False, True, False]), ("other", [False, False, True])])
def test_what_came_while_the_client_was_sending_is_what_the_verdict_rests_on(client: str, decisive: list[bool]) -> None:
    events: list[TimelineEvent] = [
        connected(),
        PeerClosed(10.002, 1, client, "eof", "", ""),
        Sent(10.003, 10.0, 1, "client", 1, 0, 5, "none", 0.0),
    ]
    finding = replace(Stream(at=10.003).finding(), client="client")
    assert [row.decisive for row in tell(case(), BEGAN, events, findings=[finding])] == decisive
