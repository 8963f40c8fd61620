"""What pytest says of cases: accounts in place of tracebacks, and at the end the causes behind them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import pytest
from rich.text import Text

from sockcheck.codec import decode, encode
from sockcheck.commands.outputs import explained
from sockcheck.errors import SockcheckError
from sockcheck.events import SourceRead
from sockcheck.laws import LAWS
from sockcheck.pytest_plugin.items import CaseItem, NotPassedError
from sockcheck.pytest_plugin.ledger import Ledger
from sockcheck_reports import causes, failure, terminal
from sockcheck_reports.excerpt import clipped, plain
from sockcheck_reports.view import CaseView, place

_WIDTH = 80
_WIDEST = 100


class Writer(Protocol):
    """Of pytest's what is needed here: it has no public name."""

    hasmarkup: bool

    def write(self, msg: str) -> None: ...


@dataclass(frozen=True)
class Crash:
    """Where it went wrong, and in a sentence what: what pytest's one-line summaries, and its JUnit report, show."""

    path: str
    lineno: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.lineno}: {self.message}"


class Account:
    """What pytest prints of a report in place of a traceback.

    `label` is the case's, and `path` its file: by them it is found among all cases when the run is over. `lines` are
    then written, for the terminal as it is; until then, and in files, `text` stands. Where something else than the case
    made it fail, such as pytest-timeout, `lead` says what.
    """

    def __init__(self, text: str, reprcrash: Crash, label: str, path: str, lead: str = "") -> None:
        self.text = text
        self.reprcrash = reprcrash
        self.label = label
        self.path = path
        self.lead = lead
        self.lines: Sequence[Text] = ()

    def carried(self) -> dict[str, Any]:
        """What a report carries of it besides its text."""
        return {"crash": vars(self.reprcrash), "label": self.label, "path": self.path, "lead": self.lead}

    def __str__(self) -> str:
        return self.text

    def toterminal(self, writer: Writer) -> None:
        writer.write(terminal.to_text(self.lines, writer.hasmarkup) if self.lines else f"{self.text}\n")


def tell(report: pytest.TestReport, item: CaseItem, call: pytest.CallInfo[None]) -> None:
    """Make the report of an item say what there is to say, and carry the facts to whoever puts them together."""
    error = call.excinfo.value if call.excinfo is not None else None
    data: dict[str, Any] = {}
    if report.failed and isinstance(error, NotPassedError | SockcheckError | pytest.fail.Exception):
        account = _account(error, item, report.when)
        report.longrepr = cast(Any, account)
        data = account.carried()
    elif report.when == "call" and report.skipped and not hasattr(report, "wasxfail"):
        report.longrepr = (item.case.span.path, item.case.span.line, f"Skipped: {error}")
    if report.when == "call" and item.view is not None and not report.failed:
        for case in item.view.cases[:1]:
            if case.outcome in ("advice", "flaky") or case.known_failure:
                lines = failure.account(case, item.view, LAWS, _WIDTH)
                report.sections.append(("sockcheck", terminal.to_text(lines, colour=False)))
    facts, item.facts = item.facts, []
    if facts or data:
        worker: dict[str, Any] = getattr(item.config, "workerinput", {})
        data["part"] = f"{worker.get('workerid', '')}/{item.performer.part}"
        data["server"] = item.contract.path
        data["facts"] = [encode(event) for event in facts] if worker else facts
        path = item.case.span.path
        if path not in item.performer.sent:
            item.performer.sent.add(path)
            data["source"] = [path, item.performer.sources[path]]
        cast(Any, report).sockcheck = json.dumps(data) if worker else data
    if report.when == "call" and report.failed and not _accuses(error):
        # As pytest sees it, what keeps a test from being judged happens before it.
        report.when = "setup"


def _accuses(error: BaseException | None) -> bool:
    """Whether it is the server that is at fault; a limit of time may be anybody's."""
    return error.accuses if isinstance(error, NotPassedError) else isinstance(error, pytest.fail.Exception)


def _account(error: BaseException, item: CaseItem, when: str) -> Account:
    span, label, lead = item.case.span, "", ""
    message = str(error) if _accuses(error) else f"error: {error}"
    lines: list[Text] = []
    case, view = None, item.view
    if isinstance(error, NotPassedError):
        case, view = error.case, error.view
        if case is None:
            lines = [line for each in view.target_failures for line in failure.target_failure(each, _WIDTH)]
    else:
        lead = explained(error) if isinstance(error, SockcheckError) else message
        if when == "call" and view is not None and view.cases:
            case = view.cases[0]  # Something broke off the wait for it: this is how far it was.
    if view is not None and case is not None:
        lines, label = failure.account(case, view, LAWS, _WIDTH), case.label
        span = place(case, case.findings[0] if case.findings else None)
    text = "\n".join([*([lead, ""] if lead else []), terminal.to_text(lines, colour=False)]).rstrip("\n")
    return Account(text, Crash(span.path, span.line, clipped(message)), label, item.case.span.path, lead)


def hear(report: pytest.TestReport, ledger: Ledger) -> None:
    """Take out of a report what is not pytest's, be it from here or from a worker."""
    told: str | dict[str, Any] = report.__dict__.pop("sockcheck")
    data: dict[str, Any] = json.loads(told) if isinstance(told, str) else told
    facts = [decode(event) if isinstance(event, str) else event for event in data["facts"]]
    sources = [SourceRead(0.0, *data["source"])] if "source" in data else []
    ledger.add(data["part"], data["server"], [*sources, *facts])
    if "crash" in data and not isinstance(report.longrepr, Account):
        crash = Crash(**data["crash"])
        account = Account(str(report.longrepr), crash, data["label"], data["path"], data["lead"])
        report.longrepr = cast(Any, account)


def retell(reporter: pytest.TerminalReporter, ledger: Ledger) -> None:
    """Before pytest tells the failures: let the accounts know the causes, and tell once what has the same."""
    view = ledger.view
    whole = reporter.config.get_verbosity() > 0
    cases = {(case.label.partition(" (time ")[0], case.case.span.path): case for case in view.cases}
    leaders = {
        id(case): group.first for group in causes.groups(view) for case in group.others if group.cause and not whole
    }
    for report in (report for reports in reporter.stats.values() for report in reports):
        account = getattr(report, "longrepr", None)
        if isinstance(account, Account):
            case = cases.get((account.label, account.path))
            if case is not None:
                first = leaders.get(id(case))
                told = _in_short(case, first) if first else failure.account(case, view, LAWS, _width(reporter))
                account.lines = [*([Text(account.lead), Text()] if account.lead else []), *told]


def _in_short(case: CaseView, first: CaseView) -> list[Text]:
    lines = failure.heading(case, _WIDTH)
    said = case.findings[0].message if case.findings else case.reason
    lines += [Text(), *failure.paragraph(said, _WIDTH)]
    return [*lines, *failure.paragraph(f"of the same cause as {plain(first.label)} (-v shows it in full)", _WIDTH)]


def summarise(reporter: pytest.TerminalReporter, ledger: Ledger) -> None:
    """The section that leads with the causes."""
    lines = terminal.overview(ledger.view, LAWS, _width(reporter))
    notes = ledger.notes
    if not lines and not notes:
        return
    reporter.section("sockcheck causes" if ledger.view.causes else "sockcheck", sep="=", bold=True)
    writer = cast(Any, reporter)._tw
    writer.write(terminal.to_text([*lines, *map(Text, notes)], writer.hasmarkup))


def _width(reporter: pytest.TerminalReporter) -> int:
    columns: int = cast(Any, reporter)._tw.fullwidth
    return max(60, min(columns, _WIDEST))
