"""The HTML report in a real browser: hostile bytes do not act, its policy holds, nothing is wider than the screen."""

import json
import os
import re
import signal
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest
from report_builder import HOSTILE, LAWS
from report_streams import view
from tools import tool

from sockcheck_reports import html

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
PROBE = """
<script>
const body = getComputedStyle(document.body);
const screen_ = document.documentElement.clientWidth;
parent.document.title = JSON.stringify({
  screen: screen_,
  page: document.documentElement.scrollWidth,
  wide: [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > screen_ + 1)
    .map((element) => element.tagName + "." + element.className),
  background: body.backgroundColor,
  ink: body.color,
});
</script>
"""


def browse(page: str, folder: Path, *flags: str) -> tuple[str, str]:
    """Open `page`; the title that it has in the end, and what the browser wrote to its log."""
    file = folder / "report.html"
    file.write_text(page, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    with subprocess.Popen(
        [tool("chromium"), *FLAGS, profile, *flags, "--dump-dom", file.as_uri()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            dom, log = process.communicate(timeout=90)
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    assert process.returncode == 0, log
    title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert title is not None
    return unescape(title[1]), log


def measure(page: str, folder: Path, width: int, *flags: str) -> dict[str, object]:
    """What a script sees in the page, `width` pixels wide; it can run only because the page's policy is taken away.

    The page stands in a frame, since a window of the browser is never narrower than 500 pixels.
    """
    probed = POLICY.sub("", page).replace("</body>", f"{PROBE}</body>")
    frame = f'<iframe style="width: {width}px; height: 900px; border: 0" srcdoc="{escape(probed)}"></iframe>'
    title, _ = browse(f"<!doctype html><title>frame</title>{frame}", folder, *flags)
    seen = json.loads(title)
    assert isinstance(seen, dict)
    return seen


def test_hostile_bytes_do_not_act(tmp_path: Path) -> None:
    for name in ("hostile", "hostile-cause"):
        shown = view(name)
        page = html.render(shown, LAWS)
        assert browse(page, tmp_path)[0] == html.headline(shown)
        assert browse(POLICY.sub("", page), tmp_path)[0] == html.headline(shown)


def test_the_same_bytes_do_act_where_they_are_markup(tmp_path: Path) -> None:
    page = POLICY.sub("", html.render(view("hostile"), LAWS))
    acting = page.replace("<main>", f"<main>{HOSTILE.decode('latin-1')}")
    assert browse(acting, tmp_path)[0] == "owned"


def test_the_policy_lets_the_style_sheet_in_and_nothing_else(tmp_path: Path) -> None:
    page = html.render(view("hostile"), LAWS)
    assert "Content Security Policy" not in browse(page, tmp_path)[1]
    acting = page.replace("<main>", f"<main>{HOSTILE.decode('latin-1')}")
    title, log = browse(acting, tmp_path)
    assert title != "owned"
    assert "Content Security Policy" in log
    assert "Content Security Policy" in browse(page.replace("<style>", "<style>body{color:red}"), tmp_path)[1]


@pytest.mark.parametrize(
    "name", ["classic", "mixed", "hostile", "huge", "crowd", "life", "known", "causes", "hostile-cause"]
)
def test_nothing_is_wider_than_a_narrow_or_a_wide_screen(name: str, tmp_path: Path) -> None:
    page = html.render(view(name), LAWS)
    for width in (360, 1400):
        seen = measure(page, tmp_path, width)
        assert (seen["screen"], seen["page"], seen["wide"]) == (width, width, [])


def test_light_and_dark(tmp_path: Path) -> None:
    page = html.render(view("classic"), LAWS)
    light = measure(page, tmp_path, 800, "--blink-settings=preferredColorScheme=1")
    dark = measure(page, tmp_path, 800, "--blink-settings=preferredColorScheme=0")
    assert (light["background"], light["ink"]) == ("rgb(251, 250, 248)", "rgb(29, 32, 36)")
    assert (dark["background"], dark["ink"]) == ("rgb(21, 23, 26)", "rgb(228, 230, 232)")
