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


def goes_on(number, frame):
    global clean_until
    clean_until = time.monotonic() + 0.5


clean_until = 0.0
signal.signal(signal.SIGCONT, goes_on)
signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        if time.monotonic() < clean_until:
            flush(connection)
        threading.Thread(target=echo, args=[connection], daemon=True).start()
