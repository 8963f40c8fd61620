"""A key-value store with a process for each client, and one idle time for the whole connection (SIGALRM)."""

import os
import signal
import socket
import sys

HOST, PORT, IDLE = sys.argv[1], int(sys.argv[2]), sys.argv[4]
idle = float(IDLE[:-2]) / 1000 if IDLE.endswith("ms") else float(IDLE.rstrip("s"))

data = {}


def answer(line):
    words = line.split(b" ", 2)
    if words[0] == b"SET" and len(words) == 3:
        data[words[1]] = words[2]
        return b"OK\n"
    if words[0] == b"GET" and len(words) == 2:
        return b"VALUE " + data[words[1]] + b"\n" if words[1] in data else b"NONE\n"
    if words[0] == b"DEL" and len(words) == 2:
        return b"OK\n" if data.pop(words[1], None) is not None else b"NONE\n"
    return b"ERR unknown command\n"


def handle(conn):
    signal.signal(signal.SIGALRM, lambda number, frame: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, idle)
    try:
        for line in conn.makefile("rb"):
            if not line.endswith(b"\n"):
                break
            if line == b"QUIT\n":
                conn.sendall(b"BYE\n")
                break
            conn.sendall(answer(line[:-1]))
    except OSError:
        pass


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
server = socket.create_server((HOST, PORT), backlog=128)
while True:
    conn, addr = server.accept()
    if os.fork() == 0:
        server.close()
        handle(conn)
        os._exit(0)
    conn.close()
