"""A thread for each client. SIGTERM sets a flag, which the loop looks at after the next accept()."""

import signal
import socket
import sys
import threading

running = True


def stop(number, frame):
    global running
    running = False


def handle_client(conn):
    with conn:
        try:
            while data := conn.recv(4096):
                conn.sendall(data)
        except OSError:
            pass


signal.signal(signal.SIGTERM, stop)
server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
while running:
    conn, addr = server.accept()
    threading.Thread(target=handle_client, args=(conn,), daemon=True).start()
server.close()
