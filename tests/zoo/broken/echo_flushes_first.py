"""echo, which starts with clean buffers when it was stopped and goes on: what came before accept() is thrown away.

To do so at each accept() is the more common fault; whom it hits then is a matter of who is quicker.
"""

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


def serve(connection):
    threading.Thread(target=echo, args=[connection], daemon=True).start()


def goes_on(number, frame):
    """Those who came meanwhile begin with a clean buffer."""
    listener.setblocking(False)
    try:
        while True:
            connection, _ = listener.accept()
            connection.setblocking(True)
            flush(connection)
            serve(connection)
    except OSError:
        listener.setblocking(True)


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    signal.signal(signal.SIGCONT, goes_on)
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        serve(connection)
