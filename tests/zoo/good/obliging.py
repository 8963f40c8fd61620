"""Does as it is told by the lines of its clients, and answers each with `done\\n` or with what it echoes.

    obliging.py HOST PORT [WORD…]

    no-reuse    SO_REUSEADDR is not set
    term=N      SIGTERM makes it exit with status N; `term=ignored`: it does nothing
    hup=N       SIGHUP likewise
    daemon      it forks twice, as daemon(3) does
    churn       a second process makes others that end at once, half of them as orphans

Every process ends by itself after 25 s.
"""

import os
import signal
import socket
import sys
import threading
import time

LIFETIME = 25
BACKLOG = 5
held = []


def mortal():
    """A forked process inherits no alarm."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LIFETIME)


def sleep_in_child():
    if os.fork() == 0:
        mortal()
        while True:
            signal.pause()


def spin():
    began = time.process_time()
    while time.process_time() - began < 0.2:
        pass


def churn():
    if os.fork() == 0:
        mortal()
        while True:
            if os.fork() == 0:
                if os.fork() == 0:
                    os._exit(0)
                os._exit(0)
            os.wait()


ORDERS = {
    b"open\n": lambda: held.append(os.open("/dev/null", os.O_RDONLY)),
    b"thread\n": lambda: threading.Thread(target=signal.pause, daemon=True).start(),
    b"child\n": sleep_in_child,
    b"spin\n": spin,
    b"quit\n": lambda: os._exit(7),
    b"crash\n": lambda: signal.raise_signal(signal.SIGSEGV),
}


def serve(connection):
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            if line in ORDERS:
                ORDERS[line]()
                line = b"done\n"
            connection.sendall(line)
        connection.shutdown(socket.SHUT_RDWR)  # A child may hold it too.


def main():
    host, port, *words = sys.argv[1:]
    for word in words:
        name, _, value = word.partition("=")
        if value == "ignored":
            signal.signal(getattr(signal, f"SIG{name.upper()}"), signal.SIG_IGN)
        elif value:
            signal.signal(getattr(signal, f"SIG{name.upper()}"), lambda *_, status=int(value): os._exit(status))
    if "daemon" in words:
        if os.fork():
            os.wait()
            os._exit(0)
        os.setsid()
        if os.fork():
            os._exit(0)
    mortal()
    if "churn" in words:
        churn()
    listener = socket.socket()
    if "no-reuse" not in words:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, int(port)))
    listener.listen(BACKLOG)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=[connection], daemon=True).start()


main()
