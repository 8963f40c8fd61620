"""What the kv servers here have in common: the keys and values, and the arguments HOST PORT --idle TIME."""

import socket
import sys

HOST, PORT = sys.argv[1], int(sys.argv[2])
IDLE = float(sys.argv[4][:-2]) / 1000 if sys.argv[4].endswith("ms") else float(sys.argv[4].removesuffix("s"))
LIMIT = 65536

values = {}


def answer(request):
    """The reply to a request, which is a line without its newline. Any thread may ask."""
    match request.split(b" ", 2):
        case [b"SET", key, value] if key:
            values[key] = value
            return b"OK\n"
        case [b"GET", key] if key:
            value = values.get(key)
            return b"NONE\n" if value is None else b"VALUE " + value + b"\n"
        case [b"DEL", key] if key:
            return b"NONE\n" if values.pop(key, None) is None else b"OK\n"
        case [b"QUIT"]:
            return b"BYE\n"
    return b"ERR there are SET key value, GET key, DEL key and QUIT\n"


def finish(connection):
    """Close in order: a close with bytes unread would be a reset."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(2)
    while connection.recv(65536):
        pass
