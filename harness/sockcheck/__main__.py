"""`python -m sockcheck`, and the `sockcheck` command."""

from __future__ import annotations

import sys

from sockcheck.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
