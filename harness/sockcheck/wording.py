"""The words in which findings tell of endings, connections and deadlines."""

from __future__ import annotations

from sockcheck.case import End
from sockcheck.client_events import (
    PeerClosed,
)
from sockcheck.show import seconds

# A deadline is no evidence when sockcheck or the server was kept from running for more than this share of it; below
# the floor, in seconds, nobody is kept from anything.
_HINDERED_SHARE, _HINDERED_FLOOR = 0.1, 0.05
# No server takes a client for idle that was silent for less, in seconds.
_SILENT_FLOOR = 0.25

ORDERLY = "an orderly end: recv() returns b''"
RESET = "a reset: recv() raises ECONNRESET"


def hindered(late: float, starved: float, deadline: float) -> str:
    """Why a missed deadline is no evidence, or "" where it is. All in seconds; as in DeadlinePassed."""
    limit = max(_HINDERED_FLOOR, _HINDERED_SHARE * deadline)
    if late > limit:
        return f"sockcheck itself was kept from running for {seconds(late)}, so the deadline is no evidence"
    if starved > limit:
        return f"the server had to wait {seconds(starved)} for a CPU, so the deadline is no evidence"
    return ""


def hindered_end(late: float) -> str:
    """Why an end of a connection that should be otherwise is no evidence, or "" where it is; `late` in seconds."""
    if late <= _SILENT_FLOOR:
        return ""
    return (
        f"sockcheck itself was kept from running for {seconds(late)} while it was connected, and a server may close on "
        "a client that is silent for so long: the end of the connection is no evidence"
    )


OUTCOMES = {"connected": "made", "refused": "refused", "timeout": "left without an answer"}


def wanted_end(action: End) -> str:
    return {"eof": ORDERLY, "reset": RESET, "any": "the end of the connection, in order or by a reset"}[action.how]


def ended(ending: PeerClosed) -> str:
    return "closed the connection" if ending.how == "eof" else f"reset the connection ({ending.error})"


def ending_seen(ending: PeerClosed) -> str:
    return "the orderly end (b'')" if ending.how == "eof" else f"a reset ({ending.error})"
