"""kv, which takes what one recv() returns for requests, as many as there are lines: half of one is one too."""

import signal
import socket
import threading
import time

from keys_and_values import HOST, IDLE, LIMIT, PORT, answer, finish


def serve(connection):
    due = time.monotonic() + IDLE
    with connection:
        try:
            while True:
                connection.settimeout(max(due - time.monotonic(), 0.001))
                data = connection.recv(LIMIT)
                connection.settimeout(None)
                if not data:
                    return
                for request in data.removesuffix(b"\n").split(b"\n"):
                    connection.sendall(answer(request))
                    if request == b"QUIT":
                        finish(connection)
                        return
                due = time.monotonic() + IDLE
        except OSError:
            pass


signal.alarm(600)
with socket.create_server((HOST, PORT), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
