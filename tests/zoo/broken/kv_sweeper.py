"""kv, whose sweeper comes by three times in the idle time and closes who has asked for nothing since: too early."""

import signal
import socket
import threading
import time

from keys_and_values import HOST, IDLE, LIMIT, PORT, answer, finish

busy = set()
quiet = set()
lock = threading.Lock()


def sweep():
    while True:
        time.sleep(IDLE / 3)
        with lock:
            for connection in quiet:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            quiet.clear()
            quiet.update(busy)
            busy.clear()


def seen(connection):
    with lock:
        quiet.discard(connection)
        busy.add(connection)


def converse(connection):
    pending = b""
    while len(pending) <= LIMIT and (data := connection.recv(LIMIT)):
        *requests, pending = (pending + data).split(b"\n")
        for request in requests:
            with lock:  # Nobody is idle while it reads.
                quiet.discard(connection)
                busy.discard(connection)
            connection.sendall(answer(request))
            seen(connection)
            if request == b"QUIT":
                finish(connection)
                return


def serve(connection):
    seen(connection)
    with connection:
        try:
            converse(connection)
        except OSError:
            pass
        with lock:
            quiet.discard(connection)
            busy.discard(connection)


signal.alarm(600)
with socket.create_server((HOST, PORT), backlog=128) as listener:
    threading.Thread(target=sweep, daemon=True).start()
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
