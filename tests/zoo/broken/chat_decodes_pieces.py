"""chat, which decodes what each read() returns: a character that arrives in halves becomes two that nobody wrote."""

import asyncio
import signal
import sys

LIMIT = 65536
MOST_WAITING = 1 << 20

writers = {}


def tell_others(name, line):
    for other, writer in writers.items():
        if other != name and not writer.is_closing():
            writer.write(line.encode())
            if writer.transport.get_write_buffer_size() > MOST_WAITING:
                writer.transport.abort()


async def lines_from(reader):
    pending = ""
    while data := await reader.read(4096):
        *lines, pending = (pending + data.decode(errors="replace")).split("\n")
        for line in lines:
            yield line
        if len(pending) > LIMIT:
            return


def enters(name, writer):
    if not 1 <= len(name.encode()) <= 32 or " " in name:
        return False
    if name in writers:
        writer.write(b"* name taken\n")
        return False
    writers[name] = writer
    writer.write(f"* welcome {name}\n".encode())
    return True


async def serve(reader, writer):
    name = None
    try:
        async for line in lines_from(reader):
            if name is not None:
                tell_others(name, f"{name}: {line}\n")
            elif enters(line, writer):
                name = line
            else:
                return
    except OSError:
        pass
    finally:
        writer.close()
        if name is not None:
            del writers[name]
            tell_others(name, f"* {name} left\n")


async def main():
    server = await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]), backlog=128)
    await server.serve_forever()


signal.alarm(600)
asyncio.run(main())
