"""What the target writes to stdout and stderr, kept until it can be told."""

from __future__ import annotations

import os
import time
from collections import deque

_CHUNK = 32768
# Of each stream, as much is kept while it cannot be told: the latest.
_KEPT = 65536
_KEPT_CHUNKS = 4096


class Stream:
    """The read end of stdout or stderr. It is always drained; the latest bytes are kept until they can be told."""

    def __init__(self, name: str, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.name = name
        self.descriptor = descriptor
        self.ended = False
        self.kept: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._dropped = 0

    def read(self) -> int:
        """Read once. The number of bytes: 0 where nothing is there now, or nothing will come any more (`ended`)."""
        try:
            data = os.read(self.descriptor, _CHUNK)
        except BlockingIOError:
            return 0
        if not data:
            self.ended = True
            return 0
        self.kept.append((time.monotonic(), data))
        self._size += len(data)
        while self._size > _KEPT or len(self.kept) > _KEPT_CHUNKS:
            _, lost = self.kept.popleft()
            self._size -= len(lost)
            self._dropped += len(lost)
        return len(data)

    def first(self) -> dict[str, object]:
        """The oldest of what is kept, as a message."""
        at, data = self.kept[0]
        return {"is": "output", "stream": self.name, "at": at, "data": data, "dropped": self._dropped}

    def told(self) -> int:
        """Forget the oldest. Its size in bytes."""
        _, data = self.kept.popleft()
        self._size -= len(data)
        self._dropped = 0
        return len(data)
