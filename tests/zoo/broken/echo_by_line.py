"""echo, a thread for each client: read by lines, so that nothing comes back before a newline or the end."""

import signal
import socket
import sys
import threading
import time


def serve(connection):
    try:
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                connection.sendall(line)
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
