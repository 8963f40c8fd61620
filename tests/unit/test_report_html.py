"""The HTML report as a document: what is in it, and that nothing in it comes from data as markup."""

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as parser
from report_builder import LAWS, Stream, case
from report_streams import STREAMS, view

from sockcheck.case import Actor
from sockcheck.events import CaseNotRun
from sockcheck.verdict import Kind
from sockcheck_reports import html
from sockcheck_reports.view import View, fold

OURS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "article"),
    *("h1", "h2", "h3", "p", "ul", "li", "dl", "dt", "dd", "pre", "figure", "figcaption", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td", "a", "b", "strong", "code", "mark", "span"),
}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "id", "title", "href", "open"}


def knows(run: Stream) -> Stream:
    """`run` and a known failure."""
    return run.begin(case("known")).verdict("skip", run.finding(), reason="known failure: issue 12")


def advised(run: Stream) -> Stream:
    """`run` and a case that broke what was not promised."""
    return run.begin(case("advised")).verdict("advice", run.finding(), reason="pipelining is not promised")


def document(text: str) -> parser.HtmlElement:
    return parser.document_fromstring(text)


def shape(text: str) -> Counter[str]:
    return Counter(str(element.tag) for element in document(text).iter())


def said(root: parser.HtmlElement, path: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in root.xpath(path)]


@pytest.mark.parametrize("name", STREAMS)
def test_every_element_and_attribute_is_ours(name: str) -> None:
    root = document(html.render(view(name), LAWS))
    assert {str(element.tag) for element in root.iter()} <= OURS
    assert {str(key) for element in root.iter() for key in element.attrib} <= ATTRIBUTES
    assert all(str(link).startswith(("#case-", "#cause-")) for link in root.xpath("//@href"))
    identifiers = root.xpath("//@id")
    assert len(identifiers) == len(set(identifiers))
    assert {str(link)[1:] for link in root.xpath("//@href")} == set(map(str, identifiers))


@given(st.text(), st.binary(max_size=50))
def test_no_element_comes_from_data(text: str, data: bytes) -> None:
    def page(text: str, data: bytes) -> str:
        run = Stream().start(total=2).serve().output(b"." + data + b".").begin(case(text or "x", title=text))
        run.received(b"." + data).verdict("fail", run.finding(message=text, expected=f".{text}", actual=f".{text}"))
        run.add(CaseNotRun(run.at, case(text), "." + text))
        return html.render(fold(run.finish(1, f".{text}")), LAWS)

    assert shape(page(text, data)) == shape(page("harmless", b"harmless"))


@pytest.mark.parametrize("name", STREAMS)
def test_nothing_is_loaded_and_only_the_one_style_sheet_is_allowed(name: str) -> None:
    text = html.render(view(name), LAWS)
    root = document(text)
    [policy] = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|https?:", style)


@pytest.mark.parametrize("name", STREAMS)
def test_no_character_acts_on_its_surroundings(name: str) -> None:
    text = html.render(view(name), LAWS)
    assert {c for c in text if not c.isprintable()} <= {"\n"}


def test_the_verdict_comes_first_then_the_failures_then_every_case() -> None:
    root = document(html.render(view("classic"), LAWS))
    assert said(root, "//h1 | //h2") == ["1 of 3 cases failed", "What went wrong", "All cases", "About this run"]
    assert said(root, "//ul[@class='counts']/li") == ["1 failed", "2 passed"]
    assert said(root, "//table[@class='cases']//td[@class='verdict']") == ["pass", "fail", "pass"]


def test_a_failure_says_what_the_terminal_says() -> None:
    [article] = document(html.render(view("classic"), LAWS)).xpath("//article")
    assert said(article, ".//p[@class='message']") == [
        "the server closed the connection after 5 bytes: 7 of 12 bytes did not come"
    ]
    assert said(article, ".//figcaption") == ["scenarios/echo/pieces.sock.yaml:8"]
    assert said(article, ".//figure//mark") == ['"hello world\\n"']
    assert said(article, ".//dd") == [
        '"hello world\\n"',
        "\"hello\" (5 bytes), then the orderly end (b'')",
        "68 65 6c 6c 6f 20 77 6f 72 6c 64 0a",
        "68 65 6c 6c 6f",
    ]
    assert said(article, ".//p[@class='what']") == ['First difference at byte 5: expected 0x20 " ", got nothing more.']
    assert said(article, ".//p[@class='law']")[0].startswith("Law cut.at-k A stream has no message boundaries")
    assert said(article, ".//p[@class='hint']")[0].startswith("Hint recv() returns")
    assert said(article, ".//tr[contains(@class, 'decisive')]/td") == [
        "0.32",
        "←",
        "end of stream (recv() gave b''), after 5 bytes",
    ]
    assert said(article, ".//pre[@class='output']") == [
        "listening on port 41731 connection from 127.0.0.1:50524 got b'hello' connection closed"
    ]
    assert said(article, ".//p[@class='command']") == [
        "sockcheck run scenarios/echo --select echo/pieces::cut.at-k -- python my_server.py {port}"
    ]


def test_the_causes_stand_on_top_and_their_cases_are_folded_away() -> None:
    root = document(html.render(view("causes"), LAWS))
    assert said(root, "//h2") == [
        "2 causes explain 12 failing cases; 2 more fit no known pattern",
        "What went wrong",
        "Advice: not promised, so it does not count",
        "All cases",
        "About this run",
    ]
    cards = root.xpath("//article[contains(@class, 'cause')]")
    assert [card.xpath("string(.//h3)") for card in cards] == [
        "The server takes one recv() for one message",
        "The server closes by a reset",
        "The server drops what comes behind a message in one recv()",
    ]
    assert said(cards[0], ".//figcaption") == ["How to mend it in Python", "How to mend it in C"]
    assert cards[0].xpath("string(.//pre)").splitlines()[1] == "    data = client.recv(4096)"
    assert said(cards[0], ".//li") == [f"echo/pieces::cut.at-k(client.1:{position})" for position in range(1, 12)]
    assert said(cards[2], ".//p[@class='law']")[0].endswith("the contract does not promise pipelining.")
    assert said(root, "//details[@class='rest']/summary") == [
        "10 more cases of this cause",
        "1 more case that breaks this law",
        "2 cases",
    ]
    assert root.xpath("count(//details[@class='rest' and @open])") == 0
    assert said(root, "//ul[@class='counts']/li") == ["14 failed", "1 passed", "2 advice"]


def test_of_many_failures_the_smallest_of_each_cause_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "SHOWN_WHOLE", 4)
    root = document(html.render(view("causes"), LAWS))
    assert said(root, "//article[@class='fail']//p[@class='id']") == [
        "echo/pieces::cut.at-k(client.1:1)",
        "echo/pieces::cut.at-k(client.1:2)",
        "echo/gone::end.orderly",
        "echo/odd-1::plain",
    ]
    assert said(root, "//ul[@class='members']/li")[2] == "and 9 more in the table below"


def test_notices() -> None:
    root = document(html.render(view("mixed"), LAWS))
    notices = said(root, "//*[contains(concat(' ', @class, ' '), ' notice ')]")
    assert notices[0] == "The run ended early: the server could not be started"
    assert notices[1].startswith("the server exited with status 1 before it listened Traceback")
    assert notices[2].startswith("Weaker than usual All deadlines were stretched")
    assert notices[3] == "1 more case was planned and never reached."
    assert said(root, "//article//p[@class='note']") == ["The server wrote nothing."] * 2
    root = document(html.render(view("cut-off"), LAWS))
    assert said(root, "//p[@class='notice bad']")[0].startswith("The record is not whole")


def test_many_failures_do_not_make_an_endless_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "SHOWN_WHOLE", 3)
    root = document(html.render(view("every-kind"), LAWS))
    assert len(root.xpath("//article")) == 3
    assert said(root, "//p[@class='notice']") == [
        f"{len(get_args(Kind)) - 3} more did not pass; they stand in the table below."
    ]
    assert len(root.xpath("//table[@class='cases']//a")) == 3


def test_huge_findings_do_not_make_a_huge_page() -> None:
    assert len(html.render(view("huge"), LAWS)) < 100_000


@pytest.mark.parametrize(
    ("run", "headline"),
    [
        (view("mixed"), "1 of 9 cases failed, 1 ended in an error"),
        (view("cut-off"), "1 of 5 cases ended in an error"),
        (view("empty"), "The run was cut off"),
        (view("stalled"), "1 case failed"),
        (fold(Stream().start().begin(case()).verdict("error").finish()), "1 case ended in an error"),
        (view("known"), "1 of 5 cases failed"),
        (fold(knows(Stream().start(total=2).serve().passes()).finish(0)), "1 case passed, 1 known failure"),
        (fold(knows(Stream().start(total=1)).finish(0)), "No case passed, 1 known failure"),
        (fold(Stream().start(total=0).finish(0)), "No case was run"),
        (fold(Stream().start().serve().passes().finish(0)), "The one case passed"),
        (fold(Stream().start(total=2).serve().passes().passes().finish(0)), "All 2 cases passed"),
        (fold(Stream().start(total=3).serve().passes().finish(0)), "1 case passed, 2 not run"),
        (fold(advised(Stream().start(total=2).serve().passes()).finish(0)), "1 case passed, 1 advice"),
        (
            fold([event for event in STREAMS["mixed"]() if not hasattr(event, "attempt")]),
            "The server could not be started or reached",
        ),
    ],
)
def test_headline(run: View, headline: str) -> None:
    assert html.headline(run) == headline
    [shown] = said(document(html.render(run, LAWS)), "//h1")
    assert shown == headline


def test_several_clients_are_told_apart_and_silence_is_said() -> None:
    two = replace(case(), actors=(*case().actors, Actor("b", ())))
    run = Stream().start(total=2).serve(()).begin(two).connect().verdict("fail", Stream().finding())
    run.begin(case("empty")).verdict("error", reason="why")
    root = document(html.render(fold(run.finish()), LAWS))
    assert said(root, "//table[@class='timeline']//tr/td[3]")[0].startswith("client: connected to")
    assert said(root, "//details/p") == ["Nothing was recorded."]
    assert said(root, "//article/p[@class='note']") == []


def test_known_failures_stand_apart() -> None:
    root = document(html.render(view("known"), LAWS))
    assert said(root, "//h2") == ["What went wrong", "Known failures", "All cases", "About this run"]
    assert said(root, "//ul[@class='counts']/li") == ["1 failed", "1 passed", "3 known failures"]
    assert said(root, "//article[@class='skip']/header/p[@class='verdict']") == ["known failure"] * 3
    assert said(root, "//article[@class='skip']/p[@class='message']")[0] == "known failure: issue 12"
    assert said(root, "//table[@class='cases']//td[@class='verdict']") == ["pass", "known", "known", "known", "fail"]
    assert said(document(html.render(fold(knows(Stream().start()).finish(0)), LAWS)), "//h1[@class='pass']") == [
        "No case passed, 1 known failure"
    ]


def test_many_clients_in_few_words() -> None:
    root = document(html.render(view("crowd"), LAWS))
    assert said(root, "//section[@class='finding']/p[@class='message']") == [
        "crowd[17]: what came is wrong: byte 17 differs",
        "crowd[40]: what came is wrong: byte 20 differs",
    ]
    assert said(root, "//section[@class='others']") == [
        "Also crowd[21] to crowd[24]: what came is wrong: byte 17 differs (scenarios/neighbours/backlog.sock.yaml:16)"
    ]
    assert said(root, "//p[@class='server']") == [
        "Server python my_server.py 41731 at 127.0.12.1:41731, ready after 36 ms; it was stopped by sockcheck"
    ]
    root = document(html.render(view("backlog"), LAWS))
    assert said(root, "//section[@class='others']") == [
        "Not judged crowd[0], crowd[1], crowd[3] and crowd[4], since crowd[2] failed first"
    ]
