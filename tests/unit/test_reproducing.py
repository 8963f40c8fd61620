"""What stands in the scripts of `sockcheck reproduce`."""

from __future__ import annotations

import ast
import hashlib
from typing import Any

import pytest
from reproduced import GOLDEN, SERVER, bundled, derived, finding, golden_scripts, planned

from sockcheck.case import (
    Action,
    Actor,
    AnyOf,
    Await,
    Case,
    Check,
    Close,
    Comparison,
    Connect,
    Count,
    End,
    Exact,
    Exits,
    Expect,
    Form,
    Frame,
    Generated,
    Integer,
    Kill,
    Limit,
    Line,
    Lines,
    Mark,
    Meet,
    Not,
    Pause,
    Piece,
    Prefixed,
    Quiet,
    Reset,
    Restart,
    Rests,
    Resume,
    Send,
    ServerAction,
    Shutdown,
    Signal,
    Start,
    Taken,
    Unordered,
    Until,
    Value,
    Wait,
    WaitFor,
)
from sockcheck.forms import (
    Span,
)
from sockcheck.reproducing import form_helpers, script

HERE = Span("here.sock.yaml", 7, 1, 2)
CONNECT = Connect(HERE, 5.0)
HEAD = "def client(c):\n    connect(c, within=5, options=[(*NO_DELAY, 1)])  # line 7\n"
TAIL = "    expect_nothing_more(c)\n    close(c)\n"


def case(*actors: Actor, server: tuple[ServerAction, ...] = (), name: str = "it") -> Case:
    return Case(f"test/{name}::plain", "test", name, "A title", "plain", "", actors, 30.0, HERE, server=server)


def made(*actions: Action, **options: Any) -> str:
    return scripted(case(Actor("client", (CONNECT, *actions))), **options)


def scripted(of: Case, **options: Any) -> str:
    text = script(of, **{"command": SERVER, "address": None, "finding": None, "unique": "u1", **options})
    ast.parse(text, feature_version=(3, 8))
    return text


def client(*actions: Action) -> str:
    """What comes of these actions, behind `connect`."""
    text = made(*actions)
    begin = text.index(HEAD) + len(HEAD)
    body = text[begin : text.index("\n\n\n", begin) + 1]
    return "".join(line.removeprefix("    ") for line in body.removesuffix(TAIL).splitlines(keepends=True))


def server(*actions: ServerAction) -> str:
    text = scripted(case(Actor("client", (CONNECT,)), server=actions))
    begin = text.index("def server():\n") + len("def server():\n")
    return text[begin : text.index("\n\n\n", begin) + 1].replace("    ", "")


def send(*pieces: Piece, cuts: tuple[int, ...] | None = (), **options: Any) -> Send:
    return Send(HERE, pieces, cuts, **{"gap": None, "within": 2.0, **options})


def expect(form: Form, after: float | None = None) -> Expect:
    return Expect(HERE, form, 2.0, after)


SCRIPTS = dict(golden_scripts())


@pytest.mark.parametrize("name", SCRIPTS)
def test_golden(name: str) -> None:
    assert SCRIPTS[name] == (GOLDEN / name).read_text(encoding="utf-8")


def test_a_script_for_each_bundled_case_and_each_law_is_python_3_8_and_has_what_it_uses_and_no_more() -> None:
    for each in (*bundled(), *derived()):
        tree = ast.parse(scripted(each), feature_version=(3, 8))
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        defined |= {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
        read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert defined - read == set(), each.id


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (send(b"hello\n"), 'send(c, b"hello\\n", within=2)  # line 7'),
        (send(b"hello\n", cuts=(2, 9)), 'send(c, b"he", b"llo\\n", within=2)  # line 7: in 2 segments'),
        (send(b"hello\n", cuts=(2,), gap=0.5), 'send(c, b"he", b"llo\\n", within=2, gap=0.5)  # line 7: in 2 segments'),
        (send(b"a" * 20, cuts=None), f'send(c, *cut_everywhere(b"{"a" * 20}"), within=2)  # line 7: in 20 segments'),
        (
            send(b"a" * 101, cuts=tuple(range(1, 101))),
            "send(  # line 7: in 101 segments\n    c,\n    *cut_everywhere(\n"
            f'        b"{"a" * 81}"\n        b"{"a" * 20}",\n    ),\n    within=2,\n    gap=0.05,\n)',
        ),
        (
            send(b"a" * 20, cuts=tuple(range(1, 15))),
            f'send(c, *cut(b"{"a" * 20}", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14), within=2)  '
            "# line 7: in 15 segments",
        ),
        (
            send(Generated("random", 1024, 5, b""), cuts=(3,)),
            "send(c, *cut(random_bytes(1024, seed=5), 3), within=2)  # line 7: in 2 segments",
        ),
        (
            send(Generated("random", 65536, 5, b""), read=False, until_blocked=True),
            "send_while_receiving(c, random_bytes(65536, seed=5), within=2, read=False, until_blocked=True)  # line 7",
        ),
        (
            send(Generated("repeat", 99, 0, b"ab"), b"\n", Value("unique"), b"!"),
            'send(c, repeated(b"ab", 99) + b"\\nu1!", within=2)  # line 7',
        ),
        (
            send(Value("name"), Integer("u16le", Value("size")), Prefixed("u8", (Value("unique"),)), cuts=None),
            'send_while_receiving(  # line 7: in 200 segments\n    c,\n    *cut_everywhere(\n        value(c, "name")'
            ' + integer(value(c, "size"), 2, "little") + framed(1, "big", b"u1"),\n    ),\n'
            "    within=2,\n    gap=0.025,\n)",
        ),
        (send(), 'send(c, b"", within=2)  # line 7'),
        (expect(Exact((b"x",)), 0.5), 'expect(c, exact(b"x"), within=2, after=0.5)  # line 7'),
        (expect(Line((b"a.", Value("unique")), "any")), 'expect(c, line(b"a.u1"), within=2)  # line 7'),
        (
            expect(Line((b"a", Value("name")), "lf")),
            'expect(c, line(b"a" + re.escape(value(c, "name")), ends="lf"), within=2)  # line 7',
        ),
        (expect(Lines((b"a",), (b"z",), "crlf")), 'expect(c, lines(b"a", b"z", ends="crlf"), within=2)  # line 7'),
        (expect(Until(b"--", ((b"a",),))), 'expect(c, until(b"--", b"a"), within=2)  # line 7'),
        (expect(Count(7, None)), "expect(c, count(7), within=2)  # line 7"),
        (expect(Count(Value("n"), "ab")), 'expect(c, count(int(value(c, "n")), "ab"), within=2)  # line 7'),
        (expect(Frame("u32be", None, ((b"a",),))), 'expect(c, frame(4, "big", b"a"), within=2)  # line 7'),
        (expect(Frame("u8", (b"ab",), ())), 'expect(c, exact(framed(1, "big", b"ab")), within=2)  # line 7'),
        (
            expect(AnyOf((Exact((b"a",)), Exact((b"b",))))),
            'expect(c, any_of(exact(b"a"), exact(b"b")), within=2)  # line 7',
        ),
        (expect(Unordered((Exact((b"a",)),))), 'expect(c, unordered(exact(b"a")), within=2)  # line 7'),
        (expect(Not(Exact((b"a",)), 0.5)), 'expect_not(c, data_anywhere(b"a"), 0.5)  # line 7'),
        (expect(Not(Line((b"a",), "any"), 0.5)), 'expect_not(c, line_anywhere(b"a"), 0.5)  # line 7'),
        (
            Await(HERE, "settled", 2.0),
            "time.sleep(0.1)  # line 7: until the server has nothing more to do with us, "
            "which sockcheck asks the kernel",
        ),
        (Quiet(HERE, 0.25), "expect_quiet(c, 0.25)  # line 7"),
        (Shutdown(HERE, "both"), "shutdown(c, socket.SHUT_RDWR)  # line 7"),
        (
            Await(HERE, "read", 2.0),
            "time.sleep(0.1)  # line 7: until the server has read all, which sockcheck asks the kernel",
        ),
        (Mark(HERE, 'm"'), 'MARKS["m\\""].set()  # line 7'),
        (Mark(HERE, "m" * 99), f'MARKS["{"m" * 99}"].set()  # line 7'),
        (Wait(HERE, 0.5), "time.sleep(0.5)  # line 7"),
        (WaitFor(HERE, "m"), 'wait_for("m")  # line 7'),
        (Meet(HERE, "m", 1), 'meet("m")  # line 7'),
        (Wait(HERE, 1.5), "time.sleep(1.5)  # line 7"),
    ],
)
def test_a_step_of_a_client(action: Action, line: str) -> None:
    assert client(action) == f"{line}\n"


@pytest.mark.parametrize(
    ("actions", "lines"),
    [
        ((Reset(HERE),), "reset(c)  # line 7\n"),
        ((Close(HERE, True),), "close(c)  # line 7\n"),
        ((Close(HERE, False),), "expect_nothing_more(c)  # line 7\nclose(c)  # line 7\n"),
        (
            (End(HERE, "eof", 2.0, None), Close(HERE, False)),
            'expect_end(c, "eof", within=2)  # line 7\nclose(c)  # line 7\n',
        ),
        ((End(HERE, "any", 2.0, 1.0),), 'expect_end(c, "any", within=2, after=1)  # line 7\nclose(c)\n'),
    ],
)
def test_the_last_steps_of_a_client(actions: tuple[Action, ...], lines: str) -> None:
    assert client(*actions) == lines


def test_data_may_go_together_with_the_end_of_the_stream() -> None:
    text = client(send(b"a"), Shutdown(HERE, "write"))
    assert text.startswith('send(c, b"a", within=2, with_end=True)  # line 7\n')
    assert "with_end" not in client(send(b"a"), Shutdown(HERE, "read"))


def test_what_a_server_pushes_is_no_surplus() -> None:
    text = scripted(case(Actor("client", (CONNECT, End(HERE, "eof", 2.0, None)), pushes=True)))
    assert 'expect_end(c, "eof", within=2, pushes=True)  # line 7\n    close(c)\n' in text
    assert "expect_nothing_more" not in scripted(case(Actor("client", (CONNECT, Close(HERE, False)), pushes=True)))


@pytest.mark.parametrize(
    ("connect", "line"),
    [
        (
            Connect(
                HERE, 5.0, receive_buffer=4096, send_buffer=1, segment_size=536, no_delay=False, source="127.0.0.2"
            ),
            "options=[(*RECEIVE_BUFFER, 4096), (*SEND_BUFFER, 1), (*SEGMENT_SIZE, 536)],",
        ),
        (Connect(HERE, 5.0, source="127.0.0.2"), 'source="127.0.0.2")'),
        (Connect(HERE, 5.0, host="127.0.0.9"), 'address=("127.0.0.9", PORT))'),
        (Connect(HERE, 5.0, port=7), "address=(HOST, 7))"),
        (
            Connect(HERE, 5.0, host=Value("h"), port=Value("p")),
            'address=(value(c, "h").decode(), int(value(c, "p"))))',
        ),
        (Connect(HERE, 5.0, "refused"), 'no_connect(c, within=5, how="refused")  # line 7\n\n'),
    ],
)
def test_a_connection(connect: Connect, line: str) -> None:
    assert line in scripted(case(Actor("client", (connect,))))


def test_the_steps_of_the_server() -> None:
    checks = (
        Comparison("queue", ">=", 5, HERE),
        Comparison("open-files", "<", 9, HERE),
        Comparison("alive", "==", 1, HERE),
        Comparison("listening", "==", 1, HERE),
    )
    assert server(
        Pause(HERE),
        Resume(HERE),
        Signal(HERE, 15),
        Signal(HERE, 63),
        Exits(HERE, (0, -15), 2.0),
        Kill(HERE),
        Start(HERE),
        Restart(HERE),
        Check(HERE, checks, 2.0),
        Signal(HERE, 1, everyone=True),
        Limit(HERE, 8, least=False),
        Rests(HERE),
        Taken(HERE, 10.0),
    ).splitlines() == [
        "pause_server()  # line 7",
        "signal_all(signal.SIGCONT)  # line 7",
        "os.kill(process.pid, signal.SIGTERM)  # line 7",
        "os.kill(process.pid, 63)  # line 7",
        "clients_may_begin.set()",
        "expect_exit([0, -signal.SIGTERM], within=2)  # line 7",
        "kill_server()  # line 7",
        "start_again()  # line 7",
        "stop_server(); start_again()  # line 7",
        "check(  # line 7",
        '"queue >= 5, open-files < 9, alive == 1, listening == 1",',
        "lambda: queue() >= 5 and open_files() < 9 and bool(members()) == 1 and listening() == 1,",
        "within=2,",
        ")",
        "signal_all(signal.SIGHUP)  # line 7",
        "limit_files(8, least=False)  # line 7",
        "look_for_spinning()  # line 7",
        "start_second(within=10)  # line 7",
    ]


def test_clients_begin_when_the_steps_of_the_server_are_over_where_none_waits() -> None:
    assert server(Pause(HERE)).splitlines() == ["pause_server()  # line 7", "clients_may_begin.set()"]


def test_clients_begin_at_the_first_wait_of_the_server_and_what_it_uses_is_that_of_the_case() -> None:
    check = Check(HERE, (Comparison("cpu", "<", 0.5, HERE), Comparison("memory", "<", 8, HERE)), 2.0)
    assert server(WaitFor(HERE, "m"), Wait(HERE, 1.0), Mark(HERE, "n"), Restart(HERE), check).splitlines() == [
        "cpu_before = cpu()",
        "memory_before = memory()",
        "clients_may_begin.set()",
        'wait_for("m")  # line 7',
        "time.sleep(1)  # line 7",
        'MARKS["n"].set()  # line 7',
        "stop_server(); start_again()  # line 7",
        "cpu_before = cpu()",
        "memory_before = memory()",
        "check(  # line 7",
        '"cpu < 0.5, memory < 8",',
        "lambda: cpu() - cpu_before < 0.5 and memory() - memory_before < 8,",
        "within=2,",
        ")",
    ]


@pytest.mark.parametrize(
    ("actions", "looks"),
    [
        ((Signal(HERE, 1),), True),
        ((Signal(HERE, 15),), False),
        ((Kill(HERE),), False),
        ((Exits(HERE, (), 2.0), Start(HERE)), True),
    ],
)
def test_a_server_that_is_to_end_is_not_looked_after(actions: tuple[ServerAction, ...], looks: bool) -> None:
    text = scripted(case(Actor("client", (CONNECT,)), server=actions))
    assert ("run(look_after_server" in text) == looks


def crowd(*bodies: tuple[Action, ...]) -> str:
    """The functions of clients of one `count`."""
    text = scripted(case(*(Actor(f"crowd[{index}]", body) for index, body in enumerate(bodies))))
    return text[text.index("def crowd") : text.index("# What the steps above")]


def test_clients_that_do_the_same_share_a_function() -> None:
    bodies = [(CONNECT, send(b"%d of 100%%, %d\n" % (index, index))) for index in range(3)]
    assert 'send(c, b"%d of 100%%, %d\\n" % (index, index), within=2)' in crowd(*bodies)
    text = scripted(case(*(Actor(f"crowd[{index}]", body) for index, body in enumerate(bodies))))
    assert 'perform([(crowd, "crowd[%d]" % index, index) for index in range(3)], limit=41)' in text
    text = scripted(case(*(Actor(f"crowd[{index}]", bodies[0]) for index in range(7, 10))))
    assert '[(crowd, "crowd[%d]" % index) for index in range(7, 10)]' in text


def test_what_differs_otherwise_is_given_to_the_function() -> None:
    text = scripted(case(*(Actor(f"crowd[{index}]", (CONNECT, send(data))) for index, data in enumerate((b"a", b"b")))))
    assert "def crowd(c, given_1):" in text
    assert "send(c, given_1, within=2)" in text
    assert '(crowd, "crowd[0]", b"a"), (crowd, "crowd[1]", b"b")' in text


def test_sizes_of_payloads_that_differ_are_given_too() -> None:
    text = crowd(*((CONNECT, send(Generated("random", size, 1, b""))) for size in (1000, 1001)))
    assert "send(c, given_1, within=2)" in text


def test_a_number_that_may_stand_at_too_many_places_is_not_looked_for() -> None:
    assert "def crowd(c, given_1):" in crowd((CONNECT, send(b"0" * 7)), (CONNECT, send(b"1" * 7)))


def test_seeds_that_count_up_are_said_by_the_index() -> None:
    text = crowd(*((CONNECT, send(Generated("random", 1000, seed, b""))) for seed in (5, 6, 7)))
    assert "send(c, random_bytes(1000, seed=5 + index), within=2)" in text


def test_a_digit_of_an_escape_is_no_number() -> None:
    assert "def crowd(c, given_1):" in crowd((CONNECT, send(b"\x00")), (CONNECT, send(b"\x01")))


def test_clients_of_other_shapes_or_captures_have_functions_of_their_own() -> None:
    assert crowd((CONNECT,), (CONNECT, Wait(HERE, 1.0))).count("def ") == 2
    assert crowd((CONNECT, Wait(HERE, 1.0)), (CONNECT,)).count("def ") == 2
    assert crowd((CONNECT,), (CONNECT,), (CONNECT, Wait(HERE, 1.0))).count("def ") == 3
    left = (CONNECT, Close(HERE, False))
    assert crowd((*left, Mark(HERE, "m")), left).count("def ") == 2
    assert crowd((CONNECT, send(Value("a"))), (CONNECT, send(Value("b")))).count("def ") == 2
    # Here the names are counted up, and yet nobody but the client has them.
    assert crowd((CONNECT, send(Value("a0"))), (CONNECT, send(Value("a1")))).count("def ") == 2


def test_clients_of_a_count_connect_in_turn() -> None:
    refused = Connect(HERE, 5.0, "refused")
    for connect in (CONNECT, refused):
        text = crowd(
            (connect, Mark(HERE, "crowd[0] connected")),
            (WaitFor(HERE, "crowd[0] connected"), connect, Mark(HERE, "crowd[1] connected")),
            (WaitFor(HERE, "crowd[1] connected"), connect, Mark(HERE, "crowd[2] connected")),
        )
        assert 'if index:\n        wait_for("crowd[%d] connected" % (index - 1))  # line 7\n' in text
    later = (Actor("late[3]", (CONNECT,)), Actor("late[4]", (WaitFor(HERE, "m"), CONNECT)))
    assert 'if index > 3:\n        wait_for("m")' in scripted(case(*later))


def test_names_that_are_taken_or_are_none_are_made_others() -> None:
    names = ("connect", "lambda", "print", "9", "a-b", "a_b", "ä", "main")
    text = scripted(case(*(Actor(name, (CONNECT,)) for name in names)))
    functions = [f"def {name}(c):" for name in ("connect_", "lambda_", "print_", "client_9", "a_b", "a_b_", "client__")]
    assert [line for line in functions if line not in text] == []
    assert '(client__, "\\xe4")' in text


def test_steps_that_come_again_and_again_are_a_loop() -> None:
    def turns(*datas: bytes) -> str:
        actions: list[Action] = []
        for data in datas:
            actions += [send(data), expect(Exact((b"ok",)))]
        return client(*actions)

    assert turns(b"a", b"a", b"a").startswith('for _ in range(3):\n    send(c, b"a", within=2)  # line 7\n    expect(')
    assert turns(b"a0", b"a1", b"a2", b"b").startswith('for turn in range(3):\n    send(c, b"a%d" % turn, within=2)')
    assert "for " not in turns(b"a", b"c", b"f")
    assert "for " not in turns(b"a", b"a")


def test_marks_and_meetings_are_made_before_they_are_used() -> None:
    counted = [Mark(HERE, f"m[{index}]%") for index in range(3)]
    marks: list[Action] = [*counted, Mark(HERE, "n[3]"), WaitFor(HERE, "o")]
    text = made(*marks, Meet(HERE, "p", 1))
    assert 'marks=["o", "p", *["m[%d]%%" % index for index in range(3)], "n[3]"],' in text
    assert 'meetings=[("p", 1)],' in text


def test_payloads_are_made_by_the_same_recipe() -> None:
    names: dict[str, Any] = {"hashlib": hashlib}
    for node in ast.parse(form_helpers.TEXT).body:
        if isinstance(node, ast.FunctionDef) and node.name in ("random_bytes", "repeated"):
            exec(compile(ast.Module([node], []), "helpers", "exec"), names)
    from sockcheck.payloads import make

    assert names["random_bytes"](1000, 7) == make(Generated("random", 1000, 7, b""))
    assert names["repeated"](b"abc", 10) == make(Generated("repeat", 10, 0, b"abc"))


def test_the_head_says_what_was_seen() -> None:
    cut = planned("echo", "cut-in-two")[0]
    text = scripted(cut, finding=finding(cut, message="x" * 500, law="end.orderly", hint="", actual="\u2028"))
    assert "# Law end.orderly: The server ends a connection in order (FIN), not by a reset.\n" in text
    assert "#   came:     \\u2028\n" in text or "#   came:" not in text
    assert " ...\n" in text
    assert "Hint" not in text


def test_a_server_with_a_port_or_a_folder_of_its_own() -> None:
    text = made(command=("./server",), address=None)
    assert 'run(start_server, "", find_port)' in text
    assert "free_port" not in text
    text = made(command=("./server", "--data={dir}"), address="[::1]:7000")
    assert 'HOST, PORT = "::1", 7000\n' in text
    assert 'FOLDER = tempfile.mkdtemp(prefix="repro-")' in text
    assert "shutil.rmtree(FOLDER, ignore_errors=True)" in text


def test_many_clients_take_many_descriptors() -> None:
    bodies = [Actor(f"crowd[{index}]", (CONNECT,)) for index in range(201)]
    assert "allow_many_files()\n" in scripted(case(*bodies))


@pytest.mark.parametrize(("kind", "helper"), [("spinning", "look_for_spinning"), ("leaking", "look_for_leaks")])
def test_what_only_processes_show(kind: str, helper: str) -> None:
    hello = planned("echo", "hello")[0]
    text = scripted(hello, finding=finding(hello, kind=kind))
    assert f"run({helper}, " in text
    assert "it needs a server that is started here" in text
    assert "no command is known" in scripted(
        hello, finding=finding(hello, kind=kind), command=None, address="127.0.0.1:7"
    )


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        (case(Actor("client", (CONNECT, expect(Line((rb"\p{L}", Value("x")), "any"))))), "that Python's re does not"),
        (case(Actor("client", (CONNECT, expect(Lines((b"a",), (rb"\p{L}",), "any"))))), "that Python's re does not"),
        (case(Actor("client", (CONNECT, expect(AnyOf((Until(b"a", ((rb"\p{L}",),)),)))))), "that Python's re does not"),
        (case(Actor("client", (CONNECT, expect(Not(Line((rb"\p{L}",), "any"), 1.0))))), "that Python's re does not"),
        (
            case(Actor("client", (CONNECT,)), server=(Check(HERE, (Comparison("backlog", ">=", 5, HERE),), 2.0),)),
            "which /proc does not tell",
        ),
    ],
)
def test_what_the_standard_library_cannot_do_is_said(of: Case, reason: str) -> None:
    text = scripted(of)
    assert reason in text
    assert text.endswith("sys.exit(2)\n")


def test_steps_of_the_server_need_one_that_is_started() -> None:
    of = case(Actor("client", (CONNECT,)), server=(Pause(HERE),))
    assert "no command is known" in scripted(of, command=None, address="127.0.0.1:7000")
