"""echo, an asyncio protocol that reads on while its transport holds all that the client does not take."""

import asyncio
import signal
import sys


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def main():
    server = await asyncio.get_running_loop().create_server(Echo, sys.argv[1], int(sys.argv[2]), backlog=128)
    await server.serve_forever()


signal.alarm(600)
asyncio.run(main())
