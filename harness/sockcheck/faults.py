"""What a client may meet that is wrong: the kind of it, and the words for it. When it is met, `exchange` decides."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sockcheck.case import Connect, End, Quiet, Send
from sockcheck.client_events import (
    PeerClosed,
)
from sockcheck.show import count, quoted, seconds
from sockcheck.verdict import Kind
from sockcheck.wording import ORDERLY, OUTCOMES, RESET, ended, ending_seen, wanted_end


class Fault(NamedTuple):
    """What was wrong, what was expected and what came. `law` is "" where it breaks the law that the case tests."""

    kind: Kind
    message: str
    expected: str
    actual: str
    law: str = ""


def connected(action: Connect) -> Fault:
    wanted = OUTCOMES[action.outcome]
    message = f"the connection was made, but it should be {wanted}"
    return Fault("not-refused", message, f"the connection is {wanted}", "a connection")


def not_connected(action: Connect, got: Literal["refused", "timeout"], message: str) -> Fault:
    wanted = "a connection" if action.outcome == "connected" else f"the connection is {OUTCOMES[action.outcome]}"
    kind: Kind = "refused" if got == "refused" else "no-connection"
    return Fault(kind, message, wanted, f"the connection is {OUTCOMES[got]}")


def stalled(action: Send, size: int, taken: int) -> Fault:
    """Of a send of `size` bytes the kernel had taken so many when the deadline passed."""
    return Fault(
        "stalled",
        f"the server stopped reading: it took {taken:,} of {count(size)} and then nothing for {seconds(action.within)}",
        f"the server reads all of {count(size)}",
        f"{count(taken)} were taken",
    )


def not_ended(action: End, received: int) -> Fault:
    return Fault(
        "silence",
        f"the connection did not end within {seconds(action.within)}",
        wanted_end(action),
        f"silence after {count(received)}; the connection is still open",
    )


def ended_otherwise(action: End, ending: PeerClosed, received: int) -> Fault | None:
    """None where it ended as it should."""
    if action.how == "eof" and ending.how != "eof":
        message = f"the connection ended by a reset ({ending.error}), not in order, after {count(received)}"
        return Fault("reset", message, ORDERLY, ending_seen(ending), "end.orderly")
    if action.how == "reset" and ending.how == "eof":
        message = f"the connection ended in order, not by a reset, after {count(received)}"
        return Fault("no-reset", message, RESET, ending_seen(ending))
    return None


def not_quiet(action: Quiet, ending: PeerClosed) -> Fault:
    message = f"the server {ended(ending)} where it should be quiet"
    return Fault("early-end", message, quiet(action), ending_seen(ending))


def quiet(action: Quiet) -> str:
    """What a quiet step expects."""
    return f"neither a byte nor an ending for {seconds(action.duration)}"


def surplus(got: bytes, where: str, expected: str) -> Fault:
    return Fault("surplus-bytes", f"{count(len(got))} came {where}", expected, quoted(got))


def too_early(after: float, took: float, what: str) -> Fault:
    """`what` came after `took` seconds and should not have come before `after`."""
    took = max(0.0, took)
    return Fault(
        "too-early",
        f"{what} came after {seconds(took)}, before the {seconds(after)} were over",
        f"{what} after {seconds(after)} or later",
        f"{what} after {seconds(took)}",
    )
