"""For every recv() of n bytes, send n as four bytes, big-endian. One client at a time."""

import contextlib
import socket
import struct
import sys

with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    while True:
        connection, _ = server.accept()
        with connection, contextlib.suppress(ConnectionError):
            while data := connection.recv(1 << 20):
                connection.sendall(struct.pack("!I", len(data)))
