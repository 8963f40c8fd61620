"""Causes that end a server, waste what it has, or concern its life as a process."""

from __future__ import annotations

from sockcheck.causes.patterns import Cases, Entry, Pattern
from sockcheck.verdict import Kind

_WAITS: tuple[Kind, ...] = ("silence", "no-connection", "stalled", "case-timeout")
_OPEN = "did not end within"
_CRASHED = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")
_UNSERVED: tuple[Kind, ...] = ("exited", "deaf", "refused", "no-connection", "silence", "missing-bytes", "reset")

_LONG = (
    Cases(("size.*", "end.half", "neighbour.deaf", "limit.endless")),
    Cases(("plain*", "pace.slow"), ("wrong-bytes", "missing-bytes", "silence")),
)

DEATHS = (
    Entry(
        "sigpipe",
        "is killed by SIGPIPE when it writes to a client that has left",
        "leave.reset-at-k",
        "A failing send() returns -1, one thinks; but the first thing that it does is to raise a signal, and that ends "
        "the process.",
        "signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # Python's default\n"
        "try: client.sendall(reply)\n"
        "except OSError: return  # this client only",
        "signal(SIGPIPE, SIG_IGN);  /* or: send(..., MSG_NOSIGNAL) */\n"
        "if (send(fd, p, n, 0) < 0) { close(fd); return; }",
        (Pattern((Cases(kinds=("exited",), says=("SIGPIPE",)),)),),
    ),
    Entry(
        "select-limit",
        "breaks when a descriptor is beyond what select() can hold",
        "crowd.many",
        "select() takes a set of descriptors, and one thinks that the set grows with them; it has 1,024 bits.",
        "selector = selectors.DefaultSelector()  # in place of select()",
        "poll() or epoll_wait() in place of select(); FD_SET() beyond FD_SETSIZE writes outside of the set.",
        (
            Pattern(
                (Cases(("crowd.many",)),),
                clear=(Cases(("neighbour.idle", "crowd.at-once"), _WAITS), Cases(("limit.files",))),
            ),
        ),
    ),
    Entry(
        "fixed-buffer",
        "writes or keeps more than its buffer holds",
        "size.edges",
        "No message will be longer than that, one thinks; the client decides, not the server.",
        "if len(pending) > LIMIT: refuse and close  # before it is kept\nNever cut a message off at a size of yours.",
        "if (used == sizeof buffer) { refuse and close; }\n"
        "n = recv(fd, buffer + used, sizeof buffer - used, 0);\n/* and no gets(), strcpy(), sprintf() */",
        (
            Pattern((Cases(kinds=("exited",), says=_CRASHED),)),
            Pattern(
                (Cases(("size.edges",), traits=("above-power",)),),
                passes=(Cases(("size.edges",)),),
                clear=(Cases(("cut.*",)),),
                takes=_LONG,
            ),
            Pattern(
                (Cases(("size.edges",), ("wrong-bytes", "missing-bytes")),),
                passes=(Cases(("size.edges",)),),
                clear=(Cases(("cut.*",)),),
                takes=_LONG,
            ),
            Pattern(
                (Cases(("size.edges",), derived=False), Cases(("size.large",), ("wrong-bytes", "missing-bytes"))),
                clear=(Cases(("cut.*",)),),
                takes=_LONG,
            ),
        ),
    ),
    Entry(
        "accepts-once",
        "serves one connection and then no more",
        "plain.again",
        "accept() gives the connection that is to be served, one thinks; there is one accept() for every client.",
        "while True:\n    client, address = server.accept()\n    serve(client)",
        "for (;;) {\n  int client = accept(listener, NULL, NULL);\n"
        "  if (client >= 0) { serve(client); close(client); }\n}",
        (
            Pattern(
                (Cases(("plain",), ("exited", "deaf"), says=("status 0", "is gone", "listens no more")),),
                takes=(Cases(kinds=_UNSERVED),),
            ),
            Pattern(
                (Cases(("plain.again",), ("exited", "deaf", "refused", "no-connection", "silence")),),
                passes=(Cases(("plain",)),),
                takes=(Cases(("neighbour.*", "crowd.*", "plain*"), _UNSERVED), Cases(kinds=("exited", "deaf"))),
            ),
        ),
    ),
    Entry(
        "out-of-files",
        "does not get over being out of descriptors",
        "limit.files",
        "accept() fails with EMFILE, and the client still waits in the queue, so the loop comes back at once, for "
        "ever, or ends.",
        "except OSError as error:  # of accept()\n    if error.errno == errno.EMFILE: stop accepting for a while",
        "if (errno == EMFILE) stop polling the listener until a client left;",
        (Pattern((Cases(("limit.files",), ("spinning", "wrong-measure", "exited")),)),),
    ),
    Entry(
        "uncaught-error",
        "ends as a whole when one connection fails",
        "leave.reset-at-k",
        "recv() and send() work as long as the peer is there, one thinks; they raise, or return -1, when it vanishes, "
        "and so does decoding what it sent.",
        "try: serve(client)\nexcept (OSError, ValueError): pass  # ValueError: of decode()\nfinally: client.close()",
        "n = recv(fd, buffer, size, 0);\nif (n <= 0) { close(fd); return; }  /* never exit() */",
        (Pattern((Cases(kinds=("exited",)),), takes=(Cases(kinds=("deaf",)),)),),
    ),
    Entry(
        "alive-but-deaf",
        "lives on after an error, and accepts no more clients",
        "leave.reset-at-k",
        "An error in the loop that accepts is the end, one thinks; most of them concern a single client, or are over "
        "in a moment.",
        "try: client, address = server.accept()\nexcept OSError: continue  # never `break`",
        "if (client < 0) {\n  if (errno == EMFILE || errno == ENFILE) wait_for_a_close();\n"
        "  continue;  /* never break */\n}",
        (
            Pattern((Cases(kinds=("deaf",)),), takes=(Cases(("leave.*", "neighbour.fails"), _UNSERVED),)),
            Pattern(
                (Cases(("leave.*",), (*_WAITS, "refused"), derived=True, answered=False),),
                takes=(Cases(("leave.*", "neighbour.fails", "limit.files", "churn.*"), _UNSERVED),),
            ),
            Pattern(
                (Cases(("limit.files",), ("silence", "no-connection", "refused")),), clear=(Cases(("neighbour.*",)),)
            ),
        ),
    ),
)

_LEFT_OPEN = (Cases(kinds=("leaking", "spinning")), Cases(says=(_OPEN,)))

WASTE = (
    Entry(
        "busy-loop",
        "asks again and again, without waiting",
        "churn.spin",
        "A socket that does not block must be asked often, one thinks; select() and poll() wait until it has "
        "something.",
        "for key, _ in selector.select():  # no timeout of 0: it waits\n"
        "# and EVENT_WRITE only while there is something left to send",
        "n = poll(fds, count, -1);  /* not 0: it waits */\n"
        "/* and POLLOUT only while there is something left to send */",
        (
            Pattern((Cases(kinds=("spinning",), traits=("idle",)),), takes=(Cases(kinds=("spinning",)),)),
            Pattern((Cases(("churn.spin",), ("wrong-measure",), traits=("idle",)),), takes=(Cases(("churn.spin",)),)),
            # Only while a client does not take what there is for it.
            Pattern(
                (Cases(("churn.spin",), traits=("deaf",)),),
                clear=(Cases(("churn.spin",), traits=("close", "reset", "mid-message", "half-closed")),),
            ),
        ),
    ),
    Entry(
        "ignores-eof",
        "spins when a client has ended its stream",
        "churn.spin",
        "No bytes means none yet, one thinks; a recv() of nothing is the end of the stream, and it comes again at once "
        "each time.",
        "data = client.recv(4096)\nif not data: break  # b'' is the end",
        "n = recv(fd, buffer, size, 0);\nif (n == 0) { close(fd); return; }",
        (
            Pattern((Cases(kinds=("spinning",)),), takes=_LEFT_OPEN),
            Pattern((Cases(("churn.spin",), ("wrong-measure",)),), takes=_LEFT_OPEN),
        ),
    ),
    Entry(
        "never-closes",
        "does not close when it should",
        "plain",
        "The client will close, one thinks; it waits for the server to do it.",
        "with client:  # closes when the reply is sent, or at end of stream\n    serve(client)",
        "close(fd) when the reply is sent, or where recv() gives 0; also in the parent after fork().",
        (
            Pattern(
                (Cases(("plain*", "end.*"), says=(_OPEN,)),),
                takes=(Cases(says=(_OPEN,)), Cases(kinds=("leaking",))),
            ),
        ),
    ),
    Entry(
        "leaks-descriptors",
        "does not close the sockets of clients that have left",
        "churn.leak",
        "The client has gone, so the connection is closed, one thinks; the descriptor stays until close() is called, "
        "on every way out.",
        "with client:  # closes it, also after an exception\n    serve(client)",
        "close(client) on every path: at end of stream, after an error, and in the parent after fork().",
        (
            Pattern((Cases(kinds=("leaking",), says=("descriptors",)),), takes=(Cases(("limit.files",)),)),
            Pattern((Cases(kinds=("wrong-measure",), says=("open-files",)),), takes=(Cases(("limit.files",)),)),
        ),
    ),
    Entry(
        "leaks-threads",
        "keeps a thread for each client that has left",
        "churn.leak",
        "The thread ends when its client does, one thinks; it waits for more of it, or for somebody to join it.",
        "data = client.recv(4096)\nif not data: return  # the thread's function ends here",
        "pthread_detach(thread); and let its function return where recv() gives 0 or -1.",
        (
            Pattern((Cases(kinds=("leaking",), says=("threads",)),)),
            Pattern((Cases(kinds=("wrong-measure",), says=("threads",)),)),
        ),
    ),
    Entry(
        "zombies",
        "does not wait for its child processes",
        "churn.leak",
        "A child that has exited is gone, one thinks; it stays as a zombie until its parent waits for it.",
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n# or os.waitpid(-1, os.WNOHANG) in the loop",
        "signal(SIGCHLD, SIG_IGN);\n/* or while (waitpid(-1, NULL, WNOHANG) > 0); in a handler */",
        (
            Pattern((Cases(kinds=("leaking",), says=("child",)),)),
            Pattern((Cases(kinds=("wrong-measure",), says=("children",)),)),
        ),
    ),
)

LIFE = (
    Entry(
        "no-reuseaddr",
        "cannot listen again at once on the address that it had",
        "life.restart",
        "The address is free when the process has ended, one thinks; connections in TIME_WAIT keep it for a minute "
        "unless SO_REUSEADDR is set.",
        "server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\nserver.bind(address)",
        "int on = 1;\nsetsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);\nbind(fd, address, size);",
        (Pattern((Cases(("life.restart",), ("no-start",)),), clear=(Cases(("life.stop",), ("no-start",)),)),),
    ),
    Entry(
        "orphans",
        "leaves processes behind that go on when it has ended",
        "life.stop",
        "Who stops the parent stops its children, one thinks; they live on, and keep the port.",
        "def stop(*_):\n    for child in children: child.terminate()\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)",
        "kill(0, SIGTERM) in the handler, and waitpid() for all; or prctl(PR_SET_PDEATHSIG, SIGTERM) in each child.",
        (
            Pattern((Cases(("life.stop",), says=("processes", "left others behind")),)),
            Pattern(
                (Cases(("life.stop",), ("no-start", "wrong-measure", "not-refused")),),
                takes=(Cases(("life.restart",)),),
            ),
        ),
    ),
    Entry(
        "drops-in-flight",
        "drops what is in flight when it is told to stop",
        "life.drain",
        "To stop is to exit at once, one thinks; whoever was being answered gets half a reply.",
        "On SIGTERM close the listener, finish what the clients are owed, then exit.",
        "On SIGTERM close the listener, finish what the clients are owed, then exit.",
        (Pattern((Cases(("life.drain",)),)),),
    ),
    Entry(
        "ignores-sigterm",
        "does not end on SIGTERM",
        "life.stop",
        "A handler sets a flag, and the loop looks at it, one thinks; but accept() waits, and is begun again after "
        "the signal.",
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n# or leave the default alone",
        "sigaction() without SA_RESTART, and look at the flag when accept() fails with EINTR; or leave the default "
        "alone.",
        (Pattern((Cases(("life.stop",), ("no-exit",)),)),),
    ),
    Entry(
        "bind-error-ignored",
        "does not say that its address is taken",
        "life.taken",
        "bind() works, one thinks, since it always did; nobody looks at what it returns.",
        "Let the OSError of bind() end the program, or print it to stderr and sys.exit(1).",
        'if (bind(fd, address, size) < 0) { perror("bind"); exit(1); }',
        (Pattern((Cases(("life.taken",)),)),),
    ),
    Entry(
        "ipv4-only",
        "listens for IPv4 alone",
        "host.any",
        "localhost is 127.0.0.1, one thinks; it is ::1 too, and most clients try that first.",
        'server = socket.create_server(("", port),\n    family=socket.AF_INET6, dualstack_ipv6=True)',
        "socket(AF_INET6, …) with IPV6_V6ONLY off, bound to in6addr_any.",
        (
            Pattern(
                (Cases(("host.any",), hosts=("*::*", "localhost")),),
                clear=(Cases(("host.any",), hosts=("127.*",)),),
            ),
        ),
    ),
    Entry(
        "loopback-only",
        "listens on one address, not on all",
        "host.any",
        "127.0.0.1 is this machine, one thinks; it is one of its addresses, which nobody else can reach.",
        'server.bind(("", port))  # all addresses',
        "address.sin_addr.s_addr = htonl(INADDR_ANY);",
        (Pattern((Cases(("host.any",)),)),),
    ),
)
