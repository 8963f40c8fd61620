"""What has changed from one run to another, case by case and law by law; any two runs may be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sockcheck.case import Case
from sockcheck.events import CauseNamed
from sockcheck.exit_codes import BUSY, FAILED, INTERNAL, INTERRUPTED, PASSED, UNAVAILABLE

from .view import CaseView, View
from .wording import count

State = Literal[
    "absent", "passed", "failed", "flaky", "error", "busy", "advice", "known", "baseline", "skipped", "not run"
]

_STATES: Mapping[str, State] = {
    "pass": "passed",
    "fail": "failed",
    "flaky": "flaky",
    "error": "error",
    "busy": "busy",
    "advice": "advice",
    "skip": "skipped",
}
# Of several times that one case ran the worst counts.
_WORST_FIRST: tuple[State, ...] = (
    "failed",
    "flaky",
    "error",
    "busy",
    "baseline",
    "known",
    "advice",
    "not run",
    "skipped",
    "passed",
)
_FAILING: tuple[State, ...] = ("failed", "flaky")
_BAD: tuple[State, ...] = (*_FAILING, "baseline", "known")
# Of times only this is said, since machines differ: so many times as long, and so many seconds.
_RATIO, _LONG = 4.0, 0.5


@dataclass(frozen=True, slots=True)
class Side:
    """A case in one of the runs. `said`: what was first found, or why there is no judgement. `took` in seconds."""

    state: State
    said: str = ""
    kind: str = ""
    took: float = 0.0


ABSENT = Side("absent")


@dataclass(frozen=True, slots=True)
class Change:
    """A case by its id, in both runs."""

    name: str
    old: Side
    new: Side

    @property
    def otherwise(self) -> bool:
        """It fails in both, and not in the same way."""
        return bool(self.old.kind and self.new.kind) and self.old.kind != self.new.kind


@dataclass(frozen=True, slots=True)
class LawChange:
    """A law with a scenario, by what its ids have in common: how many of its cases came to what."""

    name: str
    old: Mapping[State, int]
    new: Mapping[State, int]

    @property
    def turned(self) -> bool:
        """It was kept in one of the runs and is broken in the other."""
        return (_is_broken(self.old) and _is_kept(self.new)) or (_is_kept(self.old) and _is_broken(self.new))


@dataclass(frozen=True, slots=True)
class Difference:
    """`unlike` says in sentences what else is not the same in the two runs. `unsure`: why NEW could not judge all.

    `unjudged` came to something before, and does not now. `laws` are those of which not as many cases fail. Of causes
    those that are only in one of the runs are named. `slower` took much longer, which is no judgement.
    """

    unlike: tuple[str, ...]
    newly_failing: tuple[Change, ...]
    newly_flaky: tuple[Change, ...]
    flaky_otherwise: tuple[Change, ...]
    fixed: tuple[Change, ...]
    still_failing: tuple[Change, ...]
    unjudged: tuple[Change, ...]
    new_cases: tuple[Change, ...]
    gone_cases: tuple[Change, ...]
    laws: tuple[LawChange, ...]
    causes_came: tuple[CauseNamed, ...]
    causes_went: tuple[CauseNamed, ...]
    slower: tuple[Change, ...]
    unsure: str
    exit_code: int


def compare(old: View, new: View) -> Difference:
    """What is new in `new`. The exit code is 1 where something fails newly; else NEW's own where it judged not all."""
    here, there = _sides(old), _sides(new)
    families = {name: family for view in (old, new) for name, family in _families(view).items()}
    broken = {families[name] for name, side in here.items() if side.state in _FAILING}
    broken_still = {families[name] for name, side in there.items() if side.state in _FAILING}
    complete = not new.cut_short and not new.never_reached
    found: dict[str, list[Change]] = {}
    for name in dict.fromkeys((*there, *here)):
        change = Change(name, here.get(name, ABSENT), there.get(name, ABSENT))
        for group in _groups(change, families[name] in broken, families[name] in broken_still, complete):
            found.setdefault(group, []).append(change)
    groups = {name: tuple(changes) for name, changes in found.items()}
    newly = bool(groups.get("newly_failing") or groups.get("newly_flaky"))
    return Difference(
        unlike=tuple(_unlike(old, new)),
        newly_failing=groups.get("newly_failing", ()),
        newly_flaky=groups.get("newly_flaky", ()),
        flaky_otherwise=groups.get("flaky_otherwise", ()),
        fixed=groups.get("fixed", ()),
        still_failing=groups.get("still_failing", ()),
        unjudged=groups.get("unjudged", ()),
        new_cases=groups.get("new_cases", ()),
        gone_cases=groups.get("gone_cases", ()),
        laws=tuple(_laws(here, there, families)),
        causes_came=_only(new, old),
        causes_went=_only(old, new),
        slower=groups.get("slower", ()),
        unsure=_unsure(new),
        exit_code=FAILED if newly else _own_code(new),
    )


def _sides(view: View) -> dict[str, Side]:
    """Each case by its id, apart from what a fresh client met behind it."""
    sides: dict[str, Side] = {}
    for name, side in _each(view):
        if name not in sides or _WORST_FIRST.index(side.state) < _WORST_FIRST.index(sides[name].state):
            sides[name] = side
    return sides


def _each(view: View) -> Iterable[tuple[str, Side]]:
    for case in view.cases:
        first = case.findings[0] if case.findings else None
        said = first.message if first else case.reason
        yield _name(case), Side(_state(case), said, first.kind if first else "", case.duration)
    for event in view.not_run:
        yield event.case.id, Side("skipped" if event.case.skip else "not run", event.why)


def _name(case: CaseView) -> str:
    fresh = f"{case.case.id} (a fresh client)"
    return fresh if case.label.startswith(fresh) else case.case.id


def _state(case: CaseView) -> State:
    if case.in_baseline:
        return "baseline"
    return "known" if case.known_failure else _STATES[case.outcome]


def _families(view: View) -> dict[str, str]:
    names = {_name(case): _family(case.case) for case in view.cases}
    return {**{event.case.id: _family(event.case) for event in view.not_run}, **names}


def _family(case: Case) -> str:
    return case.id.removesuffix(f"({case.variation})") if case.variation else case.id


def _groups(change: Change, broken: bool, broken_still: bool, complete: bool) -> Iterable[str]:
    """The lists that a case belongs in. `broken`, `broken_still`: another case of its law fails in the same scenario.

    Which variations of a broken law are run differs from run to run: one that was not run before, and fails now, is no
    news then.
    """
    old, new = change.old.state, change.new.state
    if new in _FAILING:
        if old == new or (broken and old in ("absent", "not run")):
            yield "still_failing"
        elif old in _FAILING:
            yield "flaky_otherwise"
        else:
            yield "newly_failing" if new == "failed" else "newly_flaky"
    elif new == "passed":
        if old in _BAD:
            yield "fixed"
        elif old == "passed" and change.new.took > max(_LONG, _RATIO * change.old.took):
            yield "slower"
    elif old in _FAILING and new in ("absent", "not run") and broken_still:
        yield "still_failing"
    elif old in ("passed", *_FAILING) and (new != "absent" or not complete):
        yield "unjudged"
    if old == "absent":
        yield "new_cases"
    elif new == "absent" and complete:
        yield "gone_cases"


def _laws(old: Mapping[str, Side], new: Mapping[str, Side], families: Mapping[str, str]) -> Iterable[LawChange]:
    counts: dict[str, tuple[Counter[State], Counter[State]]] = {}
    for position, sides in enumerate((old, new)):
        for name, side in sides.items():
            counts.setdefault(families[name], (Counter(), Counter()))[position][side.state] += 1
    for name, (before, after) in counts.items():
        if any(before[state] != after[state] for state in _FAILING) and before and after:
            yield LawChange(name, before, after)


def _is_broken(counts: Mapping[State, int]) -> bool:
    return any(counts.get(state) for state in _FAILING)


def _is_kept(counts: Mapping[State, int]) -> bool:
    return not _is_broken(counts) and bool(counts.get("passed"))


def _only(view: View, other: View) -> tuple[CauseNamed, ...]:
    """The known causes that are not in the other run."""
    known = {cause.named.id for cause in other.causes}
    return tuple(cause.named for cause in view.causes if cause.known and cause.named.id not in known)


def _unsure(view: View) -> str:
    if view.cut_short:
        return view.cut_short
    code = _own_code(view)
    return f"The run NEW ended with exit code {code}: not all cases could be judged." if code != PASSED else ""


def _own_code(view: View) -> int:
    """0 where all could be judged, whatever it came to."""
    if view.finished is None:
        return INTERNAL
    code = view.finished.exit_code
    return code if code in (UNAVAILABLE, INTERNAL, BUSY, INTERRUPTED) else PASSED


def _unlike(old: View, new: View) -> Iterable[str]:
    if old.cut_short:
        yield f"OLD: {old.cut_short}"
    if old.run is None or new.run is None:
        return
    if old.run.sockcheck != new.run.sockcheck:
        yield f"sockcheck {old.run.sockcheck}, now {new.run.sockcheck}"
    before, after = old.run.plan, new.run.plan
    if before and after:
        servers = [[" ".join(server.command) for server in plan.servers] for plan in (before, after)]
        if servers[0] != servers[1]:
            yield f"the server: {', '.join(servers[0])}; now {', '.join(servers[1])}"
        if before.options != after.options:
            yield f"options: {' '.join(before.options) or 'none'}; now {' '.join(after.options) or 'none'}"
    if old.run.platform != new.run.platform:
        yield f"the machine: {old.run.platform}; now {new.run.platform}"
    yield from _files(old.sources, new.sources)


def _files(old: Mapping[str, str], new: Mapping[str, str]) -> Iterable[str]:
    changed = [path for path in old if new.get(path, old[path]) != old[path]]
    for paths, what in (
        (changed, "changed"),
        ([path for path in new if path not in old], "only in NEW"),
        ([path for path in old if path not in new], "only in OLD"),
    ):
        if paths:
            yield f"{count(len(paths), 'file')} {what}: {_listed(paths)}"


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:3])
    return f"{shown} and {len(paths) - 3:,} more" if paths[3:] else shown
