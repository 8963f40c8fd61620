"""echo, whose timeout is meant for recv() but holds for sendall() too: who does not read for a while is dropped."""

import signal
import socket
import sys
import threading
import time

stopping = threading.Event()


def serve(connection):
    # To look now and then whether it is time to stop. After 200 ms the kernel asks a closed window for room, and a bit
    # of the reply may go: a longer timeout could begin anew then.
    connection.settimeout(0.1)
    with connection:
        while not stopping.is_set():
            try:
                data = connection.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            try:
                connection.sendall(data)
            except OSError:
                return


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=[connection], daemon=True).start()
