"""reply, which writes to a file object and never flushes it: the client gets its answers when it has gone."""

import signal
import socket
import sys
import threading
import time

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536


def serve(connection):
    try:
        with connection, connection.makefile("rwb") as file:
            connection.sendall(GREETING)
            while line := file.readline(LIMIT + 1):
                if len(line) > LIMIT:
                    return
                file.write(b"OK..." + line)
    except OSError:
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
