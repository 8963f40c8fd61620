"""echo: it has much to load, so a second passes before it listens. SIGTERM makes it exit with status 0."""

import asyncio
import signal
import sys
import time


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # The client is gone.
    writer.close()


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]))
    await stop.wait()
    server.close()


time.sleep(1)
asyncio.run(main())
