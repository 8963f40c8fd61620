"""frames, which at SIGTERM closes all connections, in order, and with them what is but half received or half sent."""

import asyncio
import signal
import sys

LIMIT = 1 << 20


async def serve(reader, writer):
    try:
        while True:
            prefix = await reader.readexactly(4)
            size = int.from_bytes(prefix, "big")
            if size > LIMIT:
                return
            body = await reader.readexactly(size)
            writer.write(prefix + body[::-1])
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]), backlog=128)
    await server.serve_forever()


signal.alarm(600)
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
asyncio.run(main())
