"""echo-once, four times over: four processes that all call accept() on the same socket.

The first process serves nobody. It starts another worker where one has ended, and at SIGTERM it ends them all and exits
with status 0.
"""

import os
import signal
import socket
import sys

WORKERS = 4
WATCHED = (signal.SIGTERM, signal.SIGCHLD)


def work(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                while data := connection.recv(8192):
                    connection.sendall(data)
            except OSError:
                pass  # The client is gone.


def start(listener: socket.socket) -> int:
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        work(listener)
    return pid


def ended() -> set[int]:
    """The workers that have ended: SIGCHLD comes once, however many they are."""
    pids = set()
    while workers - pids and (pid := os.waitpid(-1, os.WNOHANG)[0]):
        pids.add(pid)
    return pids


signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=16) as listener:
    workers = {start(listener) for _ in range(WORKERS)}
    while signal.sigwait(WATCHED) == signal.SIGCHLD:
        for pid in ended():
            workers.remove(pid)
            workers.add(start(listener))
for pid in workers:
    os.kill(pid, signal.SIGTERM)
for pid in workers:
    os.waitpid(pid, 0)
