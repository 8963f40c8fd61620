"""What is going on, while it is going on: a line that is redrawn on a terminal, one line after the other elsewhere."""

from __future__ import annotations

from collections import Counter
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
from .wording import count, duration

_REDRAW_EVERY = 0.1
_SAY_EVERY = 10.0
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
    """Draws on `stream` when it is told an event, never in between and from no thread of its own.

    `terminal`: one line is redrawn, at most ten times a second of the run's own clock, and is gone after `close`.
    Otherwise: a line every ten seconds. Cases that do not pass are named at once in both. Nothing but this is ever
    written to `stream`, so it should not be the one that carries a report for machines.
    """

    def __init__(self, stream: TextIO, *, terminal: bool, colour: bool, width: int = 80) -> None:
        self._console = Console(
            file=stream,
            width=max(20, width),
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
        self._running: dict[int, str] = {}
        self._names: dict[int, str] = {}
        self._drawn = 0.0

    def add(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._total = event.total
                if self._live:
                    self._live.start()
            case CaseStarted():
                self._running[event.attempt] = plain(event.case.id)
                self._names.setdefault(event.trial, self._running[event.attempt])
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
                pass
        if event.at - self._drawn >= (_REDRAW_EVERY if self._live else _SAY_EVERY):
            self._drawn = event.at
            self._draw(event.at)

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
            self._say(Text(f"{done:,} of {count(self._total, 'case')} after {duration(at)}{counts}"))
            return
        filled = _BAR * done // self._total if self._total else 0
        latest = next(reversed(self._running.values()), "")
        line = Text.assemble(
            ("█" * filled, "red" if any(self._counts[outcome] for outcome in _BAD) else "green"),
            ("░" * (_BAR - filled), "dim"),
            f" {done:,}/{self._total:,} {', '.join(said)} ",
            (latest, "dim"),
        )
        line.no_wrap = True
        line.overflow = "ellipsis"
        self._live.update(line, refresh=True)
