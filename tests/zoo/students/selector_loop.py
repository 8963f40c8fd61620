"""The selectors loop of a tutorial: what waits to be sent is dropped at the end of stream, and no error is caught."""

import selectors
import socket
import sys

selector = selectors.DefaultSelector()


def accept(server):
    connection, _ = server.accept()
    connection.setblocking(False)
    selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE, bytearray())


def serve(connection, pending, events):
    if events & selectors.EVENT_READ:
        data = connection.recv(1024)
        if not data:
            selector.unregister(connection)
            connection.close()
            return
        pending += data
    if events & selectors.EVENT_WRITE and pending:
        del pending[: connection.send(pending)]


server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
server.setblocking(False)
selector.register(server, selectors.EVENT_READ)
while True:
    for key, events in selector.select():
        if key.data is None:
            accept(key.fileobj)
        else:
            serve(key.fileobj, key.data, events)
