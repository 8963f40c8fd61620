"""echo: one thread and select(). Who has something waiting to be sent is not read from."""

import select
import socket
import sys

waiting: dict[socket.socket, bytes] = {}


def drop(connection: socket.socket) -> None:
    del waiting[connection]
    connection.close()


def receive(connection: socket.socket) -> None:
    try:
        data = connection.recv(16384)
    except BlockingIOError:
        return
    except OSError:
        data = b""
    if data:
        waiting[connection] = data
    else:
        drop(connection)


def send(connection: socket.socket) -> None:
    try:
        sent = connection.send(waiting[connection])
    except BlockingIOError:
        return
    except OSError:
        drop(connection)
    else:
        waiting[connection] = waiting[connection][sent:]


with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    listener.setblocking(False)
    while True:
        readers = [connection for connection, data in waiting.items() if not data]
        writers = [connection for connection, data in waiting.items() if data]
        readable, writable, _ = select.select([listener, *readers], writers, [])
        for ready in writable:
            send(ready)
        for ready in readable:
            if ready is not listener:
                receive(ready)
                continue
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                continue
            connection.setblocking(False)
            waiting[connection] = b""
