"""Running `sockcheck` as a user does, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
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


def sockcheck(*words: str | Path, cwd: Path = CHECKOUT, stdin: str = "", limit: float = LIMIT) -> Ran:
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
    )
    ran = Ran(done.returncode, done.stdout, done.stderr)
    assert "a fault of sockcheck's own" not in ran.err, ran.err
    return ran
