"""The pytest plugin: scenario files are collected beside Python tests, an item a case.

pytest loads this in every run, so it imports nothing heavy: what collects, performs and reports is imported when the
first scenario file is met, or the fixture is asked for. Under pytest-xdist each worker performs cases at servers of its
own, and the controller puts together what they saw.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sockcheck.pytest_plugin import options

if TYPE_CHECKING:
    from sockcheck.pytest_plugin.fixture import Sockcheck
    from sockcheck.pytest_plugin.items import ScenarioFile
    from sockcheck.pytest_plugin.ledger import Ledger
    from sockcheck.pytest_plugin.performing import Performer

# As in sockcheck.suite, which is not loaded for it.
_SUFFIX = ".sock.yaml"
_STARTED = "sockcheck_started"

_performer: pytest.StashKey[Performer] = pytest.StashKey()
_ledger: pytest.StashKey[Ledger] = pytest.StashKey()
_began: pytest.StashKey[float] = pytest.StashKey()
_collected: pytest.StashKey[Sequence[str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    from sockcheck.errors import SockcheckError

    workerinput: dict[str, Any] = getattr(config, "workerinput", {})
    config.stash[_began] = workerinput.get(_STARTED, time.time())
    try:
        options.read(config)
    except SockcheckError as error:
        raise pytest.UsageError("\n".join([f"sockcheck: {error.message}", f"hint: {error.hint}"])) from None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist: the clock of the run is the controller's."""
    node.workerinput[_STARTED] = node.config.stash[_began]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    if not file_path.name.endswith(_SUFFIX):
        return None
    _load_trio()
    from sockcheck.pytest_plugin.items import ScenarioFile
    from sockcheck.pytest_plugin.performing import Performer

    stash = parent.config.stash
    if _performer not in stash:
        stash[_performer] = Performer(options.read(parent.config), stash[_began], parent.config.rootpath)
    return ScenarioFile.from_parent(parent, path=file_path, performer=stash[_performer])


def pytest_collection_finish(session: pytest.Session) -> None:
    _note_collected(session.config, [item.nodeid for item in session.items])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: Sequence[str]) -> None:
    _note_collected(node.config, ids)


def _note_collected(config: pytest.Config, ids: Sequence[str]) -> None:
    config.stash[_collected] = [each for each in ids if f"{_SUFFIX}::" in each]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    yield
    leave = getattr(item, "leave", None)
    if leave is not None and _performer in item.config.stash:
        leave(nextitem)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if _performer in item.config.stash:
        from sockcheck.pytest_plugin.items import CaseItem
        from sockcheck.pytest_plugin.reporting import tell

        if isinstance(item, CaseItem):
            tell(report, item, call)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(_Listener(session.config), "sockcheck-listener")


class _Listener:
    """Hears the reports of this process, or of all workers: the hook is not told of the configuration."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if hasattr(report, "sockcheck"):
            from sockcheck.pytest_plugin.reporting import hear

            hear(report, _ledger_of(self._config))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None]:
        if _ledger in self._config.stash:
            from sockcheck.pytest_plugin.reporting import retell

            retell(terminalreporter, self._config.stash[_ledger])
        yield


def _ledger_of(config: pytest.Config) -> Ledger:
    from sockcheck.pytest_plugin.ledger import Ledger

    if _ledger not in config.stash:
        config.stash[_ledger] = Ledger(options.read(config), config.stash[_began], config.stash.get(_collected, []))
    return config.stash[_ledger]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    if _performer in config.stash:
        config.stash[_performer].stop()
    if hasattr(config, "workerinput"):
        return
    if _ledger in config.stash or options.read(config).record is not None:
        interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
        why = "interrupted" if interrupted else str(session.shouldfail or session.shouldstop or "")
        _ledger_of(config).finish(why, interrupted=interrupted)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if _ledger in config.stash:
        from sockcheck.pytest_plugin.reporting import summarise

        summarise(terminalreporter, config.stash[_ledger])


@pytest.fixture
def sockcheck(request: pytest.FixtureRequest) -> Sockcheck:
    """Runs scenarios from a test: `sockcheck.run("scenarios/echo", target=[sys.executable, "server.py", "{port}"])`.

    docs/pytest.md tells what there is.
    """
    _load_trio()
    from sockcheck.pytest_plugin.fixture import Sockcheck

    return Sockcheck(options.read(request.config))


def _load_trio() -> None:
    """trio tells Hypothesis, where that is loaded, of its random numbers, and may be warned of that without need.

    Where warnings are errors that would be the end of whoever asks for sockcheck first.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import trio  # noqa: F401 - to have it loaded is all that is wanted
