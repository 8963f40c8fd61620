"""Causes in what a server answers, however it reads and writes."""

from __future__ import annotations

from sockcheck.causes.patterns import Cases, Entry, Pattern
from sockcheck.verdict import Kind

CLOSED: tuple[Kind, ...] = ("missing-bytes", "reset", "early-end")
"""An end came where something else was due."""

LOST: tuple[Kind, ...] = ("missing-bytes", "reset", "silence", "early-end")
"""Something did not come."""

MIXED: tuple[Kind, ...] = ("wrong-bytes", "surplus-bytes", "came")
"""Something else came, or something more."""

STRIPPED = Cases(("plain",), stripped=True)
"""An exchange that is only an exchange works but for the newline."""

_ANSWERED = Cases(("plain",))
_MORE = (Cases(kinds=MIXED),)
_LINES = Cases(("plain",), lines=True)
_NO_LINE = Cases(kinds=("silence",), unended=True, answered=False)
_NO_LINE_OF_TEXT = Cases(
    kinds=("silence",), unended=True, answered=False, binary=False, lines=False, alone=True, derived=False
)
_NOT_FOR_LACK_OF_A_LINE = Cases(kinds=("silence",), derived=False, unended=False, binary=False)
_GARBAGE = Cases(("limit.garbage",), ("wrong-bytes", "missing-bytes", "silence", "early-end"), derived=False)
_NO_TEXT = (
    Cases(("size.*", "end.half", "neighbour.deaf")),
    Cases(kinds=("wrong-bytes", "missing-bytes", "surplus-bytes", "early-end", "reset"), binary=True),
    Cases(("cut.*",), binary=True),
)


def cut(*traits: str) -> Cases:
    """Messages that were cut there."""
    return Cases(("cut.at-k",), traits=traits)


ANSWERS = (
    Entry(
        "says-more",
        "sends more than the contract says: a greeting, a prefix, a prompt or the rest of its buffer",
        "plain",
        "A friendly word does no harm, one thinks; the client takes every byte that comes for a part of the answer.",
        "client.sendall(reply)  # nothing before it, nothing behind it\n"
        "print(address)  # what is for people goes to the terminal",
        "send(fd, reply, n, 0);  /* n bytes: nothing before them, nothing behind them */\n"
        'fprintf(stderr, "connected\\n");  /* what is for people */',
        (
            # It speaks to who has said nothing, and no exchange works.
            Pattern(
                (Cases(kinds=("surplus-bytes",), silent=True), Cases(("plain",), ("wrong-bytes",))),
                never=(_ANSWERED,),
                takes=_MORE,
            ),
            Pattern((Cases(("plain",), ("wrong-bytes",), more=True),), never=(_ANSWERED,), takes=_MORE),
            Pattern((Cases(("plain",), ("surplus-bytes",)),), never=(_ANSWERED,), takes=_MORE),
        ),
    ),
    Entry(
        "no-newline",
        "leaves out the newline at the end of what it sends",
        "plain",
        "strip() makes a line a clean text, one thinks; but by the newline the client knows where the line ends.",
        'client.sendall(answer.encode() + b"\\n")  # what strip() took away',
        'dprintf(fd, "%s\\n", answer);  /* what was cut off with the newline of the request */',
        (Pattern((STRIPPED,), takes=(Cases(stripped=True),)),),
    ),
    Entry(
        "wrong-bytes-order",
        "sends numbers in the byte order of its machine",
        "plain",
        "An integer in memory can be sent as it is, one thinks; most machines keep its bytes the other way round.",
        'struct.pack("!I", length)  # ! is the order of the network',
        "uint32_t prefix = htonl(length);  /* and ntohl() of what came */",
        (Pattern((Cases(swapped=True),)),),
    ),
    Entry(
        "not-flushed",
        "writes its reply into a buffer, and does not flush it",
        "plain",
        "What is written is sent, one thinks; a file object or a FILE keeps it until it is full, flushed or closed.",
        "file.write(reply)\nfile.flush()  # or client.sendall(reply)",
        "fputs(reply, out);\nfflush(out);",
        (
            Pattern(
                (Cases(("plain",), ("silence",)),),
                passes=(Cases(("end.half", "merge.with-end")),),
                # Where the server ends the connection, that flushes.
                never=(Cases(("plain",), kept_open=True),),
                takes=(Cases(kinds=("silence", "case-timeout")),),
            ),
            # Large replies come: they fill the buffer.
            Pattern(
                (Cases(("plain",), ("silence",)), Cases(("size.edges",), ("silence",))),
                passes=(Cases(("plain",)), Cases(("size.edges",))),
                # Of one that throws away what came before accept(), some of both are silent by chance.
                clear=(Cases(("merge.before-accept",)),),
                takes=(Cases(kinds=("silence", "case-timeout")),),
            ),
            # Of many replies some come: those that fill the buffer.
            Pattern(
                (Cases(("plain",), ("silence",), answered=False),),
                beside=(Cases(("size.large",), ("silence",), says=("not all of it came",)),),
                never=(Cases(("plain",)),),
                takes=(Cases(kinds=("silence", "case-timeout")),),
            ),
        ),
    ),
    Entry(
        "by-line",
        "answers only when a line is at its end",
        "plain",
        "What clients send are lines, one thinks; where the contract says bytes, a newline may never come.",
        "while data := client.recv(4096):  # not readline(), nor for line in file\n    client.sendall(data)",
        "ssize_t n = read(fd, data, sizeof data); /* not fgets() or getline() */",
        (
            Pattern(
                (_NO_LINE, Cases(kinds=LOST, unended=True, behind_line=True)),
                passes=(_LINES,),
                clear=(_NOT_FOR_LACK_OF_A_LINE,),
                takes=(Cases(unended=True),),
            ),
            # What is no text fails in another way.
            Pattern(
                (_NO_LINE_OF_TEXT,),
                passes=(_LINES,),
                clear=(_NOT_FOR_LACK_OF_A_LINE, Cases(kinds=LOST, unended=True, behind_line=True)),
                takes=(Cases(unended=True, binary=False),),
            ),
        ),
    ),
    Entry(
        "one-request",
        "ends the connection behind its first answer",
        "plain",
        "A client asks once, one thinks; it stays as long as it likes, and it is the one who closes.",
        "for line in file:  # not file.readline(), which gives one\n    answer(line)",
        "while (fgets(line, sizeof line, in)) /* not if */\n    answer(out, line);",
        (
            Pattern(
                (Cases(("plain",), ("early-end",), kept_open=True, answered=True, alone=True),),
                passes=(_ANSWERED,),
                clear=(Cases(("cut.*",), CLOSED, binary=False), cut("in-length")),
                takes=(Cases(kinds=CLOSED, answered=True),),
            ),
        ),
    ),
    Entry(
        "text-mode",
        "breaks on bytes that are no text",
        "limit.garbage",
        "Messages are strings, one thinks; strlen() ends at a NUL, and decoding fails at what is no UTF-8.",
        'Keep bytes as bytes; decode only what must be text, with errors="replace" or a refusal.',
        "Use the number that recv() returned, never strlen(); memchr() and memcpy(), not strchr() and strcpy().",
        (
            # strlen() goes on into what is left of what came before.
            Pattern(
                (
                    Cases(("limit.garbage",), ("wrong-bytes", "silence"), derived=False),
                    Cases(("cut.*", "pace.*"), ("surplus-bytes",)),
                ),
                passes=(_ANSWERED,),
                takes=(*_NO_TEXT, Cases(("cut.*", "pace.*", "neighbour.*"), ("surplus-bytes", "wrong-bytes"))),
            ),
            Pattern(
                (_GARBAGE,),
                takes=_NO_TEXT,
            ),
            Pattern(
                (Cases(("plain",), ("wrong-bytes", "missing-bytes", "silence", "early-end"), binary=True),),
                passes=(Cases(("plain",), binary=False),),
                clear=(Cases(("plain",), binary=False),),
                takes=(Cases(binary=True),),
            ),
        ),
    ),
)
