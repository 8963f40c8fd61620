"""The HTML report as a document: what is in it, and that nothing in it comes from data as markup."""

import base64
import hashlib
import json
import re
import zlib
from collections import Counter
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as parser
from report_builder import HOSTILE, LAWS, Stream, case
from report_many import many
from report_streams import STREAMS, view

from sockcheck.events import CaseNotRun
from sockcheck.verdict import IN_BASELINE, Kind
from sockcheck_reports import html
from sockcheck_reports.view import View, fold

OURS = {
    *("html", "head", "meta", "title", "style", "script", "body", "header", "main", "footer", "section", "article"),
    *("h1", "h2", "h3", "p", "ul", "li", "dl", "dt", "dd", "pre", "figure", "figcaption", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td", "a", "b", "code", "mark", "span", "div", "button", "svg", "rect"),
}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "open", "hidden", "type", "tabindex"),
    *("scope", "aria-labelledby", "aria-hidden", "viewbox", "preserveaspectratio", "x", "width", "height"),
    *("data-cause", "data-contract", "data-law", "data-details"),
}


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


def data_of(text: str) -> dict[str, Any]:
    """What the page's script is given."""
    [island] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    found = json.loads(island)
    assert isinstance(found, dict)
    return found


def unpacked(text: str) -> list[list[dict[str, Any]]]:
    chunks = re.findall(r'<script type="text/plain" class="packed">(.*?)</script>', text, re.DOTALL)
    return [json.loads(zlib.decompress(base64.b64decode(chunk))) for chunk in chunks]


def cases_of(text: str) -> list[tuple[str, str, str]]:
    """The outcome, the id and what is said of every case."""
    data = data_of(text)
    return [(data["outcomes"][row[0]][0], row[1], row[5]) for row in data["cases"]]


@pytest.mark.parametrize("name", STREAMS)
def test_every_element_and_attribute_is_ours(name: str) -> None:
    root = document(html.render(view(name), LAWS))
    assert {str(element.tag) for element in root.iter()} <= OURS
    assert {str(key) for element in root.iter() for key in element.attrib} <= ATTRIBUTES
    identifiers = root.xpath("//@id")
    assert len(identifiers) == len(set(identifiers))
    links = {str(link) for link in root.xpath("//@href")}
    assert {link[1:] for link in links} <= set(map(str, identifiers))
    assert all(link.startswith(("#case-", "#cause-", "#cases")) for link in links)


@given(st.text(), st.binary(max_size=50))
def test_no_element_comes_from_data(text: str, data: bytes) -> None:
    def page(text: str, data: bytes) -> str:
        run = Stream().start(total=2).serve().output(b"." + data + b".").begin(case(text or "x", title=text))
        run.received(b"." + data).verdict("fail", run.finding(message=text, expected=f".{text}", actual=f".{text}"))
        run.add(CaseNotRun(run.at, case(text), "." + text))
        return html.render(fold(run.finish(1, f".{text}")), LAWS)

    shown = page(text, data)
    assert shape(shown) == shape(page("harmless", b"harmless"))
    assert len(data_of(shown)["cases"]) == 2


@pytest.mark.parametrize("name", STREAMS)
def test_nothing_is_loaded_and_only_our_style_sheet_and_our_script_are_allowed(name: str) -> None:
    text = html.render(view(name), LAWS)
    root = document(text)
    [policy] = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (style, script)]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    assert not re.search(r"url\(|@import|https?:", style)
    assert re.findall(r"https?:\S+", script) == ['http://www.w3.org/2000/svg";']


def test_the_script_makes_no_markup_of_data() -> None:
    script = html.render(view("classic"), LAWS).rpartition("<script>")[2]
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "Function("):
        assert sink not in script
    assert not re.search(r"\bstyle:|\bon[a-z]+:|setTimeout|fetch\(|import\(|XMLHttpRequest|srcdoc", script)


@pytest.mark.parametrize("name", STREAMS)
def test_no_character_acts_on_its_surroundings(name: str) -> None:
    text = html.render(view(name), LAWS)
    assert {c for c in text if not c.isprintable()} <= {"\n"}
    shown = json.dumps([data_of(text), unpacked(text)], ensure_ascii=False)
    assert {c for c in shown if not c.isprintable()} == set()


def test_the_data_cannot_end_its_element_nor_begin_a_comment() -> None:
    text = html.render(view("hostile"), LAWS)
    [island] = re.findall(r'<script type="application/json" id="data">(.*)', text)
    body, end, rest = island.partition("</script>")
    assert (end, rest) == ("</script>", "")
    assert body.isascii()
    assert not set("<>&") & set(body)
    assert "\\u003c/script\\u003e" in body
    json.loads(body)


def test_the_verdict_comes_first_then_contracts_then_cases() -> None:
    text = html.render(view("classic"), LAWS)
    root = document(text)
    assert said(root, "//h1 | //h2") == ["1 of 3 cases failed", "The contract", "Cases", "About this run"]
    assert said(root, "//ul[@class='counts']/li") == ["1 failed", "2 passed"]
    assert [(bar.get("class"), bar.get("x"), bar.get("width")) for bar in root.xpath("/html/body/header//rect")] == [
        ("fail", "0.0", "333.3"),
        ("pass", "333.3", "666.7"),
    ]
    assert said(root, "//table//tbody/tr") == [
        "echoecho3 scenarios 3 1 failed, 2 passed",
        "cut.at-kcut.at-kA stream has no message boundaries: a message may arrive in two pieces, cut at any byte. "
        "1 1 failed",
        "plainplainThe exchange works as the contract says. 2 2 passed",
    ]
    assert cases_of(text) == [
        ("pass", "echo/greets::plain", ""),
        ("fail", "echo/pieces::cut.at-k", "the server closed the connection after 5 bytes: 7 of 12 bytes did not come"),
        ("pass", "echo/long::plain", ""),
    ]


def test_without_a_script_the_failures_are_listed() -> None:
    root = document(html.render(view("classic"), LAWS))
    assert said(root, "//ul[@class='listed']/li") == [
        "failed A line in two pieces is echoed whole echo/pieces::cut.at-k the server closed the connection after 5 "
        "bytes: 7 of 12 bytes did not come scenarios/echo/pieces.sock.yaml:8"
    ]
    assert root.xpath("//ul[@class='listed']/li/@id") == ["case-echo/pieces::cut.at-k"]
    assert root.xpath("//button[not(@hidden)]") == []
    root = document(html.render(fold(Stream().start().serve().passes().finish(0)), LAWS))
    assert said(root, "//div[@id='listed']")[0].startswith("None of them failed.")


def test_a_link_to_a_case_holds_whatever_its_id_is() -> None:
    assert html.anchor("echo/a::cut.at-k(client.2:3)") == "case-echo/a::cut.at-k(client.2:3)"
    assert html.anchor('"><b> é\u2028 (time 2)') == "case-%22%3E%3Cb%3E%20%C3%A9%5Cu2028%20(time%202)"


def test_the_causes_stand_on_top_with_what_was_seen_and_how_it_is_mended() -> None:
    text = html.render(view("causes"), LAWS)
    root = document(text)
    assert said(root, "//h2") == [
        "2 causes explain 12 failing cases; 2 more fit no known pattern",
        "The contract",
        "Cases",
        "Advice: not promised, so it does not count",
        "About this run",
    ]
    cards = root.xpath("//article[contains(@class, 'cause')]")
    assert [card.xpath("string(.//h3)") for card in cards] == [
        "The server takes one recv() for one message",
        "The server closes by a reset",
        "The server drops what comes behind a message in one recv()",
    ]
    assert said(cards[0], ".//figcaption | .//details[@class='mend']/summary") == ["How to mend it, in Python", "in C"]
    assert cards[0].xpath("string(.//pre)").splitlines()[1] == "    data = client.recv(4096)"
    members = [f"echo/pieces::cut.at-k(client.1:{position})" for position in range(1, 12)]
    assert said(cards[0], ".//li") == members
    assert cards[0].xpath(".//li/a/@href") == [f"#case-{member}" for member in members]
    assert said(cards[2], ".//p[@class='law']")[0].endswith("the contract does not promise pipelining.")
    assert said(root, "//ul[@class='counts']/li") == ["14 failed", "1 passed", "2 advice"]
    data = data_of(text)
    assert [(row[7], data["told"][row[8]]["cause"]) for row in data["cases"] if 0 <= row[8] < 3] == [
        (0, ["one-recv: the server takes one recv() for one message", "cause-1"]),
        (1, ["hard-close: the server closes by a reset", "cause-2"]),
        (-1, []),
    ]


def test_the_card_of_a_cause_shows_where_its_smallest_case_parts() -> None:
    found = view("causes")
    [smallest] = found.causes[0].failing[:1]
    difference = view("classic").failures[0].findings[0].difference
    differing = replace(smallest, findings=(replace(smallest.findings[0], difference=difference),))
    causes = (replace(found.causes[0], cases=(differing,)), *found.causes[1:])
    [card, *_] = document(html.render(replace(found, causes=causes), LAWS)).xpath("//article")
    assert said(card, ".//dl/dd") == ['"hello world\\n"', "\"hello\" (5 bytes), then the orderly end (b'')"]
    assert said(card, ".//dd/code/mark") == ["", ""]


def test_the_smallest_case_of_each_cause_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "LISTED", 4)
    root = document(html.render(view("causes"), LAWS))
    assert said(root, "//ul[@class='listed']//span[@class='id']") == [
        "echo/pieces::cut.at-k(client.1:1)",
        "echo/gone::end.orderly",
        "echo/odd-1::plain",
        "echo/pieces::cut.at-k(client.1:2)",
    ]
    assert said(root, "//div[@id='listed']/p")[1] == "and 12 more"
    assert len(root.xpath("//article[1]//li/a")) == 2


def test_many_members_of_a_cause_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "_MEMBERS", 2)
    [card, *_] = document(html.render(view("causes"), LAWS)).xpath("//article")
    assert said(card, ".//li")[-1] == "and 9 more"


def test_notices() -> None:
    root = document(html.render(view("mixed"), LAWS))
    notices = said(root, "//*[contains(concat(' ', @class, ' '), ' notice ')]")
    assert notices[0] == "The run ended early: the server could not be started"
    assert notices[1].startswith("the server exited with status 1 before it listened Traceback")
    assert notices[2] == "1 more case was planned and never reached."
    assert notices[3].startswith("Weaker than usual All deadlines were stretched")
    root = document(html.render(view("cut-off"), LAWS))
    assert said(root, "//p[@class='notice bad']")[0].startswith("The record is not whole")


def test_every_case_has_a_row_those_that_were_not_run_too() -> None:
    assert [row[:2] for row in cases_of(html.render(view("mixed"), LAWS))] == [
        ("pass", "echo/greets::plain"),
        ("pass", "echo/greets::plain (time 2)"),
        ("fail", "echo/pieces::cut.at-k"),
        ("pass", "echo/late::cut.at-k"),
        ("error", "echo/trouble::cut.at-k"),
        ("skip", "echo/skips::cut.at-k"),
        ("skip", "echo/skipped::cut.at-k"),
        ("not run", "echo/half::cut.at-k"),
    ]


def test_details_are_packed_but_for_the_first() -> None:
    text = html.render(view("every-kind"), LAWS)
    data = data_of(text)
    kinds = len(get_args(Kind))
    assert (len(data["told"]), sum(map(len, unpacked(text)))) == (8, kinds - 8)
    order = [*data["told"], *(each for chunk in unpacked(text) for each in chunk)]
    for row in data["cases"]:
        assert order[row[8]]["findings"][0]["message"] == row[5]


def test_what_does_not_fit_is_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "DETAILS_LIMIT", 20_000)
    text = html.render(fold(many(200, 2)), LAWS)
    held = 8 + sum(map(len, unpacked(text)))
    assert 8 < held < 100
    assert sorted(row[8] for row in data_of(text)["cases"]) == [*[-1] * (200 - held), *range(held)]
    [notice] = said(document(text), "//p[@class='notice']")
    assert notice.startswith(f"The details of {100 - held} more that did not pass are not in this page")


def test_huge_findings_do_not_make_a_huge_page() -> None:
    assert len(html.render(view("huge"), LAWS)) < 150_000


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


def test_known_failures_are_told_apart() -> None:
    text = html.render(view("known"), LAWS)
    root = document(text)
    assert said(root, "//ul[@class='counts']/li") == ["1 failed", "1 passed", "3 known failures"]
    assert [outcome for outcome, _, _ in cases_of(text)] == ["pass", "known", "known", "known", "fail"]
    assert cases_of(text)[1][2] == "known failure: issue 12"
    assert said(document(html.render(fold(knows(Stream().start()).finish(0)), LAWS)), "//h1[@class='pass']") == [
        "No case passed, 1 known failure"
    ]


def test_hostile_names_stay_names() -> None:
    text = html.render(view("hostile"), LAWS)
    root = document(text)
    assert len(root.xpath("//script[not(@type)]")) == 1
    assert root.xpath("//img") == []
    assert "document.title='owned'" in text
    assert HOSTILE.decode("latin-1") not in text


def test_what_the_baseline_knows_is_counted_apart() -> None:
    run = knows(Stream().start(total=2))
    run.begin(case("old")).verdict("skip", run.finding(), reason=f"{IN_BASELINE}: it fails already")
    root = document(html.render(fold(run.finish(0)), LAWS))
    assert said(root, "//ul[@class='counts']/li") == ["0 passed", "1 known failure", "1 in the baseline"]
