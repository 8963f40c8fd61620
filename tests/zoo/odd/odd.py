"""Servers that are odd, each in its own way, but serve many clients: what can be said of what they do?

odd.py MODE HOST PORT
"""

import contextlib
import os
import random
import socket
import struct
import sys
import threading
import time
from itertools import count

MODE, HOST, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
VISITORS = count(1)


def speak(client: socket.socket, peer: tuple[str, int]) -> bool:
    """What comes unasked. Whether the connection goes on."""
    match MODE:
        case "daytime":
            client.sendall(time.ctime().encode() + b"\r\n")
            return False
        case "visitor":
            client.sendall(b"You are visitor %d, from port %d\n" % (next(VISITORS), peer[1]))
        case "endless":
            while True:
                client.sendall(b"all work and no play\n" * 1000)
        case "resets":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        case "to-the-end":
            client.sendall(b"%d bytes\n" % sum(map(len, iter(lambda: client.recv(4096), b""))))
            return False
    return True


def answer(line: bytes) -> bytes:
    match MODE:
        case "binary":
            return b"\x00\xff" + line[::-1]
        case "dice":
            return random.choice([b"yes\n", b"no\n", b"who knows?\n"])
        case "lines":
            return b"".join(b"line %d\n" % number for number in range(random.randrange(1, 9)))
        case "token":
            return os.urandom(16).hex().encode() + b"\n"
        case "slow":
            time.sleep(0.7)
            return b"at last: " + line
        case "large":
            return b"a large reply\n" + b"x" * 5000
    return b""


def serve(client: socket.socket, peer: tuple[str, int]) -> None:
    with client, contextlib.suppress(OSError):
        if speak(client, peer):
            with client.makefile("rb") as lines:
                for line in lines:
                    client.sendall(answer(line))


with socket.create_server((HOST, PORT)) as server:
    while True:
        threading.Thread(target=serve, args=server.accept(), daemon=True).start()
