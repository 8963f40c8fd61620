"""The table of a class in a real browser: hostile names do not act, and nothing is wider than the screen."""

from __future__ import annotations

import re
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest
from report_builder import HOSTILE
from tools import tool

from sockcheck_reports import gradebook_html
from sockcheck_reports.gradebook import Fault, Gradebook, Mark, Marks, Submission, summary

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
NAMES = ("ada", HOSTILE.decode("latin-1"), "<img src=x onerror=\"document.title='owned'\">", "x" * 300)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
PROBE = """<script>
const wide = [...document.querySelectorAll("body *")].filter((element) => !element.closest(".matrix")
  && element.getBoundingClientRect().right > document.documentElement.clientWidth + 1);
parent.document.title = [document.documentElement.scrollWidth, ...wide.map((element) => element.outerHTML)].join("|");
</script>"""


def book() -> Gradebook:
    rows = tuple(
        Mark(f"echo/scenario-{scenario}-{'long-' * scenario}", law, 1.0, "lost", NAMES[1], False)
        for scenario in range(12)
        for law in ("plain", "cut.at-k", NAMES[2])
    )
    faults = (Fault("one-recv", "cut.at-k", NAMES[2], 3), Fault("unknown", NAMES[1], "", 1))
    entries = [Submission(name, f"f-{n}", n, Marks(rows, faults, (), (), "", 1.0)) for n, name in enumerate(NAMES)]
    entries.append(Submission("lost", "lost", 1, None, NAMES[1]))
    return Gradebook(tuple(entries), NAMES, NAMES, 0, NAMES[2])


def title(page: str, folder: Path) -> str:
    """The title that a page has in the end."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [tool("chromium"), *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    found = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def test_hostile_names_do_not_act_even_without_the_policy(tmp_path: Path) -> None:
    page = POLICY.sub("", gradebook_html.render(book()))
    assert title(page, tmp_path) == summary(book())
    acting = page.replace("<main>", f"<main>{NAMES[2]}")
    assert title(acting, tmp_path) == "owned"


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_but_the_table_of_all_is_wider_than_the_screen(width: int, tmp_path: Path) -> None:
    page = POLICY.sub("", gradebook_html.render(book())).replace("</body>", f"{PROBE}</body>")
    frame = f'<iframe style="width: {width}px; height: 900px; border: 0" srcdoc="{escape(page)}"></iframe>'
    assert title(f"<!doctype html><title>frame</title>{frame}", tmp_path) == str(width)
