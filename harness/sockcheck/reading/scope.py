"""What the reader of a step must know beside the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sockcheck.forms import (
    Payload,
)
from sockcheck.reading.marks import Marks
from sockcheck.reading.names import Names, Place
from sockcheck.reading.page import Page


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that a step may use, and its place.

    `payloads` holds None for one that is named but was written wrong. `load` reads a file, relative to the scenario's.
    """

    page: Page
    names: Names
    place: Place
    marks: Marks
    payloads: Mapping[str, Payload | None]
    load: Callable[[str], bytes]
