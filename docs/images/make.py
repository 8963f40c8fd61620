"""Makes the pictures of the README from a real run: `python docs/images/make.py` (needs Chromium)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
sys.path.insert(0, str(CHECKOUT / "tests" / "support"))

from tools import tool  # noqa: E402 - found by the line above

QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def main() -> None:
    """Run one scenario against a server that takes one recv() for one message, and photograph its report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        # As anybody's command: `{python}` would show the path of ours.
        server = ["--", "python", "tests/zoo/tutorial/recv1024.py", "{host}", "{port}"]
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        run = [sys.executable, "-m", "sockcheck", "run", "scenarios/echo", "--select", "cut-in-two"]
        words = [*run, "--html", str(report), *server]
        ran = subprocess.run(words, cwd=CHECKOUT, env=environment, check=False, capture_output=True, text=True)
        if ran.returncode != 1:
            raise SystemExit(f"the run should fail, and ended with exit code {ran.returncode}\n{ran.stderr}")
        for name, options in (("failing-report", []), ("failing-report-dark", ["--force-dark-mode"])):
            picture = HERE / f"{name}.png"
            chromium = [tool("chromium"), "--headless", "--no-sandbox", *QUIET, f"--user-data-dir={folder}/{name}"]
            size = ["--window-size=900,1330", "--hide-scrollbars", f"--screenshot={picture}"]
            subprocess.run([*chromium, *options, *size, report.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    main()
