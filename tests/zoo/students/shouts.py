"""The example of a library's documentation: capitals, without the newline, for one client at a time."""

import socketserver
import sys


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request.recv(1024).strip()
        print(data)
        self.request.sendall(data.upper())


socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
