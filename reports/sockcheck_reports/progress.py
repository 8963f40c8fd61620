"""What is going on, while it is going on: two lines that are redrawn on a terminal, one after the other elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sockcheck.events import (
    CaseFinished,
    CaseJudged,
    CaseNotRun,
    CaseStarted,
    Event,
    RunFinished,
    RunStarted,
    TargetFailed,
)
from sockcheck.verdict import Outcome

from .excerpt import clipped, plain
from .failure import STYLE
from .waiting import UnderWay
from .wording import count, duration

_REDRAW_EVERY = 0.1
_SAY_EVERY = 10.0
_WORTH_A_WORD = 1.0
_NARROWEST = 20
_BAR = 24
_WORDS: tuple[tuple[Outcome, str], ...] = (
    ("fail", "failed"),
    ("flaky", "flaky"),
    ("error", "errors"),
    ("busy", "not judged"),
    ("pass", "passed"),
    ("advice", "advice"),
)
_BAD: tuple[Outcome, ...] = ("fail", "flaky", "error", "busy")


class Progress:
    """Draws on `stream` when it is told an event or the time, never in between and from no thread of its own.

    `terminal`: two lines are redrawn, at most ten times a second of the run's own clock, and are gone after `close`.
    Otherwise: a line every ten seconds. Cases that do not pass are named at once in both. `width` is asked for each
    time, since a terminal may become narrower. Nothing but this is ever written to `stream`, so it should not be the
    one that carries a report for machines.
    """

    def __init__(self, stream: TextIO, *, terminal: bool, colour: bool, width: Callable[[], int] = lambda: 80) -> None:
        self._width = width
        self._console = Console(
            file=stream,
            width=max(_NARROWEST, width()),
            force_terminal=terminal,
            force_interactive=terminal,
            color_system="standard" if colour else None,
            no_color=not colour,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
        )
        self._live: Live | None = None
        if terminal:
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
        self._total = 0
        self._counts: Counter[str] = Counter()
        self._running: dict[int, UnderWay] = {}
        self._names: dict[int, str] = {}
        self._drawn = 0.0

    def add(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._total = event.total
                if self._live:
                    self._live.start()
            case CaseStarted():
                self._running[event.attempt] = UnderWay(event.case, event.at)
                self._names.setdefault(event.trial, plain(event.case.id))
            case CaseFinished():
                self._running.pop(event.attempt, None)
                return  # what it came to is told next
            case CaseJudged():
                self._judged(event)
            case CaseNotRun():
                self._counts["not run"] += 1
            case TargetFailed():
                self._say(Text.assemble(("ERROR ", STYLE["error"]), clipped(event.message)))
            case RunFinished():
                self.close()
                return
            case _:
                under_way = self._running.get(getattr(event, "attempt", 0))
                if under_way:
                    under_way.happened(event)
        self.tick(event.at)

    def tick(self, at: float) -> None:
        """It is `at` seconds on the run's clock: that is drawn where the last drawing is too old."""
        if at - self._drawn >= (_REDRAW_EVERY if self._live else _SAY_EVERY):
            self._drawn = at
            self._draw(at)

    def close(self) -> None:
        """Take the line away again. It may be called more than once."""
        if self._live:
            self._live.update(Text())
            self._live.stop()
            self._live = None

    def _judged(self, event: CaseJudged) -> None:
        name = self._names.pop(event.trial, "")
        outcome = event.verdict.outcome
        self._counts[outcome] += 1
        if outcome in _BAD:
            said = event.verdict.findings[0].message if event.verdict.findings else event.verdict.reason
            self._say(Text.assemble((f"{outcome.upper():<5} ", STYLE[outcome]), name, (f"  {clipped(said)}", "dim")))

    def _say(self, line: Text) -> None:
        self._console.print(line, soft_wrap=self._live is None)

    def _draw(self, at: float) -> None:
        done = self._counts.total()
        said = [f"{self._counts[outcome]:,} {word}" for outcome, word in _WORDS if self._counts[outcome]]
        if self._live is None:
            counts = f": {', '.join(said)}" if said else ""
            waiting = self._waiting(at)
            now = f"; {waiting}" if waiting else ""
            self._say(Text(f"{done:,} of {count(self._total, 'case')} after {duration(at)}{counts}{now}"))
            return
        filled = _BAR * done // self._total if self._total else 0
        line = Text.assemble(
            ("█" * filled, "red" if any(self._counts[outcome] for outcome in _BAD) else "green"),
            ("░" * (_BAR - filled), "dim"),
            f" {done:,}/{self._total:,} {', '.join(said)}\n",
            (self._waiting(at) or self._latest(), "dim"),
        )
        line.no_wrap = True
        line.overflow = "ellipsis"
        self._console.width = max(_NARROWEST, self._width())
        self._live.update(line, refresh=True)

    def _latest(self) -> str:
        """The case that was begun last."""
        latest = next(reversed(self._running.values()), None)
        return latest.name if latest else ""

    def _waiting(self, at: float) -> str:
        """The case in which nothing has happened for longest, and what it waits for, if that is worth a word."""
        longest = min(self._running.values(), key=lambda each: each.since, default=None)
        if longest is None or at - longest.since < _WORTH_A_WORD:
            return ""
        return f"waiting for {longest.waits_for()}, {duration(at - longest.since)}: {longest.name}"
