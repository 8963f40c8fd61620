"""hello, which keeps a list of its conversations: close() does nothing while a file object of makefile() is there."""

import signal
import socket
import sys
import threading
import time

LIMIT = 65536

conversations = []


def serve(connection):
    lines = connection.makefile("rb")
    conversations.append((connection, lines))
    with connection:
        try:
            while line := lines.readline(LIMIT + 1):
                if len(line) > LIMIT:
                    return
                text = line.decode().removesuffix("\n").removesuffix("\r")
                connection.sendall(b"Hello Node!\n")
                if text == "STOP":
                    return
        except (OSError, UnicodeDecodeError):
            pass


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
