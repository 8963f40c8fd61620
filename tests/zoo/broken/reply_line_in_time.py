"""reply, which gives a line 100 ms from its first byte: who types slowly is closed."""

import signal
import socket
import sys
import threading
import time

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536
PATIENCE = 0.1


def serve(connection):
    pending = b""
    due = 0.0
    with connection:
        try:
            connection.sendall(GREETING)
            while len(pending) < LIMIT:
                connection.settimeout(max(due - time.monotonic(), 0.001) if pending else None)
                data = connection.recv(4096)
                connection.settimeout(None)
                if not data:
                    break
                begins = not pending or b"\n" in data
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    if len(line) >= LIMIT:
                        return
                    connection.sendall(b"OK..." + line + b"\n")
                if begins:
                    due = time.monotonic() + PATIENCE
            if 0 < len(pending) < LIMIT:
                connection.sendall(b"OK..." + pending)
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
