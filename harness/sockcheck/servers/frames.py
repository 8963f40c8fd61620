"""frames over TCP: each frame, a length and so many bytes, is answered by one with its bytes reversed. With asyncio.

A coroutine for each client reads like a story, as a thread would, and all of them share one thread. It holds one frame
at a time: drain() waits while the client does not read, nothing more is read from it meanwhile, and TCP's flow control
stops it. So a client that never reads costs a few MiB at most, and the others nothing.
"""

from __future__ import annotations

import asyncio
import socket
import sys

from sockcheck.servers.program import BACKLOG, main

PREFIX = 4
"""Bytes of a length, in network byte order."""

FRAME_LIMIT = 1 << 20
"""Bytes that a frame may have behind its length."""


def serve(listener: socket.socket) -> None:
    """Serve the clients of `listener` for ever."""
    asyncio.run(serve_with_asyncio(listener))


async def serve_with_asyncio(listener: socket.socket) -> None:
    """The same, within an event loop."""
    async with await asyncio.start_server(attend, sock=listener, backlog=BACKLOG) as server:
        await server.serve_forever()


async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one client to its end, whatever that is, and close the connection once the answers have been sent."""
    try:
        await reverse(reader, writer)
    except (OSError, asyncio.IncompleteReadError):
        pass  # the client is gone, between two frames or in the middle of one; that costs nobody else
    finally:
        writer.close()


async def reverse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer frame by frame, up to a length above the limit.

    A length is four bytes, and they may come one by one: readexactly() collects what recv() returns until it has that
    many. Raise OSError where the connection breaks, IncompleteReadError at the client's end of stream.
    """
    while True:
        prefix = await reader.readexactly(PREFIX)
        length = int.from_bytes(prefix, "big")
        if length > FRAME_LIMIT:
            return  # what is no length is no frame either; nothing that follows could be understood
        body = await reader.readexactly(length)
        writer.write(prefix + body[::-1])
        await writer.drain()


if __name__ == "__main__":
    sys.exit(main("frames", serve))
