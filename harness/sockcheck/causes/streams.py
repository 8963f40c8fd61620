"""Causes in how a server reads and writes one stream."""

from __future__ import annotations

from sockcheck.causes.answers import CLOSED, LOST, STRIPPED, cut
from sockcheck.causes.patterns import Cases, Entry, Pattern

_CUT = Cases(("cut.*",))
_CUT_BY_HAND = Cases(("cut.at-k",), traits=("in-body",), derived=False)
_EVERY_BYTE = Cases(("cut.every-byte",))
_PIECES = Cases(("cut.*", "pace.*", "neighbour.stalled"))
_PIECES_DROPPED = Cases(("cut.*", "pace.*", "neighbour.stalled"), CLOSED)
# Requests that come all together are cut wherever a buffer ends.
_MANY_AT_ONCE = Cases(("end.half",), ("wrong-bytes",), traits=("many-replies",))
_HALF_SENT = Cases(("leave.*",), ("wrong-bytes", "surplus-bytes"), left=False)
_ANY_ANSWER = (
    _PIECES,
    _MANY_AT_ONCE,
    _HALF_SENT,
    Cases(("size.*", "merge.*")),
    Cases(("crowd.*",), cut=True, derived=False),
)
_ONE_ANSWER = (
    *_ANY_ANSWER,
    Cases(kinds=("surplus-bytes",)),
    Cases(("plain*", "crowd.*"), ("silence",), says=("not all of it came",)),
)
# The connection ends at a piece: whatever else is due does not come.
_ONE_TURN = (
    _PIECES,
    _MANY_AT_ONCE,
    _HALF_SENT,
    Cases(("size.*", "merge.*")),
    Cases(kinds=CLOSED, says=("did not come", "none of it came")),
    Cases(kinds=("early-end",)),
)
_FILLED = (Cases(("size.*", "limit.endless", "neighbour.deaf")),)
_PLAIN = Cases(("plain*",))
_TURNS = Cases(("plain",), turns=True, kept_open=True)
_NOT_IN_ORDER = "not in order"
# What is no text fails a decoder wherever it is cut.
_NOT_FOR_A_CHARACTER = Cases(("cut.at-k",), traits=("in-body", "in-delimiter", "in-length"), binary=False)

STREAMS = (
    Entry(
        "split-length",
        "takes one recv() for a whole length field",
        "cut.at-k",
        "Two or four bytes are so few that they come together, one thinks; the cut may be inside of them too.",
        "while len(data) < 4:\n    data += client.recv(4 - len(data)) or stop()",
        "recv(fd, &prefix, sizeof prefix, MSG_WAITALL) with a blocking socket, or a loop that counts.",
        (
            Pattern(
                (cut("in-length"),),
                clear=(cut("in-body", "in-delimiter", "in-character"),),
                takes=(_PIECES, Cases(("size.*",)), _MANY_AT_ONCE),
            ),
        ),
    ),
    Entry(
        "split-character",
        "decodes each piece by itself, also where a character is cut in two",
        "cut.at-k",
        "What recv() returned is text, one thinks; it is bytes, and a character of UTF-8 has up to four.",
        'decoder = codecs.getincrementaldecoder("utf-8")()\ntext = decoder.decode(data)  # or decode whole lines only',
        "Find the end of the message in bytes, and decode it when it is whole.",
        (
            Pattern(
                (cut("in-character"),),
                clear=(_NOT_FOR_A_CHARACTER,),
                takes=(_PIECES, Cases(("size.*",)), _MANY_AT_ONCE),
            ),
            Pattern(
                (Cases(("cut.*", "pace.*"), replaced=True),),
                clear=(_NOT_FOR_A_CHARACTER,),
                takes=(_PIECES,),
            ),
        ),
    ),
    Entry(
        "split-delimiter",
        "does not find a delimiter that comes in two pieces",
        "cut.at-k",
        "The ending of a line is in one piece or in the other, one thinks; the cut may be between CR and LF.",
        'pending += data  # then look in all that is there\nline, found, rest = pending.partition(b"\\r\\n")',
        "Search in all that is kept, from one byte before the new piece, not in the new piece alone.",
        (
            Pattern(
                (cut("in-delimiter"),),
                clear=(cut("in-body", "in-character", "in-length"),),
                takes=(_PIECES, Cases(("size.*",)), _MANY_AT_ONCE),
            ),
        ),
    ),
    Entry(
        "one-turn",
        "answers what its first recv() gives, and ends the connection",
        "cut.at-k",
        "A client asks once, and all of it is there at once, one thinks; it goes on until it closes, and what it sends "
        "comes in pieces.",
        'while data := client.recv(4096):  # b"" is the client\'s end\n'
        "    answer(data)  # what is whole of it; the rest waits for more",
        "while ((n = recv(client, buffer, sizeof buffer, 0)) > 0) /* 0 is the client's end */\n"
        "    answer(client, buffer, n); /* what is whole of it; the rest waits for more */",
        (
            Pattern(
                (Cases(("cut.*",), CLOSED, answered=True),),
                passes=(_PLAIN,),
                never=(_EVERY_BYTE, _TURNS),
                takes=_ONE_TURN,
            ),
            Pattern(
                (Cases(("cut.*",), CLOSED, answered=True, stripped=False),),
                beside=(STRIPPED,),
                never=(_EVERY_BYTE, _TURNS),
                takes=_ONE_TURN,
            ),
            Pattern(
                (Cases(("plain",), CLOSED, says=("none of it came",), kept_open=True, answered=True),),
                never=(_CUT,),
                takes=_ONE_TURN,
            ),
        ),
    ),
    Entry(
        "one-recv",
        "takes one recv() for one message",
        "cut.at-k",
        "What one send() sends is what one recv() gives, one thinks, and on one machine it mostly is so; a stream has "
        "no messages.",
        "pending += data  # what recv() gave; it was empty before the loop\n"
        'while b"\\n" in pending:\n    line, _, pending = pending.partition(b"\\n")\n    answer(line)',
        "while (!(end = memchr(buffer, '\\n', used))) {\n"
        "  n = recv(fd, buffer + used, size - used, 0);\n"
        "  if (n <= 0) return;\n"
        "  used += n; }",
        (
            Pattern((Cases(("cut.*",), CLOSED),), passes=(_PLAIN,), never=(_EVERY_BYTE, _CUT_BY_HAND), takes=_ONE_TURN),
            # It answers each piece, and of what comes together only the first.
            Pattern(
                (Cases(("cut.*",), ("surplus-bytes",)),),
                passes=(_PLAIN,),
                never=(_EVERY_BYTE, _CUT_BY_HAND),
                takes=_ONE_ANSWER,
            ),
            Pattern(
                (_CUT,),
                passes=(_PLAIN,),
                never=(_EVERY_BYTE, _CUT_BY_HAND),
                takes=_ANY_ANSWER,
            ),
            Pattern(
                (_CUT,),
                clear=(_PLAIN,),
                never=(_EVERY_BYTE, _CUT_BY_HAND),
                takes=_ANY_ANSWER,
            ),
        ),
    ),
    Entry(
        "reordered",
        "answers requests in another order than they came",
        "merge.pipeline",
        "Each request is a task of its own, one thinks; replies on one stream have no other name than their place.",
        "One task for each connection, or a queue of replies that is sent from its front.",
        "One thread for each connection, or a queue of replies that is sent from its front.",
        (
            Pattern(
                (Cases(("merge.pipeline",), ("wrong-bytes",), alone=True),),
                clear=(Cases(("merge.*",), LOST),),
                takes=(Cases(("merge.*", "crowd.*", "size.large"), ("wrong-bytes",)),),
            ),
        ),
    ),
    Entry(
        "tail-dropped",
        "drops what comes behind a message in one recv()",
        "merge.sends",
        "A client sends the next request when it has the reply, one thinks; two may arrive as one, and the second is "
        "thrown away with the buffer.",
        'line, _, pending = pending.partition(b"\\n")  # keep the rest',
        "used -= end + 1 - buffer;  /* keep the rest */\nmemmove(buffer, end + 1, used);",
        (
            Pattern(
                (Cases(("merge.sends",), alone=True),),
                clear=(_EVERY_BYTE,),
                takes=(
                    Cases(
                        ("merge.*", "cut.at-k", "end.half", "size.large", "crowd.*"),
                        (*LOST, "wrong-bytes"),
                    ),
                ),
            ),
            Pattern(
                (Cases(("merge.pipeline",), ("silence", "missing-bytes", "wrong-bytes"), alone=True),),
                clear=(_EVERY_BYTE,),
                takes=(Cases(("merge.*", "cut.at-k", "size.large", "neighbour.deaf")), _MANY_AT_ONCE),
            ),
            # It keeps what belongs to one message, and loses what it has read beyond it.
            Pattern(
                (Cases(("merge.sends",), ("silence",), says=("not all of it came",), alone=True),),
                passes=(_CUT_BY_HAND,),
                takes=(Cases(("merge.*", "cut.*", "pace.*", "crowd.*", "end.*"), (*LOST, "wrong-bytes")),),
            ),
        ),
    ),
    Entry(
        "full-buffer-is-special",
        "takes a recv() of less than its buffer for the end, so that a message that just fills it is not ended",
        "size.edges",
        "Less than was asked for is the last piece, one thinks; a message may end just where the buffer does.",
        "Look for the end of the message, by its delimiter or its length; never at how much one recv() gave.",
        "Look for the end of the message, by its delimiter or its length; never compare n with sizeof buffer.",
        (
            Pattern(
                (Cases(("size.edges",), traits=("power",), answered=False),),
                clear=(Cases(("size.edges",), traits=("below-power", "above-power")),),
                takes=_FILLED,
            ),
            Pattern(
                (Cases(("size.edges",), traits=("below-power",), answered=False),),
                clear=(Cases(("size.edges",), traits=("power", "above-power")),),
                takes=_FILLED,
            ),
            Pattern((Cases(("size.edges",), derived=False),), clear=(_CUT, Cases(("size.large",), ("wrong-bytes",)))),
        ),
    ),
    Entry(
        "hard-close",
        "closes by a reset, which throws away what it has just sent",
        "end.orderly",
        "SO_LINGER makes close() quick, one thinks; with a time of 0 it discards what is not yet delivered.",
        "Leave SO_LINGER alone. client.shutdown(socket.SHUT_WR), then read until b'', then client.close().",
        "Leave SO_LINGER alone. shutdown(fd, SHUT_WR); while (recv(fd, b, sizeof b, 0) > 0); close(fd);",
        (
            Pattern(
                (Cases(("plain*", "end.half", "merge.with-end"), ("reset",), says=(_NOT_IN_ORDER,)),),
                takes=(Cases(kinds=("reset",)),),
            ),
            Pattern(
                (Cases(("end.orderly",), ("reset",), says=(_NOT_IN_ORDER,)),),
                clear=(Cases(("merge.*", "limit.*"), ("reset",)),),
                takes=(Cases(kinds=("reset",)),),
            ),
        ),
    ),
    Entry(
        "closes-unread",
        "closes while there is something left to read, which resets the connection",
        "end.orderly",
        "What is not needed need not be read, one thinks; close() with unread input sends a reset, and the reply may "
        "be lost with it.",
        "client.shutdown(socket.SHUT_WR)\nwhile client.recv(4096): pass\nclient.close()",
        "shutdown(fd, SHUT_WR);\nwhile (recv(fd, b, sizeof b, 0) > 0);\nclose(fd);",
        (
            Pattern((Cases(("end.orderly", "merge.sends", "merge.pipeline", "size.edges"), ("reset",)),)),
            # Where other sizes do, a large reply that is reset was read too late.
            Pattern((Cases(("size.large",), ("reset",)),), never=(Cases(("size.edges",)),)),
        ),
    ),
    Entry(
        "short-send",
        "does not send the rest when send() takes only a part",
        "size.large",
        "send() sends it, one thinks; it takes what there is room for, and says how much that was.",
        "client.sendall(reply)  # not send()\n# or, with selectors, keep reply[sent:] for EVENT_WRITE",
        "while (size > 0) {\n  n = send(fd, p, size, MSG_NOSIGNAL);\n  if (n < 0) return -1;\n  p += n; size -= n; }",
        (
            Pattern(
                (Cases(("size.large",), ("silence", "wrong-bytes", "stalled")),),
                clear=(_CUT, Cases(("size.edges",)), Cases(("merge.sends", "merge.pipeline"))),
                takes=(Cases(("size.large", "neighbour.deaf", "end.half")),),
            ),
        ),
    ),
    Entry(
        "tail-lost",
        "forgets what came last when the stream ends",
        "end.half",
        "The end of the stream ends all, one thinks; what came with it, or before it without a newline, is still due "
        "an answer.",
        "if not data:\n    if pending: answer(pending)  # before leaving\n    break",
        "if (n == 0) {\n  if (used > 0) answer(buffer, used);\n  close(fd); return; }",
        (
            Pattern(
                (Cases(("end.half",), scenarios=("*tail*", "*unterminated*")),),
                clear=(Cases(("end.half",), derived=True),),
                takes=(Cases(("merge.with-end",)),),
            ),
        ),
    ),
    Entry(
        "half-close-is-close",
        "takes the client's end of stream for its leaving",
        "end.half",
        "An end of stream means that the client has gone, one thinks; it says only that nothing more will be sent, and "
        "the client still reads.",
        "if not data:\n    send what is still due, all of it  # then\n    client.close()",
        "if (n == 0) { send_all(fd, rest); close(fd); }",
        (
            Pattern(
                (Cases(("end.half", "merge.with-end"), LOST),),
                clear=(Cases(("plain",), (*CLOSED, "silence")),),
                takes=(Cases(("merge.before-accept",), CLOSED),),
            ),
            Pattern(
                (Cases(("size.large",), ("missing-bytes",), half_closes=True),), clear=(_CUT, Cases(("size.edges",)))
            ),
        ),
    ),
    Entry(
        "held-back",
        "holds small replies back",
        "time.prompt",
        "A little later makes no difference, one thinks; two small writes wait for an acknowledgement of 40 ms, each "
        "time.",
        "client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n"
        "client.sendall(reply)  # at once, and all of it in one",
        "setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);\n"
        "send(fd, reply, size, 0);  /* at once, and all of it in one */",
        (Pattern((Cases(("time.prompt",), ("held-back", "silence", "case-timeout")),)),),
    ),
    Entry(
        "timer-not-renewed",
        "counts the idle time from the connection, not from the last request",
        "time.idle",
        "A timeout is set once, one thinks; each request begins it anew.",
        "deadline = time.monotonic() + IDLE  # again after every request",
        "deadline = now() + idle;  /* again after every request */",
        (
            Pattern((Cases(("time.idle",), traits=("renewed",)),), clear=(Cases(("time.idle",), traits=("below",)),)),
            Pattern(
                (Cases(("time.idle",), CLOSED, scenarios=("*renew*",)),),
                clear=(Cases(("time.idle",), ("too-early",)),),
                takes=(Cases(("neighbour.*", "pace.slow"), CLOSED),),
            ),
        ),
    ),
    Entry(
        "impatient",
        "closes the connection of a client that is slow",
        "pace.slow",
        "Who sends nothing for a moment has gone, one thinks; networks and people pause.",
        "A timeout of the length that is promised, on the whole exchange; not a short one on each recv().",
        "A timeout of the length that is promised, on the whole exchange; not a short SO_RCVTIMEO.",
        (
            Pattern((Cases(("pace.slow",), CLOSED),), takes=(_PIECES_DROPPED, Cases(("time.idle",), CLOSED))),
            Pattern(
                (Cases(("time.idle",), (*CLOSED, "too-early")),),
                takes=(Cases(("neighbour.*", "pace.slow"), CLOSED),),
            ),
            Pattern(
                (Cases(("size.large",), ("missing-bytes", "reset", "early-end")),), clear=(_CUT, Cases(("size.edges",)))
            ),
        ),
    ),
    Entry(
        "no-idle-close",
        "does not close connections that say nothing",
        "time.idle",
        "A client that has nothing to say leaves, one thinks; some never do, and each keeps a place.",
        "client.settimeout(IDLE)\nexcept TimeoutError: client.close()",
        "n = poll(&fd, 1, idle);\nif (n == 0) close(client);",
        (
            Pattern(
                (Cases(("time.idle",), ("silence", "case-timeout")),),
                takes=(Cases(("neighbour.idle",), says=("did not end within",)),),
            ),
        ),
    ),
)
