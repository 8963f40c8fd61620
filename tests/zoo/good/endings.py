"""Ends each connection in the way that the client's line asks for, after the reply `bye\\n`. A process a connection."""

import os
import signal
import socket
import struct
import sys

LINGER_0 = struct.pack("ii", 1, 0)


def serve(connection: socket.socket) -> None:
    line = connection.makefile("rb", buffering=0).readline().strip()
    if line != b"nothing":
        connection.sendall(b"bye\n")
    if line == b"eof":
        connection.close()
    elif line == b"reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        connection.close()
    elif line == b"half":
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1024):
            pass
    elif line == b"unread":
        # Wait until something is there, and close without reading it: Linux sends a reset.
        connection.recv(1, socket.MSG_PEEK)
        connection.close()
    else:
        while connection.recv(1024):
            pass


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    while True:
        connection, _ = server.accept()
        if os.fork() == 0:
            serve(connection)
            os._exit(0)
        connection.close()
