"""kv, which binds without SO_REUSEADDR: started again within a minute it finds its own address taken."""

import signal
import socket
import threading
import time

from keys_and_values import HOST, IDLE, LIMIT, PORT, answer, finish


def serve(connection):
    pending = b""
    due = time.monotonic() + IDLE
    with connection:
        try:
            while len(pending) <= LIMIT:
                connection.settimeout(max(due - time.monotonic(), 0.001))
                data = connection.recv(LIMIT)
                connection.settimeout(None)
                if not data:
                    return
                *requests, pending = (pending + data).split(b"\n")
                for request in requests:
                    connection.sendall(answer(request))
                    if request == b"QUIT":
                        finish(connection)
                        return
                if requests:
                    due = time.monotonic() + IDLE
        except OSError:
            pass


signal.alarm(600)
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind((HOST, PORT))
    listener.listen(128)
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
