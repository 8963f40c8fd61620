"""YAML into scenarios and contracts, every value with its place; all the mistakes of a file at once.

`sockcheck.reading.mistakes.render` makes text of a mistake.
"""

from __future__ import annotations

from collections.abc import Callable

from sockcheck.errors import MistakesError, ScenarioError
from sockcheck.forms import (
    Span,
)
from sockcheck.reading import contracts, scenarios
from sockcheck.reading.page import Page
from sockcheck.reading.tree import LARGEST, too_large
from sockcheck.scenario import (
    Contract,
    Scenario,
)

__all__ = ["LARGEST", "contract_and_mistakes", "decode", "read_contract", "read_scenario"]


def read_scenario(path: str, text: str, contract: Contract, load: Callable[[str], bytes]) -> Scenario:
    """The scenario that `text` describes. Spans name `path`; its last part without `.sock.yaml` is the scenario's name.

    `load` returns the bytes of a file whose path is relative to the scenario's, or raises OSError.
    Raises MistakesError with all the mistakes of the file.
    """
    page = Page(path, text)
    scenario = page.attempt(scenarios.scenario, page, contract, load)
    if scenario is None or page.mistakes:
        raise page.failure()
    return scenario


def read_contract(path: str, text: str, folder: str) -> Contract:
    """The contract that `text` describes, whose name must be that of its `folder`.

    Raises MistakesError with all the mistakes of the file.
    """
    contract, mistakes = contract_and_mistakes(path, text, folder)
    if contract is None or mistakes:
        raise MistakesError(mistakes, {path: text})
    return contract


def contract_and_mistakes(path: str, text: str, folder: str) -> tuple[Contract | None, tuple[ScenarioError, ...]]:
    """The contract as far as it can be read, None where it cannot, and all its mistakes.

    For whoever goes on to read the scenarios under it, so as to find their mistakes too.
    """
    page = Page(path, text)
    try:
        contract = page.attempt(contracts.contract, page, folder)
    except MistakesError as error:
        return None, error.errors
    return contract, page.mistakes


def decode(path: str, data: bytes) -> str:
    """The text of a file: UTF-8, at most 1 MiB, without a byte order mark. Raises MistakesError for anything else."""
    if len(data) > LARGEST:
        raise MistakesError((too_large(path),), {path: data[:80].decode(errors="replace")})
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode().removeprefix("\ufeff")
        line = before.count("\n") + 1
        column = len(before) - before.rfind("\n")
        source = data.decode(errors="replace")
        span = Span(path, line, column, column + 1)
        mistake = ScenarioError(span, f"the byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8")
        raise MistakesError((mistake,), {path: source}) from None
