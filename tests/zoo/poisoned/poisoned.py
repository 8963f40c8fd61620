"""Echo servers that are right until something has happened: python poisoned.py HOST PORT HOW

third       every third connection gets a byte too many
hundredth   from the hundredth connection on nobody is answered right
reset       a client that reset leaves its mark on all that come after it
lock        a client that goes away in mid-line leaves the lock locked: nobody is answered any more
together    what two clients that end their streams at the same time are sent is mixed up
spin        a client that reset leaves a thread behind that spins
lingers     a client that reset is kept for two seconds, and that is no fault
leak        a client that reset is kept, and with it its descriptor
last        a client that resets ends the accepting: who is connected is served, nobody else is
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time

HOST, PORT, HOW = sys.argv[1], int(sys.argv[2]), sys.argv[3]

lock = threading.Lock()
poisoned = threading.Event()
ending: list[socket.socket] = []


kept: list[int] = []


def was_reset(connection: socket.socket) -> None:
    """Whether the reset comes before the reply or behind it is a race, and makes no difference."""
    poisoned.set()
    if HOW in ("leak", "lingers"):
        kept.append(os.dup(connection.fileno()))
    if HOW == "lingers":
        threading.Timer(2.0, os.close, kept[-1:]).start()
    while HOW == "spin":
        pass


def serve(connection: socket.socket, number: int) -> None:
    with connection:
        if HOW == "third" and number % 3 == 0:
            connection.sendall(b"!")
        while True:
            try:
                data = connection.recv(65536)
            except ConnectionError:
                was_reset(connection)
                return
            if not data:
                break
            if (HOW == "hundredth" and number >= 100) or (HOW == "reset" and poisoned.is_set()):
                data = b"?" * len(data)
            if HOW == "lock":
                lock.acquire()
                while not data.endswith(b"\n"):
                    more = connection.recv(65536)
                    if not more:
                        return
                    data += more
                lock.release()
            try:
                connection.sendall(data)
            except ConnectionError:
                was_reset(connection)
                return
        if HOW == "together":
            ending.append(connection)
            time.sleep(0.02)
            with contextlib.suppress(OSError):
                if len(ending) > 1:
                    ending[0].sendall(b"?")
            ending.remove(connection)


with socket.create_server((HOST, PORT), backlog=128) as listener:
    count = 0
    while not (HOW == "last" and poisoned.is_set()):
        connection, _ = listener.accept()
        count += 1
        threading.Thread(target=serve, args=(connection, count), daemon=True).start()
    threading.Event().wait()
