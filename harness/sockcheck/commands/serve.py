"""`sockcheck serve NAME [ADDRESS]`: a reference server in the foreground."""

from __future__ import annotations

import argparse

from sockcheck import servers
from sockcheck.addresses import parse
from sockcheck.errors import UsageError


def serve(options: argparse.Namespace) -> int:
    """Serve until a signal ends the process."""
    if options.name not in servers.NAMES:
        raise UsageError(f"there is no reference server {options.name!r}", f"there are {', '.join(servers.NAMES)}")
    address = parse(options.address, lowest_port=0)
    try:
        servers.serve(options.name, address.host, address.port)
    except OSError as error:
        raise UsageError(f"cannot listen at {address}: {error.strerror}", "name another address, or port 0") from None
    return 0
