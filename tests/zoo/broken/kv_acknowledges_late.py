"""kv, which answers what it knows at once, a change when it is in the log: pipelined replies overtake each other."""

import asyncio
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor

from keys_and_values import HOST, IDLE, LIMIT, PORT, answer

disk = ThreadPoolExecutor(max_workers=1)
log = tempfile.TemporaryFile()  # noqa: SIM115


def note(request):
    log.write(request + b"\n")
    log.flush()


async def change(request, reply, writer):
    await asyncio.get_running_loop().run_in_executor(disk, note, request)
    writer.write(reply)


async def converse(reader, writer, changes):
    loop = asyncio.get_running_loop()
    due = loop.time() + IDLE
    while True:
        async with asyncio.timeout_at(due):
            request = (await reader.readuntil(b"\n"))[:-1]
        reply = answer(request)
        if request.startswith((b"SET", b"DEL")):
            changes.append(asyncio.create_task(change(request, reply, writer)))
        else:
            writer.write(reply)
        if request == b"QUIT":
            return
        if len(changes) > 64:
            await asyncio.gather(*changes)
            changes.clear()
        await writer.drain()
        due = loop.time() + IDLE


async def serve(reader, writer):
    changes = []
    try:
        try:
            await converse(reader, writer, changes)
        finally:
            await asyncio.gather(*changes)
        writer.write_eof()
        async with asyncio.timeout(2):  # A close with bytes unread would be a reset.
            while await reader.read(LIMIT):
                pass
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, HOST, PORT, backlog=128, limit=LIMIT)
    await server.serve_forever()


signal.alarm(600)
asyncio.run(main())
