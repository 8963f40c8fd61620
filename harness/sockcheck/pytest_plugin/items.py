"""Scenario files as pytest sees them: a collector a file, an item a case, named by the ids of its cases.

What stands behind the path in the id of an item is the id of its case. pytest takes `::` for the border between two
nodes, so a scenario is a node of its own between its file and its cases. Where it has a matrix it is not, since pytest
takes all from the first bracket on for a part of the last name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sockcheck.case import Capabilities, Case
from sockcheck.commands.outputs import explained
from sockcheck.commands.run import clients_promised, run_started, server_of
from sockcheck.deriving import Planned, Wish, conditions_of, derive
from sockcheck.errors import SockcheckError, UsageError
from sockcheck.events import Event, SourceRead
from sockcheck.place import Place, Server
from sockcheck.pytest_plugin.options import words
from sockcheck.pytest_plugin.performing import Performer, relative
from sockcheck.queues import Item
from sockcheck.scenario import Contract
from sockcheck.suite import CONTRACT, load
from sockcheck.verdict import Outcome
from sockcheck_reports.view import CaseView, View, fold


class ScenarioFile(pytest.File):
    """A `*.sock.yaml` file."""

    def __init__(self, *, performer: Performer, **named: Any) -> None:
        super().__init__(**named)
        self.performer = performer

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        try:
            items = list(self._items())
        except SockcheckError as error:
            text = explained(error)
            if text in self.performer.told:
                return []  # What is wrong with a contract, or the target, is said once.
            self.performer.told.add(text)
            raise self.CollectError(text) from None
        return list(self._nodes(items))

    def _items(self) -> Iterator[tuple[Item, Contract]]:
        options = self.performer.options
        top = self.performer.top if self.path.is_relative_to(self.performer.top) else self.path.parent
        suite = load([relative(self.path)], Path(relative(top)))
        self.performer.sources.update(suite.sources)
        wish = Wish(
            seed=options.seed,
            conditions=None if options.conditions is None else conditions_of(options.conditions),
            strict=options.strict,
            stretch=options.stretch,
            capabilities=Capabilities(started=options.connect is None, observable=True),
        )
        for scenario in suite.scenarios:
            contract = scenario.contract
            server, clients = self._server(contract), clients_promised(contract)
            for planned in derive([scenario], wish, self.performer.tried):
                if isinstance(planned, Planned):
                    yield Item(planned.case, server, clients), contract

    def _server(self, contract: Contract) -> Server:
        options = self.performer.options
        if not options.command and options.connect is None and not contract.target:
            raise UsageError(
                f"no server to test: the contract {contract.name} names none",
                'name its command with --sockcheck-target "./server {port}", or its address with --sockcheck-connect',
            )
        server = server_of(contract, options)
        workers = int(getattr(self.config, "workerinput", {}).get("workercount", 1))
        if workers > 1 and not Place(server, 1).can_be_many:
            raise UsageError(
                "several workers would have one server: its address is not sockcheck's to choose",
                "use {port} in its command, or run its scenarios without -n",
            )
        return server

    def _nodes(self, items: Iterable[tuple[Item, Contract]]) -> Iterator[pytest.Item | pytest.Collector]:
        scenarios: dict[str, ScenarioNode] = {}
        for item, contract in items:
            stem, _, law = item.case.id.partition("::")
            if "[" in stem:
                yield CaseItem.from_parent(self, name=item.case.id, item=item, contract=contract)
            else:
                if stem not in scenarios:
                    scenarios[stem] = ScenarioNode.from_parent(self, name=stem)
                    yield scenarios[stem]
                scenarios[stem].items.append((law, item, contract))


class ScenarioNode(pytest.Collector):
    """A scenario: `echo/hello`."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.items: list[tuple[str, Item, Contract]] = []

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        for law, item, contract in self.items:
            yield CaseItem.from_parent(self, name=law, item=item, contract=contract)


class NotPassedError(Exception):
    """A case that did not pass, with what there is to tell of it. `case` is None where no server was to be had."""

    def __init__(self, message: str, view: View, case: CaseView | None) -> None:
        super().__init__(message)
        self.message = message
        self.view = view
        self.case = case

    @property
    def accuses(self) -> bool:
        """Whether it is the server's fault, and not ours or the machine's."""
        return self.case is not None and self.case.outcome in ("fail", "flaky", "skip")


class CaseItem(pytest.Item):
    """A case. `facts` are those that no report has carried yet; `view` is what they came to when it was performed."""

    def __init__(self, *, item: Item, contract: Contract, **named: Any) -> None:
        super().__init__(**named)
        self.item = item
        self.contract = contract
        self.extra_keyword_matches.add(item.case.id)
        self.facts: list[Event] = []
        self.view: View | None = None
        self._behind: NotPassedError | None = None

    @property
    def case(self) -> Case:
        return self.item.case

    @property
    def performer(self) -> Performer:
        node = self.getparent(ScenarioFile)
        assert node is not None
        return node.performer

    def reportinfo(self) -> tuple[Path, int, str]:
        # pytest takes a name that the id of the node ends with for a Python one, and its dots for borders.
        return self.path, self.case.span.line - 1, f"case {self.case.id}"

    def runtest(self) -> None:
        performer = self.performer
        self._behind = self.view = None
        try:
            performer.perform(self.item, self.contract.path)
        finally:
            self.view = view = self._view(performer.servers(), performer.facts())
        lost = [NotPassedError(failure.message, view, None) for failure in view.target_failures]
        if not view.cases:
            for error in lost:
                raise error
            pytest.skip(view.not_run[0].why)
        case, *behind = view.cases
        self._behind = next(iter([*_accused(view, behind, performer.options.flaky), *lost]), None)
        self._judge(case, view)

    def leave(self, nextitem: pytest.Item | None) -> None:
        """Once it is torn down: end the sitting where the next item is none of it, and tell what was found then."""
        performer, behind = self.performer, self._behind
        if not isinstance(nextitem, CaseItem) or nextitem.contract.path != self.contract.path:
            servers = performer.servers()
            view = self._view(servers, performer.finish())
            behind = next(iter([behind, *_accused(view, view.cases, performer.options.flaky)]))
        if behind is not None:
            raise behind

    def _view(self, servers: Iterable[Event], facts: Iterable[Event]) -> View:
        """What the facts of this item come to; they are kept for its report. `servers`: those that were running."""
        path, contract = self.case.span.path, Path(self.contract.path)
        chosen = self.performer.options
        chosen.words = words(chosen, [os.fspath(contract.parent if contract.name == CONTRACT else contract)])
        source = SourceRead(0.0, path, self.performer.sources[path])
        facts = list(facts)
        self.facts += facts
        return fold((run_started(chosen, 1), source, *servers, *facts))

    def _judge(self, case: CaseView, view: View) -> None:
        if case.known_failure and not self.config.getoption("runxfail", False):
            pytest.xfail(case.reason)
        if case.outcome == "skip" and not case.known_failure:
            pytest.skip(case.reason)
        tolerated: tuple[Outcome, ...] = ("pass", "advice")
        if self.performer.options.flaky == "pass":
            tolerated = ("pass", "advice", "flaky")
        if case.outcome not in tolerated:
            raise NotPassedError(_message(case), view, case)


def _accused(view: View, cases: Iterable[CaseView], flaky: str) -> Iterator[NotPassedError]:
    """What fresh clients met behind a case, as far as they accuse the server."""
    for case in cases:
        if case.outcome == "fail" or (case.outcome == "flaky" and flaky == "fail"):
            yield NotPassedError(_message(case), view, case)


def _message(case: CaseView) -> str:
    return case.findings[0].message if case.findings else case.reason
