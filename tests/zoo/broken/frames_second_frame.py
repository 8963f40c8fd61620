"""frames, which takes a frame out of its buffer but not the length before it: the second one is out of step."""

import signal
import socket
import sys
import threading
import time

LIMIT = 1 << 20


def serve(connection):
    buffer = b""
    with connection:
        try:
            while data := connection.recv(65536):
                buffer += data
                while len(buffer) >= 4:
                    size = int.from_bytes(buffer[:4], "big")
                    if size > LIMIT:
                        return
                    if len(buffer) < 4 + size:
                        break
                    connection.sendall(buffer[:4] + buffer[4 : 4 + size][::-1])
                    buffer = buffer[size:]
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
