"""Cases of scenarios: names filled in, defaults resolved, cuts placed. Nothing is built that a recipe can name."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from sockcheck.case import Capabilities, Case
from sockcheck.planning.actions import Planner
from sockcheck.planning.deadlines import longest
from sockcheck.reading.matrix import label
from sockcheck.scenario import Scenario

# A promise with one of these values is not made.
_NOT_PROMISED = ("no", "false", "0", "")


def plan(
    scenario: Scenario,
    *,
    seed: int,
    stretch: float = 1.0,
    case_timeout: float | None = None,
    parameters: Mapping[str, str] | None = None,
    capabilities: Capabilities | None = None,
) -> tuple[Case, ...]:
    """The cases of a scenario, one for each combination of its matrix, with stable ids.

    `seed` places random cuts that have no seed of their own. `stretch` multiplies every deadline, but neither `after`,
    `quiet`, `wait` nor `gap`, which say what a server does and not how fast the machine is. `case_timeout`, in seconds,
    takes the place of the contract's; `parameters` take the place of its parameters of the same names. Without
    `capabilities` nothing is known to be impossible.

    The deadline of a case is the time that must pass in it (`quiet`, `wait`, `after`, gaps), and on top of it the case
    timeout, or all the explicit `within` where those are longer, along the client that takes longest, with all that it
    waits for: no step is cut short of what its author gave it.

    Raises UsageError where a parameter has a value that it cannot have, and for a case of more than
    `sockcheck.planning.actions.MOST_ACTIONS` actions.
    """
    contract = scenario.contract
    given = {name: value for name, value in (parameters or {}).items() if name in contract.parameters}
    timeout = contract.timeouts.case if case_timeout is None else case_timeout
    skip = scenario.skip or _unmet_need(scenario) or _out_of_reach(scenario, capabilities)
    cases = []
    for chosen in _combinations(scenario.matrix):
        id = f"{contract.name}/{scenario.name}{_matrix_label(chosen)}::plain"
        planner = Planner(id, scenario, {**contract.parameters, **given, **chosen}, stretch, seed)
        actors = planner.actors()
        server = planner.server()
        passing, explicit = longest(planner.timed)
        cases.append(
            Case(
                id=id,
                contract=contract.name,
                scenario=scenario.name,
                title=scenario.title,
                law=scenario.law,
                hint=scenario.hint,
                actors=actors,
                deadline=passing + max(timeout * stretch, explicit),
                span=scenario.span,
                skip=skip,
                server=server,
                state=scenario.state,
                points=scenario.points,
                visibility=scenario.visibility,
                known_failure=scenario.known_failure,
                gate=scenario.gate,
            )
        )
    return tuple(cases)


def _combinations(matrix: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    for values in itertools.product(*matrix.values()):
        yield dict(zip(matrix, values, strict=True))


def _matrix_label(chosen: Mapping[str, str]) -> str:
    return f"[{','.join(f'{name}={label(value)}' for name, value in chosen.items())}]" if chosen else ""


def _unmet_need(scenario: Scenario) -> str:
    """Why the contract makes this scenario pointless, or "". Where there is no contract, everything is asked."""
    contract = scenario.contract
    if not contract.path.endswith("contract.yaml"):
        return ""
    for need in scenario.needs:
        if contract.promises.get(need, "") in _NOT_PROMISED:
            return f"{need!r} is needed, which the contract {contract.name!r} does not promise"
    return ""


def _out_of_reach(scenario: Scenario, capabilities: Capabilities | None) -> str:
    """Why the target cannot be treated as the scenario wants, or ""."""
    if scenario.server and capabilities is not None and not capabilities.started:
        return "its `server:` steps need a server that sockcheck starts, and this one was running already"
    return ""
