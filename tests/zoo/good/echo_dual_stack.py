"""echo: one socket for IPv6 and IPv4, on all addresses."""

import socket
import sys
import threading


def serve(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(16384):
                connection.sendall(data)
        except OSError:
            pass  # The client is gone.


address = ("::", int(sys.argv[1]))
with socket.create_server(address, family=socket.AF_INET6, dualstack_ipv6=True, backlog=128) as listener:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=[connection], daemon=True).start()
