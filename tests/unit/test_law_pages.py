"""Every law has a page under docs/laws, of one shape, and they are all in its index."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from doc_pages import anchors, blocks, links, words_in_code
from tools import CHECKOUT

from sockcheck.conditions.table import TABLE
from sockcheck.laws import LAWS
from sockcheck.reading.contracts import PROMISES
from sockcheck.verdict import Kind

FOLDER = CHECKOUT / "docs" / "laws"
INDEX = FOLDER / "index.md"
# Nothing tests datagrams yet.
TOLD = [law for law in LAWS if law != "datagram.whole"]
PAGES = [FOLDER / f"{law}.md" for law in TOLD]
SECTIONS = [
    "## What is tried",
    "## Needs",
    "## Why it is a law",
    "## The server that breaks it",
    "## How to mend it",
    "### Python",
    "### C",
]
ROW = re.compile(
    r"^\| \[`(?P<law>[^`]+)`\]\((?P<page>[^)]+)\) \| (?P<sentence>[^|]+) \|(?P<promises>[^|]*)\| (?P<set>\w+) \|$",
    re.MULTILINE,
)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def section(page: Path, title: str) -> str:
    after = text(page).partition(f"\n{title}\n")[2]
    return re.split(r"^##", after, maxsplit=1, flags=re.MULTILINE)[0]


def test_there_is_a_page_for_each_law_and_no_other() -> None:
    assert sorted(FOLDER.iterdir()) == sorted([*PAGES, INDEX])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_its_sections_in_order(page: Path) -> None:
    lines = text(page).splitlines()
    assert lines[:5] == [f"# {page.stem}", "", LAWS[page.stem], "", SECTIONS[0]]
    assert [line for line in lines if re.match("#{2,3} ", line)] == SECTIONS
    assert 40 <= len(lines) <= 110
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_tells_what_it_is_for(page: Path) -> None:
    law = re.escape(page.stem)
    assert re.search(rf"`[\w-]+/[\w-]+::{law}(\([^)`]+\))?`", section(page, "## What is tried")), "an id of a case"
    assert re.search(r"man7\.org|rfc-editor\.org", section(page, "## Why it is a law")), "a source"
    assert [block.language for block in blocks(page)][-2:] == ["python", "c"]
    assert "```python" in section(page, "## The server that breaks it")
    seen = re.findall(r"(?<!\*)\*([a-z-]+)\*(?!\*)", section(page, "## The server that breaks it"))
    assert set(seen) & set(get_args(Kind)), "what is seen: the kind of a finding"


@pytest.mark.parametrize("page", [*PAGES, INDEX], ids=lambda page: page.stem)
def test_what_a_page_names_is_there(page: Path) -> None:
    for line, href in links(page):
        if re.match("https?://", href):
            continue
        path, _, anchor = href.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(CHECKOUT), f"{page.name}:{line}: {href}"
        assert target.exists(), f"{page.name}:{line}: {href}"
        assert not anchor or anchor in anchors(target), f"{page.name}:{line}: {href}"
    files = [word for _, word in words_in_code(page) if word.startswith(("tests/", "scenarios/"))]
    assert [word for word in files if not (CHECKOUT / word).exists()] == []


def test_the_index_says_of_each_what_the_conditions_say() -> None:
    said = {row["law"]: (re.findall("`([^`]+)`", row["promises"]), row["set"]) for row in ROW.finditer(text(INDEX))}
    conditions = {each.law: (list(each.needs), "standard" if each.standard else "thorough") for each in TABLE}
    # Each of its variations needs a promise of its own.
    conditions["host.any"] = (["all-interfaces", "ipv6"], "thorough")
    assert said == {"plain": ([], "standard"), **conditions}


def test_the_index_has_all_of_them_and_what_they_need() -> None:
    rows = list(ROW.finditer(text(INDEX)))
    assert [row["law"] for row in rows] == TOLD
    for row in rows:
        assert row["page"] == f"{row['law']}.md"
        assert row["sentence"] == LAWS[row["law"]]
        assert row["set"] in ("standard", "thorough")
        promises = re.findall("`([^`]+)`", row["promises"])
        needed = section(FOLDER / row["page"], "## Needs")
        assert set(promises) <= set(PROMISES)
        assert all(f"`{promise}`" in needed for promise in promises)
        assert ("Nothing" in needed) == (not promises)
        assert ("belongs to `thorough`" in " ".join(text(FOLDER / row["page"]).split())) == (row["set"] == "thorough")
