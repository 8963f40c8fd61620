"""Servers that misbehave as processes, and some that try to outlive whoever started them.

    hostile.py MODE MARKER HOST PORT

Every process of every mode ends by itself after 25 s. The marker stands in the command line of each, so that whoever
looks for survivors finds them, whatever they did to their environment, session and parent.
"""

import json
import os
import resource
import signal
import socket
import sys
import time

LIFETIME = 25
HOST, PORT = sys.argv[3], int(sys.argv[4])


def listen(host=HOST, port=PORT):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def mortal():
    """A forked process inherits no alarm."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LIFETIME)


def deaf_to_signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def idle():
    mortal()
    deaf_to_signals()
    while True:
        signal.pause()


def serve(listener):
    while True:
        connection, _ = listener.accept()
        connection.close()


def ignores_sigterm():
    mortal()
    deaf_to_signals()
    serve(listen())


def leaves_a_child(begin=lambda: None):
    """The child is deaf to signals before anybody can know that the server listens."""
    told, tell = os.pipe()
    if os.fork() == 0:
        begin()
        deaf_to_signals()
        os.write(tell, b"!")
        idle()
    os.read(told, 1)
    serve(listen())


def leaves_a_session():
    leaves_a_child(os.setsid)


def daemon():
    """As daemon(3) does it: the first process has ended before the server listens."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for descriptor in range(3):
                os.close(descriptor)
            ignores_sigterm()
        os._exit(0)
    os.wait()
    os._exit(0)


def daemon_without_environment():
    """A daemon that gave up its environment, by which it might have been found."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve(sys.executable, [sys.executable, "-S", __file__, "ignores_sigterm", *sys.argv[2:]], {})
        os._exit(0)
    os.wait()
    os._exit(0)


def respawners():
    """Two processes; when one ends, the other makes it anew, 200 times at the most."""
    listener = listen()
    for _ in range(200):
        mortal()
        deaf_to_signals()
        end, other_end = os.pipe()
        if os.fork() == 0:
            os.setsid()
            os.close(other_end)
            os.read(end, 1)
            os.close(end)
        else:
            os.close(end)
            os.wait()
            os.close(other_end)
    serve(listener)


def fork_bomb():
    """More and more processes, 1000 at the most. It never listens: that could be before anybody notices."""
    for _ in range(1000):
        if os.fork() == 0:
            idle()
    idle()


def kills_its_parent():
    """When told so by SIGUSR1, with processes around it that nobody owns then."""
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(os.getppid(), signal.SIGKILL))
    leaves_a_session()


def stops_its_parent():
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(os.getppid(), signal.SIGSTOP))
    serve(listen())


def spews():
    """Numbered lines on stdout, without end."""
    number = 0
    with listen():
        while True:
            sys.stdout.write("".join(f"{n:015d}\n" for n in range(number, number + 4096)))
            number += 4096


def spews_and_exits():
    """Some words on stderr; after SIGUSR1 8 MiB of numbered lines on stdout, and the end."""
    os.write(2, b"x" * 1000)
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.pause()
    for number in range(0, 1 << 19, 4096):
        os.write(1, b"".join(b"%015d\n" % n for n in range(number, number + 4096)))
    os._exit(0)


def exits_on_connection():
    listener = listen()
    connection, _ = listener.accept()
    connection.recv(1)
    os._exit(0)


def crashes_on_connection():
    listener = listen()
    connection, _ = listener.accept()
    connection.recv(1)
    os.kill(os.getpid(), signal.SIGSEGV)


def goes_deaf():
    """SIGUSR1 makes it close its listening socket and live on."""
    listener = listen()
    signal.signal(signal.SIGUSR1, lambda *_: listener.close())
    while True:
        signal.pause()


def spins():
    with listen():
        while True:
            pass


def exits():
    print("usage: server PORT", file=sys.stderr)
    sys.exit(3)


def exits_with_zero():
    sys.exit(0)


def killed():
    os.kill(os.getpid(), signal.SIGSEGV)


def never_listens():
    print("warming up", flush=True)
    idle()


def two_ports():
    first, second = listen(port=0), listen(port=0)
    print(first.getsockname()[1], second.getsockname()[1], flush=True)
    idle()


def both_families():
    """The same port in IPv4 and IPv6, as two sockets."""
    listener = listen("127.0.0.1", 0)
    other = listen("::1", listener.getsockname()[1])
    idle()
    other.close()


def mapped():
    """An IPv4 address on an IPv6 socket, as Java does it."""
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::ffff:127.0.0.1", PORT))
    listener.listen()
    serve(listener)


def dual_stack():
    serve(socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True))


def other_port():
    serve(listen(port=0))


def unlucky_once():
    """Its address is in use the first time; the file of that name (the last argument) is its memory."""
    try:
        os.close(os.open(sys.argv[5], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        serve(listen())
    sys.exit("bind: Address already in use")


def tells_its_surroundings():
    """One line of JSON, then a wait for stdin, which must neither speak nor end."""
    listener = listen()
    told = {
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "size": resource.getrlimit(resource.RLIMIT_FSIZE)[0],
        "folder": os.getcwd(),
        "unbuffered": os.environ.get("PYTHONUNBUFFERED"),
        "inherited": os.environ.get("HOSTILE_TEST"),
        "descriptors": sorted(map(int, os.listdir("/proc/self/fd"))),
        "leader": os.getsid(0) == os.getpid(),
        "arguments": sys.argv[5:],
    }
    os.write(1, json.dumps(told).encode() + b"\n")
    os.read(0, 1)
    os.write(1, b"stdin ended\n")
    serve(listener)


def plain():
    serve(listen())


if __name__ == "__main__":
    signal.alarm(LIFETIME)
    globals()[sys.argv[1]]()
    time.sleep(LIFETIME)
