"""All causes, the most specific first: whatever one of them explains is not asked about again."""

from __future__ import annotations

from sockcheck.causes import answers, clients, life, streams
from sockcheck.causes.patterns import Entry

TABLE: tuple[Entry, ...] = (
    *life.DEATHS,
    *life.WASTE,
    *life.LIFE,
    *answers.ANSWERS,
    *streams.STREAMS,
    *clients.CLIENTS,
)
