"""frames: objects that refer to each other hold a descriptor each, which goes when the garbage collector comes by.

Connections are closed at once all the same. The collector comes after every 30 connections.
"""

import gc
import os
import socket
import struct
import sys
import threading

LIMIT = 1 << 20


class Session:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.log = Log(self)

    def run(self) -> None:
        with self.connection, self.connection.makefile("rb") as stream:
            try:
                while len(head := stream.read(4)) == 4:
                    (size,) = struct.unpack("!I", head)
                    if size > LIMIT or len(body := stream.read(size)) < size:
                        return
                    self.connection.sendall(head + body[::-1])
            except OSError:
                pass  # The client is gone.


class Log:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.fd = os.open(os.devnull, os.O_WRONLY)

    def __del__(self) -> None:
        os.close(self.fd)


gc.disable()
count = 0
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=Session(connection).run, daemon=True).start()
        count += 1
        if count % 30 == 0:
            gc.collect()
