"""hello: socketserver with ThreadingMixIn, and its queue of five. SIGTERM makes it exit with status 143."""

import os
import signal
import socket
import socketserver
import sys
import threading

ANSWER = b"Hello Node!\n"
LIMIT = 65536


class Greeter(socketserver.StreamRequestHandler):
    timeout = 60

    def handle(self) -> None:
        try:
            self.converse()
        except (OSError, UnicodeDecodeError) as error:
            print(f"{self.client_address}: {error}", file=sys.stderr)

    def converse(self) -> None:
        while line := self.rfile.readline(LIMIT + 1):
            if len(line) > LIMIT:
                return
            text = line.decode().removesuffix("\n").removesuffix("\r")
            self.wfile.write(ANSWER)
            if text == "STOP":
                self.connection.shutdown(socket.SHUT_WR)
                while self.rfile.read1():
                    pass
                return


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
with Server((sys.argv[1], int(sys.argv[2])), Greeter) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    signal.sigwait([signal.SIGTERM])
    os._exit(128 + signal.SIGTERM)
