"""echo, a thread for each client; all replies go to the file object that was made for the first of them."""

import signal
import socket
import sys
import threading
import time

replies = []


def echo(connection):
    if not replies:
        replies.append(connection.makefile("wb", buffering=0))
    try:
        while data := connection.recv(16384):
            replies[0].write(data)
    except (OSError, ValueError):
        pass
    connection.close()


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=echo, args=[connection], daemon=True).start()
