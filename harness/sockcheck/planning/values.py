"""What the names and the gaps in a scenario stand for, in one case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sockcheck.case import Value
from sockcheck.errors import UsageError
from sockcheck.forms import (
    Duration,
    Reference,
    Span,
)
from sockcheck.reading.durations import resolve
from sockcheck.reading.mistakes import quoted
from sockcheck.scenario import (
    Scenario,
)


@dataclass(frozen=True, slots=True)
class Values:
    """`texts`: the names whose values are known now. All others get theirs while the case runs."""

    scenario: Scenario
    texts: Mapping[str, str]
    stretch: float

    def naming(self, name: str, number: int) -> Values:
        """The same, and one more name, which stands for a number."""
        return replace(self, texts={**self.texts, name: str(number)})

    def seconds(self, duration: Duration) -> float:
        return resolve(duration, self.texts) if duration.references else duration.seconds

    def optional(self, duration: Duration | None) -> float | None:
        return None if duration is None else self.seconds(duration)

    def deadline(self, within: Duration | None, default: float, after: Duration | None = None) -> float:
        """Seconds from the end of the previous step. What lies behind `after` is stretched, never taken away."""
        earliest = 0.0 if after is None else self.seconds(after)
        latest = earliest + default if within is None else self.seconds(within)
        return max(latest * self.stretch, earliest + (latest - earliest) * self.stretch)

    def text(self, wanted: str | Reference | None) -> str | Value | None:
        if not isinstance(wanted, Reference):
            return wanted
        return self.texts[wanted.name] if wanted.name in self.texts else Value(wanted.name)

    def number(
        self, wanted: int | Reference, read: Callable[[str], int | None], lowest: int, highest: int
    ) -> int | Value:
        """A number within bounds, `read` from its text where it is named. Raises UsageError where it is none."""
        if isinstance(wanted, Reference) and wanted.name not in self.texts:
            return Value(wanted.name)
        return self.known(wanted, read, lowest, highest)

    def known(self, wanted: int | Reference, read: Callable[[str], int | None], lowest: int, highest: int) -> int:
        """A number that is known now. Raises UsageError."""
        if not isinstance(wanted, Reference):
            return wanted
        text = self.texts[wanted.name]
        number = read(text)
        if number is None or not lowest <= number <= highest:
            what = f"which is not a number between {lowest:,} and {highest:,}"
            raise misfit(wanted.span, f"{quoted(wanted.name)} is {quoted(text)}, {what}")
        return number


def misfit(span: Span, message: str) -> UsageError:
    """What cannot be used in the scenario as it is filled in."""
    return UsageError(f"{span}: {message}", "look at the parameters, the matrix and the numbers of clients and turns")
