"""Measures sockcheck against yardsticks, and prints a table in Markdown.

    python tests/benchmarks/run.py [--only NAME …] [--rounds 5] [--short]

Each figure is taken in turn with its yardstick, in one run on one machine; what counts is how the two compare. A time
by itself says more of the machine. Given are medians and, in brackets, the least and the most of all rounds. All takes
about 5 minutes, and nothing else should run meanwhile. With --short, the numbers are too small to tell anything: it
only shows that everything works.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import cases
import crowds
import exchanges
import pages
import parts
from measuring import HEAD, Figure, Scale, machine, row

BENCHMARKS: dict[str, Callable[[Scale, Path], Iterator[Figure]]] = {
    "exchange": exchanges.measure,
    "case": cases.measure_wall,
    "waits": cases.measure_waits,
    "started": cases.measure_started,
    "start": parts.measure_start,
    "reading": parts.measure_reading,
    "planning": parts.measure_planning,
    "connections": crowds.measure_connections,
    "memory": crowds.measure_memory,
    "keeper": parts.measure_keeper,
    "page": pages.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], allow_abbrev=False)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, default=[], help="may be repeated")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured; default: %(default)s")
    parser.add_argument("--short", action="store_true", help="see that everything works, and measure nothing")
    options = parser.parse_args()
    scale = Scale(1, 0.02) if options.short else Scale(options.rounds)
    parts.raise_limits()
    print(f"{machine()}\n\n{HEAD}", flush=True)
    for name in options.only or BENCHMARKS:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="sockcheck-benchmarks-") as folder:
            for figure in BENCHMARKS[name](scale, Path(folder)):
                print(row(figure), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
