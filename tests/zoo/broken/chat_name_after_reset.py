"""chat, which frees a name when its owner has ended in order, and after a reset forgets to: it is taken for ever."""

import asyncio
import signal
import sys

LIMIT = 65536
MOST_WAITING = 1 << 20

names = set()
writers = {}


def tell_others(name, line):
    for other, writer in writers.items():
        if other != name and not writer.is_closing():
            writer.write(line)
            if writer.transport.get_write_buffer_size() > MOST_WAITING:
                writer.transport.abort()


async def converse(name, reader):
    try:
        while (line := await reader.readline()).endswith(b"\n"):
            tell_others(name, name + b": " + line)
        names.remove(name)
    finally:
        del writers[name]
        tell_others(name, b"* " + name + b" left\n")


async def serve(reader, writer):
    try:
        line = await reader.readline()
        name = line[:-1]
        if not line.endswith(b"\n") or not 1 <= len(name) <= 32 or b" " in name:
            return
        if name in names:
            writer.write(b"* name taken\n")
            return
        names.add(name)
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
