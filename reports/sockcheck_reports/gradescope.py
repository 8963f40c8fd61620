"""The grades of a run as results.json of Gradescope (https://gradescope-autograders.readthedocs.io/en/latest/specs/).

A row that could not be judged has no score. The top has none either, so Gradescope, which wants the one or the other,
gives no grade at all, and says that the autograder failed: a zero would be believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .causes import counting, in_short, mending
from .excerpt import clipped, plain
from .failure import account, target_failure
from .grades import Grade, Grades, grade
from .view import CaseView, CauseView, View
from .visible import is_visible
from .wording import count

LIMIT = 800_000
"""So many characters of output, of all rows together: more than that is not read by anybody, and may be refused."""

_ROW_LIMIT = 16_000
_WIDTH = 100


def render(view: View, laws: Mapping[str, str]) -> str:
    """The whole file. `laws` gives each law's sentence by its id.

    What students may not see is told in the outputs of hidden rows and under `extra_data` alone: what stands on top is
    shown to them, so it names nothing of a hidden row.
    """
    grades = grade(view)
    hidden = {row.scenario for row in grades.rows if not is_visible(row.visibility)}
    return _file(
        "\n".join(_top(view, grades, hidden)),
        list(_tests(view, grades, laws)),
        round(view.duration, 3),
        _facts(view, grades),
    )


def unfinished(sentences: Sequence[str]) -> str:
    """What is to be found where the run never came to its end."""
    return _file(
        "\n".join([_regrade("the run was not finished"), *map(clipped, sentences)]), [], 0.0, {"regrade": True}
    )


def _file(output: str, tests: Sequence[Mapping[str, Any]], seconds: float, facts: Mapping[str, Any]) -> str:
    content = {
        "execution_time": seconds,
        "output": output,
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "extra_data": facts,
        "tests": tests,
    }
    return json.dumps(content, indent=1) + "\n"


def _regrade(why: str) -> str:
    return (
        f"REGRADE: this is no grade, since {clipped(why)}. Nobody is to blame for that here: run the autograder again."
    )


def _top(view: View, grades: Grades, hidden: Iterable[str]) -> Iterator[str]:
    if grades.regrade:
        yield _regrade(_why_open(grades))
        yield ""
    for event in view.target_failures:
        yield from (line.plain.rstrip() for line in target_failure(event, _WIDTH))
        yield ""
    for cause in counting(view):
        if cause.known and any(_scenario(case) not in hidden for case in cause.cases):
            yield from _cause(cause)
            yield ""
    for case in grades.beside:
        if _scenario(case) not in hidden and case.outcome in ("fail", "flaky"):
            yield f"It costs no points, and is not right either: {clipped(case.said)}"


def _why_open(grades: Grades) -> str:
    """Why it is to be graded again, without a name: it may be that of a hidden row."""
    left = sum(row.standing == "regrade" for row in grades.rows)
    return f"{count(left, 'row')} could not be judged" if left else "the run is not whole"


def _cause(cause: CauseView) -> Iterator[str]:
    named = cause.named
    yield f"CAUSE  The server {clipped(named.title)}"
    yield f"       {clipped(named.why)}"
    if named.thought:
        yield f"Thought  {clipped(named.thought)}"
    yield "Mend"
    yield from (f"    {clipped(line)}" for line in mending(cause).splitlines())
    yield f"Next  sockcheck explain {plain(named.law)}"


def _tests(view: View, grades: Grades, laws: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    left = LIMIT
    scenario, first, second = "", 0, 0
    for row in grades.counting:
        if row.scenario != scenario:
            scenario, first, second = row.scenario, first + 1, 0
        second += 1
        output = _output(row, view, laws) if left > 0 else row.why
        left -= len(output)
        yield _test(row, f"{first}.{second}", output)


def _test(row: Grade, number: str, output: str) -> dict[str, Any]:
    law = "" if row.law == "plain" else f" [{plain(row.law)}]"
    scored = {"score": row.earned, "status": "passed" if row.standing == "earned" else "failed"}
    return {
        **(scored if row.standing != "regrade" else {}),
        "max_score": row.points,
        "name": f"{clipped(row.title, 200) or plain(row.scenario)}{law}",
        "number": number,
        "output": output,
        "tags": [plain(row.contract), plain(row.scenario), plain(row.law)],
        "visibility": row.visibility or "visible",
        "extra_data": {
            "scenario": plain(row.scenario),
            "law": plain(row.law),
            "standing": row.standing,
            "cases": row.cases,
            "failing": [plain(case.label) for case in row.failing[:50]],
            "causes": [plain(cause.named.id) for cause in row.causes],
            "gated_by": [plain(gate) for gate in row.gated_by],
        },
    }


def _output(row: Grade, view: View, laws: Mapping[str, str]) -> str:
    if row.standing == "earned":
        return f"{count(row.cases, 'case')}: all passed"
    if row.standing == "regrade":
        return _regrade(row.why)
    lines = [clipped(row.why)]
    smallest = _smallest(row)
    if smallest is not None:
        lines += ["", *(line.plain.rstrip() for line in account(smallest, view, laws, _WIDTH))]
        others = [case for case in row.failing if case is not smallest]
        lines += ["", "These fail too:", *(line.plain for line in in_short(others))] if others else []
    text = "\n".join(lines)
    return text if len(text) <= _ROW_LIMIT else f"{text[:_ROW_LIMIT]}\n… ({len(text) - _ROW_LIMIT:,} more characters)"


def _smallest(row: Grade) -> CaseView | None:
    """The failing case to begin with: the first of its first cause."""
    failing = {id(case) for case in row.failing}
    caused = (case for cause in row.causes for case in cause.cases if id(case) in failing)
    return next(caused, row.failing[0] if row.failing else None)


def _facts(view: View, grades: Grades) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "regrade": grades.regrade,
        "why_regrade": [clipped(sentence) for sentence in grades.why_open],
        "earned": grades.earned,
        "total": grades.total,
        "left_out": [
            {"scenario": plain(row.scenario), "law": plain(row.law), "why": clipped(row.why)}
            for row in grades.rows
            if row.standing == "left-out"
        ],
    }
    if view.run:
        facts |= {"sockcheck": plain(view.run.sockcheck), "seed": view.run.seed, "started": plain(view.run.started)}
    return facts


def _scenario(case: CaseView) -> str:
    return f"{case.case.contract}/{case.case.scenario}"
