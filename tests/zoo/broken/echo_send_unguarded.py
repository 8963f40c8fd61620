"""echo, which expects recv() to fail and send() not: a client that resets in the middle of its reply ends it all."""

import selectors
import signal
import socket
import sys
import time

selector = selectors.DefaultSelector()


def receive(connection):
    try:
        return connection.recv(16384)
    except OSError:
        return b""


def send(connection, data):
    try:
        return data[connection.send(data) :]
    except BlockingIOError:
        return data


signal.alarm(600)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            connection = key.fileobj
            if connection is listener:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    time.sleep(0.1)
                    continue
                connection.setblocking(False)
                selector.register(connection, selectors.EVENT_READ, data=b"")
            elif waiting := key.data or receive(connection):
                waiting = send(connection, waiting)
                selector.modify(connection, selectors.EVENT_WRITE if waiting else selectors.EVENT_READ, data=waiting)
            else:
                selector.unregister(connection)
                connection.close()
