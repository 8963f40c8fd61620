"""A machine that is busy with something else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# They end with the test process as well: its end of the pipe closes.
_LOOP = """
import select, time
end = time.monotonic() + 120
while time.monotonic() < end:
    for _ in range(100000): pass
    if select.select([0], [], [], 0)[0]: break
"""


@contextmanager
def busy_loops(number: int) -> Iterator[None]:
    """So many processes that want a CPU each, for as long as the context lasts, and no longer than two minutes."""
    started = [subprocess.Popen([sys.executable, "-S", "-c", _LOOP], stdin=subprocess.PIPE) for _ in range(number)]
    yield
    for process in started:
        process.communicate()
        assert process.returncode == 0
