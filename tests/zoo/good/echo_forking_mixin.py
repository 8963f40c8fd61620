"""echo: socketserver with ForkingMixIn, which waits for its children every half second, and its queue of five."""

import socketserver
import sys


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        try:
            while data := self.request.recv(65536):
                self.request.sendall(data)
        except OSError as error:
            print(f"{self.client_address}: {error}", file=sys.stderr)


class Server(socketserver.ForkingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    max_children = 100


with Server((sys.argv[1], int(sys.argv[2])), Echo) as server:
    server.serve_forever()
