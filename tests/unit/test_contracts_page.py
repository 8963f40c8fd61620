"""docs/contracts.md names every bundled scenario, in the section of its contract, beside the law that it tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from tools import CHECKOUT

from sockcheck import servers

PAGE = (CHECKOUT / "docs" / "contracts.md").read_text()
ROW = re.compile(r"\| [^|]+ \| (?P<laws>`[^|]+`) \| (?P<scenarios>[^|]+) \|")

# The first of the contracts' sections follows the table of what is tested for all of them.
COMMON, *SECTIONS = re.split(rf"(?m)^## (?=(?:{'|'.join(servers.NAMES)})$)", PAGE)


def told(text: str, contract: str) -> dict[str, set[str]]:
    """The scenarios in the tables of `text`, each with the laws that stand in its row."""
    found: dict[str, set[str]] = {}
    for row in ROW.finditer(text):
        laws = set(re.findall(r"`([^`]+)`", row["laws"]))
        names = row["scenarios"]
        # `waiting-clients (echo-once: backlog)` is called otherwise in that contract.
        for common, other, own in re.findall(r"([\w-]+) \(([\w-]+): ([\w-]+)\)", names):
            names = names.replace(f"{common} ({other}: {own})", own if contract == other else common)
        found.update({name.strip(): laws for name in names.split(",")})
    return found


@pytest.mark.parametrize("contract", servers.NAMES)
def test_the_page_names_every_scenario_and_its_law(contract: str) -> None:
    section = next(section for section in SECTIONS if section.startswith(f"{contract}\n"))
    page = told(COMMON, contract) | told(section.split("\n## ")[0], contract)
    if contract == "echo-once":  # its scenarios are those of echo that need one client at a time
        echo = next(section for section in SECTIONS if section.startswith("echo\n"))
        page = told(echo.split("\n## ")[0], contract) | page
    suite = {path.name.removesuffix(".sock.yaml"): law_of(path) for path in scenarios(contract)}

    assert suite.keys() - page.keys() == set()
    assert contract == "echo-once" or page.keys() - suite.keys() == set()
    assert {name: law for name, law in suite.items() if law not in page[name]} == {}


@pytest.mark.parametrize("contract", servers.NAMES)
def test_every_scenario_has_a_hint(contract: str) -> None:
    assert [path.name for path in scenarios(contract) if "\nhint: >-\n" not in path.read_text()] == []


def scenarios(contract: str) -> list[Path]:
    return sorted((CHECKOUT / "scenarios" / contract).glob("*.sock.yaml"))


def law_of(path: Path) -> str:
    law = yaml.safe_load(path.read_text()).get("law", "plain")
    assert isinstance(law, str)
    return law
