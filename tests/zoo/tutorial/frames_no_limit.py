"""Length-prefixed messages with asyncio. Any length is believed."""

import asyncio
import sys


async def handle(reader, writer):
    try:
        while True:
            header = await reader.readexactly(4)
            message = await reader.readexactly(int.from_bytes(header, "big"))
            writer.write(header + message[::-1])
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


async def main():
    server = await asyncio.start_server(handle, sys.argv[1], int(sys.argv[2]))
    async with server:
        await server.serve_forever()


asyncio.run(main())
