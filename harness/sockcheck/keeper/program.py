"""What the keeper does: it starts, keeps and ends one target, as it is told over its control socket.

It has to be up within milliseconds, so it imports next to nothing: `marshal` does not load `re` as `json` does, and
both sides are the same interpreter, which is what `marshal` asks for.

A message is a dictionary, one in a packet (unix(7), SOCK_SEQPACKET). Those to the keeper have `do` and `id`:

    isolate namespaces: list[int]             → isolated, or refused errno, step; before `start`: enter the network
                                                namespaces with these descriptors, or make one where there are none
    sockets family: int, count: int           → made, or refused errno, step; TCP sockets of the keeper's network
    start   argv: list[bytes], files: int     → started pid, or failed errno
    ping                                      → pong; all that can be reaped has been reaped, and its end been told
    signal  number: int, everyone: bool       → signalled; the first process or what it left, or all of the tree
    kill                                      → killed; no process of the tree is left, but for those in `left`
    stop    grace: float                      → stopped; no process of the tree is left, but for those in `left`

Those from the keeper have `is`, and `id` where they answer:

    output  stream, at, data, dropped         what the target wrote; `dropped` bytes before it were not kept
    gone    at, status, why                   unasked, no process of the tree is left; `status` is the first one's
    pong    alive, status, pids, why
    signalled count                           how many processes were
    killed  count, left
    stopped at, status, killed, left
    isolated ports: (low, high), count        with so many descriptors: a sock_diag(7) socket, namespaces just made
    made                                      with the descriptors of the sockets

`at` is CLOCK_MONOTONIC in seconds, a status is negative for a signal. When the control socket ends, because sockcheck
did, the tree is killed and the keeper ends too.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` loads `enum`: a third of the time to start.
import errno
import marshal
import os
import resource
import select
import time
from collections import deque

from sockcheck.keeper.streams import Stream
from sockcheck.observe import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_MOST_PROCESSES = 512
_CHECK_INTERVAL = 0.1
_FILE_SIZE = 1 << 30
# The longest that kill_all() tries; what is left then cannot be killed (another user's, or stuck in the kernel).
_KILL_LIMIT = 5.0
# How long a process that has begun to exit is waited for before a question is answered.
_EXIT_LIMIT = 0.1

# What a target may write before it is told at a limited rate only. A chunk costs something on top of its bytes.
_ALLOWANCE = float(1 << 20)
_RATE = 65536.0
_CHUNK_COST = 256
# The most that is read at once where the pipes have to be empty for an answer.
_DRAIN_LIMIT = 1 << 20


class Keeper:
    """One target: at most one is started, and the keeper ends when its control socket does."""

    def __init__(self, control: int) -> None:
        os.set_inheritable(control, False)
        os.set_blocking(control, False)
        self._control = control
        self._pid = os.getpid()
        self._pending: deque[tuple[bytes, Sequence[int]]] = deque()
        self._streams: list[Stream] = []
        self._allowance = _ALLOWANCE
        self._refilled = time.monotonic()
        self._ending = False
        self._first = 0
        self._status = 0
        self._gone_at = 0.0
        self._running = False
        self._why = ""
        self._stopping: int | None = None
        self._kill_at = 0.0
        self._check_at = 0.0
        self._newest = 0
        self._count = _MOST_PROCESSES
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._wake, wake_write = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake_write, False)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: setattr(self, "_ending", True))
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)

    def serve(self) -> None:
        """Do as told until the control socket ends."""
        while not self._ending:
            ready = {descriptor for descriptor, _ in self._poll.poll(self._patience())}
            for stream in self._streams:
                if stream.descriptor in ready:
                    stream.read()
            if self._wake in ready:
                self._clear_wake()
            self._reap()
            if self._control in ready:
                self._obey()
            self._mind()
            self._tell()
            self._close_ended()

    def kill_all(self) -> list[int]:
        """Stop, kill and reap until nothing descends from here, or no more can be done. What is left.

        Each process is stopped before its children are read, and a fork fails while a signal is pending, so that not
        even processes that make each other anew, or more and more of themselves, get away.
        """
        limit = time.monotonic() + _KILL_LIMIT
        while True:
            tree = []
            for pid in processes.descendants(self._pid):
                _kill(pid, signal.SIGSTOP)
                tree.append(pid)
            for pid in tree:
                _kill(pid, signal.SIGKILL)
            self._reap_children()
            if not self._running:
                return []
            if time.monotonic() > limit:
                return list(processes.descendants(self._pid))
            self._await_signal(0.005)

    def _patience(self) -> float | None:
        """How long to wait for something to happen, in milliseconds."""
        until = []
        if self._running:
            until.append(self._check_at)
        if self._stopping is not None:
            until.append(self._kill_at)
        if any(stream.kept for stream in self._streams) and not self._pending:
            until.append(time.monotonic() + _CHECK_INTERVAL)
        if not until:
            return None
        return max(0.0, min(until) - time.monotonic()) * 1000 + 1

    def _obey(self) -> None:
        while True:
            try:
                packet = os.read(self._control, 1 << 20)
            except BlockingIOError:
                return
            except ConnectionError:
                packet = b""
            if not packet:
                self._ending = True
                return
            message = marshal.loads(packet)
            number, what = message["id"], message["do"]
            if what == "isolate":
                self._isolate(number, message["namespaces"])
            elif what == "sockets":
                self._make_sockets(number, message["family"], message["count"])
            elif what == "start":
                self._start(number, message["argv"], message["files"])
            elif what == "ping":
                self._ping(number)
            elif what == "signal":
                count = self._signal(message["number"], everyone=message["everyone"])
                self._say({"is": "signalled", "id": number, "count": count})
            elif what == "kill":
                self._kill_tree(number)
            elif what == "stop":
                self._stop(number, message["grace"])

    def _isolate(self, number: int, namespaces: list[int]) -> None:
        from sockcheck.keeper import namespace

        made: list[int] = []
        try:
            if namespaces:
                namespace.enter(namespaces)
            else:
                made = namespace.make()
            ports = namespace.port_range()
            descriptors = [namespace.diag(), *made]
        except namespace.StepError as error:
            self._say({"is": "refused", "id": number, "errno": error.number, "step": error.step})
        else:
            self._say({"is": "isolated", "id": number, "ports": ports, "count": len(descriptors)}, descriptors)
        for descriptor in namespaces:
            os.close(descriptor)

    def _make_sockets(self, number: int, family: int, count: int) -> None:
        from sockcheck.keeper import namespace

        try:
            made = namespace.sockets(family, count)
        except namespace.StepError as error:
            self._say({"is": "refused", "id": number, "errno": error.number, "step": error.step})
        else:
            self._say({"is": "made", "id": number}, made)

    def _start(self, number: int, argv: list[bytes], files: int) -> None:
        out, out_write = os.pipe()
        err, err_write = os.pipe()
        # The write end stays open here for ever: a stdin that neither says anything nor ends.
        silence, self._stdin = os.pipe()
        failure, failure_write = os.pipe()
        try:
            pid = os.fork()
        except OSError as error:
            self._say({"is": "failed", "id": number, "errno": error.errno})
            return
        if pid == 0:
            code = errno.EIO
            try:
                _become(self._pid, argv, files, (silence, out_write, err_write))
            except OSError as error:
                code = error.errno or code
            finally:
                os.write(failure_write, code.to_bytes(4, "little"))
                os._exit(127)
        for descriptor in (out_write, err_write, silence, failure_write):
            os.close(descriptor)
        failed = os.read(failure, 4)
        os.close(failure)
        if failed:
            os.waitpid(pid, 0)
            os.close(out)
            os.close(err)
            self._say({"is": "failed", "id": number, "errno": int.from_bytes(failed, "little")})
            return
        self._first = pid
        self._running = True
        self._streams = [Stream("stdout", out), Stream("stderr", err)]
        for stream in self._streams:
            self._poll.register(stream.descriptor, select.POLLIN)
        self._check_at = time.monotonic() + _CHECK_INTERVAL
        self._say({"is": "started", "id": number, "pid": pid})

    def _ping(self, number: int) -> None:
        self._reap_exiting()
        self._drain()
        self._tell()
        pids = list(processes.descendants(self._pid))
        self._say(
            {
                "is": "pong",
                "id": number,
                "alive": self._running,
                "status": self._status,
                "pids": pids,
                "why": self._why,
            }
        )

    def _signal(self, number: int, *, everyone: bool) -> int:
        """Signal all processes, or the first; once that is gone, those that it left. How many were signalled.

        Only what descends from here is signalled: the number of a process that is no more may be another's by now.
        """
        self._reap()
        tree = []
        if everyone and number == signal.SIGSTOP:
            # Each is stopped before its children are read, so that it makes none meanwhile.
            for pid in processes.descendants(self._pid):
                _kill(pid, number)
                tree.append(pid)
            return len(tree)
        if everyone:
            # The youngest first: when a parent goes on, no child of its is stopped any more.
            tree = list(processes.descendants(self._pid))[::-1]
        else:
            children = processes.children(self._pid)
            tree = [self._first] if self._first in children else children
        for pid in tree:
            _kill(pid, number)
        return len(tree)

    def _kill_tree(self, number: int) -> None:
        count = len(list(processes.descendants(self._pid)))
        left = self.kill_all()
        self._reap()
        self._say({"is": "killed", "id": number, "count": count, "left": left})

    def _stop(self, number: int, grace: float) -> None:
        self._reap_exiting()
        self._stopping = number
        self._kill_at = time.monotonic() + grace
        tree = list(processes.descendants(self._pid))
        if any(processes.group(pid) == self._first for pid in tree):
            _kill(-self._first, signal.SIGTERM)
        else:
            # The first process is gone: daemons are left.
            for pid in tree:
                _kill(pid, signal.SIGTERM)
        for pid in tree:
            if processes.stopped(pid):
                _kill(pid, signal.SIGCONT)

    def _mind(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        if self._running and now >= self._check_at:
            self._check_number(now)
        if self._stopping is not None and (not self._running or now >= self._kill_at):
            killed = self._running
            left = self.kill_all()
            self._tell_rest()
            self._gone_at = self._gone_at or time.monotonic()
            self._say(
                {
                    "is": "stopped",
                    "id": self._stopping,
                    "at": self._gone_at,
                    "status": self._status,
                    "killed": killed,
                    "left": left,
                }
            )
            self._stopping = None

    def _check_number(self, now: float) -> None:
        """Kill a tree that is too large. It is counted only if enough processes were made anywhere since it was."""
        self._check_at = now + _CHECK_INTERVAL
        newest = processes.newest()
        if newest is not None and self._newest <= newest < self._newest + _MOST_PROCESSES - self._count:
            return
        self._newest = newest or 0
        self._count = 0
        for _ in processes.descendants(self._pid):
            self._count += 1
            if self._count > _MOST_PROCESSES:
                self._why = f"it made more than {_MOST_PROCESSES} processes, so all of them were killed"
                self.kill_all()
                self._reap()
                return

    def _reap(self) -> None:
        self._reap_children()
        if self._first and not self._running and not self._gone_at:
            self._tell_rest()
            self._gone_at = time.monotonic()
            if self._stopping is None:
                self._say({"is": "gone", "at": self._gone_at, "status": self._status, "why": self._why})

    def _reap_exiting(self) -> None:
        """Wait a moment for processes that are about to be dead: a client may have seen their sockets close."""
        limit = time.monotonic() + _EXIT_LIMIT
        self._reap()
        while self._running and any(map(processes.exiting, processes.children(self._pid))):
            if time.monotonic() > limit:
                return
            self._await_signal(0.001)
            self._reap()

    def _reap_children(self) -> None:
        """Every orphan of the tree becomes a child of this process, so without a child there is no tree."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._running = False
                return
            if pid == 0:
                return
            if pid == self._first:
                self._status = os.waitstatus_to_exitcode(status)

    def _drain(self) -> None:
        left = _DRAIN_LIMIT
        for stream in self._streams:
            while left > 0 and not stream.ended and (size := stream.read()):
                left -= size

    def _tell_rest(self) -> None:
        """Tell all that is kept, whatever the allowance: it is the last."""
        self._drain()
        while stream := self._oldest():
            self._say(stream.first())
            stream.told()

    def _oldest(self) -> Stream | None:
        return min((stream for stream in self._streams if stream.kept), key=lambda stream: stream.kept[0], default=None)

    def _say(self, message: dict[str, object], descriptors: Sequence[int] = ()) -> None:
        self._pending.append((marshal.dumps(message), descriptors))

    def _tell(self) -> None:
        """Send what is pending, then output as far as it is allowed. What the socket does not take waits."""
        now = time.monotonic()
        self._allowance = min(_ALLOWANCE, self._allowance + (now - self._refilled) * _RATE)
        self._refilled = now
        interest = select.POLLIN
        try:
            while self._pending:
                self._send(*self._pending[0])
                self._pending.popleft()
            while self._allowance > 0 and (stream := self._oldest()):
                os.write(self._control, marshal.dumps(stream.first()))
                self._allowance -= stream.told() + _CHUNK_COST
        except BlockingIOError:
            interest |= select.POLLOUT
        except ConnectionError:
            self._ending = True
        self._poll.modify(self._control, interest)

    def _send(self, packet: bytes, descriptors: Sequence[int]) -> None:
        if not descriptors:
            os.write(self._control, packet)
            return
        from sockcheck.keeper import namespace

        namespace.send(self._control, packet, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)

    def _close_ended(self) -> None:
        for stream in [stream for stream in self._streams if stream.ended]:
            if stream.descriptor >= 0:
                self._poll.unregister(stream.descriptor)
                os.close(stream.descriptor)
                stream.descriptor = -1
            if not stream.kept:
                self._streams.remove(stream)

    def _await_signal(self, seconds: float) -> None:
        select.select([self._wake], [], [], seconds)
        self._clear_wake()

    def _clear_wake(self) -> None:
        try:
            os.read(self._wake, 4096)
        except BlockingIOError:
            pass


def _become(keeper: int, argv: list[bytes], files: int, descriptors: tuple[int, int, int]) -> None:
    """Turn this forked child into the target. It comes back only by OSError, of the exec as a rule."""
    os.setsid()
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(127)
    signal.set_wakeup_fd(-1)
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            pass  # SIGKILL, SIGSTOP, and those that the C library keeps for itself
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
    _limit(resource.RLIMIT_CORE, 0, 0)
    _limit(resource.RLIMIT_FSIZE, _FILE_SIZE, _FILE_SIZE)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    _limit(resource.RLIMIT_NOFILE, max(files, soft), hard)
    os.execvpe(argv[0], argv, {**os.environb, b"PYTHONUNBUFFERED": b"1"})


def _limit(what: int, soft: int, hard: int) -> None:
    """Set a limit, or as near to it as is allowed."""
    _, most = resource.getrlimit(what)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(what, (soft, hard))


def _kill(pid: int, number: int) -> None:
    """kill(2): a negative `pid` is a process group. Who is gone, or may not be signalled, is left alone."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def _prctl(option: int, value: int) -> None:
    import ctypes

    zero = ctypes.c_ulong(0)
    if ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(value), zero, zero, zero) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def main(control: int) -> None:
    """Serve the control socket with this descriptor until it ends, then kill what is left and leave the process."""
    keeper = Keeper(control)
    try:
        keeper.serve()
    finally:
        keeper.kill_all()
    # Nothing needs the interpreter's tidying up, and sockcheck waits for this end.
    os._exit(0)
