"""One client of a case on a real socket: it does what its exchange says and tells what it saw. It decides nothing.

The socket is non-blocking. Every call is tried first and waited for only on EAGAIN; the clock is read right beside the
call. It is full duplex: while a send waits, what comes is read.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
import termios
import time
from collections.abc import Callable
from typing import Literal, assert_never

import trio

from sockcheck.addresses import Address
from sockcheck.client_events import (
    Awaited,
    Barrier,
    Blocked,
    Closed,
    Connected,
    ConnectFailed,
    DeadlinePassed,
    Marked,
    PeerClosed,
    Received,
    Released,
    SendFailed,
    Sent,
    Settled,
    ShutDown,
    Waited,
)
from sockcheck.exchange import Exchange
from sockcheck.marks import Board
from sockcheck.moves import (
    DoAwait,
    DoClose,
    DoConnect,
    DoMark,
    DoSend,
    DoSettle,
    DoShutdown,
    DoWait,
    DoWaitFor,
    Move,
)
from sockcheck.observe.far_end import FarEnd
from sockcheck.observe.settling import Settling, settle, until
from sockcheck.observe.sockdiag import PeerEnd, State
from sockcheck.poller import Watched
from sockcheck.segments import FALLBACK_GAP
from sockcheck.sockets import prepared, until_nobody_listens
from sockcheck.world import Trouble, World

_CHUNK = 65536
# So many chunks are read in a row before others get their turn: a server may send without end.
_CHUNKS = 16
# What nobody asks for is kept up to here; then we stop reading, and TCP slows the server down.
_MOST_UNREAD = 1 << 20
# How long the server may take to read a segment before the next is sent all the same, in seconds.
BARRIER_LIMIT = 1.0
# Stands for settling where the server cannot be observed.
SETTLE_GAP = 0.05
# A server that took nothing for so long, and does not run, takes no more.
_BLOCKED_GAP = 0.1

_IN_PROGRESS = (errno.EINPROGRESS, errno.EALREADY)
_SERVER_REFUSES = (errno.ECONNREFUSED, errno.ETIMEDOUT)
# The handshake was finished, and the server ended the connection before we looked: a reset in SYN_SENT gives
# ECONNREFUSED, one behind the server's FIN gives EPIPE, all others ECONNRESET (net/ipv4/tcp_input.c: tcp_reset()).
_ENDED_AT_ONCE = (errno.ECONNRESET, errno.EPIPE)
_LINGER_0 = struct.pack("ii", 1, 0)


class Client:
    """Performs one actor's part. `run` returns when its exchange has nothing more to do."""

    def __init__(
        self,
        world: World,
        attempt: int,
        name: str,
        exchange: Exchange,
        address: tuple[str, int],
        asleep: Callable[[], bool | None],
        settle_limit: Callable[[], float],
        board: Board,
        first_accept: Callable[[], float],
    ) -> None:
        self._world = world
        self._attempt = attempt
        self._name = name
        self._exchange = exchange
        self._address = address
        self._asleep = asleep
        self._settle_limit = settle_limit
        self._board = board
        self._first_accept = first_accept
        self._socket: socket.socket | None = None
        self._watched: Watched | None = None
        self.far_end = FarEnd(world.diag)
        """What the server has of it."""
        self._began = 0.0
        self._ended = False
        self._reads = True
        self._send_error = ""
        self._barrier_works = True

    async def run(self) -> None:
        """Until the exchange is over. Raises Trouble; leaves the socket to `abandon` when the exchange failed."""
        try:
            while (command := self._exchange.command) is not None:
                await self._do(command)
        finally:
            self._board.left(self._name)

    async def _do(self, command: Move) -> None:
        match command:
            case DoConnect():
                await self._connect(command)
            case DoSend():
                await self._send(command)
            case DoWait():
                await self._wait(command)
            case DoAwait():
                await self._await_state(command)
            case DoShutdown():
                self._shutdown(command)
            case DoMark():
                self._mark(command.step, command.mark)
            case DoWaitFor():
                await self._wait_for(command)
            case DoSettle():
                await self._settle()
            case DoClose():
                self._close(command.step, command.how)
            case _:
                assert_never(command)

    def abandon(self) -> None:
        """Close what is still open: the exchange failed, or was cut short. Nothing is told of it."""
        if self._socket is not None:
            if self._server_is_through():
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
            self._release()

    async def _connect(self, command: DoConnect) -> None:
        world, action = self._world, command.action
        host, port = self._address
        address = self._address = (command.host or host, command.port or port)
        if action.outcome == "refused":
            await until_nobody_listens(world, Address(*address), action.within)
        sock = self._socket = await prepared(world, Address(*address), action)
        began = world.clock()
        code = sock.connect_ex(address)
        if code == errno.EINPROGRESS:
            # On loopback the handshake is done by the time that the call returns: asking again saves the wait.
            code = sock.connect_ex(address)
        watched = self._watched = world.poller.register(sock.fileno())
        while code in _IN_PROGRESS:
            watched.readable = watched.writable = False
            woken = await watched.wait(world.origin + began + action.within, write=True)
            code = sock.connect_ex(address)
            if woken == "deadline" and code in _IN_PROGRESS:
                self._deadline_passed(command.step, began)
                return
        at = world.clock()
        if code in _SERVER_REFUSES:
            world.emit(ConnectFailed(at, self._attempt, self._name, command.step, errno.errorcode[code]))
            self._release()
        elif code in _ENDED_AT_ONCE:
            self.far_end.find(sock.getsockname()[:2], address)
            self._connected(sock, command.step, began, at)
            if self._exchange.command is not None:
                self._peer_closed("ECONNRESET" if code == errno.ECONNRESET else "")
        elif code not in (0, errno.EISCONN):
            raise Trouble(f"cannot connect to {_text(address)}: {errno.errorcode[code]}")
        else:
            self.far_end.find(sock.getsockname()[:2], address)
            limit = self._first_accept()
            if limit and not self.far_end.accepted():
                await until(self.far_end.accepted, limit)
                at = world.clock()
            self._connected(sock, command.step, began, at)

    def _connected(self, sock: socket.socket, step: int, began: float, at: float) -> None:
        self._began = began
        local, peer = sock.getsockname()[:2], self._address
        why = self._world.unobserved
        if self._world.diag is not None and not self.far_end.observed:
            why = "the server's end of the connection is not in this network namespace"
        self._world.emit(Connected(at, began, self._attempt, self._name, step, _text(local), _text(peer), why))

    async def _send(self, command: DoSend) -> None:
        world, sock, watched = self._world, self._open(), self._open_watched()
        data = memoryview(command.data)[command.begin : command.end]
        taken = 0
        began = world.clock()
        progress = began
        seen: tuple[int, int] | None = None
        # What waits for more is sent with our end of stream: the server sees both at once (tcp(7): TCP_CORK).
        flags = socket.MSG_MORE if command.with_end and command.last else 0
        while True:
            try:
                taken += sock.send(data[taken:], flags)
            except BlockingIOError:
                watched.writable = False
            except OSError as error:
                self._send_failed(command, began, taken, error)
                return
            else:
                progress = world.clock()
                if taken == len(data):
                    break
                continue
            if seen is None:
                # Only from here on the server may have to take something for us to go on.
                seen = self._taken_by_server()
            reads = command.action.read
            if reads:
                await self._read()
                if self._exchange.command is not command:
                    return
            deadline = world.origin + progress + command.action.within
            until = min(deadline, time.monotonic() + _BLOCKED_GAP) if command.action.until_blocked else deadline
            if await watched.wait(until, read=reads, write=True) == "ready":
                continue
            blocked = command.action.until_blocked and self._asleep() is not False
            if not blocked and time.monotonic() >= deadline:
                if (consumed := self._taken_by_server()) != seen:
                    seen, progress = consumed, world.clock()
                    continue
                # Who reads no replies cannot ask that the server take more, whatever it does meanwhile.
                blocked = command.action.until_blocked and not reads
                if not blocked:
                    self._deadline_passed(command.step, progress, command.begin + taken)
                    return
            if blocked:
                self.far_end.sent += taken
                total = command.begin + taken
                world.emit(Blocked(world.clock(), began, self._attempt, self._name, command.step, total))
                return
        self.far_end.sent += taken
        barrier: Barrier = "none"
        if not command.last:
            barrier = await self._part(command)
        waited = world.clock() - progress if barrier != "none" else 0.0
        world.emit(
            Sent(progress, began, self._attempt, self._name, command.step, command.begin, taken, barrier, waited)
        )

    def _taken_by_server(self) -> tuple[int, int]:
        """Changes whenever the server reads, or its kernel takes more: POLLOUT waits for a third of our buffer."""
        unacked = struct.unpack("i", fcntl.ioctl(self._open(), termios.TIOCOUTQ, bytes(4)))[0]
        return self.far_end.read(), unacked

    def _deadline_passed(self, step: int, began: float, progress: int = 0) -> None:
        """`began`: since when was waited, on the run's clock."""
        world = self._world
        late = world.poller.late_since(world.origin + began)
        world.emit(DeadlinePassed(world.clock(), self._attempt, self._name, step, progress, late))

    def _send_failed(self, command: DoSend, began: float, taken: int, error: OSError) -> None:
        name = errno.errorcode.get(error.errno or 0, "?")
        self._send_error = self._send_error or name
        self._world.emit(
            SendFailed(self._world.clock(), began, self._attempt, self._name, command.step, command.begin + taken, name)
        )

    async def _part(self, command: DoSend) -> Barrier:
        """Wait until the server has read what was sent, so that the next segment is a segment of its own."""
        gap = command.action.gap
        if gap is None and self.far_end.observed and self._barrier_works:
            end: PeerEnd | None = None

            def read() -> bool:
                nonlocal end
                if command.action.read:
                    self._read_some()
                end = self.far_end.look_for_read()
                return end is None or end.gone or end.has_read(self.far_end.sent)

            if not await until(read, BARRIER_LIMIT):
                # It does not read us now, or only peeks. To wait again for each segment would tell nothing new.
                self._barrier_works = False
                return "not-read"
            return "gone" if end is None or end.gone else "read"
        await self._read_for(FALLBACK_GAP if gap is None else gap)
        return "gap"

    async def _wait(self, command: DoWait) -> None:
        world = self._world
        began = world.clock()
        if self._socket is None or not command.reads:
            await trio.sleep(max(0.0, command.deadline - began))
            self._deadline_passed(command.step, began)
            return
        watched = self._open_watched()
        while True:
            await self._read()
            if self._exchange.command is not command:
                return
            if await watched.wait(world.origin + command.deadline) == "deadline":
                # What is in the kernel by now came in time, however late we are ourselves.
                await self._read()
                if self._exchange.command is command:
                    self._deadline_passed(command.step, began)
                return

    async def _await_state(self, command: DoAwait) -> None:
        world = self._world
        outcome: Literal["seen", "gone", "unobservable"] = "unobservable"
        if command.state in ("settled", "rest"):
            rest = await self._come_to_rest(command)
            if rest is None:
                self._deadline_passed(command.step, world.clock())
                return
            outcome = rest
        elif not self.far_end.observed:
            await self._read_for(SETTLE_GAP)
        else:
            gone = False

            def seen() -> bool:
                nonlocal gone
                self._read_some()
                end = self.far_end.look_for_read()
                gone = end is None or end.gone
                if end is None or gone or self._exchange.command is not command:
                    return True
                if command.state == "accepted":
                    return end.accepted
                if command.state == "read":
                    return end.has_read(self.far_end.sent)
                return end.state is State.CLOSE_WAIT and end.unread == 0

            limit = command.deadline - world.clock()
            if not await until(seen, limit):
                self._deadline_passed(command.step, world.clock())
                return
            outcome = "gone" if gone else "seen"
        if self._exchange.command is command:
            world.emit(Awaited(world.clock(), self._attempt, self._name, command.step, command.state, outcome))

    def _mark(self, step: int, mark: str) -> None:
        self._world.emit(Marked(self._world.clock(), self._attempt, self._name, step, mark))
        self._board.mark(mark, self._name)

    async def _wait_for(self, command: DoWaitFor) -> None:
        if command.comes:
            self._mark(command.step, command.mark)
        was_set = await self._board.wait_for(command.mark)
        what = Waited if was_set else Released
        self._world.emit(what(self._world.clock(), self._attempt, self._name, command.step, command.mark))

    def _shutdown(self, command: DoShutdown) -> None:
        how = {"write": socket.SHUT_WR, "read": socket.SHUT_RD, "both": socket.SHUT_RDWR}[command.how]
        began = self._world.clock()
        name = ""
        try:
            self._open().shutdown(how)
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "?")
        at = self._world.clock()
        if how != socket.SHUT_RD and not name:
            self.far_end.sent += 1  # the kernel counts our end of stream as a byte received
        # After SHUT_RD recv() gives b'' of our own making: to read it would be to see an end that nobody sent.
        self._reads = self._reads and how == socket.SHUT_WR
        self._world.emit(ShutDown(at, began, self._attempt, self._name, command.step, command.how, name))

    async def _come_to_rest(self, command: DoAwait) -> Literal["seen", "unobservable"] | None:
        """`rest`: nothing is read meanwhile, so that the server may be stopped by that. None where it does not rest.

        One that did not settle before is not waited for as long.
        """
        limit = min(max(0.0, command.deadline - self._world.clock()), self._settle_limit())
        if command.state == "settled":
            found = await self._settled(limit) if self.far_end.observed else "unobservable"
        else:
            # Behind our own ending, the server has to have seen it as well.
            found = await settle(lambda: self._socket is not None or self.far_end.consumed(), self._asleep, limit)
        if found == "unobservable":
            if command.state == "settled":
                await self._read_for(SETTLE_GAP)
            else:
                await trio.sleep(SETTLE_GAP)
            return "unobservable"
        return None if found == "late" else "seen"

    async def _settled(self, limit: float) -> Settling:
        """Wait until the server has nothing more to do with us, and read what it sends."""
        command = self._exchange.command

        def changed() -> bool:
            return self._exchange.command is not command

        def through() -> bool:
            self._acknowledge()
            all_read = self._read_some()
            if changed():
                return True
            end = self.far_end.look()
            if end is None:
                return all_read
            return all_read and self.far_end.has_consumed(end) and (end.unacked == 0 or not self._reads)

        return await settle(through, lambda: changed() or self._asleep(), limit)

    async def _settle(self) -> None:
        """Until the server has nothing more to do with us; what it still sends meanwhile is read."""
        world = self._world
        began = world.clock()
        outcome: Literal["settled", "late", "gap"] = "gap"
        command = self._exchange.command

        def changed() -> bool:
            return self._exchange.command is not command

        if self.far_end.observed:
            settling = await self._settled(self._settle_limit())
            if settling != "unobservable":
                outcome = settling
        if outcome == "gap":
            self._acknowledge()
            await self._read_for(SETTLE_GAP)
        self._read_some()
        at = world.clock()
        if not changed():
            world.emit(Settled(at, self._attempt, self._name, outcome, at - began))

    def _acknowledge(self) -> None:
        """Have our kernel acknowledge at once what came: what Nagle's algorithm holds back at the server comes then."""
        self._open().setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _close(self, step: int, how: Literal["close", "reset"]) -> None:
        sock = self._open()
        if how == "reset" or self._server_is_through():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
        self._release()
        self._world.emit(Closed(self._world.clock(), self._attempt, self._name, step, how))

    def _server_is_through(self) -> bool:
        """Whether no process has the server's end any more.

        Then a reset in place of our FIN is seen by nobody, and spares the server's address a TIME_WAIT, which would
        keep a server without SO_REUSEADDR from starting again for a minute.
        """
        return self._ended and self.far_end.gone()

    def _release(self) -> None:
        assert self._socket is not None
        if self._watched is not None:
            self._watched.forget()
        self._socket.close()
        self._socket = None
        self.far_end.left = True

    async def _read(self) -> None:
        """Read what is there, with a turn for others where it is much."""
        while not self._read_some():
            await trio.lowlevel.checkpoint()

    async def _read_for(self, duration: float) -> None:
        """Read whatever comes for that long."""
        deadline = time.monotonic() + duration
        command = self._exchange.command
        while self._exchange.command is command:
            await self._read()
            if self._ended:
                await trio.sleep(max(0.0, deadline - time.monotonic()))
                return
            if await self._open_watched().wait(deadline) == "deadline":
                return

    def _read_some(self) -> bool:
        """Read what is there, up to a limit; False when there may be more.

        It stops as soon as there is something else to do: a client that is to leave in the middle of a reply must not
        read all of it first.
        """
        sock, watched, command = self._open(), self._open_watched(), self._exchange.command
        for _ in range(_CHUNKS):
            if self._ended or not self._reads or self._exchange.unread >= _MOST_UNREAD:
                watched.readable = False
                return True
            try:
                data = sock.recv(_CHUNK)
            except BlockingIOError:
                watched.readable = False
                return True
            except OSError as error:
                self._peer_closed(errno.errorcode.get(error.errno or 0, "?"))
                return True
            if not data:
                self._peer_closed("")
                return True
            self._world.emit(Received(self._world.clock(), self._attempt, self._name, data))
            if self._exchange.command is not command:
                return True
        return False

    def _peer_closed(self, error: str) -> None:
        """The kernel tells a reset once. Where a send was told, recv() gives `b''` after it: the first error counts."""
        at = self._world.clock()
        late = self._world.poller.late_since(self._world.origin + self._began)
        self._ended = True
        if not error and self._send_error == "ECONNRESET":
            error = self._send_error
        how: Literal["eof", "reset", "error"] = "eof"
        if error:
            how = "reset" if error == "ECONNRESET" else "error"
        state = State(self._open().getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]).name
        self._world.emit(PeerClosed(at, self._attempt, self._name, how, error, state, late))

    def _open(self) -> socket.socket:
        assert self._socket is not None, "the exchange asks for a socket that is not open"
        return self._socket

    def _open_watched(self) -> Watched:
        assert self._watched is not None
        return self._watched


def _text(address: tuple[str, int]) -> str:
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
