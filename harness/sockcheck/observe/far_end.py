"""The server's end of one connection, as the kernel shows it: what the server has read of it, and what it has not."""

from __future__ import annotations

from sockcheck.observe.sockdiag import Diag, PeerEnd, State, peer_query


class FarEnd:
    """What cannot be seen is answered in the server's favour: it has read all, and accepted us.

    `diag` is None where sock_diag is not to be had. `sent` is what the server has to read: our bytes, and one more for
    our end of stream, which the kernel counts as a byte received. `left`: our socket is closed.
    """

    def __init__(self, diag: Diag | None) -> None:
        self.sent = 0
        self.left = False
        self._diag = diag
        self._query: bytes | None = None

    def find(self, local: tuple[str, int], peer: tuple[str, int]) -> None:
        """Have the kernel tell about it from here on, if it does; both are (host, port) of the client's socket."""
        self.left = False
        if self._diag is not None:
            query = peer_query(local, peer)
            if self._diag.lookup(query) is not None:
                self._query = query

    @property
    def observed(self) -> bool:
        """Whether the kernel tells about it."""
        return self._query is not None

    def look(self) -> PeerEnd | None:
        """As it is now; None where the kernel does not tell."""
        if self._query is None or self._diag is None:
            return None
        return self._diag.lookup(self._query)

    def look_for_read(self) -> PeerEnd | None:
        """As `look`, and once more where all seems to be read.

        The kernel notes what is unread before it notes what came (net/ipv4/tcp_diag.c): a segment that came in between
        is then among what came, and not yet among what is unread. A second look sees it in both.
        """
        end = self.look()
        return self.look() if end is not None and end.has_read(self.sent) else end

    def accepted(self) -> bool:
        """Whether the server has accepted, or is not to do so yet: TCP_DEFER_ACCEPT keeps whom says nothing."""
        end = self.look()
        return end is None or end.gone or end.accepted or end.state in (State.SYN_RECV, State.NEW_SYN_RECV)

    def consumed(self) -> bool:
        """Whether the server has taken all that the client did: read its bytes, and its end if it has ended."""
        end = self.look()
        return end is None or self.has_consumed(end)

    def has_consumed(self, end: PeerEnd) -> bool:
        """The same, by what was seen of it."""
        if end.gone:
            return True
        if self.left:
            return end.state not in (State.ESTABLISHED, State.SYN_RECV, State.NEW_SYN_RECV) and end.unread == 0
        return end.has_read(self.sent)

    def unread(self) -> int:
        """How many bytes the server has still to read; 0 where that cannot be seen."""
        end = self.look()
        return 0 if end is None or end.gone else end.unread

    def read(self) -> int:
        """How many bytes the server has read; 0 where that cannot be seen."""
        end = self.look()
        return 0 if end is None or end.received is None else end.received - end.unread

    def gone(self) -> bool:
        """Whether it is known that no process has it any more."""
        end = self.look()
        return end is not None and end.gone
