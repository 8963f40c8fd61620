"""What a client heard from a server, turn by turn, taken from the events of a case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sockcheck.client_events import (
    PeerClosed,
    Received,
    SendFailed,
    Sent,
    ShutDown,
)
from sockcheck.events import (
    Event,
)

MOST_HEARD = 64 * 1024
"""So many bytes of a turn are kept."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came until the client did something again. `whole`: nothing of it was left out. `ending`: "" for none."""

    received: bytes
    whole: bool = True
    ending: Literal["", "eof", "reset"] = ""


Transcript = tuple[Turn, ...]
"""The turn after the connect, one for each send, and one for the client's end of stream, up to the server's."""


def transcript(events: Iterable[Event]) -> Transcript:
    """The turns of the only client of a case whose every send is one segment."""
    turns: list[Turn] = []
    received, whole = bytearray(), True
    for event in events:
        match event:
            case Sent() | SendFailed() | ShutDown():
                turns.append(Turn(bytes(received), whole))
                received, whole = bytearray(), True
            case Received():
                data = event.data if isinstance(event.data, bytes) else event.data.head
                room = MOST_HEARD - len(received)
                whole = whole and isinstance(event.data, bytes) and len(data) <= room
                received += data[:room]
            case PeerClosed():
                return (*turns, Turn(bytes(received), whole, "eof" if event.how == "eof" else "reset"))
            case _:
                pass
    return (*turns, Turn(bytes(received), whole))
