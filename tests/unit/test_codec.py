"""Events to lines and back: every type of event, every kind of damage."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockcheck import codec
from sockcheck.case import (
    Actor,
    AnyOf,
    Case,
    Connect,
    Count,
    Exact,
    Expect,
    Form,
    Generated,
    Integer,
    Line,
    Not,
    Prefixed,
    Reset,
    Send,
    Unordered,
    Value,
)
from sockcheck.client_events import (
    Elided,
    Received,
    Sent,
)
from sockcheck.errors import RecordError
from sockcheck.events import (
    RECORD_VERSION,
    CaseFinished,
    CaseStarted,
    Event,
    RunFinished,
    RunStarted,
    TargetOutput,
)
from sockcheck.forms import (
    Span,
)
from sockcheck.server_events import (
    ServerChecked,
)
from sockcheck.verdict import Difference, Finding, Verdict

SPAN = Span("echo/greets.sock.yaml", 7, 5, 20)
CASE = Case(
    "echo/greets::plain",
    "echo",
    "greets",
    "The echo answers",
    "plain",
    "",
    (Actor("client", (Connect(SPAN, 5.0), Send(SPAN, (b"hi", Generated("repeat", 9, 0, b"x")), (1,), None, 2.0))),),
    30.0,
    SPAN,
)
FINDING = Finding(
    "wrong-bytes", "plain", "client", 1, SPAN, "m", "e", "a", 2, 0.5, Difference(1, 0, b"hi", b"ho"), "look"
)

_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=6),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=20) | st.text(max_size=20).map(str.encode),
    NoneType: st.none(),
}


@cache
def values(hint: Any) -> st.SearchStrategy[Any]:
    """All that `hint` permits, finite numbers only."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    if is_dataclass(hint):
        assert isinstance(hint, type)
        # Deferred, since forms and pieces hold others. Few of them do, and lists are short: so they come to an end.
        return st.deferred(lambda: _dataclass_values(hint))
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    assert get_origin(hint) in (Union, UnionType), hint
    return st.one_of([values(member) for member in get_args(hint)])


def _dataclass_values(cls: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    known = {"version": st.just(RECORD_VERSION)} if cls is RunStarted else {}
    return st.builds(cls, *[known.get(name, values(hint)) for name, hint in hints.items()])


EVENT_TYPES = get_args(Event)
EVENTS = values(Event)


@pytest.mark.parametrize("event_type", EVENT_TYPES, ids=lambda cls: cls.__name__)
def test_every_event_comes_back_as_it_was(event_type: type) -> None:
    @given(values(event_type))
    def comes_back(event: Event) -> None:
        line = codec.encode(event)
        assert codec.decode(line) == event
        assert codec.decode(f"  {line}\r\n") == event

    comes_back()


@given(EVENTS)
def test_a_line_is_one_line_of_ascii(event: Event) -> None:
    line = codec.encode(event)
    assert line.isascii()
    assert line.isprintable()


@given(EVENTS, st.data())
def test_the_beginning_of_a_line_is_no_event(event: Event, data: st.DataObject) -> None:
    line = codec.encode(event)
    with pytest.raises(RecordError, match="this is no event: it is not JSON"):
        codec.decode(line[: data.draw(st.integers(0, len(line) - 1))])


@given(st.text())
def test_text_is_no_event(text: str) -> None:
    with pytest.raises(RecordError, match="this is no event"):
        codec.decode(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(EVENTS, st.data())
def test_a_damaged_value_is_refused_or_makes_another_event(event: Event, data: st.DataObject) -> None:
    tree = json.loads(codec.encode(event))
    place = data.draw(st.sampled_from(list(_places(tree))))
    match data.draw(st.sampled_from(("replace", "remove", "add"))):
        case "replace":
            _at(tree, place[:-1])[place[-1]] = data.draw(JSON)
        case "remove":
            del _at(tree, place[:-1])[place[-1]]
        case "add":
            parent = _at(tree, place[:-1])
            if isinstance(parent, list):
                parent.append(data.draw(JSON))
            else:
                parent[data.draw(st.text(max_size=5))] = data.draw(JSON)
    try:
        other = codec.decode(json.dumps(tree))
    except RecordError:
        return
    assert codec.decode(codec.encode(other)) == other


@pytest.mark.parametrize("event_type", EVENT_TYPES, ids=lambda cls: cls.__name__)
def test_no_key_may_be_missing_surplus_or_of_another_type(event_type: type) -> None:
    @given(values(event_type))
    def is_strict(event: Event) -> None:
        line = codec.encode(event)
        for name in json.loads(line):
            tree = json.loads(line)
            del tree[name]
            with pytest.raises(RecordError, match=f"lacks `{name}`"):
                codec.decode(json.dumps(tree))
            with pytest.raises(RecordError, match=f"`{name}"):
                codec.decode(json.dumps({**json.loads(line), name: [[]]}))
        with pytest.raises(RecordError, match='it has the unknown key "surplus"'):
            codec.decode(json.dumps({**json.loads(line), "surplus": 1}))

    is_strict()


def _places(tree: Any) -> Iterator[tuple[Any, ...]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (key,)
        for rest in _places(value):
            yield (key, *rest)


def _at(tree: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        tree = tree[key]
    return tree


def _with(event: Event, place: tuple[Any, ...], value: object) -> str:
    tree = json.loads(codec.encode(event))
    _at(tree, place[:-1])[place[-1]] = value
    return json.dumps(tree)


STARTED = CaseStarted(0.0, 1, 1, CASE)
ACTION = ("case", "actors", 0, "actions")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "this is no event: it is not JSON (Expecting value at column 1)"),
        ("{", "this is no event: it is not JSON (Expecting property name enclosed in double quotes at column 2)"),
        ("[]", "this is no event: it must be an object, not a list"),
        ("null", "this is no event: it must be an object, not null"),
        ("3.5", "this is no event: it must be an object, not a number"),
        ("{}", "this is no event: it lacks `type`"),
        ('{"type":"Sank"}', 'this is no event: it has the unknown `type` "Sank"'),
        ('{"type":["Sent"]}', 'this is no event: it has the unknown `type` ["Sent"]'),
        (f'{{"type":"{"x" * 99}"}}', f'this is no event: it has the unknown `type` "{"x" * 39}…'),
        ('{"type":"RunFinished","at":0}', "this is no event: it lacks `exit_code`"),
        (
            _with(STARTED, (*ACTION, 0, "within"), "soon"),
            "this is no event: `case.actors[0].actions[0].within` must be a number, not a text",
        ),
        (
            _with(STARTED, (*ACTION, 0, "within"), True),
            "this is no event: `case.actors[0].actions[0].within` must be a number, not true or false",
        ),
        (
            _with(STARTED, (*ACTION, 0, "no_delay"), 1),
            "this is no event: `case.actors[0].actions[0].no_delay` must be true or false, not a whole number",
        ),
        (
            _with(STARTED, (*ACTION, 0, "outcome"), "later"),
            "this is no event: `case.actors[0].actions[0].outcome` must be one of connected, refused, timeout,"
            ' not "later"',
        ),
        (
            _with(STARTED, (*ACTION, 0, "outcome"), None),
            "this is no event: `case.actors[0].actions[0].outcome` must be one of connected, refused, timeout,"
            " not null",
        ),
        (
            _with(STARTED, (*ACTION, 1, "cuts"), {}),
            "this is no event: `case.actors[0].actions[1].cuts` must be a list, not an object",
        ),
        (
            _with(STARTED, (*ACTION, 1, "pieces", 1), 7),
            "this is no event: `case.actors[0].actions[1].pieces[1]` must be an object, not a whole number",
        ),
        (
            _with(STARTED, (*ACTION, 1, "pieces", 1), {"text": "a", "base64": ""}),
            "this is no event: `case.actors[0].actions[1].pieces[1]` must be an object with either `text` or `base64`",
        ),
        (
            _with(STARTED, (*ACTION, 1, "pieces", 1), {"hex": "00"}),
            "this is no event: `case.actors[0].actions[1].pieces[1]`"
            " must be an object with a text as either `text` or `base64`",
        ),
        (
            _with(STARTED, (*ACTION, 0, "port"), "7"),
            "this is no event: `case.actors[0].actions[0].port` must be a whole number or an object, not a text",
        ),
        (
            _with(STARTED, (*ACTION, 0, "host"), {}),
            "this is no event: `case.actors[0].actions[0].host` lacks `name`",
        ),
        (
            _with(ServerChecked(0.0, 1, 0, (1.0, None), ""), ("values", 1), "1"),
            "this is no event: `values[1]` must be a number, not a text",
        ),
        (
            _with(STARTED, ("case", "actors", 0, "name"), 1.5),
            "this is no event: `case.actors[0].name` must be a text, not a number",
        ),
        (
            _with(STARTED, ("case", "span", "line"), 1.0),
            "this is no event: `case.span.line` must be a whole number, not a number",
        ),
        (
            _with(TargetOutput(0.0, 1, "stdout", b"", 0), ("data",), {"base64": "!"}),
            "this is no event: `data` is no base64",
        ),
        (
            _with(TargetOutput(0.0, 1, "stdout", b"", 0), ("data",), {"text": "\ud800"}),
            "this is no event: `data` is no UTF-8",
        ),
        ('{"type":"RunFinished","at":1e999,"exit_code":0,"why":""}', "this is no event: `at` is too large a number"),
        (
            f'{{"type":"RunFinished","at":1{"0" * 400},"exit_code":0,"why":""}}',
            "this is no event: `at` is too large a number",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(line: str, message: str) -> None:
    with pytest.raises(RecordError) as caught:
        codec.decode(line)
    assert caught.value.message == message


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"RunFinished","at":NaN,"exit_code":0,"why":""}',
        '{"type":"RunFinished","at":-Infinity,"exit_code":0,"why":""}',
        f'{{"type":"RunFinished","at":{"9" * 5000},"exit_code":0,"why":""}}',
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
    ids=["nan", "infinity", "5000 digits", "lists", "objects"],
)
def test_what_only_python_could_read_is_refused(line: str) -> None:
    with pytest.raises(RecordError, match="this is no event: a number is too long or not finite, or lists stand"):
        codec.decode(line)


def test_a_whole_number_stands_for_a_float() -> None:
    event = codec.decode('{"type":"RunFinished","at":2,"exit_code":0,"why":""}')
    assert event == RunFinished(2.0, 0, "")
    assert type(event.at) is float


def test_a_newer_version_is_refused_for_that_reason_alone() -> None:
    newer = json.dumps({"type": "RunStarted", "version": RECORD_VERSION + 1, "sharded": True})
    with pytest.raises(RecordError) as caught:
        codec.decode(newer)
    assert caught.value.message == "the record is of version 2, but this sockcheck reads only up to version 1"
    assert caught.value.hint == "read it with the sockcheck that wrote it, or upgrade this one"
    with pytest.raises(RecordError, match="lacks"):
        codec.decode(json.dumps({"type": "RunStarted", "version": "2"}))


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"", {"text": ""}),
        (b"hello\r\n\t", {"text": "hello\r\n\t"}),
        ("grüße, 你好".encode(), {"text": "grüße, 你好"}),
        (b"\x1b[31mred\x1b[0m plain text", {"text": "\x1b[31mred\x1b[0m plain text"}),
        (b"\x00\x00\x00\x05hello", {"base64": "AAAABWhlbGxv"}),
        (bytes(range(256)), {"base64": base64.b64encode(bytes(range(256))).decode()}),
        (b"\xed\xa0\x80", {"base64": "7aCA"}),
    ],
    ids=["empty", "text", "utf-8", "colours", "frame", "all bytes", "surrogate"],
)
def test_bytes_are_text_where_they_can_be_read(data: bytes, form: dict[str, str]) -> None:
    line = codec.encode(Received(0.25, 1, "client", data))
    assert json.loads(line) == {"type": "Received", "at": 0.25, "attempt": 1, "client": "client", "data": form}


def test_what_was_elided_names_its_type() -> None:
    line = codec.encode(Received(0.25, 1, "client", Elided(70000, "ab", b"first", b"\xff")))
    assert json.loads(line)["data"] == {
        "type": "Elided",
        "size": 70000,
        "sha256": "ab",
        "head": {"text": "first"},
        "tail": {"base64": "/w=="},
    }


def test_a_command_that_is_no_utf_8_comes_back() -> None:
    event = RunStarted(0.0, RECORD_VERSION, "0", "now", ("./s", "caf\udce9"), "/", 0, 1.0, True, "Linux", 1)
    assert codec.decode(codec.encode(event)) == event


def test_a_verdict_holds_what_is_known_of_its_findings() -> None:
    line = codec.encode(CaseFinished(1.0, 1, Verdict("fail", (FINDING,))))
    [finding] = json.loads(line)["verdict"]["findings"]
    assert finding["difference"] == {"offset": 1, "start": 0, "expected": {"text": "hi"}, "actual": {"text": "ho"}}
    assert codec.decode(_with(CaseFinished(1.0, 1, Verdict("pass")), ("verdict", "reason"), "r")) == CaseFinished(
        1.0, 1, Verdict("pass", (), "r")
    )


def test_a_number_that_is_not_finite_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        codec.encode(Sent(float("nan"), 0.0, 1, "client", 0, 0, 1, "read", 0.0))


def _expecting(form: Form) -> CaseStarted:
    return CaseStarted(
        0.0, 1, 1, Case("", "", "", "", "", "", (Actor("", (Expect(SPAN, form, 1.0, None),)),), 1.0, SPAN)
    )


FORM = (*ACTION, 0, "form")


@pytest.mark.parametrize(
    ("form", "tree"),
    [
        (Count(7, None), {"type": "Count", "count": 7, "sha256": None}),
        (Count(Value("size"), None), {"type": "Count", "count": {"name": "size"}, "sha256": None}),
        (
            Exact((b"a", Value("b"), Prefixed("u8", (Integer("u16be", Value("c")), Prefixed("u8", ()))))),
            {
                "type": "Exact",
                "pieces": [
                    {"text": "a"},
                    {"type": "Value", "name": "b"},
                    {
                        "type": "Prefixed",
                        "kind": "u8",
                        "pieces": [
                            {"type": "Integer", "kind": "u16be", "value": {"name": "c"}},
                            {"type": "Prefixed", "kind": "u8", "pieces": []},
                        ],
                    },
                ],
            },
        ),
        (
            Unordered((AnyOf((Line((b".*",), "any"),)), Unordered(()))),
            {
                "type": "Unordered",
                "forms": [
                    {"type": "AnyOf", "forms": [{"type": "Line", "pattern": [{"text": ".*"}], "ends": "any"}]},
                    {"type": "Unordered", "forms": []},
                ],
            },
        ),
        (
            Not(Exact(()), 0.5),
            {"type": "Not", "form": {"type": "Exact", "pieces": []}, "duration": 0.5},
        ),
    ],
)
def test_forms_and_pieces_hold_others(form: Form, tree: dict[str, Any]) -> None:
    line = codec.encode(_expecting(form))
    assert _at(json.loads(line), FORM) == tree
    assert codec.decode(line) == _expecting(form)


def test_what_is_known_later_stands_where_a_text_or_a_number_may() -> None:
    for connect in (Connect(SPAN, 1.0, host="h", port=7), Connect(SPAN, 1.0, host=Value("h"), port=Value("p"))):
        event = CaseStarted(0.0, 1, 1, Case("", "", "", "", "", "", (Actor("", (connect,)),), 1.0, SPAN))
        assert codec.decode(codec.encode(event)) == event


def test_forms_in_each_other_too_deep_are_refused() -> None:
    """JSON of this depth can be read; what it stands for cannot."""
    deep = '{"type":"AnyOf","forms":[' * 400 + "]}" * 400
    line = _with(_expecting(Exact(())), FORM, "DEEP").replace('"DEEP"', deep)
    assert json.loads(line)
    with pytest.raises(RecordError, match="lists stand in each other too deep"):
        codec.decode(line)


@dataclass(frozen=True)
class Unwritable:
    when: complex


@pytest.mark.parametrize("hint", [int | str | None, float | Value, bool | int | bytes | Reset])
def test_scalars_and_objects_are_told_apart(hint: Any) -> None:
    @given(values(hint))
    def comes_back(value: Any) -> None:
        found = codec._codec(hint).decode(json.loads(json.dumps(codec._encoder(hint)(value))))
        assert (type(found), found) == (type(value), value)

    comes_back()


@pytest.mark.parametrize(
    "hint", [Unwritable, tuple[int, str], int | float, str | Literal["a"], bytes | tuple[int, ...], Value | complex]
)
def test_a_hint_without_a_form_is_a_mistake_of_ours(hint: Any) -> None:
    with pytest.raises(TypeError, match="records"):
        codec._codec(hint)
