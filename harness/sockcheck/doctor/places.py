"""Where a server can be put and reached: loopback addresses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sockcheck.diagnosis import Technique
from sockcheck.doctor import sockets
from sockcheck.doctor.guard import tried_at_once
from sockcheck.errors import TargetError
from sockcheck.reservation import Reservation
from sockcheck.techniques import lacking, untried

_ORDINARY = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Place:
    """`host`: where servers are tried, one of the loopback addresses that a run gives them if that can be.

    `connects`: whether any connection can be made there; otherwise there is no use in trying what takes one.
    """

    host: str
    connects: bool
    found: tuple[Technique, ...]


def place() -> Place:
    """Where servers can be reached, and what sockets can do there."""
    loopback = tried_at_once("loopback", partial(sockets.loopback, _ORDINARY))
    if loopback.state == "no":
        return Place(_ORDINARY, False, (loopback, *(untried(id, "loopback") for id in ("addresses", *_PROBES))))
    host, addresses = _own_address()
    found = [tried_at_once(id, partial(probe, host)) for id, probe in _PROBES.items()]
    return Place(host, True, (loopback, addresses, *found))


def _own_address() -> tuple[str, Technique]:
    try:
        reservation = Reservation()
    except TargetError as error:
        return _ORDINARY, lacking("addresses", error.message, error.hint)
    try:
        technique = tried_at_once("addresses", partial(sockets.addresses, reservation.host))
    finally:
        reservation.release()
    return (reservation.host if technique.state == "yes" else _ORDINARY), technique


_PROBES = {
    "ipv6": sockets.ipv6,
    "small-window": sockets.small_window,
    "tcp-info": sockets.tcp_info,
    "timestamps": sockets.timestamps,
}
