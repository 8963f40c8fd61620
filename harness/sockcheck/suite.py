"""The scenario files that were asked for: found, read, each with its contract."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sockcheck.errors import MistakesError, ScenarioError, UsageError
from sockcheck.reading import LARGEST, contract_and_mistakes, decode, read_scenario
from sockcheck.scenario import Contract, Scenario

SUFFIX = ".sock.yaml"
CONTRACT = "contract.yaml"

_BUNDLED = "scenarios"
_SKIPPED = ("node_modules", "__pycache__")
# Marks the root of a virtual environment, whatever it is called; sockcheck's own scenarios may be installed in there.
_ENVIRONMENT = "pyvenv.cfg"
# A `{file: …}` is held in memory and in the record; what is larger belongs into a payload.
_LARGEST_FILE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Suite:
    """Scenarios, ordered by path, and the texts of all the files that were read, by their paths.

    `whole` names the contracts of which all scenarios are here.
    """

    scenarios: tuple[Scenario, ...]
    sources: Mapping[str, str]
    whole: frozenset[str] = frozenset()


def load(paths: Sequence[str], top: Path | None = None) -> Suite:
    """Read all the scenarios under `paths`: files, or folders that are searched.

    A scenario's contract is the contract.yaml of its own folder, else of the nearest folder above it that is still
    within the path given, or within `top`; else there is none, and a contract without promises is named after the
    scenario's folder.
    `scenarios` and what is below it mean the bundled ones where there is no such folder.

    Raises UsageError for a path that cannot be used, MistakesError with all the mistakes of all the files.
    """
    if not paths:
        raise UsageError("no scenarios were named", "`scenarios` names the bundled ones")
    loader = _Loader(top)
    for given in paths:
        loader.add(existing(given))
    return loader.suite()


def bundled() -> Path:
    """The folder with the scenarios that come with sockcheck. Raises UsageError where they are missing."""
    package = Path(__file__).parent
    # In a wheel they are inside the package; in a checkout or an editable install they stand beside the source root.
    for folder in (package / "_scenarios", package.parents[1] / _BUNDLED):
        if folder.is_dir():
            return folder
    raise UsageError("the bundled scenarios are missing", "install sockcheck again, or name a folder of your own")


def existing(given: str) -> Path:
    """The path that is meant: `scenarios` and what is below it may be bundled. Raises UsageError for one not there."""
    path = Path(given)
    if _exists(path):
        return path
    if path.parts[:1] == (_BUNDLED,) and ".." not in path.parts:
        folder = bundled()
        inside = folder.joinpath(*path.parts[1:])
        if inside.exists():
            return inside
        names = ", ".join(sorted(each.name for each in folder.iterdir() if each.is_dir()))
        raise UsageError(
            f"there is no {given!r}, neither here nor among the bundled scenarios", f"bundled are: {names}"
        )
    raise UsageError(f"there is no file or folder {given!r}", "`scenarios` names the bundled ones")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise _unreadable(path, error) from None


class _Loader:
    """Collects files, then reads them. `_files` has, for each, the folder above which its contract is not sought."""

    def __init__(self, top: Path | None) -> None:
        self._top = top
        self._files: dict[Path, tuple[Path, Path]] = {}
        self._folders: list[Path] = []
        self._contracts: dict[Path, Contract | None] = {}
        self._sources: dict[str, str] = {}
        self._errors: list[ScenarioError] = []

    def add(self, path: Path) -> None:
        if not path.is_dir():
            if not path.name.endswith(SUFFIX):
                raise UsageError(f"'{path}' is not a scenario: its name does not end in {SUFFIX}")
            self._add_file(path, path.parent)
            return
        found = list(_search(path, set()))
        if not found:
            hint = f"scenarios are files whose names end in {SUFFIX}"
            raise UsageError(f"there are no scenarios in the folder '{path}'", hint)
        self._folders.append(path)
        for file in found:
            self._add_file(file, path)

    def _add_file(self, file: Path, top: Path) -> None:
        # By the folder it really is in, so that overlapping paths do not bring a file twice.
        self._files.setdefault(file.parent.resolve() / file.name, (file, self._top or top))

    def suite(self) -> Suite:
        read = (self._scenario(file, top) for file, top in sorted(self._files.values()))
        scenarios = tuple(scenario for scenario in read if scenario is not None)
        if self._errors:
            raise MistakesError(tuple(self._errors), self._sources)
        _check_names(scenarios)
        contracts = {scenario.contract.name: Path(scenario.contract.path) for scenario in scenarios}
        whole = {name for name, path in contracts.items() if any(map(path.is_relative_to, self._folders))}
        return Suite(scenarios, self._sources, frozenset(whole))

    def _scenario(self, file: Path, top: Path) -> Scenario | None:
        contract = self._contract(file.parent, top)
        text = self._text(file)
        if contract is None or text is None:
            return None
        try:
            return read_scenario(str(file), text, contract, lambda path: _part(file.parent / path))
        except MistakesError as error:
            self._errors += error.errors
            return None

    def _contract(self, folder: Path, top: Path) -> Contract | None:
        """The contract for a folder; None where it cannot be read, so that its scenarios cannot be judged either."""
        for each in (folder, *folder.parents):
            if each in self._contracts:
                return self._contracts[each]
            if (each / CONTRACT).is_file():
                self._contracts[each] = self._read_contract(each)
                return self._contracts[each]
            if each == top:
                break
        return Contract(name=_name(folder), path=str(folder))

    def _read_contract(self, folder: Path) -> Contract | None:
        file = folder / CONTRACT
        text = self._text(file)
        if text is None:
            return None
        contract, mistakes = contract_and_mistakes(str(file), text, _name(folder))
        self._errors += mistakes
        return contract

    def _text(self, file: Path) -> str | None:
        """The text of a file, or None where it is not one, which is noted. Raises UsageError."""
        try:
            text = decode(str(file), _read(file, LARGEST))
        except OSError as error:
            raise _unreadable(file, error) from None
        except MistakesError as error:
            self._errors += error.errors
            self._sources |= error.sources
            return None
        self._sources[str(file)] = text
        return text


def _search(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """All the scenario files below a folder. A folder that links lead to more than once is searched once."""
    real = folder.resolve()
    if real in seen:
        return
    seen.add(real)
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise _unreadable(folder, error) from None
    if folder / _ENVIRONMENT in entries:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        if entry.is_dir():
            yield from _search(entry, seen)
        elif entry.name.endswith(SUFFIX):
            yield entry


def _name(folder: Path) -> str:
    """What a folder is called, also where it is given as `.` or `..`."""
    return folder.name if folder.name not in ("", "..") else folder.resolve().name or "root"


def _read(path: Path, limit: int) -> bytes:
    """At most `limit` bytes and one more. Raises OSError, also for what is not a regular file and may never end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with path.open("rb") as file:
        return file.read(limit + 1)


def _part(path: Path) -> bytes:
    data = _read(path, _LARGEST_FILE)
    if len(data) > _LARGEST_FILE:
        raise OSError(errno.EFBIG, "larger than 8 MiB", str(path))
    return data


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"'{path}' cannot be read: {error.strerror or error}", "check its permissions")


def _check_names(scenarios: Sequence[Scenario]) -> None:
    """Names are what cases are selected and graded by, so no two may be the same."""
    seen: dict[tuple[str, str], str] = {}
    for scenario in scenarios:
        path = scenario.span.path
        first = seen.setdefault((scenario.contract.name, scenario.name), path)
        if first != path:
            name = f"{scenario.contract.name}/{scenario.name}"
            raise UsageError(f"two scenarios are called {name!r}: '{first}' and '{path}'", "rename one of them")
