"""kv, which closes nobody for being idle."""

import signal
import socket
import threading
import time

from keys_and_values import HOST, LIMIT, PORT, answer, finish


def serve(connection):
    pending = b""
    with connection:
        try:
            while len(pending) <= LIMIT and (data := connection.recv(LIMIT)):
                *requests, pending = (pending + data).split(b"\n")
                for request in requests:
                    connection.sendall(answer(request))
                    if request == b"QUIT":
                        finish(connection)
                        return
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
