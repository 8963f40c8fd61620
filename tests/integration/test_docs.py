"""What README.md and docs/ show is tried as a reader would try it, and what they say of files and options is so.

A page is a session: its blocks are worked through from top to bottom in a folder of its own. What the page says to save
is saved under that name; commands are run; the output that is shown must be the output that comes, up to times and
addresses. Every scenario that is shown is run.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from command_line import LIMIT, environment, sockcheck
from doc_pages import PAGES, Block, Example, anchors, blocks, copied, example, links, words_in_code
from tools import CHECKOUT

from sockcheck.events import CaseJudged, CaseStarted
from sockcheck.laws import LAWS
from sockcheck.reading import contracts, scenarios, steps
from sockcheck.reading import server as server_steps
from sockcheck.reading.contracts import PROMISES
from sockcheck.reading.forms import FORMS
from sockcheck.reading.parts import KINDS
from sockcheck.recording import read
from sockcheck.reservation import Reservation
from sockcheck.suite import bundled
from sockcheck.verdict import Kind

# Commands and blocks, by their first line, that nothing here runs, and why.
NOT_RUN = {
    "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/sockcheck run scenarios/": (
        "fetches from the network; test_packaging installs the same package"
    ),
    "python3 -m venv .venv && .venv/bin/pip install tox && .venv/bin/tox": "would run this test",
    "pip install ./tools/sockcheck": "fetches from the network; test_packaging installs the same package",
    "#!/bin/sh": "Gradescope's folders; test_ci_recipes makes them",
    "pytest --dist load --tx ssh=one//python=.venv/bin/python//chdir=course --tx ssh=two//python=.venv/bin/python//chdir=course": (  # noqa: E501
        "takes two hosts; test_pytest_plugin has workers in another network"
    ),
    'pytest --dist load --tx "2*popen//python=ip netns exec lab .venv/bin/python"': (
        "takes a network; test_pytest_plugin makes one"
    ),
    "Welcome to the server. Type something and hit enter": "what a server says",
    "Hello Node!": "what a server says",
    "sockcheck run tests/data/protocols/ftp -- sh tests/data/protocols/ftp/server.sh {host} {port} {dir}": (
        "test_protocols runs it, where the server is to be had"
    ),
    "  no       the kernel tells of sockets (sock_diag)": "takes a sandbox; test_doctor tries one",
    "sockcheck run scenarios/echo --isolate net -- ./my_server": "takes namespaces; test_isolation tries it",
    "jq -c 'select(.type == \"Received\" and .attempt == 3) | .data' run.jsonl": "jq is not among the tests' tools",
    "jq -s 'group_by(.attempt)[] | select(.[0].attempt) | [.[0].attempt, .[-1].at - .[0].at]' run.jsonl": (
        "jq is not among the tests' tools"
    ),
    "jq -c 'select(.type == \"CaseJudged\") | [.trial, .verdict.outcome]' run.jsonl": (
        "jq is not among the tests' tools"
    ),
    " *.sock.yaml ──reading──▶ Scenario ──planning──▶ Case ──driver──▶ events ──judging──▶ Verdict": "a drawing",
}
NOT_RUN_BEGINNINGS = {'{"type":"RunStarted"': "test_record_page reads it"}

VERBS = (
    *("run", "grade", "init", "check", "doctor", "list", "explain", "report", "diff", "reproduce"),
    *("schema", "serve"),
)
# Options of programs other than sockcheck: `--idle` is the kv reference server's, `--security-opt` Docker's; the next
# are those of setpriv, and the last pytest's.
OTHERS_OPTIONS = {
    *("--idle", "--security-opt", "--reuid", "--regid", "--clear-groups"),
    *("--deselect", "--dist", "--junitxml", "--lf", "--runxfail", "--tx"),
}
LINKED = (*PAGES, CHECKOUT / "CONTRIBUTING.md", CHECKOUT / "CHANGELOG.md")
# Paths of somebody's machine. In an example of a record Ada's may stand.
FOREIGN_PATH = re.compile(r"(?<![\w.~])/(?:home(?!/ada/)|root|tmp|work|opt|mnt|srv|usr|Users)/\S*|\.\./\.\./\S*")

# The address that the pages use. It is replaced by one that is free.
SHOWN = "127.0.0.1:7000"

ALL_BLOCKS = [block for page in PAGES for block in blocks(page)]
EXAMPLES: dict[tuple[str, str], list[Example]] = defaultdict(list)
for _shown in filter(None, map(example, ALL_BLOCKS)):
    EXAMPLES[_shown.block.page.name, _shown.server].append(_shown)


class Session:
    """A reader at a shell, in a folder with a good server of their own: my_server.py, and my_server as a program."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "work"
        self._folder.mkdir()
        self._environment = {**environment(), "HOME": str(folder), "PATH": f"{folder}/bin:{os.environ['PATH']}"}
        self._reservation = Reservation()
        self._address = f"{self._reservation.host}:{self._reservation.port}"
        self._code = 0
        self._servers: list[subprocess.Popen[str]] = []
        source = (CHECKOUT / "tests" / "data" / "docs" / "my_server.py").read_text()
        self.save("my_server.py", source)
        _program(self._folder / "my_server", f"#!{sys.executable}\n{source}")
        (folder / "bin").mkdir()
        for name, words in (("sockcheck", "-m sockcheck"), ("pytest", "-m pytest"), ("python", ""), ("python3", "")):
            _program(folder / "bin" / name, f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')

    def save(self, name: str, text: str) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, command: str) -> str:
        """What a command writes, the last exit code being `$?`. A server stays in the background until `close`."""
        command = command.replace(SHOWN, self._address)
        if re.match("sockcheck serve ", command):
            self._serve(command)
            return ""
        if self._address in command and not self._servers:
            self._serve(f"sockcheck serve echo {self._address}")
        done = subprocess.run(
            ["sh", "-c", f"(exit {self._code}); {command}"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        self._code = done.returncode
        # Beside a report, the names of failures on standard error are there for those who watch.
        return (done.stdout or done.stderr).replace(self._address, SHOWN).replace(str(bundled()), "scenarios")

    def succeed(self, command: str) -> None:
        output = self.run(command)
        assert self._code == 0, f"{command}\n{output}"

    def close(self) -> None:
        for server in self._servers:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=LIMIT)
        self._reservation.release()

    def _serve(self, command: str) -> None:
        server = subprocess.Popen(
            shlex.split(command), cwd=self._folder, env=self._environment, stdout=subprocess.PIPE, text=True
        )
        self._servers.append(server)
        assert server.stdout is not None
        assert "listening on" in server.stdout.readline(), command


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path)
    yield session
    session.close()


@pytest.mark.timeout(300)  # `sockcheck init` looks at a server for many seconds, on a busy machine for a minute
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_tells_to_do_works(page: Path, session: Session) -> None:
    shown = blocks(page)
    for number, block in enumerate(shown):
        if block.save_as:
            session.save(block.save_as, block.text)
        if block.first_line in NOT_RUN or block.first_line.startswith(tuple(NOT_RUN_BEGINNINGS)):
            continue
        match block.language:
            case "yaml" | "sh" if path := copied(block):
                assert block.text == f"{block.first_line}\n{path.read_text()}", f"{block.place}: {path} says otherwise"
            case "sh" | "":
                for command in commands(block.text):
                    session.succeed(command)
            case "console":
                converse(session, block)
            case "yaml" if "$CI_NODE" in block.text or "${{" in block.text:
                pass  # test_ci_recipes puts in what the services do
            case "yaml" if block.save_as.startswith(".git"):
                for command in ci_commands(yaml.safe_load(block.text)):
                    session.succeed(command)
            case "toml" if block.save_as == "pyproject.toml":
                pass  # pytest finds it by itself
            case "yaml" | "python" if block.save_as:
                name = block.save_as.partition("/")[0]
                others = [*shown[:number], *shown[number + 1 :]]
                assert any(name in other.text for other in others), f"{block.place}: {name} is never used"
            case _:
                assert example(block), f"{block.place}: nothing runs this block"


@pytest.mark.parametrize(("page", "server"), EXAMPLES)
def test_the_scenarios_come_to_what_they_say(page: str, server: str, tmp_path: Path) -> None:
    expected = {}
    for shown in EXAMPLES[page, server]:
        name = f"line-{shown.block.line}"
        (tmp_path / f"{name}.sock.yaml").write_text(shown.block.text)
        expected[name] = {shown.kind} if shown.kind else set()
    module = f"sockcheck.servers.{server.replace('-', '_')}"
    record = tmp_path / "run.jsonl"
    words = ("{python}", "-m", module, "{host}", "{port}")
    ran = sockcheck("run", tmp_path, "--conditions", "none", "--record", record, "--", *words)
    names: dict[int, str] = {}
    found = {}
    for event in read(record):
        if isinstance(event, CaseStarted):
            names.setdefault(event.trial, event.case.scenario)
        elif isinstance(event, CaseJudged):
            found[names[event.trial]] = {finding.kind for finding in event.verdict.findings}
    assert found == expected, ran.everything


def converse(session: Session, block: Block) -> None:
    """Type what stands behind each `$ ` and compare what comes. A line `…` stands for any lines."""
    for turn in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, shown = turn.partition("\n")
        while shown.startswith("> "):
            more, _, shown = shown[2:].partition("\n")
            command += f"\n{more}"
        came = session.run(command)
        parts = [re.escape(comparable(part)) for part in re.split(r"^ *…\n", shown, flags=re.MULTILINE)]
        assert re.fullmatch(".*".join(parts), comparable(came), re.DOTALL), (
            f"{block.place}: $ {command}\n--- what is shown\n{shown}--- what came\n{came}"
        )


def comparable(output: str) -> str:
    """`output` without what differs from run to run: times, addresses, and where lines are broken for them.

    Nor does it say how many cases a whole suite has, ten or more, since suites grow; nor how many of them come to what,
    since what is left out behind five broken variations depends on how many were under way.
    """
    output = re.sub(r"^ +-?[\d.]+ (?=(--|->|<-| \||\.\.) )", "at ", output, flags=re.MULTILINE)
    output = re.sub(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "a moment", output)
    output = re.sub(r"\b[\d.]+ (ms|s)\b|(?<=in )[\d.]+s\b", "a time", " ".join(output.split()))
    output = re.sub(r"\b\d{2,} cases: [^:]*(?= in a time)", lambda found: re.sub(r"\d+", "some", found[0]), output)
    output = re.sub(r"\b\d{2,}(?= (cases|passed|failed)\b)", "many", output)
    output = re.sub(r"\d+(?= failing cases)|(?<=[a-z]: )\d+(?= cases)", "some", output)
    return re.sub(r"127\.0\.\d+\.\d+[: ]\d+|(?<=--port )\d+", "an address", output)


def commands(text: str) -> list[str]:
    """The commands of a block, without those that are marked; a backslash at the end of a line goes on in the next."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#") and line not in NOT_RUN]


def ci_commands(node: Any) -> Iterator[str]:
    """The lines of shell in the configuration of a CI: what stands under `run` (GitHub) and `script` (GitLab)."""
    if isinstance(node, list):
        for item in node:
            yield from ci_commands(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("run", "script", "before_script", "after_script"):
                for text in [value] if isinstance(value, str) else value:
                    yield from commands(text)
            else:
                yield from ci_commands(value)


def test_what_is_not_run_is_still_there() -> None:
    lines = [line.strip() for block in ALL_BLOCKS for line in block.text.splitlines()]
    bare = {line.removeprefix("- ").removeprefix("run: ") for line in lines}
    assert [line for line in NOT_RUN if line.strip() not in bare] == []
    assert [begin for begin in NOT_RUN_BEGINNINGS if not any(line.startswith(begin) for line in lines)] == []


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for line, href in links(page):
        if re.match("https?://", href):
            continue
        path, _, anchor = href.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_relative_to(CHECKOUT) or not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{page.name}:{line}: {href}")
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_are_there_and_no_others_are_named(page: Path) -> None:
    tops = {path.name for path in CHECKOUT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    saved = {block.save_as for block in blocks(page)}
    missing = [
        f"{page.name}:{line}: {word}"
        for line, word in words_in_code(page)
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)+/?", word) and word.split("/")[0] in tops
        if word not in saved and not (CHECKOUT / word).exists()
    ]
    assert missing == []
    assert FOREIGN_PATH.findall(page.read_text(encoding="utf-8")) == []


def test_every_option_that_is_named_exists_and_every_option_is_named(tmp_path: Path) -> None:
    helps = "".join(sockcheck(*words, "--help").out for words in ((), *((verb,) for verb in VERBS)))
    known = set(re.findall(r"--[a-z][a-z-]*", helps)) | pytest_options(tmp_path)
    named = defaultdict(set)
    for page in PAGES:
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", page.read_text(encoding="utf-8")):
            named[option].add(page.name)
    assert {option: pages for option, pages in named.items() if option not in known | OTHERS_OPTIONS} == {}
    assert known - {"--help"} - set(named) == set()


def pytest_options(folder: Path) -> set[str]:
    """Those that sockcheck adds to pytest, as a user has it in a folder."""
    words = [sys.executable, "-m", "pytest", "--help"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=True)
    return set(re.findall(r"--sockcheck-[a-z-]*", done.stdout))


def test_nothing_of_the_language_and_the_judgement_is_left_out() -> None:
    words: dict[str, set[str]] = {page.name: {word for _, word in words_in_code(page)} for page in PAGES}
    language = (CHECKOUT / "docs" / "language.md").read_text(encoding="utf-8")
    assert set(steps.VERBS) <= anchors(CHECKOUT / "docs" / "language.md")
    in_code = {re.split("[: ]", word)[0] for word in words["language.md"]}
    assert {*server_steps.VERBS, *server_steps.MEASURES, *scenarios.KEYS, *contracts.KEYS} <= in_code
    assert [form for form in FORMS if f"{form}:" not in language] == []
    assert set(PROMISES) <= words["language.md"]
    assert [part for part in KINDS if f"{part}:" not in language] == []
    assert set(get_args(Kind)) <= words["judging.md"]
    assert set(LAWS) <= words["judging.md"]
    assert set(VERBS) <= {word.split()[1] for page in words.values() for word in page if word.startswith("sockcheck ")}


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
