"""Which cause is named for which pattern of failing and passing cases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_builder import case as built_case
from report_builder import pieces_actions

from sockcheck.case import Actor, Connect, Generated, Piece, Prefixed, Send, Shutdown, Value
from sockcheck.causes import UNKNOWN, Result, name_causes, told
from sockcheck.causes.table import TABLE
from sockcheck.forms import (
    Span,
)
from sockcheck.laws import LAWS
from sockcheck.verdict import Difference, Finding, Kind, Outcome, Verdict


def result(
    law: str,
    *kinds: Kind,
    says: str = "it was wrong",
    traits: tuple[str, ...] = (),
    variation: str = "",
    scenario: str = "",
    outcome: Outcome = "fail",
    after: tuple[str, ...] = (),
    breaks: str = "",
    difference: Difference | None = None,
    received: int = 0,
) -> Result:
    """A case of that law, which failed with findings of these kinds, or passed where there are none.

    With a `variation` it is derived from the exchange `hello`, else it is a scenario of its own.
    """
    scenario = scenario or ("hello" if variation or law == "plain" else law)
    name = f"echo/{scenario}::{law}({variation})" if variation else f"echo/{scenario}::plain"
    findings = tuple(
        Finding(kind, breaks or law, "", 0, Span("", 0, 0, 0), says, "", "", received, 0.0, difference)
        for kind in kinds
    )
    case = replace(built_case(scenario, law=law), id=name, variation=variation, traits=traits)
    if law.startswith("leave."):
        case = replace(case, actors=(*case.actors, Actor("next", pieces_actions())))
    return Result(case, Verdict(outcome if kinds else "pass", findings), after, by_chance=outcome == "flaky")


def named(*results: Result) -> list[str]:
    return [cause.id for cause in name_causes(results)]


PLAIN = result("plain")


def cut(trait: str, *kinds: Kind) -> Result:
    return result("cut.at-k", *kinds, traits=(trait,), variation=trait)


def size(trait: str, *kinds: Kind) -> Result:
    return result("size.edges", *kinds, traits=(trait,), variation=trait)


def to(host: str, one: Result) -> Result:
    """The same, by that address."""
    [actor] = one.case.actors
    connect = Connect(one.case.span, 5.0, host=host)
    actors = (replace(actor, actions=(connect, *actor.actions[1:])),)
    return replace(one, case=replace(one.case, id=f"{one.case.id}({host})", actors=actors))


def server_ends(one: Result) -> Result:
    """The same, but for the half-close: the server is to end the connection by itself."""
    [actor] = one.case.actors
    actions = tuple(action for action in actor.actions if not isinstance(action, Shutdown))
    return replace(one, case=replace(one.case, actors=(replace(actor, actions=actions),)))


def reading_only(one: Result) -> Result:
    """The same, without a half-close."""
    [actor] = one.case.actors
    return replace(one, case=replace(one.case, actors=(replace(actor, actions=actor.actions[:3]),)))


def saying(piece: Piece, one: Result) -> Result:
    """The same, with a client that sends just that."""
    actors = (Actor("client", pieces_actions((piece,), ())),)
    return replace(one, case=replace(one.case, actors=actors))


def no_text(one: Result) -> Result:
    return saying(Generated("random", 9, 1, b""), one)


def silent(one: Result) -> Result:
    """The same, with a client that sends nothing."""
    [actor] = one.case.actors
    actions = tuple(action for action in actor.actions if not isinstance(action, Send))
    return replace(one, case=replace(one.case, actors=(replace(actor, actions=actions),)))


PREFIXED = Difference(2, 0, b"> hello\n", b"> OK...hello\n")
LENGTH = Difference(0, 0, b"\x00\x05hello", b"\x05\x00hello")
NO_LINE = Difference(0, 0, b"half a li", b"")
BEHIND_A_LINE = Difference(4, 0, b"\x08\t\r\n\x0b\x0c", b"\x08\t\r\n")
BEFORE_A_LINE = Difference(4, 0, b"\x08\t\r\n\x0b\n", b"\x08\t\r\n")
INSIDE_A_LINE = Difference(3, 0, b"hello", b"hel")
NOT_IN_ORDER = "the connection ended by a reset (ECONNRESET), not in order, after 6 bytes"
WITHOUT_END = "the connection did not end within 2.00 s"
NAMED: list[tuple[str, list[Result]]] = [
    ("sigpipe", [result("leave.reset-at-k", "exited", says="the server was killed by SIGPIPE during this case")]),
    ("select-limit", [result("crowd.many", "exited", says="killed by SIGABRT"), result("crowd.at-once")]),
    ("select-limit", [result("crowd.many", "silence")]),
    ("fixed-buffer", [result("size.large", "exited", says="the server was killed by SIGSEGV")]),
    ("fixed-buffer", [size("above-power", "silence"), size("below-power"), result("size.large", "silence")]),
    ("accepts-once", [result("plain", "exited", says="the server exited with status 0 during this case")]),
    ("accepts-once", [PLAIN, result("plain.again", "silence"), result("crowd.at-once", "silence")]),
    ("alive-but-deaf", [result("leave.reset-at-k", "deaf", variation="queued"), PLAIN]),
    ("alive-but-deaf", [result("leave.reset-at-k", "no-connection", variation="client.1"), PLAIN]),
    ("out-of-files", [result("limit.files", "spinning"), PLAIN]),
    ("uncaught-error", [result("leave.reset-at-k", "exited", says="the server exited with status 1"), PLAIN]),
    ("leaks-descriptors", [result("churn.leak", "leaking", says="the server keeps 1 descriptors of each connection")]),
    ("leaks-descriptors", [result("churn.leak", "wrong-measure", says="open-files 212, not < 20")]),
    ("leaks-threads", [result("churn.leak", "leaking", says="the server keeps 1 threads of each connection")]),
    ("leaks-threads", [result("churn.leak", "wrong-measure", says="threads 212, not < 20")]),
    ("zombies", [result("churn.leak", "leaking", says="the server keeps 1 child processes of each connection")]),
    ("zombies", [result("churn.leak", "wrong-measure", says="children 212, not < 20")]),
    ("busy-loop", [result("churn.spin", "spinning", traits=("idle",)), result("end.half", "spinning")]),
    ("busy-loop", [PLAIN, result("churn.spin", "spinning", traits=("deaf",), variation="deaf")]),
    ("ignores-eof", [result("churn.spin", "spinning", traits=("close",)), result("churn.spin", variation="idle")]),
    ("unbounded-input", [result("limit.endless", "wrong-measure"), PLAIN]),
    ("no-reuseaddr", [result("life.restart", "no-start"), PLAIN]),
    ("orphans", [result("life.stop", "no-exit", says="2 processes were left"), PLAIN]),
    ("orphans", [result("life.stop", "no-start"), result("life.restart", "no-start")]),
    ("drops-in-flight", [result("life.drain", "missing-bytes"), PLAIN]),
    ("ignores-sigterm", [result("life.stop", "no-exit"), PLAIN]),
    ("bind-error-ignored", [result("life.taken", "no-exit"), PLAIN]),
    ("ipv4-only", [to("::1", result("host.any", "refused")), to("127.0.0.2", result("host.any"))]),
    ("loopback-only", [to("127.0.0.2", result("host.any", "refused")), to("::1", result("host.any", "refused"))]),
    ("says-more", [result("plain", "wrong-bytes"), silent(result("end.half", "surplus-bytes")),
                   cut("in-body", "came")]),
    ("says-more", [result("plain", "wrong-bytes", difference=PREFIXED), result("limit.garbage", "wrong-bytes")]),
    ("wrong-bytes-order", [result("plain", "wrong-bytes", difference=LENGTH)]),
    ("not-flushed", [result("plain", "silence"), result("end.half"), result("cut.at-k", "silence", variation="1")]),
    ("not-flushed", [result("plain", "silence"), result("size.large", "silence", says="not all of it came")]),
    ("by-line", [PLAIN, result("size.edges", "silence", difference=NO_LINE),
                 result("limit.garbage", "silence", difference=BEHIND_A_LINE, received=4),
                 result("leave.reset-at-k", "silence", difference=NO_LINE)]),
    ("split-length", [PLAIN, cut("in-length", "silence"), cut("in-body"), result("cut.every-byte", "silence")]),
    ("split-character", [PLAIN, cut("in-character", "wrong-bytes"), cut("in-body")]),
    ("split-delimiter", [PLAIN, cut("in-delimiter", "silence"), cut("in-body"), result("cut.every-byte", "silence")]),
    ("one-recv", [PLAIN, cut("in-body", "reset"), cut("in-delimiter", "silence"), result("pace.slow", "reset")]),
    ("one-recv", [PLAIN, result("cut.at-k", "missing-bytes", scenario="cut-in-two"), result("merge.sends", "silence")]),
    ("one-turn", [PLAIN, result("cut.at-k", "missing-bytes", received=2), result("pace.slow", "missing-bytes")]),
    ("one-turn", [PLAIN, result("plain", "missing-bytes", says="none of it came", scenario="two-turns", received=2),
                  result("size.edges", "missing-bytes")]),
    ("tail-dropped", [PLAIN, cut("in-body"), result("merge.sends", "silence"), result("merge.pipeline", "silence")]),
    ("tail-dropped", [PLAIN, cut("in-body"), result("merge.pipeline", "silence")]),
    ("tail-dropped", [PLAIN, result("cut.every-byte"), result("merge.sends", "silence"), result("cut.at-k", "reset")]),
    ("impatient", [PLAIN, result("cut.every-byte"), result("pace.slow", "early-end"), result("cut.at-k", "reset")]),
    ("half-close-is-close", [PLAIN, result("merge.with-end", "reset"), result("end.half", "reset")]),
    ("reordered", [PLAIN, result("merge.sends"), result("merge.pipeline", "wrong-bytes")]),
    ("text-mode", [PLAIN, result("limit.garbage", "missing-bytes", scenario="all-bytes")]),
    ("full-buffer-is-special", [PLAIN, size("power", "silence"), size("below-power"), size("above-power")]),
    ("full-buffer-is-special", [PLAIN, size("below-power", "silence"), size("power"), size("above-power")]),
    ("hard-close", [result("plain", "reset", says=NOT_IN_ORDER), result("end.orderly", "reset")]),
    ("hard-close", [PLAIN, result("end.orderly", "reset", says=NOT_IN_ORDER), result("size.large", "reset")]),
    ("one-recv", [PLAIN, cut("in-body", "reset"), result("time.prompt", "missing-bytes", says="none of it came"),
                  result("plain", "early-end", scenario="silence")]),
    ("one-recv", [cut("in-body", "wrong-bytes"), result("merge.sends", "wrong-bytes")]),
    ("shared-buffer", [PLAIN, result("neighbour.stalled", "wrong-bytes")]),
    ("one-at-a-time", [PLAIN, result("neighbour.stalled", "silence"), result("crowd.interleaved", "silence")]),
    ("one-at-a-time", [PLAIN, result("crowd.at-once", "no-connection")]),
    ("shared-buffer", [PLAIN, result("neighbour.idle"), result("crowd.interleaved", "silence")]),
    ("ignores-eof", [PLAIN, result("churn.spin", "spinning"), result("end.orderly", "silence", says=WITHOUT_END)]),
    ("closes-unread", [PLAIN, result("end.orderly", "reset"), result("merge.pipeline", "reset")]),
    ("never-closes", [result("plain", "silence", says=WITHOUT_END), result("end.half", "silence", says=WITHOUT_END)]),
    ("tail-lost", [PLAIN, result("end.half", "missing-bytes", scenario="tail-at-end")]),
    ("half-close-is-close", [PLAIN, result("end.half", "missing-bytes"), result("merge.with-end", "missing-bytes")]),
    ("short-send", [PLAIN, cut("in-body"), size("above-power"), result("size.large", "silence")]),
    ("half-close-is-close", [PLAIN, result("size.large", "missing-bytes")]),
    ("impatient", [PLAIN, reading_only(result("size.large", "missing-bytes"))]),
    ("impatient", [PLAIN, result("size.edges"), result("size.large", "reset")]),
    (
        "not-flushed",
        [server_ends(PLAIN), result("merge.with-end"), result("plain", "silence", scenario="stays")],
    ),
    ("closes-unread", [PLAIN, result("size.large", "reset")]),
    ("text-mode", [PLAIN, result("limit.garbage", "silence"), no_text(result("cut.at-k", "silence", scenario="random")),
                   no_text(result("leave.close-at-k", "reset"))]),
    # strlen() goes on into what is left of what came before.
    ("text-mode", [PLAIN, result("limit.garbage", "silence"), result("pace.slow", "surplus-bytes"),
                   result("cut.at-k", "wrong-bytes", scenario="cut-in-three"),
                   result("neighbour.fails", "surplus-bytes")]),
    ("says-more", [result("plain", "surplus-bytes"), result("cut.at-k", "wrong-bytes", scenario="cut-in-two")]),
    ("no-newline", [result("plain", "silence", difference=Difference(5, 0, b"hello\n", b"hello")),
                    result("cut.at-k", "wrong-bytes", scenario="cut-in-two",
                           difference=Difference(5, 0, b"hello world\n", b"hellow"))]),
    ("one-request", [PLAIN, result("plain", "early-end", scenario="silence", received=6),
                     result("plain", "missing-bytes", scenario="two-turns", received=6),
                     no_text(result("cut.at-k", "reset", scenario="random", received=9)), cut("in-body")]),
    ("state-apart", [PLAIN, result("crowd.interleaved", "wrong-bytes", scenario="shared"),
                     result("leave.close-at-k", "wrong-bytes", scenario="state-stays"),
                     result("leave.reset-at-k", "wrong-bytes", scenario="reset-in-request")]),
    ("one-at-a-time", [PLAIN, result("crowd.interleaved", "silence")]),
    ("tail-dropped", [PLAIN, result("cut.at-k", scenario="cut-in-two"), result("cut.every-byte", "missing-bytes"),
                      result("merge.sends", "silence", says="not all of it came")]),
    ("one-recv", [PLAIN, result("cut.at-k", "silence", scenario="cut-in-two"), result("crowd.at-once", "reset")]),
    ("fixed-buffer", [PLAIN, result("size.edges", "silence"), result("size.large", "wrong-bytes")]),
    ("full-buffer-is-special", [PLAIN, result("size.edges", "silence"), result("size.large")]),
    ("stale-state", [PLAIN, result("churn.leak", "refused", variation="close")]),
    ("stale-state", [PLAIN, result("time.idle", "wrong-bytes")]),
    ("alive-but-deaf", [PLAIN, result("limit.files", "silence")]),
    ("never-closes", [result("plain", "silence", says=WITHOUT_END), result("churn.leak", "leaking")]),
    ("held-back", [PLAIN, result("time.prompt", "silence")]),
    ("timer-not-renewed", [PLAIN, result("time.idle", "early-end", traits=("renewed",)), result("time.idle")]),
    ("timer-not-renewed", [PLAIN, result("time.idle", "early-end", scenario="idle-renewed")]),
    ("impatient", [PLAIN, result("pace.slow", "early-end")]),
    ("impatient", [PLAIN, result("time.idle", "early-end", traits=("below",))]),
    ("no-idle-close", [PLAIN, result("time.idle", "silence", traits=("beyond",))]),
    ("one-at-a-time", [PLAIN, result("neighbour.idle", "silence"), result("crowd.at-once", "no-connection")]),
    ("blocking-send", [PLAIN, result("neighbour.idle"), result("neighbour.deaf", "silence")]),
    ("shared-buffer", [PLAIN, result("crowd.interleaved", "wrong-bytes"), result("crowd.at-once", "wrong-bytes")]),
    ("unlocked-writes", [PLAIN, result("crowd.interleaved"), result("crowd.at-once", "wrong-bytes")]),
    ("one-ends-all", [PLAIN, result("neighbour.fails", "reset"), result("limit.garbage", "reset", variation="all")]),
    ("one-ends-all", [PLAIN, result("limit.garbage", "reset", variation="all")]),
    ("short-backlog", [PLAIN, result("crowd.backlog", "no-connection")]),
    ("stale-state", [PLAIN, result("leave.reset-at-k", "wrong-bytes", variation="client.3")]),
    ("stale-state", [PLAIN, result("plain.again", "wrong-bytes")]),
    ("not-flushed", [result("plain", "silence"), result("plain", scenario="long"), size("below-power", "silence"),
                     size("power")]),
    ("fixed-buffer", [PLAIN, size("power", "wrong-bytes"), size("below-power"), result("plain.again", "missing-bytes"),
                      result("pace.slow", "silence")]),
    ("held-back", [PLAIN, result("time.prompt", "held-back")]),
    ("loses-clients", [PLAIN, result("crowd.queued", "silence"), result("churn.leak", "stalled", variation="close"),
                       result("leave.close-at-k", "no-connection")]),
    ("one-at-a-time", [PLAIN, result("crowd.queued", "silence"), result("neighbour.idle", "silence")]),
    ("flushes-input", [PLAIN, result("merge.before-accept", "silence"), result("merge.pipeline")]),
    ("flushes-input", [PLAIN, result("crowd.queued", "silence"), result("merge.before-accept", "silence")]),
    ("unlocked-writes", [PLAIN, result("crowd.at-once", "wrong-bytes"), result("neighbour.deaf", "wrong-bytes")]),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "results"), NAMED)
def test_one_cause_explains_all(cause: str, results: list[Result]) -> None:
    [found] = name_causes(results)
    assert found.id == cause
    assert {each.case.id for each in found.results} == {each.case.id for each in results if each.failed}
    assert found.why == LAWS[found.law]


@pytest.mark.parametrize("actual", [b"other\n", b"hel", b"ello\n"])
def test_another_answer_is_not_more_than_was_asked_for(actual: bytes) -> None:
    different = result("plain", "wrong-bytes", difference=Difference(0, 0, b"hello\n", actual))
    assert named(different, result("plain", "wrong-bytes", scenario="bye")) == [UNKNOWN]
    surplus = silent(result("end.half", "surplus-bytes"))
    assert "says-more" not in named(PLAIN, result("plain", "wrong-bytes", scenario="bye"), surplus)


def test_every_cause_is_named_above() -> None:
    assert {cause for cause, _ in NAMED} == {entry.id for entry in TABLE}


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.id)
def test_every_entry_is_whole(entry: object) -> None:
    [found] = [each for each in TABLE if each is entry]
    assert found.law in LAWS
    assert found.title == found.title.strip(". ")
    assert found.thought.endswith(".")
    assert [each.id for each in TABLE].count(found.id) == 1
    for mend in (found.python, found.c):
        assert 1 <= len(mend.splitlines()) <= 4
        assert all(line == line.rstrip() and line.isprintable() for line in mend.splitlines())


def test_nothing_is_named_where_nothing_fails() -> None:
    skipped = result("plain", "silence", outcome="skip")
    mended = result("cut.at-k", "not-known-to-fail")
    assert mended.passed
    assert name_causes([PLAIN, skipped, mended]) == ()


def test_several_faults_give_several_causes_and_the_one_that_explains_most_comes_first() -> None:
    killed = result("leave.reset-at-k", "exited", says="the server was killed by SIGPIPE during this case")
    assert named(killed, PLAIN, cut("in-body", "silence"), cut("in-delimiter", "silence")) == ["one-recv", "sigpipe"]


def test_what_nothing_matches_is_unknown_one_for_each_law() -> None:
    results = [
        result("life.restart", "silence", scenario="a"),
        result("life.restart", "silence", scenario="b", breaks="datagram.whole"),
        result("plain", "wrong-bytes", scenario="c"),
        result("plain", "wrong-bytes", scenario="d", difference=Difference(1, 0, b"ab", b"a")),
    ]
    causes = name_causes(results)
    assert [(cause.id, cause.title, len(cause.results)) for cause in causes] == [
        (UNKNOWN, "no known pattern: plain", 2),
        (UNKNOWN, "no known pattern: life.restart", 1),
        (UNKNOWN, "no known pattern: datagram.whole", 1),
    ]
    assert causes[0].why == LAWS["plain"]
    assert name_causes([result("a-law-of-tomorrow", "silence")])[0].why == ""


@pytest.mark.parametrize(
    ("piece", "cause"),
    [
        (b"no\x00text\n", "text-mode"),
        (b"\xff\xfe\n", "text-mode"),
        (Generated("random", 9, 1, b""), "text-mode"),
        (Generated("repeat", 9, 0, b"ab"), UNKNOWN),
        ("\u00e9t\u00e9\n".encode(), UNKNOWN),
        (Value("unique"), UNKNOWN),
    ],
)
def test_an_exchange_that_fails_with_what_is_no_text_alone_is_in_text_mode(piece: Piece, cause: str) -> None:
    failing = saying(piece, result("plain", "missing-bytes", scenario="sent"))
    assert named(PLAIN, failing) == [cause]
    assert named(saying(piece, result("plain", scenario="passing")), failing) == [UNKNOWN]
    assert named(PLAIN, failing, result("plain", "missing-bytes", scenario="text")) == [UNKNOWN]


@pytest.mark.parametrize(
    ("law", "trait", "simpler", "cause"),
    [
        ("crowd.interleaved", "by-halves", cut("in-body", "silence"), "one-recv"),
        ("end.half", "many-replies", result("merge.pipeline", "silence", variation="1"), "tail-dropped"),
        ("churn.leak", "half-close", result("end.half", "missing-bytes", variation="1"), "half-close-is-close"),
    ],
)
def test_what_a_variation_does_besides_its_law_is_no_evidence_for_the_law(
    law: str, trait: str, simpler: Result, cause: str
) -> None:
    whole = cut("in-delimiter")
    failing = result(law, "wrong-bytes", traits=(trait,), variation=trait)
    [found] = name_causes([PLAIN, whole, simpler, failing])
    assert (found.id, found.results) == (cause, (simpler, failing))
    elsewhere = replace(failing, case=replace(failing.case, id=failing.case.id.replace("hello", "other")))
    # A law about the server as a whole is tried with one exchange, and explained by any; so is who breaks on many
    # requests at once.
    by_any = law in ("churn.leak", "end.half")
    assert len(name_causes([PLAIN, whole, simpler, elsewhere])[0].results) == 1 + by_any
    otherwise = replace(failing, case=replace(failing.case, traits=()))
    assert len(name_causes([PLAIN, whole, simpler, otherwise])[0].results) == 1
    passing = replace(simpler, verdict=Verdict("pass"))
    assert cause not in named(PLAIN, whole, passing, failing)


@pytest.mark.parametrize(
    ("difference", "cause"),
    [
        (Difference(1, 0, "gr\u00fc".encode()[1:], b"r\xef\xbf\xbd"), "split-character"),
        (Difference(2, 0, "x\uff21".encode(), "x\ufffd".encode()), "split-character"),
        (Difference(1, 0, b"rue", b"r\xef\xbf\xbd"), "one-recv"),
        (Difference(1, 0, b"r\xc3\xbc", b"r?"), "one-recv"),
        (None, "one-recv"),
    ],
)
def test_who_puts_something_else_for_half_a_character_decodes_each_piece(
    difference: Difference | None, cause: str
) -> None:
    every_byte = result("cut.every-byte", "wrong-bytes", variation="1", difference=difference)
    assert named(PLAIN, every_byte) == [cause]


def test_what_fails_only_behind_an_idle_neighbour_does_not_say_that_idle_neighbours_are_waited_for() -> None:
    idle = result("neighbour.idle", variation="20 idle")
    behind = result("crowd.interleaved", "silence", variation="1", after=(idle.case.id,))
    queued = result("crowd.queued", "silence", variation="1")
    assert named(PLAIN, idle, queued, behind) == ["loses-clients"]


def test_a_long_row_of_cases_before_a_failure_says_nothing_of_what_they_do() -> None:
    left = [result("leave.close-at-k", variation=f"after {number}") for number in range(9)]
    for some, cause in ((left, UNKNOWN), (left[:2], "alive-but-deaf")):
        behind = result("crowd.interleaved", "silence", variation="1", after=tuple(each.case.id for each in some))
        assert named(PLAIN, *left, behind) == [cause]


def test_who_hangs_up_and_takes_what_comes_in_pieces_does_not_take_one_recv_for_all() -> None:
    hangs_up = result("plain", "early-end", says="none of it came", scenario="two-turns", received=2)
    assert named(PLAIN, hangs_up) == ["one-request"]
    assert named(PLAIN, hangs_up, result("cut.at-k", variation="1")) == ["one-request"]
    missing = result("plain", "missing-bytes", says="none of it came", scenario="two-turns", received=2)
    assert named(PLAIN, missing, result("cut.at-k", variation="1")) == [UNKNOWN]


def test_where_few_may_wait_a_crowd_is_not_served_at_once() -> None:
    short = result("crowd.backlog", "wrong-measure", variation="1")
    assert named(PLAIN, short, result("crowd.at-once", "silence", variation="1")) == ["short-backlog"]


@pytest.mark.parametrize("difference", [BEFORE_A_LINE, INSIDE_A_LINE, None])
def test_who_loses_something_else_than_what_stands_behind_the_last_newline_does_not_wait_for_lines(
    difference: Difference | None,
) -> None:
    nothing = result("size.edges", "silence", difference=NO_LINE)
    whole = result("limit.garbage", "silence", difference=BEHIND_A_LINE, received=4)
    assert named(PLAIN, nothing, whole) == ["by-line"]
    other = result("size.large", "silence", difference=difference, received=4)
    assert "by-line" not in named(PLAIN, nothing, other)
    assert "by-line" not in named(PLAIN, nothing, whole, other)


def test_who_is_silent_now_and_then_and_always_before_accept_flushes_its_input() -> None:
    other = result("plain", scenario="other")
    silent = result("plain", "silence", outcome="flaky"), size("small", "silence"), size("above-power")
    before = result("merge.before-accept", "silence", variation="1")
    assert named(other, *silent) == ["not-flushed"]
    assert "flushes-input" in named(other, *silent, before)
    now_and_then = replace(before, verdict=replace(before.verdict, outcome="flaky"), by_chance=True)
    assert named(other, *silent, now_and_then) == ["not-flushed"]


def test_one_exchange_that_is_not_answered_where_others_are_is_no_buffer_that_is_not_flushed() -> None:
    assert named(PLAIN, result("merge.with-end"), result("plain", "silence", scenario="other")) == [UNKNOWN]


def test_who_breaks_on_bytes_and_decodes_each_piece_does_both() -> None:
    bytes_, character = result("limit.garbage", "missing-bytes"), cut("in-character", "missing-bytes")
    random = no_text(result("cut.at-k", "missing-bytes", scenario="random"))
    assert named(PLAIN, bytes_, random, character) == ["text-mode", "split-character"]


def test_who_does_not_answer_a_line_without_an_end_waits_for_it() -> None:
    line = result("leave.close-at-k", "silence", difference=NO_LINE)
    without = saying(b"half a li", line)
    assert named(PLAIN, without, no_text(result("limit.garbage", "silence"))) == ["by-line", "text-mode"]
    assert named(saying(b"hello", PLAIN), without) == [UNKNOWN]
    assert named(PLAIN, replace(without, after=("echo/hello::plain",))) == ["stale-state"]


def test_who_answers_twice_does_not_hang_up_behind_its_first_recv() -> None:
    cut_off = result("cut.at-k", "missing-bytes", received=5, scenario="cut-in-character")
    assert named(PLAIN, cut_off) == ["one-turn"]
    [actor] = PLAIN.case.actors
    turns = replace(actor, actions=(*actor.actions[:3], *actor.actions[1:3]))
    twice = replace(PLAIN, case=replace(PLAIN.case, id="echo/two-turns::plain", actors=(turns,)))
    assert named(PLAIN, twice, cut_off) == ["one-recv"]


@pytest.mark.parametrize(
    ("expected", "actual", "at", "cause"),
    [
        (b"hello\n", b"hello", 5, "no-newline"),
        (b"hello\r\n", b"hello", 5, "no-newline"),
        (b"hello\nhello\n", b"hellohello", 5, "no-newline"),
        (b"hello\nhello\n", b"hello", 5, "no-newline"),
        (b"hello\n", b"helloOK", 5, "no-newline"),
        (b"hello\r\n", b"hello\n", 5, UNKNOWN),
        (b"hello world\n", b"hello", 5, UNKNOWN),
        (b"hello\n", b"hell", 4, UNKNOWN),
        (b"hello\n", b"HELLO", 0, UNKNOWN),
        (b"hello\nhello\n", b"hello?hello", 5, UNKNOWN),
    ],
)
def test_white_space_that_is_missing_and_nothing_else_was_stripped(
    expected: bytes, actual: bytes, at: int, cause: str
) -> None:
    difference = Difference(at, 0, expected, actual)
    assert named(result("plain", "missing-bytes", difference=difference)) == [cause]


def test_who_fails_before_a_client_has_left_keeps_nothing_of_it() -> None:
    leaves = result("leave.reset-at-k", "wrong-bytes")
    assert named(PLAIN, leaves) == ["stale-state"]
    [first, _] = leaves.case.actors
    alone = replace(leaves, case=replace(leaves.case, actors=(replace(first, actions=first.actions[:3]),)))
    assert named(PLAIN, alone) == [UNKNOWN]
    assert named(PLAIN, cut("in-body", "wrong-bytes"), alone) == ["one-recv"]
    assert named(PLAIN, replace(alone, after=(PLAIN.case.id,))) == ["stale-state"]


def test_who_answers_wrongly_where_clients_are_slow_is_not_impatient() -> None:
    assert named(PLAIN, result("pace.slow", "wrong-bytes")) == [UNKNOWN]


def test_where_no_exchange_works_others_that_fail_in_that_way_follow() -> None:
    first, second = result("plain", "wrong-bytes"), result("plain", "wrong-bytes", scenario="two-turns")
    slow, idle = result("pace.slow", "surplus-bytes"), result("neighbour.idle", "no-connection")
    ends = result("end.half", "missing-bytes")
    [closes, waits, unknown] = name_causes([first, second, slow, idle, ends])
    assert (waits.id, closes.id, unknown.id) == ("one-at-a-time", "half-close-is-close", UNKNOWN)
    assert unknown.results == (first, second, slow)
    # Where one works, they speak for themselves, and so does who says nothing.
    assert len(name_causes([first, PLAIN, slow])) == 2
    assert len(name_causes([first, silent(result("pace.slow", "wrong-bytes"))])) == 2
    # What is silent is so for another reason, unless something came.
    mute = result("size.edges", "silence")
    assert len(name_causes([first, mute])) == 2
    assert len(name_causes([first, result("size.edges", "silence", received=3)])) == 1
    assert len(name_causes([result("plain", "silence"), mute])) == 1
    # Of the same nothing it is to be told at once or only at the end.
    assert len(name_causes([result("plain", "silence"), result("size.edges", "missing-bytes")])) == 1
    assert len(name_causes([result("plain", "silence"), result("size.edges", "missing-bytes", received=3)])) == 2
    assert len(name_causes([result("plain", "silence"), silent(mute)])) == 1


def test_wrong_bytes_behind_an_end_of_stream_do_not_say_that_it_was_taken_for_leaving() -> None:
    many = result("end.half", "wrong-bytes", traits=("many-replies",), variation="many replies")
    assert named(PLAIN, many) == [UNKNOWN]
    assert named(PLAIN, cut("in-length", "silence"), many) == ["split-length"]
    assert named(PLAIN, result("end.half", "missing-bytes", variation="1")) == ["half-close-is-close"]


def test_what_fails_only_after_a_client_that_has_left_is_no_shared_buffer() -> None:
    left = result("leave.reset-at-k", "wrong-bytes", variation="client.1")
    assert named(PLAIN, left, result("crowd.interleaved", "wrong-bytes", after=(PLAIN.case.id,))) == ["stale-state"]


def test_sizes_are_no_reason_to_follow_an_exchange_that_fails_anyhow() -> None:
    plain = result("plain", "silence", scenario="hello")
    larger = size("above-power", "silence")
    [cause] = name_causes([plain, larger, size("below-power")])
    assert (cause.id, cause.results) == ("fixed-buffer", (larger, plain))


def test_what_breaks_the_law_of_the_cause_comes_before_what_is_smaller() -> None:
    whole = result("pace.slow", "silence", variation="1", says="by bytes")
    short = replace(whole, case=replace(whole.case, actors=(Actor("client", built_case().actors[0].actions[:1]),)))
    telling = cut("in-body", "silence")
    [cause] = name_causes([PLAIN, short, telling])
    assert (cause.id, cause.results) == ("one-recv", (telling, short))
    advice = replace(telling, verdict=replace(telling.verdict, outcome="advice"))
    assert name_causes([PLAIN, short, advice])[0].results == (short, advice)


def test_the_smallest_case_gives_the_evidence() -> None:
    long = result("cut.at-k", "silence", variation="client.2:7", says="the long way")
    actors = (Actor("client", built_case().actors[0].actions[:2]),)
    short = result("cut.at-k", "silence", scenario="a-long-name-of-a-scenario", says="the short way")
    short = replace(short, case=replace(short.case, actors=actors))
    [cause] = name_causes([PLAIN, long, short])
    assert cause.evidence == "the short way"
    assert cause.results == (short, long)


def test_without_a_finding_the_reason_is_the_evidence() -> None:
    flaky = replace(result("plain"), verdict=Verdict("flaky", (), "failed 1 of 3"))
    [cause] = name_causes([flaky])
    assert (cause.id, cause.evidence, cause.law) == (UNKNOWN, "failed 1 of 3", "plain")


def test_advice_is_marked_unless_something_counts() -> None:
    advice = cut("in-body", "silence")
    advice = replace(advice, verdict=replace(advice.verdict, outcome="advice"))
    [cause] = name_causes([PLAIN, advice])
    assert (cause.id, cause.advice) == ("one-recv", True)
    [cause] = name_causes([PLAIN, advice, result("cut.every-byte", "silence")])
    assert not cause.advice
    assert cause.results[0].verdict.outcome == "fail"


def test_what_fails_only_after_a_failing_case_follows_from_it() -> None:
    killed = result("leave.reset-at-k", "exited", says="the server was killed by SIGPIPE during this case")
    next_ = result("cut.at-k", "refused", variation="1", after=(killed.case.id, "echo/gone::plain"))
    third = result("merge.sends", "refused", variation="1", after=(next_.case.id,))
    [cause] = name_causes([PLAIN, killed, next_, third])
    assert cause.id == "sigpipe"
    assert {each.case.id for each in cause.results} == {killed.case.id, next_.case.id, third.case.id}


def test_two_that_each_fail_only_after_the_other_are_both_told() -> None:
    one = result("merge.sends", "silence", variation="1", after=("echo/hello::end.half(1)",))
    other = result("end.half", "silence", variation="1", after=(one.case.id,))
    causes = name_causes([PLAIN, one, other])
    assert sum(len(cause.results) for cause in causes) == 2


def test_what_fails_only_after_a_passing_case_shows_what_that_one_did() -> None:
    left = result("leave.reset-at-k", variation="client.1", traits=("mid-message",))
    assert named(left, result("plain", "wrong-bytes", after=(left.case.id,))) == ["stale-state"]


def test_the_variations_of_an_exchange_that_fails_anyhow_follow_from_it() -> None:
    plain = result("plain", "wrong-bytes", "silence", scenario="hello")
    results = [plain, result("cut.at-k", "silence", variation="1"), result("size.large", "reset", variation="1")]
    first, second = name_causes(results)
    assert (first.id, first.results) == ("closes-unread", (results[2],))
    assert (second.id, second.results) == (UNKNOWN, (plain, results[1]))
    stop = result("life.stop", "silence", variation="1")
    assert named(plain, stop) == [UNKNOWN, UNKNOWN]
    unrelated = result("cut.at-k", "silence", variation="1", scenario="other")
    assert named(result("plain", scenario="other"), plain, unrelated) == ["one-recv", UNKNOWN]
    afterwards = replace(plain, after=("echo/x::plain",))
    assert len(named(afterwards, result("merge.before-accept", "silence", variation="1"))) == 2


def test_what_fails_now_and_then_as_a_cut_does_each_time_was_cut_by_the_kernel() -> None:
    sure = cut("in-body", "wrong-bytes")
    by_chance = replace(result("leave.reset-at-k", "wrong-bytes", variation="connected"), by_chance=True)
    assert named(PLAIN, sure, by_chance) == ["one-recv"]
    assert named(PLAIN, by_chance, sure) == ["one-recv"]
    plain = result("plain", "wrong-bytes", scenario="hello", outcome="flaky")
    assert named(result("plain", scenario="other"), plain, sure) == ["one-recv"]


@pytest.mark.parametrize("what", ["each time", "other kind", "other exchange", "the cut too", "the cut after others"])
def test_what_fails_now_and_then_otherwise_has_a_cause_of_its_own(what: str) -> None:
    sure = cut("in-body", "wrong-bytes")
    gone = result("leave.reset-at-k", "wrong-bytes", variation="connected", outcome="flaky")
    if what == "each time":
        gone = result("leave.reset-at-k", "wrong-bytes", variation="connected")
    elif what == "other kind":
        gone = result("leave.reset-at-k", "silence", variation="connected", outcome="flaky")
    elif what == "other exchange":
        gone = result("leave.reset-at-k", "wrong-bytes", outcome="flaky")
    elif what == "the cut too":
        sure = replace(sure, by_chance=True)
    else:
        sure = replace(sure, after=(PLAIN.case.id,))
    assert len(named(PLAIN, sure, gone)) == 2


def written(pieces: tuple[Piece, ...], *cuts: int) -> Result:
    """A scenario of somebody's own that cuts its message there, and fails."""
    one = result("cut.at-k", "silence", scenario="mine")
    actors = (Actor("client", pieces_actions(pieces, cuts)),)
    return replace(one, case=replace(one.case, traits=(), actors=actors))


@pytest.mark.parametrize(
    ("pieces", "cuts", "cause"),
    [
        ((Prefixed("u32be", (b"hello",)),), (2,), "split-length"),
        ((Prefixed("u16be", (b"hello",)),), (2,), "one-recv"),
        ((b"\x00\x00\x00\x02no\x00\x00\x00\x01n",), (7,), "split-length"),
        ((b"\x02\x00no",), (1,), "split-length"),
        ((b"\x02\x00no",), (3,), "one-recv"),
        ((b"h\xc3\xa9llo\n",), (2,), "split-character"),
        ((b"hello\r\n",), (6,), "split-delimiter"),
        ((b"hello\n",), (5,), "split-delimiter"),
        ((b"one\ntwo\n",), (3,), "one-recv"),
        ((b"hello\r\n",), (6, 3), "one-recv"),
        ((b"hello ", Value("unique"), b"\n"), (6,), "one-recv"),
    ],
)
def test_where_somebodys_own_cut_is_tells_as_much(pieces: tuple[Piece, ...], cuts: tuple[int, ...], cause: str) -> None:
    assert named(PLAIN, written(pieces, *cuts)) == [cause]


def test_a_cause_is_told_with_each_case_once() -> None:
    failed = cut("in-body", "silence")
    [cause] = name_causes([PLAIN, failed, replace(failed)])
    event = told(cause, 1.5)
    assert (event.at, event.id, event.law, event.title) == (1.5, "one-recv", "cut.at-k", cause.title)
    assert (event.cases, event.smallest) == ((failed.case.id,), failed.case.id)
    assert (event.mend_python, event.mend_c, event.thought, event.why) == (
        cause.python,
        cause.c,
        cause.thought,
        LAWS["cut.at-k"],
    )
    assert (event.evidence, event.advice) == ("it was wrong", False)
