"""`python -m sockcheck`, and the `sockcheck` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit code."""
    try:
        from sockcheck.cli import main as run

        return run()
    except KeyboardInterrupt:
        # Before the command could say what an interruption means to it.
        return 130


if __name__ == "__main__":
    sys.exit(main())
