"""hello, which ends without a word and with status 0 where the address is taken."""

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
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()


signal.alarm(600)
try:
    listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
except OSError:
    sys.exit()
accept(listener)
