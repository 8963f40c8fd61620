"""Data inside of a page: JSON that no parser of HTML can misread, and the details of many cases, packed."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from markupsafe import Markup

TOGETHER = 24
"""So many details are packed together: fewer would be packed less well, more would take longer to open."""

_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def as_json(value: Any) -> Markup:
    """`value` as JSON in ASCII that may stand in a `<script>`: nothing in it ends or begins an element or a comment."""
    return Markup(json.dumps(value, separators=(",", ":")).translate(_ESCAPES))


def packed(details: Iterable[Any], limit: int) -> Iterator[str]:
    """Chunks of 24 each, as JSON, deflated (zlib) and in base64: of all together `limit` characters at the most."""
    left = limit
    chunk: list[Any] = []
    for each in details:
        chunk.append(each)
        if len(chunk) == TOGETHER:
            text = _pack(chunk)
            left -= len(text)
            if left < 0:
                return
            yield text
            chunk = []
    if chunk and len(text := _pack(chunk)) <= left:
        yield text


def held(chunks: Sequence[str], total: int) -> int:
    """How many details of `total` are in the chunks."""
    return min(total, len(chunks) * TOGETHER)


def _pack(chunk: Sequence[Any]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(chunk, separators=(",", ":")).encode(), 6)).decode()
