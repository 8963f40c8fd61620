"""Makes the pictures of the README from a real run: `python docs/images/make.py` (needs Chromium)."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
sys.path.insert(0, str(CHECKOUT / "tests" / "support"))

from tools import tool  # noqa: E402 - found by the line above

QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
SOCKCHECK = [sys.executable, "-m", "sockcheck"]
# As anybody's command: `{python}` would show the path of ours.
COMMAND = ["run", "scenarios/echo", "--", "python", "tests/zoo/tutorial/recv1024.py", "{host}", "{port}"]
CASE = "case-echo/cut-in-two::plain"
LINES = 19


def main() -> None:
    """Run the echo scenarios against the first server of many tutorials, and photograph what is said of it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        record, report = place / "run.jsonl", place / "report.html"
        run = [*COMMAND[:2], "--record", str(record), "--html", str(report), *COMMAND[2:]]
        _sockcheck(run)
        photographs = (
            # name, place in the page, width, height, dark
            ("report", "", 1200, 1040, False),
            ("report-dark", "", 1200, 1040, True),
            ("case", f"#{CASE}", 1200, 1010, False),
            ("case-dark", f"#{CASE}", 1200, 1010, True),
        )
        for name, anchor, width, height, dark in photographs:
            _photograph(place, name, [f"{report.as_uri()}{anchor}"], width, height, dark)
        _photograph(place, "narrow", [report.as_uri(), f"{report.as_uri()}#{CASE}"], 380, 900, False)
        terminal = place / "terminal.html"
        terminal.write_text(_terminal(record), encoding="utf-8")
        _photograph(place, "terminal", [terminal.as_uri()], 760, 28 + 20 * (LINES + 1), False)


def _sockcheck(words: list[str]) -> str:
    """What sockcheck writes to a terminal of 80 columns. The run that it tells of has to have failed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "80"}
    environment.pop("NO_COLOR", None)
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [*SOCKCHECK, *words], cwd=CHECKOUT, env=environment, stdout=theirs, stderr=subprocess.DEVNULL
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # a terminal that nobody writes to any more
            pass
    os.close(ours)
    text = shown.decode().replace("\r\n", "\n")
    if process.returncode != 1:
        raise SystemExit(f"the run should fail, and ended with exit code {process.returncode}\n{text}")
    return text


def _photograph(folder: Path, name: str, urls: Sequence[str], width: int, height: int, dark: bool) -> None:
    """The pages stand in frames, side by side: a window is never narrower than 500 pixels, and may be scrolled back."""
    frame = folder / f"frame-{name}.html"
    frames = "".join(
        f'<iframe src="{url}" style="float: left; border: 0; width: {width}px; height: {height}px"></iframe>'
        for url in urls
    )
    head = '<!doctype html><meta name="color-scheme" content="light dark">'
    frame.write_text(f'{head}<body style="margin: 0">{frames}', encoding="utf-8")
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    window = [f"--window-size={len(urls) * width},{height}", "--hide-scrollbars", f"--screenshot={HERE / name}.png"]
    profile = f"--user-data-dir={folder / 'profiles' / name}"
    chromium = [tool("chromium"), "--headless", "--no-sandbox", *QUIET, scheme, profile, "--virtual-time-budget=5000"]
    subprocess.run([*chromium, *window, frame.as_uri()], check=True, capture_output=True)


def _terminal(record: Path) -> str:
    """What the terminal shows of the run, as a page."""
    lines = _sockcheck(["report", str(record)]).split("\n")[:LINES]
    console = Console(record=True, width=82, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    console.print(Text.from_ansi("\n".join(lines)))
    code = console.export_html(theme=DIMMED_MONOKAI, inline_styles=True, code_format="{code}")
    words = escape(f"$ sockcheck {' '.join(COMMAND)}")
    return (
        '<!doctype html><meta charset="utf-8"><body style="margin: 0; background: #17191c; color: #d0d4d8">'
        '<pre style="margin: 0; padding: 14px 18px; font: 14px/20px DejaVu Sans Mono, monospace">'
        f"{words}\n{code}</pre>"
    )


if __name__ == "__main__":
    main()
