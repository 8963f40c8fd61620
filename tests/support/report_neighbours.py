"""Runs with many clients, with steps of the server's own, and with known failures, as streams of events."""

from __future__ import annotations

from dataclasses import replace

from report_builder import Stream, case, span

from sockcheck.case import (
    SERVER,
    Action,
    Actor,
    Await,
    Case,
    Check,
    Close,
    Comparison,
    Connect,
    Exact,
    Exits,
    Expect,
    Kill,
    Mark,
    Meet,
    Pause,
    Piece,
    Prefixed,
    Restart,
    Resume,
    Send,
    ServerAction,
    Signal,
    Start,
    Value,
    Wait,
    WaitFor,
)
from sockcheck.client_events import (
    Awaited,
    Blocked,
    DeadlinePassed,
    Marked,
    Released,
    Waited,
)
from sockcheck.events import (
    CaseStarted,
    Event,
    SourceRead,
    TargetExited,
    TargetStopped,
)
from sockcheck.forms import (
    Span,
)
from sockcheck.server_events import (
    ServerChecked,
    ServerDeadlinePassed,
    ServerExited,
    ServerNotStarted,
    ServerSignalled,
    ServerStarted,
    ServerWaited,
)
from sockcheck.verdict import Difference

STALLED = """\
scenario: Nobody waits for a stalled neighbour
law: neighbour.stalled
clients:
  stalled:
    - connect
    - send: "half a li"
    - await: read
    - mark: stalled
    - wait-for: served
  bob:
    - wait-for: stalled
    - connect
    - send: "hi\\n"
    - expect: "hi\\n"
    - mark: served
"""
BACKLOG = """\
scenario: Five wait in the queue, and every one of them is served
server:
  - pause
  - mark: paused
  - wait-for: all-in
  - check: {queue: ">= 5", listening: true}
  - resume
clients:
  crowd:
    count: 5
    steps:
      - wait-for: paused
      - connect
      - meet: all-in
      - send: "I am ${index}\\n"
      - expect: "I am ${index}\\n"
"""
LIFE = """\
scenario: SIGTERM lets the request in flight finish
server:
  - wait-for: in-flight
  - signal: TERM
  - exits: {status: [0, TERM], within: 2s}
  - start
  - wait: 300ms
  - check: {alive: true, cpu: "< 1", open-files: "<= 9"}
  - kill
  - restart
client:
  - connect
  - mark: in-flight
"""


_NAMES = {STALLED: "stalled", BACKLOG: "backlog", LIFE: "life"}


def _span(source: str, line: int, text: str) -> Span:
    return span(line, text, source, f"scenarios/neighbours/{_NAMES[source]}.sock.yaml")


def _case(name: str, source: str, law: str, actors: tuple[Actor, ...], server: tuple[ServerAction, ...] = ()) -> Case:
    title = source.splitlines()[0].removeprefix("scenario: ")
    return replace(case(name, law=law, title=title), actors=actors, server=server, span=_span(source, 1, title))


def _run(source: str, total: int = 1) -> Stream:
    run = Stream().start(total=total)
    return run.add(SourceRead(0.0, _span(source, 1, "scenario").path, source)).serve()


def _marked(run: Stream, step: int, mark: str) -> Stream:
    return run.add(Marked(run.after(0.01), run.attempt, run.client, step, mark))


def _waited(run: Stream, step: int, mark: str) -> Stream:
    return run.add(Waited(run.after(0.01), run.attempt, run.client, step, mark))


def _released(run: Stream, step: int, mark: str) -> Stream:
    return run.add(Released(run.after(0.01), run.attempt, run.client, step, mark))


def _signalled(run: Stream, step: int, signal: int, processes: int = 3) -> Stream:
    return run.add(ServerSignalled(run.after(0.3), run.attempt, step, signal, processes))


def stalled() -> list[Event]:
    """The neighbour of a stalled client is not served; the stalled one waits for it in vain."""
    connect = Connect(_span(STALLED, 5, "connect"), 5.0)
    half = Send(_span(STALLED, 6, '"half a li"'), (b"half a li",), (), None, 5.0)
    await_ = Await(_span(STALLED, 7, "read"), "read", 2.0)
    mark, wait = Mark(_span(STALLED, 8, "stalled"), "stalled"), WaitFor(_span(STALLED, 9, "served"), "served")
    wait_bob = WaitFor(_span(STALLED, 11, "stalled"), "stalled")
    connect_bob = Connect(_span(STALLED, 12, "connect"), 5.0)
    hi = Send(_span(STALLED, 13, '"hi\\n"'), (b"hi\n",), (), None, 5.0)
    expect = Expect(_span(STALLED, 14, '"hi\\n"'), Exact((b"hi\n",)), 2.0, None)
    actors = (
        Actor("stalled", (connect, half, await_, mark, wait)),
        Actor("bob", (wait_bob, connect_bob, hi, expect, Mark(_span(STALLED, 15, "served"), "served"))),
    )
    run = _run(STALLED).begin(_case("stalled", STALLED, "neighbour.stalled", actors)).by("stalled")
    run.connect().sent(0, 9, "none", 0.0).output(b"got b'half a li'\n")
    run.add(Awaited(run.after(0.1), run.attempt, "stalled", 2, "read", "seen"))
    _marked(run, 3, "stalled")
    _waited(run.by("bob"), 0, "stalled").connect().sent(0, 3, "none", 0.0)
    run.add(DeadlinePassed(run.after(2000), run.attempt, "bob", 3, 0))
    finding = run.finding(
        "silence",
        law="neighbour.stalled",
        step=3,
        span=expect.span,
        message="nothing came within 2.00 s",
        expected='"hi\\n"',
        actual="silence, after 0 bytes",
        received=0,
    )
    _released(run.by("stalled"), 4, "served")
    return run.healthy().verdict("fail", finding).finish()


def _connecting(index: int, connect: Connect) -> tuple[Action, ...]:
    """What `count` makes of a connect: the clients connect one after the other."""
    before = (WaitFor(connect.span, f"crowd[{index - 1}] connected"),) if index else ()
    return (*before, connect, Mark(connect.span, f"crowd[{index}] connected"))


def _greeting(index: int) -> tuple[Action, ...]:
    text = b"I am %d\n" % index
    send = Send(_span(BACKLOG, 15, '"I am ${index}\\n"'), (text,), (), None, 5.0)
    return send, Expect(_span(BACKLOG, 16, '"I am ${index}\\n"'), Exact((text,)), 2.0, None)


def backlog() -> list[Event]:
    """A queue that is too short, once seen by a client and once by the server's own step."""
    connect = Connect(_span(BACKLOG, 13, "connect"), 5.0)
    meet = Meet(_span(BACKLOG, 14, "all-in"), "all-in", 5)
    paused = WaitFor(_span(BACKLOG, 12, "paused"), "paused")
    actors = tuple(Actor(f"crowd[{i}]", (paused, *_connecting(i, connect), meet, *_greeting(i))) for i in range(5))
    queue = Comparison("queue", ">=", 5, _span(BACKLOG, 6, '">= 5"'))
    check = Check(_span(BACKLOG, 6, "check"), (queue, Comparison("listening", "==", 1, _span(BACKLOG, 6, "true"))), 2.0)
    server = (
        Pause(_span(BACKLOG, 3, "pause")),
        Mark(_span(BACKLOG, 4, "paused"), "paused"),
        WaitFor(_span(BACKLOG, 5, "all-in"), "all-in"),
        check,
        Resume(_span(BACKLOG, 7, "resume")),
    )
    shown = _case("backlog", BACKLOG, "crowd.backlog", actors, server)
    run = _signalled(_run(BACKLOG, 2).begin(shown), 0, 19)
    _marked(run.by(SERVER), 1, "paused")
    for index in range(5):
        _waited(run.by(f"crowd[{index}]"), 0, "paused")
        if index == 2:
            break
        run.connect()
        _marked(run, 2, f"crowd[{index}] connected")
        _marked(run, 4 if index else 3, "all-in")
        _waited(run.by(f"crowd[{index + 1}]"), 1, f"crowd[{index}] connected")
    run.by("crowd[2]").add(DeadlinePassed(run.after(5000), run.attempt, "crowd[2]", 2, 0))
    finding = run.finding(
        "no-connection",
        law="crowd.backlog",
        step=2,
        span=connect.span,
        message="the handshake was not finished within 5.00 s",
        expected="a connection",
        actual="no answer",
        received=0,
    )
    _released(run.by("crowd[3]"), 1, "crowd[2] connected")
    _released(run.by("crowd[4]"), 1, "crowd[3] connected")
    _released(run.by("crowd[0]"), 3, "all-in")
    _released(run.by("crowd[1]"), 4, "all-in")
    _released(run.by(SERVER), 2, "all-in")
    run.healthy().verdict("fail", finding).begin(shown)
    _marked(_signalled(run, 0, 19, 1).by(SERVER), 1, "paused")
    for index in range(5):
        _marked(run.by(f"crowd[{index}]").connect(), 4 if index else 3, "all-in")
    for index in range(5):
        _waited(run.by(f"crowd[{index}]"), 4 if index else 3, "all-in")
    _waited(run.by(SERVER), 2, "all-in")
    run.add(ServerChecked(run.after(2000), run.attempt, 3, (4.0, 1.0), ""))
    measured = run.finding(
        "wrong-measure",
        law="crowd.backlog",
        step=3,
        span=queue.span,
        message="queue is 4 where >= 5 was asked for",
        expected=">= 5",
        actual="4",
        received=0,
    )
    return _signalled(run, 4, 18, 1).healthy().verdict("fail", measured).finish()


def crowd(clients: int = 64) -> list[Event]:
    """Many clients that do the same, several of which get what is another's."""
    pieces: tuple[Piece, ...] = (b"I am ", Value("unique"), b", token ", Value("token"), b"\n")
    framed: tuple[Piece, ...] = (Prefixed("u32be", (Value("token"), b"!")),)
    place = _span(BACKLOG, 15, '"I am ${index}\\n"')
    connect = Connect(_span(BACKLOG, 13, "connect"), 5.0)
    actions: tuple[Action, ...] = (
        connect,
        Send(place, pieces, (), None, 5.0),
        Expect(_span(BACKLOG, 16, '"I am ${index}\\n"'), Exact(pieces), 2.0, None),
        Send(place, framed, (), None, 5.0, until_blocked=True),
        Close(place, False),
    )
    shown = _case("crowd", BACKLOG, "crowd.at-once", tuple(Actor(f"crowd[{i}]", actions) for i in range(clients)))
    run = _run(BACKLOG)
    run.begin(shown)
    begun = run.events.pop()
    assert isinstance(begun, CaseStarted)
    run.add(replace(begun, unique="7f3a"))
    names = [f"crowd[{index}]" for index in range(clients)]
    for name in names:
        run.by(name).connect()
    for index, name in enumerate(names):
        run.by(name).sent(0, 22, "none", 0.0)
        if index % 2:
            run.by(names[index - 1]).received(b"I am 7f3a, token abcd\n")
    findings = []
    for index in (17, 21, 22, 23, 24, 40):
        run.by(names[index]).received(b"I am 7f3a, token dcba\n")
        message = f"what came is wrong: byte {17 if index != 40 else 20} differs"
        findings.append(
            run.finding(
                "wrong-bytes",
                law="crowd.at-once",
                span=actions[2].span,
                message=message,
                expected='"I am 7f3a, token abcd\\n"',
                actual='"I am 7f3a, token dcba\\n"',
                received=22,
                difference=Difference(17, 0, b"I am 7f3a, token abcd\n", b"I am 7f3a, token dcba\n"),
            )
        )
    for index, name in enumerate(names):
        if index not in (17, 21, 22, 23, 24, 40):
            run.by(name).ended()
    run.add(Blocked(run.after(900), run.at, run.attempt, "crowd[17]", 3, 5_900_000))
    run.healthy().verdict("fail", *findings)
    return run.add(TargetStopped(run.after(3.0), run.target, 0, False)).finish()


def life() -> list[Event]:
    """All that the server's own steps do and see; in the end it does not start again."""
    figures = (
        Comparison("alive", "==", 1, _span(LIFE, 8, "true")),
        Comparison("cpu", "<", 1.0, _span(LIFE, 8, '"< 1"')),
        Comparison("open-files", "<=", 9, _span(LIFE, 8, '"<= 9"')),
    )
    restart = Restart(_span(LIFE, 10, "restart"))
    server = (
        WaitFor(_span(LIFE, 3, "in-flight"), "in-flight"),
        Signal(_span(LIFE, 4, "TERM"), 15),
        Exits(_span(LIFE, 5, "exits"), (0, -15), 2.0),
        Start(_span(LIFE, 6, "start")),
        Wait(_span(LIFE, 7, "300ms"), 0.3),
        Check(_span(LIFE, 8, "check"), figures, 2.0),
        Kill(_span(LIFE, 9, "kill")),
        restart,
    )
    connect, mark = Connect(_span(LIFE, 12, "connect"), 5.0), Mark(_span(LIFE, 13, "in-flight"), "in-flight")
    client = Actor("client", (connect, mark))
    run = _run(LIFE, 2).begin(_case("life", LIFE, "life.drain", (client,), server))
    _marked(run.connect(), 1, "in-flight")
    _signalled(_waited(run.by(SERVER), 0, "in-flight"), 1, 15)
    run.add(ServerDeadlinePassed(run.after(2000), run.attempt, 2))
    run.verdict(
        "fail",
        run.finding(
            "no-exit",
            law="life.stop",
            step=2,
            span=server[2].span,
            message="the server is still running 2.00 s after SIGTERM",
            expected="it ends with status 0 or by SIGTERM within 2.00 s",
            actual="it is still running",
        ),
    )
    run.add(TargetStopped(run.after(2000), run.target, -9, True)).serve()
    run.by("client").begin(_case("life", LIFE, "life.restart", (client,), server)).connect()
    _marked(run, 1, "in-flight")
    _signalled(_waited(run.by(SERVER), 0, "in-flight"), 1, 15)
    run.add(ServerExited(run.after(12), run.attempt, 2, -15))
    run.add(ServerStarted(run.after(40), run.attempt, 3, 4800, 0.039))
    run.add(ServerWaited(run.after(300), run.attempt, 4))
    run.add(ServerChecked(run.after(1), run.attempt, 5, (1.0, 0.02, None), "/proc/4800/fd cannot be read"))
    _signalled(_signalled(run, 6, 9), 6, 9, 0)
    output = b"Traceback (most recent call last):\nOSError: [Errno 98] Address already in use\n"
    run.output(output, "stderr")
    run.add(ServerNotStarted(run.after(30), run.attempt, 7, "it exited with status 1 before it listened", output))
    run.verdict(
        "fail",
        run.finding(
            "no-start",
            law="life.restart",
            step=7,
            span=restart.span,
            message="the server could not be started again: it exited with status 1 before it listened",
            expected="it listens again",
            actual="it exited with status 1",
        ),
    )
    return run.add(TargetExited(run.after(1), run.target, 1)).finish()


def known() -> list[Event]:
    """Two known failures of one reason, one of another, and one that passes although it is known to fail."""
    run = Stream().start(total=5).serve().passes()
    for name, why in (("pieces", "issue 12"), ("bytes", "issue 12"), ("end", "the server of week 3")):
        run.begin(replace(case(name), known_failure=why)).connect().sent(0, 5).received(b"hello").sent(5, 7, "none", 0)
        finding = run.ended().finding()
        run.healthy().verdict("skip", finding, reason=f"known failure: {why}")
    run.begin(replace(case("mended"), known_failure="issue 7")).connect().sent(0, 12, "none", 0)
    run.received(b"hello world\n").settled().close().healthy()
    message = "this scenario passed, although it is known to fail: issue 7"
    finding = run.finding("not-known-to-fail", at=0.0, message=message, expected="a failure", actual="it passed")
    run.verdict("fail", finding)
    return run.finish()
