"""A run in a thread of its own, for a program that has other things to do in its main thread: pytest.

Whatever a signal handler raises there (Ctrl-C, the alarm of pytest-timeout) breaks off no more than the wait for the
run. In the thread of trio's loop it would leave the loop where it stands, and the servers with it.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from queue import SimpleQueue

import trio

from sockcheck.queues import Item
from sockcheck.run import Run

# A server that does not stop is killed long before; a thread that hangs all the same ends with the process.
_PATIENCE = 30.0
_CUT_SHORT = "it was cut short"


class Feed:
    """Items that are handed over one by one, from any thread. `asked` is called whenever there is need of one."""

    def __init__(self, asked: Callable[[], None]) -> None:
        self._asked = asked
        self._send, self._receive = trio.open_memory_channel[Item](1)

    async def next(self) -> Item | None:
        self._asked()
        try:
            return await self._receive.receive()
        except trio.EndOfChannel:
            return None

    def give(self, item: Item) -> None:
        """In trio's thread."""
        self._send.send_nowait(item)

    def close(self) -> None:
        """There are no more. In trio's thread."""
        self._send.close()


class Aside:
    """Performs a run in a thread. What goes wrong there is raised where it is waited for.

    Where a wait is broken off by an exception, the run is ended first, and all its servers with it: that takes some
    seconds at most.
    """

    def __init__(self, run: Run, performing: Callable[[], Awaitable[object]]) -> None:
        self._run = run
        self._performing = performing
        self._news: SimpleQueue[bool] = SimpleQueue()
        self._error: BaseException | None = None
        self._token: trio.lowlevel.TrioToken | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sockcheck", daemon=True)

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self._begun.is_set() and not self._thread.is_alive()

    def start(self) -> None:
        """Begin, and wait for the first `asked`, or for the end."""
        self._thread.start()
        self.wait()

    def asked(self) -> None:
        """To be called by the run, when it needs something from whoever waits."""
        self._news.put(True)

    def wait(self) -> bool:
        """Wait until the run asks for something: True; or until it has ended: False."""
        try:
            asked = self._news.get()
            if not asked:
                self._thread.join(_PATIENCE)
        except BaseException:
            self.stop()
            raise
        if self._error is not None:
            raise self._error
        return asked

    def call(self, what: Callable[[], None]) -> None:
        """Call it in the run's thread, if the run is not over."""
        self._begun.wait(_PATIENCE)
        try:
            if self._token is not None:
                self._token.run_sync_soon(what)
        except trio.RunFinishedError:
            pass

    def stop(self) -> None:
        """End the run early, and wait for its end. Nothing is raised but what breaks off that wait."""
        self.call(lambda: self._run.stop(_CUT_SHORT))
        self._thread.join(_PATIENCE)

    def _work(self) -> None:
        try:
            trio.run(self._main, strict_exception_groups=True)
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self._error = error
        finally:
            self._begun.set()
            self._news.put(False)

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._begun.set()
        await self._performing()
