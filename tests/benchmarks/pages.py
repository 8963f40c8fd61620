"""What the HTML report of many cases costs: making it, its size, and how soon it can be used in a browser."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

from measuring import Figure, Scale, alternate
from report_many import many
from tools import tool

from sockcheck.codec import encode
from sockcheck.laws import LAWS
from sockcheck_reports import html
from sockcheck_reports.view import View, fold

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage")
# What is looked for is one of the first failures, so that its details are there at once: the browser is not asked to
# wait for what comes behind the loading of a page.
_MEASURE = """
<script>
const search = document.getElementById("search");
if (search) {
  search.value = "scenario-0::plain(0)";
  search.dispatchEvent(new Event("input"));
  document.querySelector("button.row").click();
  if (!document.querySelector(".step")) throw new Error("no details");
}
document.body.offsetHeight;
document.title = String(performance.now());
</script>
"""


def measure(scale: Scale, folder: Path) -> Iterator[Figure]:
    """A page of 10,000 cases, a third of which fail, against its record, and against a mere table of the same cases."""
    number = scale.of(10_000)
    events = many(number)
    view = fold(events)
    page = html.render(view, LAWS)
    record = sum(len(encode(event)) + 1 for event in events)
    yield Figure(
        f"size of the page, {number:,} cases", "MB", [len(page) / 1e6], "the record", [record / 1e6], "ratio", None
    )
    making, folding = alternate(
        scale.rounds, lambda: _cpu(lambda: html.render(view, LAWS)), lambda: _cpu(lambda: fold(events))
    )
    yield Figure(f"CPU of making the page, {number:,} cases", "s", making, "going through the record", folding, "ratio")
    ours, table = _page(folder, "ours", page), _page(folder, "table", _table(view))
    opened, plain = alternate(scale.rounds, lambda: _used(ours), lambda: _used(table))
    yield Figure(
        f"from opening the page to a search and the details found, {number:,} cases",
        "ms",
        opened,
        "opening a table of the same cases",
        plain,
        "ratio",
        1.0,
    )


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _page(folder: Path, name: str, page: str) -> Path:
    """The page with a script that tells in its title how long it took; for that its policy is taken away."""
    path = folder / f"{name}.html"
    path.write_text(_POLICY.sub("", page).replace("</body>", f"{_MEASURE}</body>"), encoding="utf-8")
    return path


def _table(view: View) -> str:
    rows = "".join(
        f"<tr><td>{case.outcome}<td>{escape(case.label)}<td>{escape(case.case.title)}<td>{case.duration:.3f}</tr>"
        for case in view.cases
    )
    return f"<!doctype html><title>table</title><body><table>{rows}</table></body>"


def _used(path: Path) -> float:
    """Milliseconds from the beginning of the navigation, as the page itself has measured them."""
    with tempfile.TemporaryDirectory(prefix="sockcheck-benchmarks-") as profile:
        words = [
            tool("chromium"),
            *_FLAGS,
            f"--user-data-dir={profile}",
            "--timeout=30000",
            "--dump-dom",
            path.as_uri(),
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=90, check=True)
    found = re.search(r"<title>([\d.]+)</title>", done.stdout)
    if found is None:
        raise AssertionError(f"{path.name} has measured nothing:\n{done.stderr}")
    return float(found[1])
