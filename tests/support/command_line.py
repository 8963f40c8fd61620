"""Running `sockcheck` as a user does, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools import CHECKOUT

LIMIT = 100


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def everything(self) -> str:
        return self.out + self.err


def environment(**variables: str) -> dict[str, str]:
    """Ours, with these variables, and as it is outside of GitHub Actions if they do not say otherwise."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    return {**ours, **variables}


def sockcheck(*words: str | Path, cwd: Path = CHECKOUT, stdin: str = "", limit: float = LIMIT, **variables: str) -> Ran:
    """`sockcheck WORDS…`; it must end within `limit` seconds, and must not show a traceback of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "sockcheck", *map(str, words)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=limit,
        check=False,
        env=environment(**variables),
    )
    ran = Ran(done.returncode, done.stdout, done.stderr)
    assert "a fault of sockcheck's own" not in ran.err, ran.err
    return ran


def wait_for(condition: Callable[[], bool]) -> None:
    """Polls a condition that another process brings about; bounded."""
    end = time.monotonic() + LIMIT / 2
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        os.sched_yield()
