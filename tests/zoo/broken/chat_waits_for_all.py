"""chat, which waits, with each line, until each listener has room for it: one that does not read silences all."""

import asyncio
import signal
import sys

LIMIT = 65536

writers = {}


async def tell_others(name, line):
    for other, writer in list(writers.items()):
        if other != name:
            try:
                writer.write(line)
                await writer.drain()
            except OSError:
                pass  # It is gone, and its own coroutine will say so.


async def converse(name, reader):
    try:
        while (line := await reader.readline()).endswith(b"\n"):
            await tell_others(name, name + b": " + line)
    finally:
        del writers[name]
        await tell_others(name, b"* " + name + b" left\n")


async def serve(reader, writer):
    try:
        line = await reader.readline()
        name = line[:-1]
        if not line.endswith(b"\n") or not 1 <= len(name) <= 32 or b" " in name:
            return
        if name in writers:
            writer.write(b"* name taken\n")
            return
        writers[name] = writer
        writer.write(b"* welcome " + name + b"\n")
        await converse(name, reader)
    except (OSError, ValueError):  # The client is gone, or its line is too long.
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]), backlog=128, limit=LIMIT)
    await server.serve_forever()


signal.alarm(600)
asyncio.run(main())
