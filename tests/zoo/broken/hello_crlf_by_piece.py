"""hello, which turns \r\n into \n in what each recv() returns: a pair that arrives in halves stays as it is."""

import signal
import socket
import sys
import threading
import time

LIMIT = 65536


def finish(connection):
    """Close in order: a close with bytes unread would be a reset."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(2)
    while connection.recv(65536):
        pass


def serve(connection):
    pending = b""
    with connection:
        try:
            while data := connection.recv(4096):
                *lines, pending = (pending + data.replace(b"\r\n", b"\n")).split(b"\n")
                for line in lines:
                    text = line.decode()
                    connection.sendall(b"Hello Node!\n")
                    if text == "STOP":
                        finish(connection)
                        return
                if len(pending) > LIMIT:
                    return
            if pending:
                pending.decode()
                connection.sendall(b"Hello Node!\n")
        except (OSError, UnicodeDecodeError):
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
