"""Answers each line with `ok\\n`, does some work, and then, where it is told to, writes one byte more.

    afterthought.py HOST PORT

A line is `WORK NUMBER yes\\n` or `WORK NUMBER no\\n`, and WORK one of these:

    cpu N       N microseconds of computing
    yield N     gives the CPU away, N times
    thread N    another thread, which waited for that, computes and writes
    ring N      a token goes round among four threads that wait, N steps; whoever has it last writes
    child N     a forked process computes and writes
    pipe N      a forked process computes and writes to a pipe, for which this one waits by poll()
    chain N     a token goes to and fro between this process and another, N times
    small N     none; the byte is a small segment behind another, which Nagle's algorithm holds back
    cork N      none; the byte is sent with MSG_MORE, and the kernel holds it back for 200 ms
    timer N     a sleep of N microseconds
    spin N      N microseconds of computing; another thread computes from then on without end

Every process ends by itself after 100 s.
"""

import contextlib
import os
import queue
import select
import signal
import socket
import sys
import threading
import time

LIFETIME = 100
RING = 4

threads = [queue.SimpleQueue() for _ in range(RING)]


def compute(microseconds):
    limit = time.perf_counter() + microseconds / 1e6
    while time.perf_counter() < limit:
        pass


def turns(own):
    """A thread that waits for work: a function and how many more threads it goes through first."""
    while True:
        left, work = threads[own].get()
        if left:
            threads[(own + 1) % RING].put((left - 1, work))
        else:
            work()


def forked(work):
    if os.fork() == 0:
        signal.alarm(LIFETIME)
        try:
            work()
        finally:
            os._exit(0)


def pipe(number, write):
    reader, writer = os.pipe()

    def work():
        compute(number)
        os.write(writer, b"x")

    forked(work)
    os.close(writer)
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    poll.poll()
    os.close(reader)
    write()


def chain(number, write):
    ours, theirs = socket.socketpair()

    def work():
        ours.close()
        while theirs.recv(1):
            theirs.send(b"x")

    forked(work)
    theirs.close()
    for _ in range(number):
        ours.send(b"x")
        ours.recv(1)
    ours.close()
    write()


def do(work, number, connection, write):
    if work == "cpu":
        compute(number)
        write()
    elif work == "yield":
        for _ in range(number):
            os.sched_yield()
        write()
    elif work == "thread":
        threads[0].put((0, lambda: (compute(number), write())))
    elif work == "ring":
        threads[0].put((number, write))
    elif work == "child":
        forked(lambda: (compute(number), write()))
    elif work == "pipe":
        pipe(number, write)
    elif work == "chain":
        chain(number, write)
    elif work == "spin":
        threading.Thread(target=compute, args=[LIFETIME * 1e6], daemon=True).start()
        compute(number)
        write()
    elif work == "timer":
        time.sleep(number / 1e6)
        write()
    else:
        write(socket.MSG_MORE if work == "cork" else 0)


def serve(connection):
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            work, number, more = line.decode().split()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, work != "small")
            connection.send(b"ok\n")

            def write(flags=0, more=more):
                if more == "yes":
                    connection.send(b"!", flags)

            do(work, int(number), connection, write)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)  # A child may hold it too.


def main():
    signal.alarm(LIFETIME)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for own in range(RING):
        threading.Thread(target=turns, args=[own], daemon=True).start()
    with socket.create_server((sys.argv[1], int(sys.argv[2]))) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=[connection], daemon=True).start()


main()
