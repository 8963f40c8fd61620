"""kv: a client that sends more before it was answered is told so and left, as some mail servers do.

QUIT, and whatever else ends a connection, ends it at once, also by a reset.
"""

import asyncio
import socket
import struct
import sys

LIMIT = 65536
RESET = struct.pack("ii", 1, 0)
store: dict[bytes, bytes] = {}


def answer(line: bytes) -> bytes:
    verb, _, rest = line.partition(b" ")
    key, space, value = rest.partition(b" ")
    if verb == b"SET" and key and space:
        store[key] = value
        return b"OK\n"
    if verb == b"GET" and key and not space:
        return b"VALUE " + store[key] + b"\n" if key in store else b"NONE\n"
    if verb == b"DEL" and key and not space:
        return b"OK\n" if store.pop(key, None) is not None else b"NONE\n"
    return b"BYE\n" if line == b"QUIT" else b"ERR what is that?\n"


class Session(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.rest = b""
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def data_received(self, data: bytes) -> None:
        line, newline, more = (self.rest + data).partition(b"\n")
        if not newline:
            self.rest = line
            if len(line) > LIMIT:
                self.transport.abort()
            return
        self.rest = b""
        if more:
            self.transport.write(b"ERR one at a time\n")
            self.transport.close()
            return
        self.transport.write(answer(line))
        if line == b"QUIT":
            self.transport.close()


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Session, sys.argv[1], int(sys.argv[2]))
    await server.serve_forever()


asyncio.run(main())
