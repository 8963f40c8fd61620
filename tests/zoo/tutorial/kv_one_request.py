"""A key-value store. Each recv() is taken for one request; the idle time is the socket's timeout."""

import argparse
import socket
import threading

parser = argparse.ArgumentParser()
parser.add_argument("host")
parser.add_argument("port", type=int)
parser.add_argument("--idle", default="30s")
args = parser.parse_args()
idle = float(args.idle[:-2]) / 1000 if args.idle.endswith("ms") else float(args.idle.rstrip("s"))

data = {}
lock = threading.Lock()


def answer(line):
    words = line.split(" ", 2)
    with lock:
        if words[0] == "SET" and len(words) == 3:
            data[words[1]] = words[2]
            return "OK\n"
        if words[0] == "GET" and len(words) == 2:
            return "VALUE %s\n" % data[words[1]] if words[1] in data else "NONE\n"
        if words[0] == "DEL" and len(words) == 2:
            return "OK\n" if data.pop(words[1], None) is not None else "NONE\n"
    return "ERR unknown command\n"


def handle(conn):
    conn.settimeout(idle)
    buffer = ""
    try:
        while True:
            chunk = conn.recv(65536).decode("utf-8", "surrogateescape")
            if not chunk:
                break
            buffer += chunk
            if "\n" not in buffer:
                continue
            line = buffer.split("\n")[0]
            buffer = ""
            if line == "QUIT":
                conn.sendall(b"BYE\n")
                break
            conn.sendall(answer(line).encode("utf-8", "surrogateescape"))
    except OSError:
        pass
    conn.close()


server = socket.create_server((args.host, args.port), backlog=128)
while True:
    conn, addr = server.accept()
    threading.Thread(target=handle, args=(conn,), daemon=True).start()
