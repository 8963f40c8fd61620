"""echo: a thread for each connection, each of which looks every 20 ms whether it is time to end, and a clock beside."""

import selectors
import signal
import socket
import sys
import threading

TICK = 0.02
ended = threading.Event()


def serve(connection: socket.socket) -> None:
    with connection:
        connection.settimeout(TICK)
        waiting = b""
        try:
            while not ended.is_set():
                try:
                    if not waiting:
                        waiting = connection.recv(16384)
                        if not waiting:
                            return
                    waiting = waiting[connection.send(waiting) :]
                except TimeoutError:
                    pass
        except OSError:
            pass  # The client is gone.


def tick() -> None:
    while not ended.wait(TICK):
        pass


signal.signal(signal.SIGTERM, lambda *_: ended.set())
with (
    socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener,
    selectors.DefaultSelector() as selector,
):
    threading.Thread(target=tick).start()
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    while not ended.is_set():
        if selector.select(TICK):
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                continue
            threading.Thread(target=serve, args=[connection]).start()
