"""What GitHub Actions is told: by a reader of commands like the runner's, nothing that a server wrote is a command."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builder import LAWS, PATH, Stream, case, span
from report_streams import STREAMS, view

from sockcheck.events import RunStarted, TargetFailed
from sockcheck_reports import github
from sockcheck_reports.view import View, fold

WORKSPACE = "/home/ada"
REGISTERED = ("error", "warning", "notice", "debug", "add-mask", "set-output", "group", "stop-commands")


def understood(line: str) -> tuple[str, dict[str, str], str] | None:
    """The command of a line, its properties and its data, by the rules of the runner: it needs not stand in front."""
    found = re.match(r"\s*::([^ :]+)(?: (.*?))?::(.*)\Z", line, re.DOTALL)
    if found is None or found[1] not in REGISTERED:
        old = re.search(r"##\[([^ \]]+).*?\]", line)
        return (old[1], {}, "") if old and old[1] in REGISTERED else None
    properties = dict(each.partition("=")[::2] for each in (found[2] or "").split(",") if each)
    return found[1], {name: back(value) for name, value in properties.items()}, back(found[3])


def back(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def commands(view: View, workspace: str = WORKSPACE) -> list[tuple[str, dict[str, str], str]]:
    lines = github.commands(view, workspace)
    found = [understood(line) for line in lines]
    assert all("\n" not in line and "\r" not in line for line in lines)
    assert all(each is not None and each[0] in ("error", "warning") for each in found)
    return [each for each in found if each is not None]


def test_a_failure_is_told_at_its_line_in_the_repository() -> None:
    assert commands(view("classic")) == [
        (
            "error",
            {
                "file": f"project/{PATH}",
                "line": "8",
                "col": "13",
                "endColumn": "28",
                "title": "echo/pieces::cut.at-k",
            },
            "A line in two pieces is echoed whole\n"
            "the server closed the connection after 5 bytes: 7 of 12 bytes did not come",
        )
    ]


@pytest.mark.parametrize("workspace", ["", "/home/adam", "/home/ada/project/scenarios/echo/pieces.sock.yaml/x"])
def test_what_is_outside_of_the_repository_is_named_in_the_text(workspace: str) -> None:
    [(_, properties, text)] = commands(view("classic"), workspace)
    assert properties == {"title": "echo/pieces::cut.at-k"}
    assert text.startswith(f"{PATH}:8\n")


def test_causes_come_first_and_ten_are_the_most() -> None:
    found = commands(view("causes"))
    errors = [properties["title"] for kind, properties, _ in found if kind == "error"]
    assert len(errors) == github.MOST
    assert errors[0] == "The server takes one recv() for one message"
    assert "Mend:" in found[0][2]
    assert "sockcheck explain cut.at-k" in found[0][2]
    assert [properties["title"] for kind, properties, _ in found if kind == "warning"] == [
        "The server drops what comes behind a message in one recv()",
        "merge.pipeline is broken",
    ]


def test_what_could_not_be_judged_is_a_warning() -> None:
    kinds = [(kind, properties["title"]) for kind, properties, _ in commands(view("attempts"))]
    assert ("warning", "echo/busy::cut.at-k") in kinds
    assert ("error", "echo/seldom::cut.at-k") in kinds
    passing = [replace(each, flaky="pass") if isinstance(each, RunStarted) else each for each in STREAMS["attempts"]()]
    assert ("warning", "echo/seldom::cut.at-k") in [
        (kind, properties["title"]) for kind, properties, _ in commands(fold(passing))
    ]


def test_a_run_without_a_server_or_an_end_is_an_error() -> None:
    [first, *_] = commands(view("mixed"))
    assert first[1] == {"title": "The server could not be started or reached"}
    assert commands(view("cut-off"))[0][2] == "the run was not finished"


HOSTILE_LINES = (
    "::error::pwned",
    "  ::set-output name=a::b",
    "\r::add-mask::e",
    "\n::add-mask::e",
    "##[add-mask]e",
    "%0A::error::x",
    "a::error file=b,line=1::c",
    "x\u2028::error::y",
    "\v::error::y",
)


@pytest.mark.parametrize("text", HOSTILE_LINES)
def test_what_a_server_writes_is_no_command_of_its_own(text: str) -> None:
    run = Stream().start(total=1).serve().output(text.encode())
    run.begin(case(text, title=text)).verdict("fail", run.finding(message=text, span=span(8, "expect")))
    run.add(TargetFailed(run.at, 2, text, text, text.encode()))
    found = commands(fold(run.finish()))
    assert len(found) == 2
    assert [set(properties) - {"title"} for _, properties, _ in found] == [
        set(),
        {"file", "line", "col", "endColumn"},
    ]


@given(st.text(), st.text())
def test_whatever_texts_come_an_annotation_is_one_line(text: str, path: str) -> None:
    run = Stream().start(total=1).serve()
    place = replace(span(8, "expect"), path=f"/home/ada/{path}")
    run.begin(case(text, title=text)).verdict("fail", run.finding(message=text, span=place))
    [(kind, properties, _)] = commands(fold(run.finish()))
    assert kind == "error"
    assert set(properties) <= {"file", "line", "col", "endColumn", "title"}


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert attrs == []
        self.tags.add(tag)


@pytest.mark.parametrize("name", STREAMS)
def test_the_summary_has_no_markup_but_its_own(name: str) -> None:
    text = github.summary(view(name), LAWS)
    seen = Seen()
    seen.feed(text)
    assert seen.tags <= {"pre", "code", "p", "b", "table", "tr", "td", "th", "details", "summary"}
    outside = re.sub(r"<pre>.*?</pre>|<code>.*?</code>", "", text, flags=re.DOTALL)
    assert not re.search(r"script|owned|@|\[|https?:", outside)
    # An HTML block that is no <pre> ends at an empty line, and <pre> at its own end: no foreign line begins a block.
    for block in re.split(r"<pre>.*?</pre>", text, flags=re.DOTALL):
        assert all(line.startswith(("<", "##")) for line in block.splitlines() if line)


def test_the_summary_leads_with_the_verdict_and_the_causes() -> None:
    text = github.summary(view("causes"), LAWS)
    assert text.startswith("## sockcheck: 14 of ")
    order = [text.index(part) for part in ("### Causes", "The server takes one recv()", "### Cases that did not pass")]
    assert order == sorted(order)
    assert "Timeline (ms since the case began)" in unescape(text)


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("cut-off", "the run was not finished"),
        ("empty", "the run was not finished"),
        ("classic", "1 of 3 cases failed"),
        ("mixed", "1 of 9 cases failed"),
    ],
)
def test_the_headline_is_the_verdict(name: str, headline: str) -> None:
    assert github.summary(view(name), LAWS).startswith(f"## sockcheck: {headline}\n")


def test_other_headlines() -> None:
    def headline(view: View) -> str:
        return github.summary(view, LAWS).partition("\n")[0].removeprefix("## sockcheck: ")

    assert headline(fold(Stream().start().serve().passes().finish(0))) == "1 of 1 case passed"
    busy = Stream().start(total=2).serve().passes().begin(case()).verdict("busy", reason="no CPU")
    assert headline(fold(busy.finish(5))) == "1 of 2 cases not judged"
    gone = Stream().start(total=1).add(TargetFailed(0.1, 1, "it ended", "", b""))
    assert headline(fold(gone.finish(3))) == "the server could not be started or reached"


@pytest.mark.parametrize("limit", [0, 1500, 5000, 9000])
def test_the_summary_has_room_where_it_goes(limit: int) -> None:
    text = github.summary(view("causes"), LAWS, limit)
    assert len(text.encode()) <= limit
    assert text == "" or text.endswith("all of it.</p>\n")


def test_the_summary_of_a_huge_run_is_within_what_github_takes() -> None:
    run = Stream().start(total=2000).serve()
    for number in range(2000):
        run.begin(case(f"n{number}")).output(b"<&>" * 2000).verdict("fail", run.finding(message="é" * 600))
    text = github.summary(fold(run.finish()), LAWS)
    assert 900_000 < len(text.encode()) <= github.SUMMARY_LIMIT
