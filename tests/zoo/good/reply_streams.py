"""reply: asyncio's streams. SIGTERM ends the loop, and the process with status 0."""

import asyncio
import signal
import sys

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        writer.write(GREETING)
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError as end:
                line = end.partial
            if not line:
                break
            writer.write(b"OK..." + line)
            await writer.drain()
        writer.close()
        await writer.wait_closed()
    except asyncio.LimitOverrunError:
        writer.transport.abort()
    except OSError:
        writer.close()  # The client is gone.


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    # The limit is that of a line without its newline.
    server = await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]), limit=LIMIT - 1)
    await stop.wait()
    server.close()


asyncio.run(main())
