"""echo: whatever comes, it thinks 150 ms before it answers. A thread for each connection."""

import socket
import sys
import threading
import time


def serve(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(1 << 20):
                time.sleep(0.15)
                connection.sendall(data)
        except OSError:
            pass  # The client is gone.


with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=[connection], daemon=True).start()
