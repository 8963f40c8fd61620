"""echo, a launcher whose worker has a session of its own, and is not stopped with it: SIGTERM ends the launcher."""

import signal
import socket
import subprocess
import sys
import threading
import time


def serve(connection):
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data)
        except OSError:
            pass


def work(host, port):
    with socket.create_server((host, int(port)), backlog=128) as listener:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                time.sleep(0.1)
                continue
            threading.Thread(target=serve, args=[connection], daemon=True).start()


signal.alarm(600)
host, port, *worker = sys.argv[1:]
if worker:
    work(host, port)
else:
    command = [sys.executable, __file__, host, port, "worker"]
    sys.exit(subprocess.run(command, start_new_session=True).returncode)
