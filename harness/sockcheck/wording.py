"""The words in which findings tell of endings, connections and deadlines."""

from __future__ import annotations

from sockcheck.case import End
from sockcheck.events import PeerClosed
from sockcheck.show import seconds

# A deadline is no evidence when sockcheck itself was kept from running for more than this share of it; below the
# floor, in seconds, nobody is kept from anything.
_LATE_SHARE, _LATE_FLOOR = 0.1, 0.25

ORDERLY = "an orderly end: recv() returns b''"
RESET = "a reset: recv() raises ECONNRESET"


def is_late(late: float, deadline: float) -> bool:
    """Whether sockcheck was kept from running for so long, in seconds, that a missed deadline is no evidence."""
    return late > max(_LATE_FLOOR, _LATE_SHARE * deadline)


def late_text(late: float) -> str:
    """Why there is no judgement then."""
    return f"sockcheck itself was kept from running for {seconds(late)}, so the deadline is no evidence"


def late_end_text(late: float) -> str:
    """Why there is no judgement of a connection that ended otherwise than it should."""
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
