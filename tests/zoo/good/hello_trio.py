"""hello: trio, a task for each connection."""

import sys

import trio

ANSWER = b"Hello Node!\n"
LIMIT = 65536


async def serve(stream: trio.SocketStream) -> None:
    try:
        await converse(stream)
    except (trio.BrokenResourceError, UnicodeDecodeError):
        pass  # The client is gone, or sends no text: either way that is its own affair.


async def converse(stream: trio.SocketStream) -> None:
    rest = b""
    async for data in stream:
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            text = line.decode().removesuffix("\r")
            await stream.send_all(ANSWER)
            if text == "STOP":
                await stream.send_eof()
                with trio.move_on_after(2):
                    async for _ in stream:
                        pass
                return
        if len(rest) > LIMIT:
            return


async def main() -> None:
    await trio.serve_tcp(serve, int(sys.argv[2]), host=sys.argv[1])


trio.run(main)
