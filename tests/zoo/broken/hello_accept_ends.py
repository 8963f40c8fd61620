"""hello, whose thread for accept() ends at any error, so at the first lack of descriptors: the process stays, deaf."""

import signal
import socket
import sys
import threading
import time

LIMIT = 65536


def finish(connection):
    """Close in order: a close with bytes unread would be a reset."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(2)
    while connection.recv(65536):
        pass


def serve(connection):
    with connection, connection.makefile("rb") as lines:
        try:
            while line := lines.readline(LIMIT + 1):
                if len(line) > LIMIT:
                    return
                text = line.decode().removesuffix("\n").removesuffix("\r")
                connection.sendall(b"Hello Node!\n")
                if text == "STOP":
                    finish(connection)
                    return
        except (OSError, UnicodeDecodeError):
            pass


def accept(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            break
        threading.Thread(target=serve, args=[connection], daemon=True).start()


signal.alarm(600)
listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
threading.Thread(target=accept, args=[listener], daemon=True).start()
while True:
    time.sleep(1)
