"""echo, a thread for each client; what came before accept() is thrown away, as if it were left over from another."""

import signal
import socket
import sys
import threading
import time


def echo(connection):
    with connection:
        try:
            while data := connection.recv(16384):
                connection.sendall(data)
        except OSError:
            pass


def flush(connection):
    try:
        connection.recv(65536, socket.MSG_DONTWAIT)
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
        flush(connection)
        threading.Thread(target=echo, args=[connection], daemon=True).start()
