"""reply, which waits for a newline and forgets what stands before the end of stream without one."""

import signal
import socket
import sys
import threading
import time

GREETING = b"Welcome to the server. Type something and hit enter\n"
LIMIT = 65536


def serve(connection):
    pending = b""
    with connection:
        try:
            connection.sendall(GREETING)
            while data := connection.recv(4096):
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    if len(line) >= LIMIT:
                        return
                    connection.sendall(b"OK..." + line + b"\n")
                if len(pending) >= LIMIT:
                    return
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
