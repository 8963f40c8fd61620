"""Causes in what one client costs the others."""

from __future__ import annotations

from sockcheck.causes.answers import CLOSED, LOST, MIXED
from sockcheck.causes.patterns import Cases, Entry, Pattern
from sockcheck.verdict import Kind

_WAITS: tuple[Kind, ...] = ("silence", "no-connection", "stalled", "case-timeout")
_THROWN_OUT: tuple[Kind, ...] = (*LOST, "refused")
_ENDED: tuple[Kind, ...] = (*CLOSED, "refused")
_KEPT: tuple[Kind, ...] = ("wrong-measure", "silence", "surplus-bytes", "case-timeout", "missing-bytes", "reset")
_ALSO_WAIT = (Cases(("neighbour.*", "crowd.*", "limit.*", "churn.*"), (*_WAITS, "refused")),)

CLIENTS = (
    Entry(
        "short-backlog",
        "lets fewer clients wait than it promises",
        "crowd.backlog",
        "accept() comes soon enough, one thinks; until then they wait in the queue that listen() was given.",
        "server.listen(128)",
        "listen(fd, 128);",
        (
            Pattern(
                (Cases(("crowd.queued", "crowd.backlog"), ("no-connection", "refused", "wrong-measure")),),
                takes=(Cases(kinds=("no-connection", "refused")), Cases(("crowd.at-once", "crowd.queued"), _WAITS)),
            ),
            Pattern((Cases(("crowd.backlog",), _WAITS),), clear=(Cases(("neighbour.idle",)),)),
        ),
    ),
    Entry(
        "loses-clients",
        "loses some of the clients that wait to be accepted",
        "crowd.queued",
        "One wakes up for one client, one thinks; several may have come meanwhile, and each is to be served.",
        "while True:\n    client, address = listener.accept()\n    serve(client)  # before the next takes its name",
        "while ((client = accept(listener, NULL, NULL)) >= 0) serve(client);",
        (
            Pattern(
                (Cases(("crowd.queued",), _WAITS),),
                # One who waits is served: it is the number that some are lost by.
                clear=(Cases(("neighbour.*", "merge.before-accept"), alone=True),),
                takes=(Cases(("crowd.*", "churn.leak", "merge.before-accept", "leave.*"), _WAITS),),
            ),
        ),
    ),
    Entry(
        "one-at-a-time",
        "serves only one or a few clients at a time, and lets the others wait",
        "neighbour.idle",
        "A client is served from accept() to close(), one thinks; meanwhile nobody else is, even if it is silent.",
        "threading.Thread(target=serve, args=(client,)).start()",
        "pthread_create() or fork() for each client, or one poll() loop for all.",
        (
            Pattern((Cases(("neighbour.idle",), _WAITS, alone=True),), takes=_ALSO_WAIT),
            Pattern((Cases(("neighbour.stalled",), _WAITS, alone=True),), takes=_ALSO_WAIT),
            Pattern(
                (Cases(("crowd.at-once",), _WAITS),),
                clear=(Cases(("crowd.*", "neighbour.*"), ("surplus-bytes",)),),
                takes=_ALSO_WAIT,
            ),
            # Those who are idle or come in a crowd may not even come to wait.
            Pattern(
                (Cases(("crowd.interleaved",), ("silence",), alone=True),),
                clear=(Cases(("crowd.interleaved",), MIXED),),
                never=(Cases(("neighbour.idle",)), Cases(("crowd.at-once",))),
                takes=_ALSO_WAIT,
            ),
        ),
    ),
    Entry(
        "one-ends-all",
        "lets the others pay for a client that fails",
        "neighbour.fails",
        "An error in the loop is an error of the loop, one thinks; it is one of a single client.",
        "try: serve(client)\nexcept (OSError, ValueError): forget(client)  # and go on",
        "if (n <= 0) { forget(client); continue; }  /* not: break */",
        (
            Pattern(
                (Cases(("neighbour.fails",), _THROWN_OUT),),
                takes=(Cases(("limit.garbage", "leave.*"), _THROWN_OUT), Cases(("neighbour.deaf",), _ENDED)),
            ),
            Pattern((Cases(("limit.garbage",)),)),
        ),
    ),
    Entry(
        "state-apart",
        "keeps for each client by itself what all of them should share",
        "crowd.interleaved",
        "A process or an object for each client is the cleanest, one thinks; what it changes, the others do not see.",
        "One dict for all, in the process that accepts; threads or a loop, not multiprocessing or fork().",
        "What all share is in one process, or in memory from mmap(MAP_SHARED); fork() copies it.",
        (
            Pattern(
                (
                    Cases(("crowd.interleaved",), ("wrong-bytes",), scenarios=("*share*",)),
                    Cases(("leave.*",), ("wrong-bytes",), scenarios=("*stays*",)),
                ),
                takes=(Cases(("leave.*",), ("wrong-bytes",)),),
            ),
        ),
    ),
    Entry(
        "shared-buffer",
        "has one buffer for all clients",
        "crowd.interleaved",
        "A global or static buffer will do, one thinks; each client's half-received message needs one of its own.",
        'pending = {}  # by client\npending[client] = pending.get(client, b"") + data',
        "/* one for each: */\nstruct client { int fd; size_t used; char buffer[4096]; };",
        (
            Pattern(
                (Cases(("crowd.interleaved", "neighbour.stalled"), (*MIXED, "silence"), alone=True),),
                takes=(Cases(kinds=MIXED), Cases(("crowd.*", "neighbour.*"), ("silence", "missing-bytes"))),
            ),
        ),
    ),
    Entry(
        "unlocked-writes",
        "lets two threads write to one client at once",
        "crowd.at-once",
        "A message is written whole, one thinks; two writers take turns within it.",
        "with locks[client]:\n    client.sendall(message)",
        "pthread_mutex_lock(&c->lock);\nsend_all(c->fd, m, n);\npthread_mutex_unlock(&c->lock);",
        (Pattern((Cases(("crowd.at-once",), MIXED),), takes=(Cases(("crowd.*", "neighbour.*"), MIXED),)),),
    ),
    Entry(
        "blocking-send",
        "waits in send() for a client that does not read, and so lets all others wait",
        "neighbour.deaf",
        "send() is quick, one thinks; it waits for room when the client does not read.",
        "client.setblocking(False)\nKeep what send() did not take, and go on with it at EVENT_WRITE.",
        "O_NONBLOCK; on EAGAIN keep the rest and wait for POLLOUT.",
        (Pattern((Cases(("neighbour.deaf",), alone=True),)),),
    ),
    Entry(
        "stale-state",
        "keeps what belonged to a client that has left",
        "leave.reset-at-k",
        "Clients say goodbye, one thinks; some vanish, and what was kept for them stays.",
        "try: serve(client)\nfinally: forget(client)  # its name, its place in every list",
        "forget(client) wherever recv() gives 0 or -1, or send() fails; it removes it from every list.",
        (
            Pattern((Cases(("leave.*",), left=True),), takes=(Cases(("leave.*", "neighbour.*", "crowd.*"), MIXED),)),
            Pattern((Cases(("plain.again",), (*MIXED, "silence")),)),
            Pattern((Cases(("churn.leak",), _THROWN_OUT),)),
            Pattern((Cases(("time.idle",), MIXED),)),
        ),
    ),
    Entry(
        "unbounded-input",
        "keeps whatever a client sends, without a limit",
        "limit.endless",
        "A message ends some time, one thinks; a client that never ends one takes all memory.",
        "if len(pending) > LIMIT: client.close()",
        "if (used > LIMIT) { close(fd); return; }",
        (Pattern((Cases(("limit.endless",), _KEPT),), takes=(Cases(("neighbour.deaf",)),)),),
    ),
    Entry(
        "flushes-input",
        "throws away what a client has sent before it was accepted",
        "merge.before-accept",
        "Nobody speaks before accept(), one thinks; a client may, as soon as its connect() has returned.",
        "client, address = listener.accept()\nserve(client)  # what is there already is the first message",
        "int client = accept(listener, NULL, NULL); serve(client); /* what is there is its first message */",
        (Pattern((Cases(("merge.before-accept",)),), takes=(Cases(("crowd.queued",)),)),),
    ),
)
