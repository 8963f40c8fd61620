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
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]), backlog=128)
    await stop.wait()
    server.close()


signal.alarm(100)
asyncio.run(main())
