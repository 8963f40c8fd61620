"""Derived cases on real servers: which are run and which are not, what counts, and the steps that they need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from busy import busy_loops
from command_line import sockcheck
from good_servers import Outcome, outcomes
from performing import GOOD, HERE, case, command, perform

from sockcheck.case import Actor, Await, Connect, Count, Exact, Expect, Generated, Mark, Send, Shutdown, WaitFor
from sockcheck.client_events import (
    Awaited,
    Received,
)
from sockcheck.events import (
    CaseFinished,
)
from sockcheck.recording import read
from sockcheck.server_events import (
    ServerLimited,
)
from sockcheck.verdict import Verdict

HELLO = """
scenario: A line comes back
client:
  - connect
  - send: "hello\\n"
  - expect: "hello\\n"
"""
ECHO = ("{python}", "-m", "sockcheck.servers.echo", "{host}", "{port}")
ONE_RECV = """
import socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    while True:
        with server.accept()[0] as client:
            client.sendall(client.recv(1024))
"""
MUTE = ONE_RECV.replace("client.sendall(client.recv(1024))", "client.recv(1024)")
HOARDS = """
import socket, sys, threading
def serve(client):
    kept = b""
    with client:
        try:
            while data := client.recv(1 << 20):
                kept += data
                if kept.endswith(b"\\n"):
                    client.sendall(kept)
                    kept = b""
        except OSError:
            pass
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    while True:
        threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()
"""
IGNORES_A_TAKEN_ADDRESS = """
import socket, sys, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    server.bind((sys.argv[1], int(sys.argv[2])))
except OSError:
    time.sleep(100)
server.listen()
while True:
    with server.accept()[0] as client:
        client.sendall(client.recv(1024))
"""


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A folder with one scenario and no contract."""
    folder = tmp_path / "talk"
    folder.mkdir()
    (folder / "hello.sock.yaml").write_text(HELLO)
    return folder


def server(folder: Path, source: str) -> tuple[str, ...]:
    path = folder / "server.py"
    path.write_text(source)
    return ("{python}", "-S", str(path), "{host}", "{port}")


def by_variation(record: Path) -> dict[str, Outcome]:
    """What became of each case, by its id without the stem."""
    return {found.case.partition("::")[2]: found for found in outcomes(record)}


@pytest.mark.parametrize("observe", [True, False])
def test_data_and_the_end_of_the_stream_arrive_together_three_hundred_times(observe: bool) -> None:
    """Each time the server waits for the data: it has accepted, so they cannot have met in the queue."""
    actors = [
        Actor(
            f"client[{number}]",
            (
                *([WaitFor(HERE, f"{number - 1}")] if number else []),
                Connect(HERE, 30.0),
                Await(HERE, "accepted", 30.0),
                Send(HERE, (b"hello\n",), (), None, 30.0),
                Shutdown(HERE, "write"),
                Expect(HERE, Exact((b"at once",)), 30.0, None),
                Mark(HERE, f"{number}"),
            ),
        )
        for number in range(300)
    ]
    many = replace(case(), actors=tuple(actors), deadline=100.0)
    with busy_loops(2):
        events = perform([many], command("{python}", str(GOOD / "recvend.py"), "{host}", "{port}"), observe=observe)
    assert [event.verdict for event in events if isinstance(event, CaseFinished)] == [Verdict("pass")]


def test_await_rest_reads_nothing_meanwhile() -> None:
    big = Generated("random", 1 << 20, 5, b"")
    actions = (
        Connect(HERE, 30.0, receive_buffer=4096),
        Send(HERE, (big,), (), None, 30.0, read=False, until_blocked=True),
        Await(HERE, "rest", 30.0),
        Expect(HERE, Count(1000, None), 30.0, None),
    )
    events = perform([replace(case(*actions), actors=(Actor("client", actions, pushes=True),))], command(*ECHO))
    kinds = [type(event) for event in events if isinstance(event, Awaited | Received)]
    assert kinds[0] is Awaited
    assert Received in kinds


def test_a_scenario_of_ten_lines_gets_the_standard_conditions(talk: Path) -> None:
    record = talk / "run.jsonl"
    ran = sockcheck("run", talk, "--record", record, "--", *ECHO)
    assert ran.code == 0, ran.everything
    found = by_variation(record)
    assert len(found) > 40
    assert {each.outcome for each in found.values()} == {"pass"}
    assert {name.partition("(")[0] for name in found} >= {
        "plain",
        "cut.at-k",
        "leave.reset-at-k",
        "churn.leak",
        "life.stop",
    }


def test_list_says_what_runs_and_what_does_not_and_why(talk: Path) -> None:
    listed = sockcheck("list", talk, "--cases", "--conditions", "cut.*,merge.sends,end.half").out
    assert listed.splitlines() == [
        "talk/hello::plain",
        *(f"talk/hello::cut.at-k(client.2:{at})" for at in range(1, 6)),
        "talk/hello::cut.every-byte",
        "# talk/hello::merge.sends: not run: nowhere do two sends follow each other",
        "talk/hello::end.half",
        "talk/hello::end.half(many replies)",
    ]
    (talk / "contract.yaml").write_text("contract: talk\npromises: {}\n")
    assert sockcheck("list", talk, "--cases", "--conditions", "end.half").out.splitlines() == [
        "talk/hello::plain",
        "# talk/hello::end.half: not run: 'half-close' is needed, which the contract 'talk' does not promise",
    ]
    running = sockcheck("list", talk, "--cases", "--conditions", "life.restart", "--connect", "127.0.0.1:9")
    assert "not run: 'restart' is needed" in running.out


def test_one_case_alone_is_run_by_its_id(talk: Path) -> None:
    ran = sockcheck("run", talk, "--select", "talk/hello::cut.at-k(client.2:3)", "--", *ECHO)
    assert ran.out.startswith("1 case: 1 passed"), ran.everything


def test_what_nobody_promised_is_advice_unless_it_is_strict(talk: Path) -> None:
    words = server(talk, ONE_RECV)
    ran = sockcheck("run", talk, "--conditions", "neighbour.idle", "--", *words)
    assert ran.code == 0, ran.everything
    assert "1 passed, 2 advice" in ran.out
    strict = sockcheck("run", talk, "--conditions", "neighbour.idle", "--strict", "--", *words)
    assert strict.code == 1, strict.everything
    assert "2 failed, 1 passed" in strict.out


def test_where_there_is_no_server_nothing_waits_for_the_plain_case(talk: Path) -> None:
    ran = sockcheck("run", talk, "--", "{python}", "-c", "raise SystemExit(1)")
    assert ran.code == 3, ran.everything
    assert "not run" in ran.everything


def test_no_condition_is_tried_with_an_exchange_that_does_not_work(talk: Path) -> None:
    record = talk / "run.jsonl"
    ran = sockcheck("run", talk, "--conditions", "cut.*", "--record", record, "--", *server(talk, MUTE))
    assert ran.code == 1, ran.everything
    found = by_variation(record)
    assert found.pop("plain").outcome == "fail"
    why = "the exchange itself does not work: talk/hello::plain failed"
    assert {(each.outcome, *each.said) for each in found.values()} == {("not run", why)}


@pytest.mark.parametrize(("options", "failed", "skipped"), [((), 5, 3), (("--exhaustive",), 8, 0)])
def test_a_law_that_is_broken_is_tried_no_further_unless_all_is_asked_for(
    talk: Path, options: tuple[str, ...], failed: int, skipped: int
) -> None:
    (talk / "hello.sock.yaml").write_text(HELLO.replace("hello", "greeting"))
    record = talk / "run.jsonl"
    words = ("--conditions", "cut.at-k", "--jobs", "1", *options)
    ran = sockcheck("run", talk, *words, "--record", record, "--", *server(talk, ONE_RECV))
    assert ran.code == 1, ran.everything
    found = [each.outcome for name, each in by_variation(record).items() if name != "plain"]
    assert (found.count("fail"), found.count("not run")) == (failed, skipped), ran.everything


def test_a_server_that_keeps_whatever_comes_grows(talk: Path) -> None:
    record = talk / "run.jsonl"
    words = ("--conditions", "limit.endless", "--strict")
    ran = sockcheck("run", talk, *words, "--record", record, "--", *server(talk, HOARDS))
    assert ran.code == 1, ran.everything
    (said,) = by_variation(record)["limit.endless"].said
    assert said.startswith("wrong-measure: memory ")
    assert "MiB" in said


def test_a_second_server_that_stays_without_an_address_is_found_out(talk: Path) -> None:
    record = talk / "run.jsonl"
    (talk / "contract.yaml").write_text("contract: talk\npromises: {reports-bind-error: yes}\ntimeouts: {ready: 1s}\n")
    words = ("--conditions", "life.taken")
    ran = sockcheck("run", talk, *words, "--record", record, "--", *server(talk, IGNORES_A_TAKEN_ADDRESS))
    assert ran.code == 1, ran.everything
    assert [said.partition(":")[0] for said in by_variation(record)["life.taken"].said] == ["no-exit"]
    assert sockcheck("run", talk, "--conditions", "life.taken", "--", *ECHO).code == 0


def test_a_limit_is_set_to_what_the_server_has_and_so_many_more(talk: Path) -> None:
    (talk / "hello.sock.yaml").write_text(
        "scenario: Few are left\nserver: [limit: {open-files: '+3'}, check: {alive: yes}]\nclient: [connect]\n"
    )
    record = talk / "run.jsonl"
    ran = sockcheck("run", talk, "--record", record, "--", *ECHO)
    assert ran.code == 0, ran.everything
    (limited,) = [event for event in read(record) if isinstance(event, ServerLimited)]
    assert limited.why == ""
    assert 6 < limited.files < 30
