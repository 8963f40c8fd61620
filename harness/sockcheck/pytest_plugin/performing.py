"""Cases performed one by one, as pytest comes to them.

Consecutive cases of one contract are a *sitting*: one run, in a thread of its own, with the servers kept from case to
case. It ends when the next item is of something else, so that neither a thread nor a server outlives its cases.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import deque
from pathlib import Path

from sockcheck.aside import Aside, Feed
from sockcheck.commands.run import jobs_for
from sockcheck.deriving import Tried
from sockcheck.events import Event, TargetExited, TargetFailed, TargetStarted, TargetStopped
from sockcheck.facts import Facts
from sockcheck.queues import Item
from sockcheck.run import Options, Run


class Performer:
    """Performs the cases of this process. `began` is when the whole run did, in seconds since the epoch.

    `top`: no contract is sought above this folder. `tried`, `told` and `sources` are what the scenario files share;
    `sent` are those files whose text has gone out with a report.
    """

    def __init__(self, options: argparse.Namespace, began: float, top: Path) -> None:
        self.options = options
        self.top = top
        self.tried: Tried = {}
        self.told: set[str] = set()
        self.sources: dict[str, str] = {}
        self.sent: set[str] = set()
        self._origin = time.monotonic() - max(0.0, time.time() - began)
        self._sittings = 0
        self._sitting: _Sitting | None = None

    @property
    def part(self) -> str:
        """By what the facts of this sitting are told from those of others of this process."""
        return str(self._sittings)

    def perform(self, item: Item, contract: str) -> None:
        """All that it takes to judge a case. Raises what goes wrong with the run, or breaks off the wait for it."""
        sitting = self._sitting
        if sitting is None or sitting.over or sitting.contract != contract:
            self.stop()
            self._sittings += 1
            sitting = self._sitting = _Sitting(self.options, self._origin, contract)
        sitting.perform(item)

    def facts(self) -> list[Event]:
        """What has happened since they were asked for last."""
        return [] if self._sitting is None else self._sitting.facts()

    def servers(self) -> list[Event]:
        """What is known of the servers that are running."""
        return [] if self._sitting is None else list(self._sitting.running.values())

    def finish(self) -> list[Event]:
        """End the sitting; what has happened since the facts were asked for last."""
        sitting, self._sitting = self._sitting, None
        if sitting is None:
            return []
        sitting.finish()
        return sitting.facts()

    def stop(self) -> None:
        """End the sitting early."""
        sitting, self._sitting = self._sitting, None
        if sitting is not None:
            sitting.stop()


class _Sitting:
    """A run of cases of one contract."""

    def __init__(self, options: argparse.Namespace, origin: float, contract: str) -> None:
        self.contract = contract
        self.running: dict[int, Event] = {}
        self._options = argparse.Namespace(**{**vars(options), "jobs": 1})
        self._facts: deque[Event] = deque()
        self._feed = Feed(lambda: self._aside.asked())
        chosen = Options(1, flaky=options.flaky, exhaustive=options.exhaustive, signals=False)
        run = Run((), chosen, Facts([self._facts.append]), origin, feed=self._feed)
        self._aside = Aside(run, run.perform)
        self._begun = False

    @property
    def over(self) -> bool:
        """Whether it was ended early."""
        return self._begun and self._aside.ended

    def perform(self, item: Item) -> None:
        jobs_for(self._options, [item])
        if not self._begun:
            self._begun = True
            self._aside.start()
        self._aside.call(lambda: self._feed.give(item))
        self._aside.wait()

    def facts(self) -> list[Event]:
        found: list[Event] = []
        while self._facts:
            event = self._facts.popleft()
            found.append(event)
            if isinstance(event, TargetStarted):
                self.running[event.target] = event
            elif isinstance(event, TargetExited | TargetStopped | TargetFailed):
                self.running.pop(event.target, None)
        return found

    def finish(self) -> None:
        if self._begun and not self.over:
            self._aside.call(self._feed.close)
            while self._aside.wait():
                pass

    def stop(self) -> None:
        if self._begun:
            self._aside.stop()


def relative(path: Path) -> str:
    """As a person would name it: from the folder in which pytest runs, where it is in there."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
