"""What the clients of a script are made of: Python functions as text, of which a script holds those that it uses.

They run with Python 3.8 and the standard library.
"""

from __future__ import annotations

TEXT = r'''
class Fault(Exception):
    """What is wrong with the server."""


class Untried(Exception):
    """Why the exchange could not be tried, which says nothing about the server."""


class Over(Exception):
    """Another client has found the fault."""


MARKS = {}
MEETINGS = {}
VALUES = {}  # what was captured

faults = []

NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY)
RECEIVE_BUFFER = (socket.SOL_SOCKET, socket.SO_RCVBUF)
SEND_BUFFER = (socket.SOL_SOCKET, socket.SO_SNDBUF)
SEGMENT_SIZE = (socket.IPPROTO_TCP, socket.TCP_MAXSEG)


class Client:
    """A client: its socket, what came and was not yet expected (inbox), and how the stream from the server ended."""

    def __init__(self, name):
        self.name = name
        self.sock = None
        self.inbox = bytearray()
        self.came = 0.0
        self.acted = 0.0
        self.ending = ""
        self.was_reset = False
        self.values = collections.ChainMap({}, VALUES)


def short(data):
    return repr(bytes(data)) if len(data) <= 80 else "%r ... (%d bytes)" % (bytes(data[:60]), len(data))


def connect(c, within, options=(), address=None, source=None):
    """A TCP connection; each of `options` is set by setsockopt() before the handshake."""
    host, port = address or (HOST, PORT)
    try:
        c.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        for option in options:
            c.sock.setsockopt(*option)
        if source:
            c.sock.bind((source, 0))
    except OSError as error:
        raise Untried("no socket for %s: %s" % (c.name, error))
    c.sock.settimeout(within)
    c.acted = time.monotonic()
    try:
        c.sock.connect((host, port))
    except ConnectionResetError as error:
        c.ending = "a reset (%s)" % error
    except socket.timeout:
        raise Fault("no connection within %g s" % within)
    except ConnectionRefusedError:
        raise Fault("the connection was refused")
    except OSError as error:
        raise Untried("cannot connect to %s port %d: %s" % (host, port, error))


def no_connect(c, within, how, address=None):
    """The connection is to be refused, or left without an answer (timeout)."""
    host, port = address or (HOST, PORT)
    deadline = time.monotonic() + within
    while how == "refused" and not address and listening() and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        socket.create_connection((host, port), timeout=within).close()
    except ConnectionRefusedError:
        came = "refused"
    except socket.timeout:
        came = "timeout"
    except OSError as error:
        raise Untried("cannot connect to %s port %d: %s" % (host, port, error))
    else:
        came = "connected"
    if came != how:
        raise Fault("connect()", how, came)


def receive(c, deadline):
    """Wait until more has come: False when `deadline` passes before, or nothing more can come."""
    if c.ending:
        return False
    c.sock.settimeout(max(0.001, deadline - time.monotonic()))
    try:
        data = c.sock.recv(65536)
    except socket.timeout:
        return False
    except OSError as error:
        c.ending = "a reset (%s)" % error
        return False
    if not data:
        c.ending = "a reset" if c.was_reset else "the end of the stream (b'')"
        return False
    if not c.inbox:
        c.came = time.monotonic()
    c.inbox += data
    return True


def send(c, *segments, within, gap=0.1, with_end=False):
    """Each segment by a send of its own, `gap` seconds apart; the last one perhaps together with our end of stream.

    A sleep does not part them for certain: sockcheck asks the kernel until the server has read what was sent.
    """
    last = len(segments) - 1
    try:
        for number, segment in enumerate(segments):
            if number:
                time.sleep(gap)
            c.sock.settimeout(within)
            c.acted = time.monotonic()
            c.sock.sendall(segment, socket.MSG_MORE if with_end and number == last else 0)
    except socket.timeout:
        raise Fault("the server stopped reading", "it takes all of %d bytes" % sum(map(len, segments)), "")
    except OSError as error:  # what the server did before it closed is seen by the next step
        c.was_reset = c.was_reset or isinstance(error, ConnectionResetError)


def send_while_receiving(c, *segments, within, gap=0.1, read=True, until_blocked=False, with_end=False):
    """As much as does not fit into the buffers is sent while what comes is read.

    Segments are `gap` seconds apart. A sleep does not part them for certain: sockcheck asks the kernel.
    """
    poll = select.poll()
    for number, segment in enumerate(segments):
        flags = socket.MSG_MORE if with_end and number == len(segments) - 1 else 0
        if number:
            time.sleep(gap)
        c.acted = progress = time.monotonic()
        left = memoryview(segment)
        while left:
            poll.register(c.sock, select.POLLOUT | (select.POLLIN if read and not c.ending else 0))
            events = dict(poll.poll(100)).get(c.sock.fileno(), 0)
            if events & select.POLLIN:
                receive(c, time.monotonic())
            if events & (select.POLLOUT | select.POLLERR | select.POLLHUP):
                c.sock.setblocking(False)
                try:
                    left = left[c.sock.send(left, flags) :]
                    progress = time.monotonic()
                except BlockingIOError:
                    pass
                except OSError as error:  # what the server did before it closed is seen by the next step
                    c.was_reset = c.was_reset or isinstance(error, ConnectionResetError)
                    return
            elif until_blocked and time.monotonic() - progress > 0.5:
                return
            elif time.monotonic() - progress > within:
                taken = len(segment) - len(left)
                raise Fault("the server stopped reading", "it takes all of %d bytes" % len(segment), "%d bytes" % taken)


def expect(c, form, within, after=0.0):
    """This comes next, within so many seconds, and no sooner than `after` seconds behind what we did last."""
    deadline = time.monotonic() + within
    came = c.came if c.inbox else 0.0
    while True:
        try:
            found = form.match(c.inbox)
        except Mismatch as mismatch:
            raise Fault(str(mismatch), form.wanted, short(c.inbox))
        if found is not None:
            break
        if not receive(c, deadline):
            ending = c.ending or "nothing more for %g s" % within
            raise Fault("it did not come", form.wanted, "%s, then %s" % (short(c.inbox), ending))
        came = came or c.came
    if came and came - c.acted < after:
        raise Fault("too early", "not before %g s" % after, "%.3f s" % (came - c.acted))
    size, captures = found
    del c.inbox[:size]
    c.values.update(captures)
    VALUES.update(captures)


def expect_not(c, unwanted, duration):
    """This does not come for so many seconds. What comes in its place is left for the steps behind."""
    deadline = time.monotonic() + duration
    while not unwanted.found(c.inbox):
        if time.monotonic() > deadline or not receive(c, deadline):
            return
    raise Fault("it came", "no %s for %g s" % (unwanted.wanted, duration), short(c.inbox))


def expect_end(c, how, within, after=0.0, pushes=False):
    """The stream ends: "eof", recv() returns b''; "reset", it raises ECONNRESET; "any", either."""
    deadline = time.monotonic() + within
    while (pushes or not c.inbox) and receive(c, deadline):
        pass
    if c.inbox and not pushes:
        raise Fault("surplus bytes where the connection should end", "nothing more", short(c.inbox))
    if not c.ending:
        raise Fault("the connection did not end within %g s" % within, how, "it is still open")
    if how != "any" and (how == "reset") != c.ending.startswith("a reset"):
        raise Fault("the connection ended otherwise", how, c.ending)
    if time.monotonic() - c.acted < after:
        raise Fault("too early", "not before %g s" % after, c.ending)


def expect_quiet(c, duration):
    """For so many seconds neither a byte nor the end of the stream comes."""
    if not c.inbox:
        receive(c, time.monotonic() + duration)
    if c.inbox or c.ending:
        raise Fault("it is not quiet", "nothing for %g s" % duration, short(c.inbox) if c.inbox else c.ending)


def expect_nothing_more(c):
    """All that was expected has come. (sockcheck does not sleep: it looks whether the server is done.)"""
    if not c.inbox:
        receive(c, time.monotonic() + QUIET_FOR)
    if c.inbox:
        raise Fault("surplus bytes after all that was expected", "nothing more", short(c.inbox))


def shutdown(c, how):
    c.acted = time.monotonic()
    try:
        c.sock.shutdown(how)
    except OSError:  # what the server did before is seen by the next step
        pass
    if how != socket.SHUT_WR:
        c.inbox.clear()
        c.ending = "our own shutdown()"


def close(c):
    c.sock.close()


def reset(c):
    """close() with SO_LINGER 0 sends a RST."""
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.sock.close()


def wait_for(mark):
    """Until another one has set this mark."""
    MARKS[mark].wait()
    if faults:
        raise Over()


def meet(name):
    """Until all are here."""
    try:
        MEETINGS[name].wait()
    except threading.BrokenBarrierError:
        raise Over()
    MARKS[name].set()
'''
