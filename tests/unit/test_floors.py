"""The floors are listed in three places of pyproject.toml, which must agree; import-linter does the rest."""

import re
import tomllib
from typing import Any

from tools import CHECKOUT

CONFIGURATION: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
LAYERS, PURE_CONTRACT, REPORTS_CONTRACT = CONFIGURATION["importlinter"]["contracts"][:3]
FLOORS = [set(re.findall(r"\w+", floor)) for floor in LAYERS["layers"]]
PURE = FLOORS[-1] | FLOORS[-2]


def test_the_pure_floors_are_the_ones_kept_from_the_operating_system() -> None:
    assert PURE_CONTRACT["source_modules"] == [f"sockcheck.{module}" for module in sorted(PURE)]


def test_the_reports_may_know_floor_0() -> None:
    allowed = [f"sockcheck_reports.** -> sockcheck.{module}" for module in sorted(FLOORS[-1])]
    assert REPORTS_CONTRACT["ignore_imports"] == allowed


def test_all_of_the_pure_floors_is_measured() -> None:
    omitted = {
        re.sub(r"^\*/sockcheck/|\.py$|/\*$", "", pattern) for pattern in CONFIGURATION["coverage"]["run"]["omit"]
    }
    assert omitted == set().union(*FLOORS) - PURE | set(LAYERS["exhaustive_ignores"])
