"""echo on the port that it is given; on a second port, which the kernel chooses, it tells how many it has served."""

import selectors
import socket
import sys
import threading

served = 0


def serve(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data)
        except OSError:
            pass  # The client is gone.


host = sys.argv[1]
with (
    socket.create_server((host, 0)) as status,
    socket.create_server((host, int(sys.argv[2])), backlog=128) as listener,
    selectors.DefaultSelector() as selector,
):
    selector.register(status, selectors.EVENT_READ)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            connection, _ = key.fileobj.accept()
            if key.fileobj is status:
                with connection:
                    connection.sendall(b"%d served\n" % served)
            else:
                served += 1
                threading.Thread(target=serve, args=[connection], daemon=True).start()
