"""echo, a process for each client, and nobody waits for them when they have ended."""

import os
import signal
import socket
import sys
import time


def serve(connection):
    signal.alarm(600)
    try:
        while data := connection.recv(4096):
            connection.sendall(data)
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
        with connection:
            if os.fork() == 0:
                listener.close()
                serve(connection)
                os._exit(0)
