"""Scenarios for protocols that are in use, against servers from Debian: they pass, and each of them can fail.

What a scenario of tests/data/protocols asks for is so, or it would not pass; it is asked for in earnest, or the same
scenario with one place changed would pass too.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from command_line import sockcheck
from doc_pages import blocks, copied, words_in_code
from tools import CHECKOUT, PRIVATE, search_path, tool

from sockcheck.events import CaseJudged, CaseStarted
from sockcheck.recording import read

PROTOCOLS = CHECKOUT / "tests" / "data" / "protocols"

# The programs that the server of each protocol needs.
PROGRAMS = {
    "beanstalkd": ("beanstalkd",),
    "chat": ("ncat",),
    "daytime": ("xinetd",),
    "dns": ("dnsmasq",),
    "ftp": ("vsftpd",),
    "gopher": ("gophernicus", "socat"),
    "http": ("nginx",),
    "httpd": ("busybox",),
    "imap": ("dovecot", "doveconf"),
    "irc": ("ngircd",),
    "memcached": ("memcached",),
    "mqtt": ("mosquitto",),
    "pop3": ("dovecot", "doveconf"),
    "redis": ("redis-server",),
    "smtp": ("exim4",),
}

# What is changed in each scenario, and the kind of finding that this must come to.
WRONG = {
    "beanstalkd/bad-format": (r"BAD_FORMAT\r\n", "", "wrong-bytes"),
    "beanstalkd/hand-over": ("NOT_FOUND", "FOUND", "wrong-bytes"),
    "beanstalkd/patience": ("after: 900ms", "after: 2s", "too-early"),
    "beanstalkd/release": ("put 0 0 60", "put 0 100 60", "silence"),
    "chat/two-talk": ('send: "hi yourself', 'send: "hi myself', "wrong-bytes"),
    "daytime/nothing-is-read": ("[A-Z]{3}", "[a-z]{3}", "wrong-bytes"),
    "daytime/time": ("- end: eof", "- quiet: 100ms", "early-end"),
    "dns/address": (r"\x00\x04\xc0\x00\x02\x01", r"\x00\x04\xc0\x00\x02\x02", "wrong-bytes"),
    "dns/half-a-question": ("- quiet: 50ms", "- end: eof", "silence"),
    "dns/two-questions": (r"\x00\x02..\x00\x01\x00\x00", r"\x00\x03..\x00\x01\x00\x00", "wrong-bytes"),
    "ftp/listing": (
        'hello.txt\\r\\n"\n    - end: eof\n  second',
        'hello.txt\\r\\n"\n    - end: reset\n  second',
        "no-reset",
    ),
    "ftp/passive": (r"hello ftp\n", r"hello ftp\r\n", "wrong-bytes"),
    "ftp/pipelined": ("- expect: {line: '200 .*'}\n", "", "surplus-bytes"),
    "ftp/refusals": ("213 10", "213 11", "wrong-bytes"),
    "gopher/file": (r"hello\r\n", r"hello\r\n.\r\n", "missing-bytes"),
    "gopher/menu": (r"/hello\.txt\t\S+", r"/hallo\.txt\t\S+", "wrong-bytes"),
    "http/bad-request": ("1 400", "1 200", "wrong-bytes"),
    "http/keep-alive": ("304", "200", "wrong-bytes"),
    "http/large": ("sha256: 2", "sha256: 3", "wrong-bytes"),
    "http/pipelined": ("1 404", "1 200", "wrong-bytes"),
    "http/stalled-neighbour": ("TP/1.0", "TP/9.9", "wrong-bytes"),
    "httpd/missing": ("- end: eof", "- end: reset", "no-reset"),
    "httpd/one-answer": ("- end: eof", "- quiet: 100ms", "early-end"),
    "httpd/second-request": ("- end: any", r'- expect: "HTTP/1.1 200 OK\r\n"', "missing-bytes"),
    "imap/idle": ("3 EXISTS", "4 EXISTS", "wrong-bytes"),
    "imap/literal": (r'")\r\n"', r'"\r\n"', "wrong-bytes"),
    "imap/tags": ("a3 BAD", "a3 OK", "wrong-bytes"),
    "irc/channel": ("#room :two", "#room :three", "wrong-bytes"),
    "irc/registration": ("433", "432", "wrong-bytes"),
    "memcached/binary": ('- expect: [{u32be: 0}, "value"]', '- expect: "value"', "wrong-bytes"),
    "memcached/counter": (r'"200\r\n"', r'"199\r\n"', "wrong-bytes"),
    "memcached/length": ('bytes: "${length}"', "bytes: 5", "wrong-bytes"),
    "memcached/versions": ("EXISTS", "STORED", "wrong-bytes"),
    "mqtt/no-connect": ("- end: any", "- quiet: 100ms", "early-end"),
    "mqtt/publish": ('"elsewhere"', '"room/two"', "wrong-bytes"),
    "mqtt/will": ('of: "gone"', 'of: "left"', "wrong-bytes"),
    "pop3/mailbox": ("dot-block: yes", "dot-block: no", "wrong-bytes"),
    "pop3/pipelined": ("+OK 2", "+OK 1", "wrong-bytes"),
    "pop3/wrong-password": ("guessed", "secret", "wrong-bytes"),
    "redis/ping": ("- end: eof", "- quiet: 100ms", "early-end"),
    "redis/pipeline": (r'- expect: "$5\r\nhello', r'- expect: "$5\r\nhallo', "wrong-bytes"),
    "redis/protocol-error": ("got 'b'", "got 'c'", "wrong-bytes"),
    "redis/value": (r'"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"', r'"*2\r\n$3\r\nGET\r\n$1\r\nx\r\n"', "wrong-bytes"),
    "smtp/before-the-greeting": ("554", "220", "wrong-bytes"),
    "smtp/cut-in-the-end-of-data": (r"..\r\n", r".\r\n", "surplus-bytes"),
    "smtp/message": ("221 ${host}", "221 ${id}", "wrong-bytes"),
    "smtp/pipelined-too-early": ("554", "250", "wrong-bytes"),
    "smtp/wrong-order": ("503", "250", "wrong-bytes"),
}


def server(name: str) -> tuple[str | Path, ...]:
    """The command that starts the server of a protocol, in the foreground."""
    for program in PROGRAMS[name]:
        tool(program)
    environment = (f"PATH={search_path()}", f"UNPACKED={PRIVATE / 'root'}")
    return "env", *environment, "sh", PROTOCOLS / name / "server.sh", "{host}", "{port}", "{dir}"


def scenarios(name: str) -> list[Path]:
    return sorted((PROTOCOLS / name).glob("*.sock.yaml"))


def word(path: Path) -> str:
    """How a scenario is called: the name of its contract and its own."""
    return f"{path.parent.name}/{path.name.removesuffix('.sock.yaml')}"


@pytest.mark.parametrize("options", [("--jobs", "2", "--repeat", "2"), ("--no-observe",)], ids=" ".join)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_server_that_nobody_doubts_is_accused_of_nothing(name: str, options: tuple[str, ...]) -> None:
    ran = sockcheck("run", PROTOCOLS / name, *options, "--", *server(name))
    assert ran.code == 0, ran.everything
    assert re.search(r"cases?: \d+ passed in ", ran.out), ran.everything


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_scenario_can_fail(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(PROTOCOLS / name, folder)
    expected = {}
    for path in scenarios(name):
        right, wrong, kind = WRONG[word(path)]
        text = path.read_text()
        assert right in text
        (folder / path.name).write_text(text.replace(right, wrong, 1))
        expected[word(path)] = {kind}
    record = tmp_path / "run.jsonl"
    ran = sockcheck("run", folder, "--record", record, "--", *server(name))
    assert ran.code == 1, ran.everything
    names = {}
    found = {}
    for event in read(record):
        if isinstance(event, CaseStarted):
            names[event.trial] = f"{name}/{event.case.scenario}"
        elif isinstance(event, CaseJudged):
            found[names[event.trial]] = {finding.kind for finding in event.verdict.findings}
    assert found == expected, ran.everything


def test_there_is_a_wrong_one_for_every_scenario() -> None:
    assert {word(path) for name in PROGRAMS for path in scenarios(name)} == set(WRONG)
    assert {path.parent.name for path in PROTOCOLS.glob("*/server.sh")} == set(PROGRAMS)


def test_the_manual_goes_through_all_of_them() -> None:
    page = CHECKOUT / "docs" / "protocols.md"
    named = {name for _, name in words_in_code(page)}
    shown = {word(path) for path in map(copied, blocks(page)) if path}
    assert {word(path) for name in PROGRAMS for path in scenarios(name)} - named - shown == set()
