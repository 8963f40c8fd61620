"""An echo server for many clients that keeps all of its promises but one.

    faulty.py HOST PORT FAULT

    none          keeps them all
    wrong         the first byte of each reply is another
    more          a byte is added to each reply
    mute          it never answers
    slow          it answers after 0.7 s
    speaks        it greets, unasked
    errors        each reply begins with an error
    newlines      carriage returns are lost
    capitals      letters come back as capitals
    five          five bytes are answered, and no more
    one-recv      it takes one recv() for all that comes, answers and closes
    impatient     it closes when nothing has come for 10 ms
    limited       it closes when it has answered 4,000 bytes
    stays         it does not close at the client's end of stream
    resets        it ends each connection by a reset
    one-client    it serves one client at a time
    others        it answers whoever came last, of all who are connected by then
    dies          it ends at the first error of a connection
    stranger      it serves none but 127.0.0.1
    deaf          it ignores SIGTERM
    short-queue   hardly anybody may wait to be accepted
    keeps         it says welcome, and never gives back descriptors and threads of a connection
    no-reuse      it binds without SO_REUSEADDR
    shares        it binds with SO_REUSEPORT, so that a second one does not notice the first
    spins         it never stops asking for more when a client has left

or does something else that it is asked for:

    welcome       it says welcome, and answers each line with `ok...` before it
    drains        at SIGTERM it takes no more clients, and ends when those that it has are served

Every process ends by itself after 100 s.
"""

import os
import select
import signal
import socket
import struct
import sys
import threading
import time

LIFETIME = 100
HOST, PORT, FAULT = sys.argv[1], int(sys.argv[2]), sys.argv[3]
WELCOME = b"Welcome to the server. Type something and hit enter\n"

accepting = threading.Lock()
accepted = []
listener = socket.socket()


def reply_to(data):
    if FAULT == "wrong":
        return bytes([data[0] ^ 0x80]) + data[1:]
    if FAULT == "more":
        return data + b"!"
    if FAULT == "slow":
        time.sleep(0.7)
    if FAULT == "errors":
        return b"ERR " + data
    if FAULT == "newlines":
        return data.replace(b"\r", b"")
    if FAULT == "welcome":
        return b"ok..." + data
    if FAULT == "capitals":
        return data.upper()
    return b"" if FAULT == "mute" else data


def converse(connection):
    done = 0
    if FAULT == "speaks":
        connection.sendall(b"hi there\n")
    if FAULT in ("keeps", "welcome"):
        connection.sendall(WELCOME)
    while True:
        if FAULT == "impatient" and not select.select([connection], [], [], 0.01)[0]:
            return
        data = connection.recv(65536)
        if not data:
            break
        reply = reply_to(data)
        if FAULT == "five":
            reply = reply[: 5 - done]
        if FAULT == "limited":
            reply = reply[: 4000 - done]
        if FAULT == "others":
            while take():
                pass
        (accepted[-1] if FAULT == "others" else connection).sendall(reply)
        done += len(reply)
        if FAULT == "one-recv" or (FAULT == "limited" and done >= 4000):
            return
    if FAULT == "stays":
        threading.Event().wait()


def serve(connection):
    try:
        converse(connection)
    except OSError:
        if FAULT == "dies":
            os._exit(1)
    if FAULT == "resets":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    while FAULT == "spins":
        connection.recv(1)
    if FAULT == "keeps":
        connection.shutdown(socket.SHUT_WR)
        threading.Event().wait()
    connection.close()


def take():
    """Accept one client, if one waits, and serve it; whether one did."""
    with accepting:
        if not select.select([listener], [], [], 0)[0]:
            return False
        connection, (peer, _) = listener.accept()
        accepted.append(connection)
    if FAULT == "stranger" and peer != "127.0.0.1":
        connection.close()
    elif FAULT == "one-client":
        serve(connection)
    else:
        threading.Thread(target=serve, args=[connection], daemon=True).start()
    return True


def drain():
    listener.close()
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()
    os._exit(0)


def main():
    signal.alarm(LIFETIME)
    if FAULT == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if FAULT != "no-reuse":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if FAULT == "shares":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((HOST, PORT))
    listener.listen(0 if FAULT == "short-queue" else 128)
    if FAULT == "drains":
        signal.signal(signal.SIGTERM, lambda *_: drain())
    while True:
        select.select([listener], [], [])
        take()


main()
