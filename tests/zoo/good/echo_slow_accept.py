"""echo: it listens at once, and loads what it needs before it accepts anybody: that takes 2.5 seconds."""

import socket
import sys
import threading
import time


def serve(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            pass  # The client is gone.


with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=64) as listener:
    time.sleep(2.5)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()
