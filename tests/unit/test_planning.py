"""Plans hold no references and no defaults, and give every step the time that its author gave it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockcheck.case import (
    Action,
    Actor,
    Await,
    Case,
    Close,
    Connect,
    Count,
    End,
    Exact,
    Expect,
    Form,
    Generated,
    Line,
    Quiet,
    Reset,
    Send,
    Shutdown,
    Until,
)
from sockcheck.errors import UsageError
from sockcheck.forms import (
    Span,
)
from sockcheck.planning import plan
from sockcheck.reading import read_scenario
from sockcheck.scenario import (
    Contract,
    Scenario,
    Timeouts,
)

CONTRACT = Contract(
    name="kv",
    path="kv/contract.yaml",
    parameters={"idle": "1s", "name": "bob"},
    promises={"clients": "64", "half-close": "no"},
    timeouts=Timeouts(expect=2.0, connect=5.0, ready=10.0, case=30.0),
)


def scenario(*steps: str, contract: Contract = CONTRACT, keys: str = "") -> Scenario:
    lines = "".join(f"  - {step}\n" for step in ("connect", *steps))
    payloads = "payloads: {big: {random: 8MiB, seed: 7}, again: {repeat: ab, size: 5}}"
    text = f"scenario: S\n{payloads}\n{keys}\nclient:\n{lines}"
    return read_scenario("kv/greets.sock.yaml", text, contract, lambda path: b"file")


def case_of(*steps: str, stretch: float = 1.0, case_timeout: float | None = None) -> Case:
    (case,) = plan(scenario(*steps), seed=1, stretch=stretch, case_timeout=case_timeout)
    return case


def actions(*steps: str, stretch: float = 1.0) -> tuple[Action, ...]:
    """What the steps after `connect` become."""
    return case_of(*steps, stretch=stretch).actors[0].actions[1:]


def send(step: str) -> Send:
    (action,) = actions(step)
    assert isinstance(action, Send)
    return action


def form(written: str) -> Form:
    (action,) = actions(f"expect: {written}")
    assert isinstance(action, Expect)
    return action.form


def span(column: int, end: int) -> Span:
    return Span("kv/greets.sock.yaml", 6, column, end)


def test_a_scenario_is_one_case() -> None:
    read = scenario(keys="law: cut.at-k\nhint: Loop.\nskip: not today")
    (case,) = plan(read, seed=1)
    assert case == Case(
        id="kv/greets::plain",
        contract="kv",
        scenario="greets",
        title="S",
        law="cut.at-k",
        hint="Loop.",
        actors=(Actor("client", (Connect(Span("kv/greets.sock.yaml", 7, 5, 12), 5.0),)),),
        deadline=30.0,
        span=Span("kv/greets.sock.yaml", 1, 11, 12),
        skip="not today",
    )


def test_options_of_connect_are_kept() -> None:
    options = "{receive-buffer: 1, send-buffer: 2, segment-size: 88, no-delay: no, within: 1s}"
    text = f"scenario: S\nclient: [connect: {options}]"
    (case,) = plan(read_scenario("a.sock.yaml", text, CONTRACT, lambda path: b""), seed=1)
    (connect,) = case.actors[0].actions
    assert isinstance(connect, Connect)
    assert (connect.receive_buffer, connect.send_buffer, connect.segment_size, connect.no_delay) == (1, 2, 88, False)
    assert (connect.within, connect.outcome) == (1.0, "connected")


def test_steps_become_actions_with_defaults() -> None:
    steps = ("send: a", "expect: a", "await: read", "quiet: 300ms", "shutdown: write", "end: any", "close: unread")
    where = [Span("kv/greets.sock.yaml", 6 + line, 5, 7 + len(step) - 2) for line, step in enumerate(steps)]
    assert actions(*steps) == (
        Send(where[0], (b"a",), (), None, 2.0),
        Expect(where[1], Exact((b"a",)), 2.0, None),
        Await(where[2], "read", 2.0),
        Quiet(where[3], 0.3),
        Shutdown(where[4], "write"),
        End(where[5], "any", 2.0, None),
        Close(where[6], unread=True),
    )
    assert actions("reset") == (Reset(span(5, 10)),)


@pytest.mark.parametrize(
    ("written", "pieces"),
    [
        ("a", (b"a",)),
        ('""', ()),
        ("[a, {hex: ff}, '${name}!', {u8: 1}, {file: x}]", (b"a\xffbob!\x01file",)),
        ("{payload: big}", (Generated("random", 8 * 1024**2, 7, b""),)),
        ("[a, b, {payload: again, first: 3}, c]", (b"ab", Generated("repeat", 3, 0, b"ab"), b"c")),
        ("[a, {payload: big, first: 0}]", (b"a",)),
        ("[{payload: again}, {payload: again}]", (Generated("repeat", 5, 0, b"ab"),) * 2),
    ],
)
def test_bytes_that_touch_are_one_piece(written: str, pieces: tuple[bytes | Generated, ...]) -> None:
    assert send(f"send: {written}").pieces == pieces


def test_forms() -> None:
    assert form("[a, '${name}']") == Exact((b"abob",))
    assert form("{line: a+, ends: lf}") == Line((b"a+",), "lf")
    assert form("{until: [a, {hex: 00}], matches: [b, c]}") == Until(b"a\0", ((b"b",), (b"c",)))
    assert form("{bytes: 7}") == Count(7, None)


def test_parameters_take_the_place_of_the_contracts() -> None:
    read = scenario("send: '${name}'", "quiet: '${idle} + 500ms'")
    (case,) = plan(read, seed=1, parameters={"name": "alice", "idle": "2s", "other": "x"})
    sent, quiet = case.actors[0].actions[1:]
    assert isinstance(sent, Send)
    assert sent.pieces == (b"alice",)
    assert isinstance(quiet, Quiet)
    assert quiet.duration == 2.5
    with pytest.raises(UsageError, match="the parameter 'idle' is 'soon', not a duration"):
        plan(read, seed=1, parameters={"idle": "soon"})


def test_cuts_become_positions() -> None:
    assert send("{send: hello, cut: [1, 4]}").cuts == (1, 4)
    assert send("{send: ['${name}', b], cut: every-byte}").cuts == (1, 2, 3)
    assert send("{send: 'a${name}', cut: {random: 4096}}").cuts == (1, 2, 3)
    fixed = send("{send: {payload: big}, cut: {random: 9, seed: 3}}").cuts
    assert fixed is not None
    assert len(fixed) == 9
    assert list(fixed) == sorted(fixed)


def test_random_cuts_follow_from_the_seed_and_the_place() -> None:
    read = scenario(
        *["{send: {payload: big}, cut: {random: 9}}"] * 2, "{send: {payload: big}, cut: {random: 9, seed: 3}}"
    )

    def cuts(seed: int) -> list[tuple[int, ...] | None]:
        (case,) = plan(read, seed=seed)
        return [action.cuts for action in case.actors[0].actions if isinstance(action, Send)]

    one, again, other = cuts(1), cuts(1), cuts(2)
    assert one == again
    assert one[0] != one[1]
    assert one[0] != other[0]
    assert one[2] == other[2]


def test_stretch_multiplies_deadlines_and_nothing_else() -> None:
    steps = ("{send: ab, cut: 1, gap: 10ms, within: 1s}", "{expect: a, after: 1s, within: 3s}", "quiet: 1s", "end: eof")
    sent, expected, quiet, end = actions(*steps, stretch=3.0)
    assert isinstance(sent, Send)
    assert (sent.gap, sent.within) == (0.01, 3.0)
    assert isinstance(expected, Expect)
    assert (expected.after, expected.within) == (1.0, 9.0)
    assert isinstance(quiet, Quiet)
    assert quiet.duration == 1.0
    assert isinstance(end, End)
    assert (end.after, end.within) == (None, 6.0)


def test_what_lies_behind_after_is_never_taken_away() -> None:
    (expected,) = actions("{expect: a, after: 5s}")
    assert isinstance(expected, Expect)
    assert expected.within == 7.0
    (expected,) = actions("{expect: a, after: 5s, within: 6s}", stretch=0.5)
    assert isinstance(expected, Expect)
    assert expected.within == 5.5


@pytest.mark.parametrize(
    ("steps", "stretch", "case_timeout", "deadline"),
    [
        ((), 1.0, None, 30.0),
        ((), 2.0, None, 60.0),
        ((), 2.0, 5.0, 10.0),
        (("quiet: 40s",), 2.0, None, 100.0),
        (("{send: abc, cut: [1, 2], gap: 10s}",), 1.0, None, 50.0),
        (("{end: eof, after: 20s}",), 1.0, 1.0, 21.0),
        (("{expect: a, within: 20s}", "{await: read, within: 21s}"), 1.0, None, 41.0),
        (("{expect: a, within: 20s}",), 2.0, 5.0, 40.0),
    ],
)
def test_a_case_lasts_as_long_as_its_waits(
    steps: tuple[str, ...], stretch: float, case_timeout: float | None, deadline: float
) -> None:
    assert case_of(*steps, stretch=stretch, case_timeout=case_timeout).deadline == pytest.approx(deadline)


STEPS = st.sampled_from(
    [
        "quiet: 7s",
        "{send: abc, cut: every-byte, gap: 2s}",
        "{send: abc, within: 9s}",
        "{expect: a, after: 3s}",
        "{expect: a, after: 3s, within: 4s}",
        "{expect: a, within: 50s}",
        "{await: accepted, within: 11s}",
    ]
)


@given(steps=st.lists(STEPS, max_size=6), stretch=st.sampled_from([0.25, 1.0, 3.0]), timeout=st.floats(0.01, 100))
def test_no_case_ends_before_its_explicit_waits(steps: list[str], stretch: float, timeout: float) -> None:
    case = case_of(*steps, stretch=stretch, case_timeout=timeout)
    needed = 0.0
    for written, action in zip(["connect", *steps], case.actors[0].actions, strict=True):
        match action:
            case Quiet():
                needed += action.duration
            case Send():
                assert action.cuts is not None
                needed += (action.gap or 0.0) * len(action.cuts) + (action.within if "within" in written else 0.0)
            case Expect():
                needed += action.within if "within" in written else action.after or 0.0
            case Await():
                needed += action.within
            case _:
                assert isinstance(action, Connect)
    assert case.deadline >= needed - 1e-9


@pytest.mark.parametrize(
    ("needs", "skip"),
    [
        ("[clients]", ""),
        ("[clients, half-close]", "'half-close' is needed, which the contract 'kv' does not promise"),
        ("[ipv6]", "'ipv6' is needed, which the contract 'kv' does not promise"),
    ],
)
def test_what_needs_a_promise_is_skipped_without_it(needs: str, skip: str) -> None:
    (case,) = plan(scenario(keys=f"needs: {needs}"), seed=1)
    assert case.skip == skip


def test_a_reason_to_skip_goes_before_a_need() -> None:
    (case,) = plan(scenario(keys="needs: ipv6\nskip: not today"), seed=1)
    assert case.skip == "not today"


def test_without_a_contract_everything_is_asked() -> None:
    (case,) = plan(scenario(contract=Contract(name="kv", path="kv"), keys="needs: ipv6"), seed=1)
    assert case.skip == ""
