"""reply, two threads for each client, one that reads and one that writes: nobody tells the writer when it is over."""

import queue
import signal
import socket
import sys
import threading
import time

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536


def write(outgoing):
    while True:
        connection, line = outgoing.get()
        try:
            connection.sendall(line)
        except OSError:
            pass
        del connection  # Or this thread would keep it open.
        outgoing.task_done()


def serve(connection):
    outgoing = queue.Queue(maxsize=16)
    threading.Thread(target=write, args=[outgoing], daemon=True).start()
    outgoing.put((connection, GREETING))
    with connection, connection.makefile("rb") as lines:
        try:
            while line := lines.readline(LIMIT + 1):
                if len(line) > LIMIT:
                    return
                outgoing.put((connection, b"OK..." + line))
        except OSError:
            pass
        outgoing.join()


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
