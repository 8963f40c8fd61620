"""What `sockcheck doctor` finds: which of the techniques that verdicts rest on are to be had in a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["cut", "see", "keep", "place", "option", "extra", "server"]
State = Literal["yes", "weaker", "no", "untried"]


@dataclass(frozen=True, slots=True)
class Technique:
    """One technique, tried.

    `id` is stable, `title` a claim in the words of a user. `detail` is what was measured. Where the state is not `yes`,
    `why` says what is in the way, `instead` what sockcheck does then, and `remedy` how to have it; each may be "".
    `untried`: another technique is lacking that is needed to try this one.
    """

    id: str
    group: Group
    title: str
    state: State
    detail: str = ""
    why: str = ""
    instead: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All of them, in the order in which they are told. `seconds`: how long the looking took."""

    sockcheck: str
    platform: str
    python: str
    user: str
    seconds: float
    techniques: tuple[Technique, ...]
