"""kv, which lists its connections and strikes out those that end, not those that fail: a reset keeps its descriptor."""

import signal
import socket
import threading
import time

from keys_and_values import HOST, IDLE, LIMIT, PORT, answer, finish

connections = []


def converse(connection):
    pending = b""
    due = time.monotonic() + IDLE
    while len(pending) <= LIMIT:
        connection.settimeout(max(due - time.monotonic(), 0.001))
        try:
            data = connection.recv(LIMIT)
        except TimeoutError:
            return
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


def serve(connection):
    connections.append(connection)
    try:
        converse(connection)
        connections.remove(connection)
        connection.close()
    except OSError as error:
        print("lost a client:", error)


signal.alarm(600)
with socket.create_server((HOST, PORT), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
