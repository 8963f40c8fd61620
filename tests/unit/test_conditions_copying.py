"""An exchange once more, by another client, with values, marks and payloads of its own wherever they stand."""

from __future__ import annotations

import pytest
from varied import contract, scenario

from sockcheck.case import (
    AnyOf,
    Case,
    Count,
    Exact,
    Expect,
    Form,
    Frame,
    Generated,
    Line,
    Lines,
    Not,
    Prefixed,
    Unordered,
    Until,
    Value,
)
from sockcheck.conditions.copying import Copies, is_unique, prefix, uses_captures
from sockcheck.planning import plan

ME = (Value("unique"), b"-7")


def case_of(text: str) -> Case:
    (case,) = plan(scenario(text, contract()), seed=0)
    return case


def copied(written: str, keys: str = "") -> Form:
    """The form in the seventh copy of an exchange that expects it."""
    (client,) = Copies(case_of(f"{keys}\nclient: [connect, send: hi, expect: {written}]").actors).copy(7)
    last = client.actions[-1]
    assert isinstance(last, Expect)
    return last.form


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("'a${unique}b'", Exact((b"a", *ME, b"b"))),
        ("[{frame: u8, of: '${unique}'}]", Exact((Prefixed("u8", ME),))),
        ("{line: 'a${unique}'}", Line((b"a", *ME), "any")),
        ("{lines: '${unique}.', last: '${unique}'}", Lines((*ME, b"."), ME, "any")),
        ("{until: x, matches: '${unique}'}", Until(b"x", (ME,))),
        ("{frame: u8, equals: '${unique}'}", Frame("u8", ME, ())),
        ("{frame: u8, matches: '${unique}'}", Frame("u8", None, (ME,))),
        ("{unordered: ['${unique}', b]}", Unordered((Exact(ME), Exact((b"b",))))),
        ("{any: ['${unique}', {line: b}]}", AnyOf((Exact(ME), Line((b"b",), "any")))),
        ("{not: '${unique}', for: 1s}", Not(Exact(ME), 1.0)),
        ("{not: {line: '${unique}'}, for: 1s}", Not(Line(ME, "any"), 1.0)),
        ("{bytes: 3}", Count(3, None)),
    ],
)
def test_the_name_of_a_copy_is_another_wherever_it_stands(written: str, form: Form) -> None:
    assert copied(written) == form


def test_a_random_payload_that_comes_back_is_another_one_and_a_pattern_keeps_to_its_text() -> None:
    text = "payloads: {p: {random: 4, seed: 1}, r: {repeat: ab, size: 4}}\n"
    client = "client: [connect, send: [{payload: p}, {payload: r}], expect: [{payload: p}, {payload: r}]]"
    (actor,) = Copies(case_of(text + client).actors).copy(7)
    assert actor.name == "client[7]"
    expect = actor.actions[2]
    assert isinstance(expect, Expect)
    assert expect.form == Exact((Generated("random", 4, 8, b""), Generated("repeat", 4, 0, b"ab")))


def test_which_steps_need_values_and_whose() -> None:
    text = "client: [connect, expect: {line: '(?P<n>[0-9])'}, send: [{u8: '${n}'}], send: '${unique}', send: a]"
    actions = case_of(text).actors[0].actions
    assert [uses_captures(action) for action in actions] == [False, False, True, False, False]
    assert [is_unique(action) for action in actions] == [False, False, False, True, False]


@pytest.mark.parametrize(
    ("steps", "kinds"),
    [
        ("connect, send: x, mark: in, send: y, expect: z", ["Connect", "Send", "Send"]),
        ("connect, expect: x, mark: in, expect: y", ["Connect", "Expect"]),
        ("wait-for: out, connect, send: x, expect: what another has stored", ["Connect", "Send"]),
        ("connect, expect: x, send: y, expect: z", ["Connect", "Expect", "Send", "Expect"]),
    ],
)
def test_what_may_come_only_of_what_another_does_is_not_expected(steps: str, kinds: list[str]) -> None:
    other = "[connect, mark: out]" if "wait-for" in steps else "[connect]"
    first, _ = case_of(f"clients: {{a: [{steps}], b: {other}}}").actors
    assert [type(action).__name__ for action in prefix(first)] == kinds


def test_what_a_client_does_by_itself_ends_where_it_waits_for_another() -> None:
    text = (
        "clients: {a: [connect, mark: in, send: x, wait-for: out, send: y], "
        "b: [wait-for: in, connect, send: z, mark: out]}"
    )
    first, second = case_of(text).actors
    assert [type(action).__name__ for action in prefix(first)] == ["Connect", "Send"]
    assert [type(action).__name__ for action in prefix(second)] == ["Connect", "Send"]
