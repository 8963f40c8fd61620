"""A probe may fail in ways that nobody has thought of: what it raises becomes a finding, and the next one is tried."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

import trio

from sockcheck.diagnosis import Technique
from sockcheck.errors import TargetError
from sockcheck.techniques import lacking, refused

LIMIT = 3.0
"""Seconds for one probe. It is a backstop: they take milliseconds."""


async def tried(id: str, probe: Callable[[], Awaitable[Technique]]) -> Technique:
    """What the probe finds, or why it found nothing."""
    try:
        with trio.fail_after(LIMIT):
            return await probe()
    except trio.TooSlowError:
        return lacking(id, f"it came to no end within {LIMIT:g} s")
    except Exception as error:  # noqa: BLE001 - a sandbox may answer with anything, and the others are to be tried
        return _failed(id, error)


def tried_at_once(id: str, probe: Callable[[], Technique]) -> Technique:
    """The same for a probe that does not wait."""
    try:
        return probe()
    except Exception as error:  # noqa: BLE001 - as above
        return _failed(id, error)


def _failed(id: str, error: Exception) -> Technique:
    if isinstance(error, TargetError):
        return lacking(id, error.message, error.hint)
    if isinstance(error, TimeoutError):
        return lacking(id, "no answer came in time: something between drops it, as a firewall on loopback")
    if isinstance(error, OSError) and error.errno is not None:
        return refused(id, error.errno, os.strerror(error.errno))
    return lacking(id, f"the probe failed: {type(error).__name__}: {error}", "please report this page")
