"""For each client, say whether the end of the stream was there when its first data were read. One client at a time."""

import contextlib
import socket
import sys

with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    while True:
        connection, _ = server.accept()
        with connection, contextlib.suppress(ConnectionError):
            connection.recv(1 << 20)
            try:
                more = connection.recv(1 << 20, socket.MSG_DONTWAIT)
            except BlockingIOError:
                more = b"nothing yet"
            connection.sendall(b"apart" if more else b"at once")
