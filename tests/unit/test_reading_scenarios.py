"""What right files say, value by value; and that no file, however wrong, is answered with anything but mistakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from sockcheck.errors import MistakesError
from sockcheck.forms import (
    BytesForm,
    Duration,
    ExactForm,
    Fixed,
    Framed,
    LineForm,
    Part,
    Pattern,
    Payload,
    PayloadSlice,
    Reference,
    Span,
    Text,
    UntilForm,
)
from sockcheck.reading import LARGEST, contract_and_mistakes, decode, read_contract, read_scenario
from sockcheck.reading.mistakes import nearest, render
from sockcheck.reading.page import MOST_MISTAKES, Page
from sockcheck.reading.tree import EventParser, ScalarNode, grow
from sockcheck.scenario import (
    Contract,
    Scenario,
    Timeouts,
)
from sockcheck.steps import (
    AwaitStep,
    CloseStep,
    ConnectStep,
    Cut,
    EndStep,
    ExpectStep,
    QuietStep,
    ResetStep,
    SendStep,
    ShutdownStep,
    Step,
)

CONTRACT = Contract(name="kv", path="kv/contract.yaml", parameters={"idle": "1s", "name": "bob"})


def no_files(path: str) -> bytes:
    raise AssertionError(path)


def scenario(text: str, load: Callable[[str], bytes] = no_files) -> Scenario:
    return read_scenario("kv/greets.sock.yaml", text, CONTRACT, load)


def steps(*written: str) -> tuple[Step, ...]:
    """The steps that are written so, after a `connect`."""
    lines = "".join(f"  - {each}\n" for each in written)
    return scenario(f"scenario: S\nclient:\n  - connect\n{lines}").clients[0].steps[1:]


def step(written: str) -> Step:
    (only,) = steps(written)
    return only


def part(written: str, load: Callable[[str], bytes] = no_files) -> Part:
    text = f"scenario: S\npayloads: {{big: {{random: 1MiB}}}}\nclient:\n  - connect\n  - send: {written}\n"
    sent = scenario(text, load).clients[0].steps[1]
    assert isinstance(sent, SendStep)
    (only,) = sent.parts
    return only


def data(written: str, load: Callable[[str], bytes] = no_files) -> bytes:
    """The bytes of a part that is known when it has been read."""
    found = part(written, load)
    if isinstance(found, Fixed):
        return found.data
    assert isinstance(found, Text)
    return b"".join(piece for piece in found.pieces if isinstance(piece, bytes))


def mistakes(text: str) -> list[str]:
    with pytest.raises(MistakesError) as caught:
        scenario(text)
    return [str(error) for error in caught.value.errors]


def span(line: int, column: int, end: int) -> Span:
    return Span("kv/greets.sock.yaml", line, column, end)


def test_all_keys_of_a_scenario() -> None:
    text = """\
scenario: "  A title  "
about: |
  Two lines
  of it.
law: cut.at-k
hint: Call recv() in a loop.
needs: half-close
tags: [slow, "large"]
skip: not today
payloads:
  big: {random: 8MiB, seed: 7}
  again: {repeat: [a, {hex: 00}], size: 4KiB}
client:
  - connect
"""
    read = scenario(text)
    assert read == Scenario(
        name="greets",
        title="A title",
        about="Two lines\nof it.",
        law="cut.at-k",
        hint="Call recv() in a loop.",
        needs=("half-close",),
        tags=("slow", "large"),
        skip="not today",
        payloads={
            "big": Payload("random", 8 * 1024**2, 7, b"", span(11, 3, 6)),
            "again": Payload("repeat", 4096, 0, b"a\0", span(12, 3, 8)),
        },
        clients=read.clients,
        contract=CONTRACT,
        span=span(1, 11, 24),
        source=text,
    )
    assert read.clients[0].name == "client"
    assert read.clients[0].span == span(13, 1, 7)


def test_a_scenario_has_few_keys_of_its_own() -> None:
    read = scenario("scenario: S\nclient: [connect]")
    assert (read.about, read.law, read.hint, read.needs, read.tags, read.skip) == ("", "plain", "", (), (), "")
    assert read.payloads == {}


def test_connect() -> None:
    def connect(written: str) -> Step:
        return scenario(f"scenario: S\nclient:\n  - {written}\n").clients[0].steps[0]

    assert connect("connect") == ConnectStep(span(3, 5, 12))
    assert connect("connect:") == ConnectStep(span(3, 5, 13))
    assert connect("connect: refused") == ConnectStep(span(3, 5, 21), outcome="refused")
    assert connect("{connect: timeout, within: 1s}") == ConnectStep(
        span(3, 6, 22), within=Duration(1.0, (), span(3, 32, 34)), outcome="timeout"
    )
    options = "{within: 2s, receive-buffer: 4KiB, send-buffer: 8192, segment-size: 536, no-delay: no}"
    assert connect(f"connect: {options}") == ConnectStep(
        span(3, 5, 14 + len(options)),
        within=Duration(2.0, (), span(3, 23, 25)),
        receive_buffer=4096,
        send_buffer=8192,
        segment_size=536,
        no_delay=False,
    )


def test_send() -> None:
    assert step('send: "hi"') == SendStep(span(4, 5, 15), (Text((b"hi",), span(4, 11, 15)),))
    assert step("{gap: 10ms, send: [a, b], cut: 1, within: 5s}") == SendStep(
        span(4, 17, 29),
        (Text((b"a",), span(4, 24, 25)), Text((b"b",), span(4, 27, 28))),
        cut=Cut("at", (1,), 0, None, span(4, 36, 37)),
        gap=Duration(0.01, (), span(4, 11, 15)),
        within=Duration(5.0, (), span(4, 47, 49)),
    )


@pytest.mark.parametrize(
    ("written", "kind", "at", "count", "seed"),
    [
        ("[1, 0x2, 4]", "at", (1, 2, 4), 0, None),
        ("every-byte", "every-byte", (), 0, None),
        ("{random: 4}", "random", (), 4, None),
        ("{random: 2, seed: 9}", "random", (), 2, 9),
    ],
)
def test_cut(written: str, kind: str, at: tuple[int, ...], count: int, seed: int | None) -> None:
    read = step(f"{{send: hello, cut: {written}}}")
    assert isinstance(read, SendStep)
    assert read.cut is not None
    assert (read.cut.kind, read.cut.at, read.cut.count, read.cut.seed) == (kind, at, count, seed)


def test_a_cut_may_lie_before_a_reference_and_its_data_may_have_any_size() -> None:
    for cut in ("[1, 2]", "every-byte", "{random: 4096}"):
        step(f'{{send: "abc${{name}}", cut: {cut}}}')


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('""', b""),
        ("no", b"no"),
        ("12:30", b"12:30"),
        ("~", b"~"),
        ("é", b"\xc3\xa9"),
        ('"\\u00e9\\\\xe9"', b"\xc3\xa9\\xe9"),
        ('"$${name}"', b"${name}"),
        ("$x {}", b"$x {}"),
        ('{hex: "00 fF"}', b"\x00\xff"),
        ("{hex: 0012}", b"\x00\x12"),
        ("{base64: aGk=}", b"hi"),
        ("{text: hi}", b"hi"),
        ('{text: "a\\nb\\r\\n", newline: crlf}', b"a\r\nb\r\n"),
        ('{text: "a\\nb", newline: lf}', b"a\nb"),
        (
            '{text: "S: t\\n\\n.x\\n..\\ny.z\\n", newline: crlf, dot-block: yes}',
            b"S: t\r\n\r\n..x\r\n...\r\ny.z\r\n.\r\n",
        ),
        ('{text: "a", dot-block: true}', b"a\n.\n"),
        ('{text: "", dot-block: true}', b".\n"),
        ('{text: ".", dot-block: no}', b"."),
        ("{u8: 0x1f}", b"\x1f"),
        ("{u16be: 258}", b"\x01\x02"),
        ("{u16le: 258}", b"\x02\x01"),
        ("{u32be: 4294967295}", b"\xff\xff\xff\xff"),
        ("{u32le: 1}", b"\x01\0\0\0"),
        ("{u64be: 1}", b"\0\0\0\0\0\0\0\x01"),
        ("{u64le: 18446744073709551615}", b"\xff" * 8),
    ],
)
def test_parts_that_are_known(written: str, read: bytes) -> None:
    assert data(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{frame: u32be, of: hi}", b"\0\0\0\x02hi"),
        ("{frame: u8, of: [a, {frame: u16le, of: {u8: 7}}]}", b"\x04a\x01\0\x07"),
        ('{frame: u8, of: ""}', b"\0"),
    ],
)
def test_a_frame_is_known_where_its_content_is(written: str, read: bytes) -> None:
    (step,) = scenario(f"scenario: S\nclient: [connect, expect: {{until: {written}}}]").clients[0].steps[-1:]
    assert isinstance(step, ExpectStep)
    assert isinstance(step.form, UntilForm)
    assert isinstance(step.form.delimiter, Fixed)
    assert step.form.delimiter.data == read


def test_blocks_are_texts_too() -> None:
    read = scenario(
        'scenario: S\nclient:\n  - connect\n  - send: |\n      printf("\\n");\n  - expect: >\n      a\n      b\n'
    )
    sent, expected = read.clients[0].steps[1:]
    assert isinstance(sent, SendStep)
    assert sent.parts == (Text((b'printf("\\n");\n',), span(4, 11, 12)),)
    assert sent.span == span(4, 5, 12)
    assert isinstance(expected, ExpectStep)
    assert expected.form == ExactForm((Text((b"a b\n",), span(6, 13, 14)),))


def test_a_file_is_read_where_the_loader_finds_it() -> None:
    assert data("{file: ../big.bin}", {"../big.bin": b"\x00\x01"}.__getitem__) == b"\x00\x01"


def test_payloads_are_named_not_made() -> None:
    assert part("{payload: big}") == PayloadSlice("big", None, span(5, 21, 24))
    assert part("{payload: big, first: 1KiB}") == PayloadSlice("big", 1024, span(5, 21, 24))


def test_references_have_places_of_their_own() -> None:
    sent = step(r'send: "a\t${name}\\${idle}!"')
    assert isinstance(sent, SendStep)
    (text,) = sent.parts
    assert isinstance(text, Text)
    assert text.pieces == (b"a\t", Reference("name", span(4, 15, 22)), b"\\", Reference("idle", span(4, 24, 31)), b"!")
    sent = step("send: {text: '${name}''s\n     ${idle}', newline: crlf}")
    assert isinstance(sent, SendStep)
    (text,) = sent.parts
    assert isinstance(text, Text)
    whole = span(4, 18, 29)
    assert text.pieces == (Reference("name", whole), b"'s ", Reference("idle", whole))


def test_expect() -> None:
    read = step("{expect: hi, within: 1s, after: 500ms}")
    assert read == ExpectStep(
        span(4, 6, 16),
        ExactForm((Text((b"hi",), span(4, 14, 16)),)),
        within=Duration(1.0, (), span(4, 26, 28)),
        after=Duration(0.5, (), span(4, 37, 42)),
    )


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("[a, {hex: ff}]", ExactForm((Text((b"a",), span(4, 14, 15)), Fixed(b"\xff", span(4, 23, 25))))),
        ("{frame: u8, of: a}", ExactForm((Framed("u8", (Text((b"a",), span(4, 29, 30)),), span(4, 21, 23)),))),
        ("{line: OK.*}", LineForm(Pattern((b"OK.*",), span(4, 20, 24)), "any")),
        ("{line: 'a\\d{2,}', ends: crlf}", LineForm(Pattern((b"a\\d{2,}",), span(4, 20, 29)), "crlf")),
        (
            "{line: '[]{9}](?P<x>\\){2})', ends: lf}",
            LineForm(Pattern((b"[]{9}](?P<x>\\){2})",), span(4, 20, 40)), "lf"),
        ),
        ("{line: é$}", LineForm(Pattern((b"\xc3\xa9$",), span(4, 20, 22)), "any")),
        ('{line: ""}', LineForm(Pattern((b"",), span(4, 20, 22)), "any")),
        ('{until: "\\n"}', UntilForm(Fixed(b"\n", span(4, 21, 25)), ())),
        ("{until: a, matches: b}", UntilForm(Fixed(b"a", span(4, 21, 22)), (Pattern((b"b",), span(4, 33, 34)),))),
        (
            "{until: [{hex: ff}], matches: [b, c]}",
            UntilForm(
                Fixed(b"\xff", span(4, 21, 32)), (Pattern((b"b",), span(4, 44, 45)), Pattern((b"c",), span(4, 47, 48)))
            ),
        ),
        ("{bytes: 4KiB}", BytesForm(4096, None)),
        ("{bytes: 1, sha256: " + "aB" * 32 + "}", BytesForm(1, "ab" * 32)),
    ],
)
def test_forms(written: str, form: object) -> None:
    read = step(f"expect: {written}")
    assert isinstance(read, ExpectStep)
    assert read.form == form


def test_the_other_steps() -> None:
    assert steps("quiet: 300ms", "shutdown: write", "await: end-read", "end: any", "close: unread") == (
        QuietStep(span(4, 5, 17), Duration(0.3, (), span(4, 12, 17))),
        ShutdownStep(span(5, 5, 20), "write"),
        AwaitStep(span(6, 5, 20), "end-read"),
        EndStep(span(7, 5, 13), "any"),
        CloseStep(span(8, 5, 18), unread=True),
    )
    assert step("{await: read, within: 1s}") == AwaitStep(
        span(4, 6, 17), "read", within=Duration(1.0, (), span(4, 27, 29))
    )
    assert step("close") == CloseStep(span(4, 5, 10))
    assert step("close:") == CloseStep(span(4, 5, 11))
    assert step("close: null") == CloseStep(span(4, 5, 16))
    assert step("reset") == ResetStep(span(4, 5, 10))
    assert step("end: reset") == EndStep(span(4, 5, 15), "reset")


def test_reset_takes_nothing() -> None:
    assert mistakes("scenario: S\nclient:\n  - connect\n  - reset: hard\n") == [
        "kv/greets.sock.yaml:4:12: 'reset' takes nothing"
    ]


@pytest.mark.parametrize(
    ("written", "seconds", "references"),
    [
        ("300ms", 0.3, []),
        ("1.5 s", 1.5, []),
        ("2m", 120.0, []),
        ("1m + 1s+1ms", 61.001, []),
        ("${idle}", 0.0, ["idle"]),
        ("'${idle} + 1s + ${idle}'", 1.0, ["idle", "idle"]),
    ],
)
def test_durations(written: str, seconds: float, references: list[str]) -> None:
    read = step(f"quiet: {written}")
    assert isinstance(read, QuietStep)
    assert read.duration.seconds == pytest.approx(seconds)
    assert [reference.name for reference in read.duration.references] == references


def test_a_client_may_go_on_after_the_end_of_stream() -> None:
    steps("end: eof", 'send: "x"', "await: read", "shutdown: write", "close")


def test_a_step_that_cannot_be_read_is_no_reason_for_others_to_be_wrong() -> None:
    found = mistakes("scenario: S\nclient:\n  - conect\n  - send: {hex: x}\n    cut: [99]\n  - end: eof\n")
    assert [message.split(": ")[1] for message in found] == ["unknown step 'conect'", "'x' is not hexadecimal"]


def test_a_payload_that_cannot_be_read_keeps_its_name() -> None:
    text = "scenario: S\npayloads: {big: {random: x}}\nclient: [connect, send: {payload: big, first: 1}]\n"
    assert len(mistakes(text)) == 1
    assert len(mistakes(text.replace(", first: 1", ""))) == 1


def test_all_keys_of_a_contract() -> None:
    text = """\
contract: kv
about: A store.
transport: tcp
promises: {clients: 64, half-close: yes, idle-close: "${idle}"}
parameters: {idle: 1s}
pushes: yes
conditions: [plain, "cut.*"]
target: {command: "python -m kv {host} {port} --idle {idle}"}
timeouts: {expect: 1s, connect: 500ms, ready: 1m, case: 20s}
"""
    assert read_contract("kv/contract.yaml", text, "kv") == Contract(
        name="kv",
        path="kv/contract.yaml",
        about="A store.",
        promises={"clients": "64", "half-close": "yes", "idle-close": "${idle}"},
        parameters={"idle": "1s"},
        timeouts=Timeouts(expect=1.0, connect=0.5, ready=60.0, case=20.0),
        target="python -m kv {host} {port} --idle {idle}",
        pushes=True,
        conditions=("plain", "cut.*"),
    )
    least = read_contract("contract.yaml", "contract: kv\nconditions: standard\n", "kv")
    assert least == Contract(name="kv", path="contract.yaml", conditions=("standard",))


def test_a_contract_with_mistakes_still_says_what_it_can() -> None:
    text = "contract: kv\nparameters: {idle: 1s, odd: []}\ntimeouts: {expect: 2}\n"
    contract, found = contract_and_mistakes("contract.yaml", text, "kv")
    assert contract is not None
    assert contract.parameters == {"idle": "1s", "odd": ""}
    assert contract.timeouts == Timeouts()
    assert len(found) == 2
    assert contract_and_mistakes("contract.yaml", "", "kv")[0] is None


def test_so_many_mistakes_are_enough() -> None:
    text = "scenario: S\nclient:\n  - connect\n" + "  - sned: x\n" * (MOST_MISTAKES + 1)
    found = mistakes(text)
    assert len(found) == MOST_MISTAKES + 1
    assert found[-1] == "kv/greets.sock.yaml:104:5: there are more than 100 mistakes; the rest is not shown"
    keys = "".join(f"k{number}: 1\n" for number in range(MOST_MISTAKES + 1))
    contract, errors = contract_and_mistakes("contract.yaml", keys, "kv")
    assert contract is None
    assert len(errors) == MOST_MISTAKES + 1


def test_text_is_decoded() -> None:
    assert decode("a", b"\xef\xbb\xbfa: \xc3\xa9") == "a: é"
    with pytest.raises(MistakesError) as caught:
        decode("a", b"\xef\xbb\xbfa: 1\n\xc3\xa9\xff")
    assert [str(error) for error in caught.value.errors] == ["a:2:2: the byte 0xff is not UTF-8"]
    with pytest.raises(MistakesError, match="1 mistake"):
        decode("a", b" " * (LARGEST + 1))


def test_large_files_are_refused() -> None:
    assert mistakes("#" * (LARGEST + 1)) == ["kv/greets.sock.yaml:1:1: the file is larger than 1 MiB"]


def test_a_line_is_cut_around_the_caret() -> None:
    with pytest.raises(MistakesError) as caught:
        scenario(f'scenario: "{"日" * 100}\n')
    (error,) = caught.value.errors
    for column in (1, 20, 50, 100, 112):
        moved = replace(error.span, column=column, end_column=column + 3)
        error.span = moved
        _, line, caret = render(error, caught.value.sources[moved.path]).splitlines()
        assert 70 <= len(line) + line.count("日") <= 80
        assert caret.startswith("   | ")


def test_a_place_behind_the_text_needs_no_line() -> None:
    with pytest.raises(MistakesError) as caught:
        scenario("client: [connect]")
    (error,) = caught.value.errors
    assert render(error, "scenario: S").startswith("kv/greets.sock.yaml:1:1: ")
    error.span = replace(error.span, line=7)
    assert render(error, "scenario: S").splitlines()[1:] == ["hint: `scenario: A title`"]


def test_long_words_are_not_guessed() -> None:
    assert nearest("sned", ("send", "end")) == "send"
    assert nearest("s" * 50, ("s" * 49,)) is None


@pytest.mark.parametrize("parser", [yaml.CBaseLoader, yaml.BaseLoader], ids=["libyaml", "python"])
def test_both_parsers_make_the_same_tree(parser: Callable[[str], EventParser]) -> None:
    text = "a: \"x\\x41\"\nb: [1, {c: 'd'}]\ne: |\n  f\n"
    page = Page("a", text)
    root = grow(page, parser)
    assert list(root.entries) == ["a", "b", "e"]
    node = root.entries["a"].value
    assert isinstance(node, ScalarNode)
    assert (node.value, node.style, page.span(node)) == ("xA", '"', Span("a", 1, 4, 11))


KEYS = ["scenario", "client", "payloads", "needs", "law", "send", "expect", "connect", "cut", "within", "end", "line"]
KEYS += ["clients", "server", "matrix", "count", "steps", "repeat", "times", "mark", "wait-for", "meet", "not", "for"]
KEYS += ["any", "unordered", "equals", "matches", "exits", "status", "check", "queue", "signal", "port", "u8", "last"]
WORDS = [*KEYS, "until", "bytes", "hex", "frame", "of", "random", "every-byte", "${idle}", "1s", "4KiB", "5", "\\n"]
TREES = st.recursive(
    st.sampled_from(WORDS) | st.text(max_size=8) | st.integers(-2, 300) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=30,
)
SYNTAX = st.lists(
    st.sampled_from(
        [
            *WORDS,
            *"\n\t '\"[]{}:,-?|>!&*%@#\\\ud800\x00\x85\ufeff",
            ": ",
            "- ",
            "\n  ",
            "\\U00110000",
            '"\\ud800"',
            "---\n",
            "%YAML 2.0\n",
            "<<: *a",
        ]
    )
)


def failure(read: Callable[[], object]) -> MistakesError | None:
    try:
        read()
    except MistakesError as error:
        return error
    return None


def survive(text: str, parser: Callable[[str], EventParser]) -> None:
    """Read as a scenario and as a contract: whatever is wrong with it is told, and the telling can be printed."""
    page = Page("a", text)
    page.attempt(grow, page, parser)
    for read in (lambda: scenario(text), lambda: read_contract("kv/contract.yaml", text, "kv")):
        error = failure(read)
        if error is not None:
            assert error.errors
            assert all(render(each, error.sources[each.span.path]) for each in error.errors)


@given(text=SYNTAX.map("".join) | st.text(), parser=st.sampled_from([yaml.CBaseLoader, yaml.BaseLoader]))
@example(text='"\\UFFFFFFFF"', parser=yaml.BaseLoader)
@example(text='"\\ud800"', parser=yaml.BaseLoader)
@example(text='a: "\\ud800"', parser=yaml.BaseLoader)
def test_no_text_is_answered_with_anything_but_mistakes(text: str, parser: Callable[[str], EventParser]) -> None:
    survive(text, parser)


@given(tree=TREES, client=st.lists(TREES, max_size=4))
def test_no_tree_is_answered_with_anything_but_mistakes(tree: object, client: list[object]) -> None:
    survive(yaml.safe_dump(tree), yaml.CBaseLoader)
    survive(yaml.safe_dump({"scenario": "S", "client": ["connect", *client]}), yaml.CBaseLoader)
    survive(
        yaml.safe_dump({"scenario": "S", "client": ["connect", {"send": tree}, {"expect": tree}]}), yaml.CBaseLoader
    )
    clients = {"bob": ["connect", *client], "crowd": {"count": 2, "steps": ["connect", {"repeat": tree}, *client]}}
    survive(yaml.safe_dump({"scenario": "S", "clients": clients, "server": client}), yaml.CBaseLoader)
    survive(yaml.safe_dump({"scenario": "S", "matrix": tree, "server": [{"check": tree}]}), yaml.CBaseLoader)


@given(st.binary())
def test_no_bytes_are_answered_with_anything_but_mistakes(data: bytes) -> None:
    if failure(lambda: decode("a", data)) is None:
        survive(decode("a", data), yaml.CBaseLoader)
