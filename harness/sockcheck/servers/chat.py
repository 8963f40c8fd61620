"""chat over TCP: what one client says, all others hear. With asyncio, and a bounded queue for each client.

Everything happens in one thread, and a line is handed to all who are to hear it before the next is looked at: so every
client gets whole lines, in the order in which they were said. Nothing here waits for a client to take what is meant for
it. write() puts a line into the client's queue, which the event loop empties as fast as the client reads; one whose
queue grows beyond `QUEUE_LIMIT` is dropped. To wait for it instead (sendall(), or drain()) would make everybody wait.
"""

from __future__ import annotations

import asyncio
import re
import socket
import sys

from sockcheck.servers.program import BACKLOG, main

NAME = re.compile(rb"[^ ]{1,32}")

LINE_LIMIT = 65536
"""Bytes that a line may have, its `\\n` included."""

QUEUE_LIMIT = 1 << 20
"""Bytes that may wait for one client."""


class Room:
    """Who is there, under which name."""

    def __init__(self) -> None:
        self._writers: dict[bytes, asyncio.StreamWriter] = {}

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client to its end, whatever that is, and close the connection."""
        try:
            name = (await reader.readuntil(b"\n"))[:-1]
            if self._enters(name, writer):
                try:
                    await self._listen_to(name, reader)
                finally:
                    self._leaves(name)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client is gone, between two lines or in the middle of one, or its line is too long
        finally:
            writer.close()

    def _enters(self, name: bytes, writer: asyncio.StreamWriter) -> bool:
        """Welcome the client, unless its name is none or is taken. Between question and entry nobody else can act."""
        if not NAME.fullmatch(name):
            return False
        if name in self._writers:
            writer.write(b"* name taken\n")
            return False
        self._writers[name] = writer
        writer.write(b"* welcome " + name + b"\n")
        return True

    async def _listen_to(self, name: bytes, reader: asyncio.StreamReader) -> None:
        """Deliver line by line. Raise IncompleteReadError at the end of stream; what stands before it is no line."""
        while True:
            line = await reader.readuntil(b"\n")
            self._tell_others(name, name + b": " + line)

    def _leaves(self, name: bytes) -> None:
        """The name is free before anybody hears of it, so whoever hears may take it."""
        del self._writers[name]
        self._tell_others(name, b"* " + name + b" left\n")

    def _tell_others(self, name: bytes, line: bytes) -> None:
        for other, writer in self._writers.items():
            if other == name or writer.is_closing():
                continue
            writer.write(line)
            if writer.transport.get_write_buffer_size() > QUEUE_LIMIT:
                writer.transport.abort()  # its own coroutine will see the end, and leave for it


def serve(listener: socket.socket) -> None:
    """Serve the clients of `listener`, all in one room, for ever."""
    asyncio.run(serve_with_asyncio(listener))


async def serve_with_asyncio(listener: socket.socket) -> None:
    """The same, within an event loop."""
    room = Room()
    async with await asyncio.start_server(room.attend, sock=listener, backlog=BACKLOG, limit=LINE_LIMIT) as server:
        await server.serve_forever()


if __name__ == "__main__":
    sys.exit(main("chat", serve))
