"""hello, whose handler of SIGTERM calls shutdown(), which waits for the loop that the handler interrupts: for ever."""

import signal
import socket
import socketserver
import sys

LIMIT = 65536


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            while line := self.rfile.readline(LIMIT + 1):
                if len(line) > LIMIT:
                    return
                text = line.decode().removesuffix("\n").removesuffix("\r")
                self.wfile.write(b"Hello Node!\n")
                if text == "STOP":
                    self.finish_in_order()
                    return
        except (OSError, UnicodeDecodeError):
            pass

    def finish_in_order(self):
        """A close with bytes unread would be a reset."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(2)
        while self.connection.recv(65536):
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


signal.alarm(600)
with Server((sys.argv[1], int(sys.argv[2])), Handler) as server:
    signal.signal(signal.SIGTERM, lambda *_: server.shutdown())
    server.serve_forever()
